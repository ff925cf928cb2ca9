//! Claims about what a chain is used and watched by: transactions, metrics,
//! logs.

use super::each::{compare, compare_growing, each, each_up};
use super::{Case, Judgement, Scene};
use crate::history::short;
use crate::model::{LogClaim, MetricClaim, MetricMode, TransactionClaim, TransactionState};
use crate::world::TxPlace;

/// Letters of a log line told.
const LETTERS_MAX: usize = 120;

pub(super) fn transaction(scene: &Scene<'_>, case: &Case, claim: &TransactionClaim) -> Judgement {
    let ids = scene.sent(&claim.name);
    if ids.is_empty() {
        return Judgement::TooEarly(format!("no transaction of {} is known yet", claim.name));
    }
    each_up(scene, case, |node, _| {
        let mut confirmed = 0_usize;
        for id in ids {
            let place = scene.history.transactions.get(id).and_then(|x| x.get(node));
            match (place, claim.is) {
                (Some(TxPlace::Confirmed { .. }), _) => confirmed += 1,
                (Some(TxPlace::Waiting), TransactionState::ConfirmedOrWaiting) => {}
                (Some(TxPlace::Waiting), TransactionState::Confirmed) => {
                    return Judgement::NotYet(format!("{} still waits", short(id)));
                }
                (Some(TxPlace::Unknown), _) => {
                    return Judgement::NotYet(format!("{} is nowhere", short(id)));
                }
                (None, _) => {
                    return Judgement::TooEarly(format!("{} was not looked for yet", short(id)));
                }
            }
        }
        let waiting = ids.len() - confirmed;
        Judgement::Holds(format!("{confirmed} confirmed, {waiting} waiting"))
    })
}

pub(super) fn metric(scene: &Scene<'_>, case: &Case, claim: &MetricClaim) -> Judgement {
    let name = &claim.selector.text;
    let Some(watch) = scene.history.watches.get(&case.watch) else {
        return Judgement::TooEarly(format!("{name} was not read yet"));
    };
    each_up(scene, case, |node, _| {
        let Some(reading) = watch.reading(node, case.window_begin(scene)) else {
            return Judgement::TooEarly(format!("has no series {name}"));
        };
        match claim.mode {
            MetricMode::Value => compare(scene, name, reading.value, &claim.is),
            MetricMode::Delta if watch.selector().is_counter() => {
                let what = format!("growth of {name}");
                compare_growing(scene, case, &what, reading.delta, &claim.is)
            }
            MetricMode::Delta => compare(
                scene,
                &format!("change of {name}"),
                reading.delta,
                &claim.is,
            ),
            MetricMode::Rate => match reading.rate() {
                Some(rate) => compare(scene, &format!("{name} a second"), rate, &claim.is),
                None => Judgement::TooEarly("one look has no rate".into()),
            },
        }
    })
}

pub(super) fn log(scene: &Scene<'_>, case: &Case, claim: &LogClaim) -> Judgement {
    let (count, sample) = hits(scene, case);
    // Absence is told only of a log that is heard at all, and all of it.
    if count == 0 && scene.history.logs.has_lost_since(case.window_begin(scene)) {
        return Judgement::TooEarly(lost(scene));
    }
    if count == 0
        && let Some(node) = case.nodes.iter().find(|node| is_unheard(scene, node))
    {
        return Judgement::TooEarly(unheard(node));
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 lines")]
    let judged = compare_growing(scene, case, "lines", count as f64, &claim.count);
    match (judged, sample) {
        (Judgement::Violated(why), Some(line)) => Judgement::Violated(format!("{why}; {line}")),
        (Judgement::Holds(why), Some(line)) => Judgement::Holds(format!("{why}; {line}")),
        (judged, _) => judged,
    }
}

pub(super) fn no_error_logs(scene: &Scene<'_>, case: &Case) -> Judgement {
    let since = case.window_begin(scene);
    let Some(watch) = scene.history.log_watches.get(&case.watch) else {
        return Judgement::TooEarly("no log was read yet".into());
    };
    let judged = each(case, |node| {
        let (hits, _) = watch.hits(std::slice::from_ref(node), since);
        match hits.as_slice() {
            [] if is_unheard(scene, node) => Judgement::TooEarly(unheard(node)),
            [] if scene.history.logs.has_lost_since(since) => Judgement::TooEarly(lost(scene)),
            [] => Judgement::Holds("no error".into()),
            [first, ..] => {
                Judgement::Violated(format!("{} errors; {}", hits.len(), told(&first.text)))
            }
        }
    });
    if judged.holds() && case.must_be_over(scene) {
        return Judgement::TooEarly("no error so far; the window is not over".into());
    }
    judged
}

/// How many lines of the case's nodes in its window, and the last of them.
fn hits(scene: &Scene<'_>, case: &Case) -> (u64, Option<String>) {
    let Some(watch) = scene.history.log_watches.get(&case.watch) else {
        return (0, None);
    };
    let (hits, more) = watch.hits(&case.nodes, case.window_begin(scene));
    let sample = hits
        .last()
        .map(|line| format!("{}: {}", line.node, told(&line.text)));
    (
        u64::try_from(hits.len())
            .unwrap_or(u64::MAX)
            .saturating_add(more),
        sample,
    )
}

fn is_unheard(scene: &Scene<'_>, node: &str) -> bool {
    scene.history.logs.heard(node) == 0
}

fn lost(scene: &Scene<'_>) -> String {
    let lost = scene.history.logs.lost();
    format!("{lost} log lines were lost because they came too fast, so nobody can tell")
}

fn unheard(node: &str) -> String {
    format!("not a line of {node}'s log was heard")
}

fn told(text: &str) -> String {
    text.chars().take(LETTERS_MAX).collect()
}
