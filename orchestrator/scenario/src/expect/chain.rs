//! Claims about one chain: converged, progress, tips, coins.

use std::collections::BTreeMap;

use super::each::{allowed, each, each_up, silent};
use super::{Case, Judgement, Scene};
use crate::fault::NodeName;
use crate::history::short;
use crate::history::tree::Block;
use crate::model::{Since, Time, TipRef};
use crate::world::{Coins, NodeFacts};

/// Nodes that are on one chain, and those that are not, with the reason.
struct Agreement<'a> {
    best: &'a Block,
    /// Nodes on its chain, within the lag.
    with: Vec<(&'a NodeName, &'a NodeFacts)>,
    against: Vec<String>,
    /// Height of the lowest node that agrees.
    common: u32,
}

pub(super) fn converged(scene: &Scene<'_>, case: &Case, max_lag: u32, fresh: u32) -> Judgement {
    let Some(agreed) = agreement(scene, case, max_lag) else {
        return Judgement::NotYet("no node answers with a block that is known".into());
    };
    if agreed.against.len() > allowed(case) || agreed.with.is_empty() {
        return Judgement::NotYet(parted(scene, case, &agreed));
    }
    let coins = match same_coins(scene, &agreed) {
        Ok(coins) => coins,
        Err(judgement) => return judgement,
    };
    let news = fresh_blocks(scene, case, &agreed);
    if news < fresh {
        let since = match scene.history.faults.last_end_ms() {
            Some(end) => format!("the last heal {} ago", scene.after(end)),
            None => "the run began".into(),
        };
        return Judgement::TooEarly(format!(
            "all agree on {} at {}, but only {news} of {fresh} fresh blocks are common since {since}",
            short(&agreed.best.fact.hash),
            agreed.best.fact.height,
        ));
    }
    let took = scene.history.faults.last_end_ms();
    let took = took.map_or(String::new(), |end| {
        format!(", {} after the last heal", scene.after(end))
    });
    Judgement::Holds(format!(
        "{} of {} nodes on one chain up to {} at {}, lowest at {}, {coins}, {news} fresh blocks{took}",
        agreed.with.len(),
        case.nodes.len(),
        short(&agreed.best.fact.hash),
        agreed.best.fact.height,
        agreed.common,
    ))
}

/// The height at which nodes that agree are to be asked for their coins.
pub(super) fn common_height(scene: &Scene<'_>, case: &Case, max_lag: u32) -> Option<u32> {
    let agreed = agreement(scene, case, max_lag)?;
    (agreed.against.len() <= allowed(case) && !agreed.with.is_empty()).then_some(agreed.common)
}

/// Height of the lowest answering node.
pub(super) fn lowest(scene: &Scene<'_>, case: &Case) -> Option<u32> {
    let facts = case
        .nodes
        .iter()
        .filter_map(|node| scene.history.facts(node));
    facts.map(|facts| facts.height).min()
}

pub(super) fn supply(scene: &Scene<'_>, case: &Case) -> Judgement {
    each_up(scene, case, |_, facts| match &facts.coins {
        None => Judgement::TooEarly("its coins were not told yet".into()),
        Some(coins) if coins.total_sats == coins.issued_sats => Judgement::Holds(format!(
            "{} base units at height {}, as issued",
            coins.total_sats, coins.height
        )),
        Some(coins) => Judgement::Violated(format!(
            "its coins sum up to {} base units at height {}, but {} were issued",
            coins.total_sats, coins.height, coins.issued_sats
        )),
    })
}

pub(super) fn progress(scene: &Scene<'_>, case: &Case, blocks: u32) -> Judgement {
    each_up(scene, case, |node, facts| {
        let Some(from) = baseline(case, node) else {
            return Judgement::TooEarly("has answered in no look since the step began".into());
        };
        let grown = facts.height.saturating_sub(from);
        if grown >= blocks {
            return Judgement::Holds(format!("grew from {from} to {}", facts.height));
        }
        Judgement::TooEarly(format!("grew by {grown} from {from}, not by {blocks}"))
    })
}

pub(super) fn no_progress(scene: &Scene<'_>, case: &Case, during: Time) -> Judgement {
    let over = scene.now_ms().saturating_sub(case.begun_at_ms);
    let is_over = over >= during.ms(scene.interval_ms());
    each(case, |node| {
        let now = scene.history.facts(node).map(|facts| facts.height);
        match (baseline(case, node), now) {
            (Some(from), Some(now)) if now > from => {
                Judgement::Violated(format!("grew from {from} to {now}"))
            }
            _ if !is_over => Judgement::TooEarly("has not grown so far".into()),
            (_, Some(now)) => Judgement::Holds(format!("stayed at {now}")),
            (_, None) => Judgement::Holds("did not answer".into()),
        }
    })
}

pub(super) fn tip_of(scene: &Scene<'_>, case: &Case, of: &TipRef, contains: bool) -> Judgement {
    let (wanted, name) = match of {
        TipRef::Record(name) => (scene.tips.get(name).cloned(), format!("${name}")),
        TipRef::Node(name) => {
            let facts = scene.history.facts(name);
            (facts.map(|facts| facts.tip.clone()), name.clone())
        }
    };
    let Some(wanted) = wanted else {
        return Judgement::TooEarly(format!("the tip of {name} is not known"));
    };
    each_up(scene, case, |_, facts| {
        let is_on_it = contains && scene.history.tree.is_ancestor(&wanted, &facts.tip);
        let tip = short(&facts.tip);
        if facts.tip == wanted || is_on_it {
            Judgement::Holds(format!("tip {tip}"))
        } else if contains {
            Judgement::NotYet(format!(
                "the chain of {tip} does not contain {} of {name}",
                short(&wanted)
            ))
        } else {
            Judgement::NotYet(format!("tip {tip}, not {} of {name}", short(&wanted)))
        }
    })
}

fn baseline(case: &Case, node: &str) -> Option<u32> {
    case.baseline.as_ref()?.get(node).copied()
}

fn agreement<'a>(scene: &Scene<'a>, case: &'a Case, max_lag: u32) -> Option<Agreement<'a>> {
    let history = scene.history;
    let best = history.best(&case.nodes)?;
    let mut with = Vec::new();
    let mut against = Vec::new();
    for node in &case.nodes {
        let Some(facts) = history.facts(node) else {
            against.push(format!("{node} {}", silent(scene, node).text()));
            continue;
        };
        let lag = best.fact.height.saturating_sub(facts.height);
        if !history.tree.is_ancestor(&facts.tip, &best.fact.hash) {
            against.push(format!("{node} is on another branch"));
        } else if lag > max_lag {
            against.push(format!("{node} is {lag} blocks behind"));
        } else {
            with.push((node, facts));
        }
    }
    let common = with.iter().map(|(_, facts)| facts.height).min();
    Some(Agreement {
        best,
        common: common.unwrap_or(best.fact.height),
        with,
        against,
    })
}

/// Why nodes do not agree: each tip with its nodes, and where they part.
fn parted(scene: &Scene<'_>, case: &Case, agreed: &Agreement<'_>) -> String {
    let mut by_tip: BTreeMap<(u32, &str), Vec<&str>> = BTreeMap::new();
    for node in &case.nodes {
        if let Some(facts) = scene.history.facts(node) {
            let key = (facts.height, facts.tip.as_str());
            by_tip.entry(key).or_default().push(node);
        }
    }
    let tips: Vec<String> = by_tip
        .iter()
        .rev()
        .take(4)
        .map(|((height, tip), nodes)| format!("{} at {height}: {}", short(tip), nodes.join(",")))
        .collect();
    let fork = scene.history.fork(&case.nodes);
    let fork = fork.filter(|fork| fork.branches.len() > 1);
    let fork = fork.map_or(String::new(), |fork| {
        format!(
            "; they part after {} at {}",
            short(&fork.ancestor),
            fork.height
        )
    });
    let against = &agreed.against[..agreed.against.len().min(3)];
    format!("{} ({}){fork}", against.join(", "), tips.join(" · "))
}

/// What the nodes that agree say of their coins at the common height.
fn same_coins(scene: &Scene<'_>, agreed: &Agreement<'_>) -> Result<String, Judgement> {
    let early = |why: String| Err(Judgement::TooEarly(why));
    let mut first: Option<(&str, &Coins)> = None;
    for (node, facts) in &agreed.with {
        let Some(coins) = &facts.coins else {
            return early(format!("the coins of {node} were not told yet"));
        };
        if !scene
            .history
            .tree
            .is_ancestor(&coins.block, &agreed.best.fact.hash)
        {
            return early(format!(
                "{node} told its coins at a block of another branch"
            ));
        }
        match first {
            None => first = Some((node, coins)),
            Some((_, other)) if other.height != coins.height => {
                return early("coins were told at different heights".into());
            }
            Some((name, other)) if other.digest != coins.digest => {
                return Err(Judgement::Violated(format!(
                    "{name} and {node} have the same block {} at height {}, but other coins",
                    short(&coins.block),
                    coins.height
                )));
            }
            Some(_) => {}
        }
    }
    let height = first.map_or(0, |(_, coins)| coins.height);
    Ok(format!("same coins at {height}"))
}

/// Blocks on the common part of the chain that were not known at the first
/// look after the last heal, or since the step's begin where it counts from
/// there.
fn fresh_blocks(scene: &Scene<'_>, case: &Case, agreed: &Agreement<'_>) -> u32 {
    let Some(after) = scene.history.fresh_after_ms() else {
        return 0;
    };
    let after = match case.expectation.since {
        Since::Step => after.max(case.begun_at_ms),
        Since::Heal | Since::Start => after,
    };
    let common = scene
        .history
        .tree
        .chain(&agreed.best.fact.hash)
        .skip_while(|block| block.fact.height > agreed.common)
        .take_while(|block| block.seen_at_ms > after);
    u32::try_from(common.count()).unwrap_or(u32::MAX)
}
