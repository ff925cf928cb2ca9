//! Claims about each node, with a share of them that may break it.

use super::{Case, Judgement, Scene};
use crate::fault::NodeName;
use crate::model::{Comparison, Operator};
use crate::world::NodeFacts;

/// Nodes named in a reason.
const NAMED_MAX: usize = 3;

/// Judges each node by itself and all of them together.
pub(super) fn each(case: &Case, judge: impl Fn(&NodeName) -> Judgement) -> Judgement {
    if case.nodes.is_empty() {
        return Judgement::Violated("it is about no node at all".into());
    }
    let judged: Vec<(&NodeName, Judgement)> =
        case.nodes.iter().map(|node| (node, judge(node))).collect();
    let bad: Vec<&(&NodeName, Judgement)> = judged.iter().filter(|(_, x)| !x.holds()).collect();
    let allowed = allowed(case);
    if bad.len() <= allowed {
        return Judgement::Holds(evidence(&judged, bad.len()));
    }
    let why = reasons(&bad);
    let hopeless = bad
        .iter()
        .filter(|(_, x)| matches!(x, Judgement::Violated(_)));
    if hopeless.count() > allowed {
        return Judgement::Violated(why);
    }
    let early = bad
        .iter()
        .filter(|(_, x)| matches!(x, Judgement::TooEarly(_)));
    if bad.len() - early.count() > allowed {
        Judgement::NotYet(why)
    } else {
        Judgement::TooEarly(why)
    }
}

/// Like [`each`], for what only an answering node can be asked.
pub(super) fn each_up(
    scene: &Scene<'_>,
    case: &Case,
    judge: impl Fn(&NodeName, &NodeFacts) -> Judgement,
) -> Judgement {
    each(case, |node| match scene.history.facts(node) {
        Some(facts) => judge(node, facts),
        None => silent(scene, node),
    })
}

/// Like [`each_up`], for what a node that does not answer may keep to as well:
/// nobody can tell until it answers again.
pub(super) fn each_when_up(
    scene: &Scene<'_>,
    case: &Case,
    judge: impl Fn(&NodeName, &NodeFacts) -> Judgement,
) -> Judgement {
    each(case, |node| match scene.history.facts(node) {
        Some(facts) => judge(node, facts),
        None => Judgement::TooEarly(silent(scene, node).text().to_owned()),
    })
}

/// The judgement of a node that does not answer.
pub(super) fn silent(scene: &Scene<'_>, node: &str) -> Judgement {
    let why = scene.history.down(node).unwrap_or_default();
    Judgement::NotYet(format!("does not answer ({why})"))
}

/// How many nodes may break the claim.
pub(super) fn allowed(case: &Case) -> usize {
    let share = case.expectation.allow.get();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few hundred nodes"
    )]
    let nodes = (share * case.nodes.len() as f64 + 1e-9).floor() as usize;
    nodes
}

/// Judges a number that goes up and down.
pub(super) fn compare(scene: &Scene<'_>, what: &str, value: f64, is: &Comparison) -> Judgement {
    let shown = number(value);
    match is.holds(value, scene.interval_ms(), scene.records) {
        Some(true) => Judgement::Holds(format!("{what} {shown}")),
        Some(false) => Judgement::NotYet(format!("{what} {shown}, not {}", told(scene, is))),
        None => Judgement::TooEarly(unrecorded(is)),
    }
}

/// Judges a number that only grows: what has outgrown its bound never comes
/// back, and a bound from above holds only once the window is over.
pub(super) fn compare_growing(
    scene: &Scene<'_>,
    case: &Case,
    what: &str,
    value: f64,
    is: &Comparison,
) -> Judgement {
    let Some(operand) = is.operand.value(scene.interval_ms(), scene.records) else {
        return Judgement::TooEarly(unrecorded(is));
    };
    let shown = number(value);
    if !is.operator.holds(value, operand) {
        let why = format!("{what} {shown}, not {}", told(scene, is));
        let may_grow_into = match is.operator {
            Operator::Greater | Operator::GreaterOrEqual | Operator::NotEqual => true,
            Operator::Equal => value < operand,
            Operator::Less | Operator::LessOrEqual => false,
        };
        return if may_grow_into {
            Judgement::NotYet(why)
        } else {
            Judgement::Violated(why)
        };
    }
    let may_outgrow = !is.operator.is_kept_by_growth();
    if may_outgrow && case.must_be_over(scene) {
        return Judgement::TooEarly(format!("{what} {shown} so far; the window is not over"));
    }
    Judgement::Holds(format!("{what} {shown}"))
}

/// A number with at most three places.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    format!("{rounded}")
}

/// The comparison with the value of its record.
pub(super) fn told(scene: &Scene<'_>, is: &Comparison) -> String {
    match (
        is.record(),
        is.operand.value(scene.interval_ms(), scene.records),
    ) {
        (Some(_), Some(value)) => format!("{is} (which is {})", number(value)),
        _ => is.to_string(),
    }
}

fn unrecorded(is: &Comparison) -> String {
    let name = is.record().unwrap_or_default();
    format!("${name} was not recorded")
}

fn evidence(judged: &[(&NodeName, Judgement)], bad: usize) -> String {
    let good = judged.len() - bad;
    let first = judged.iter().find(|(_, x)| x.holds());
    let sample = first.map_or(String::new(), |(node, x)| format!("; {node}: {}", x.text()));
    format!("{good} of {} nodes{sample}", judged.len())
}

fn reasons(bad: &[&(&NodeName, Judgement)]) -> String {
    let mut told: Vec<String> = bad
        .iter()
        .take(NAMED_MAX)
        .map(|(node, x)| format!("{node}: {}", x.text()))
        .collect();
    if bad.len() > NAMED_MAX {
        told.push(format!("{} more", bad.len() - NAMED_MAX));
    }
    told.join("; ")
}
