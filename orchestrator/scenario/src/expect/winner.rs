//! Which side of a cut won: the branch that had most work when the sides met.
//!
//! A side is judged by its branch, not by one tip: its nodes may race each other
//! at the top when the heal comes, and any of those tips may live on.

use std::collections::BTreeSet;

use super::each::{each, silent};
use super::{Case, Judgement, Scene};
use crate::fault::{Cut, NodeName};
use crate::history::faults::{FaultEntry, TipMark, heaviest};
use crate::history::nodes::Track;
use crate::history::short;
use crate::model::Selector;
use crate::resolve;
use crate::world::NodeFacts;

/// A side's branch at the heal.
struct Contender {
    who: String,
    nodes: Vec<NodeName>,
    /// Its heaviest tip in the last look before the heal was ordered.
    best: TipMark,
    /// Its nodes' tips in that look.
    tips: BTreeSet<String>,
    /// The highest block that all its tips share, or, where they share none
    /// that is the side's own, the first own block of each. A chain that has
    /// one of them is on this side's branch.
    own: BTreeSet<String>,
}

/// Judges that the branch with most work won, and that it is that side's.
pub(super) fn winner(scene: &Scene<'_>, case: &Case, wanted: Option<&Selector>) -> Judgement {
    let Some((entry, cut)) = scene.history.faults.last_cut() else {
        return Judgement::Violated("no cut was ever in force, so no branch could win".into());
    };
    if entry.is_in_force() {
        return Judgement::TooEarly("the cut is still in force".into());
    }
    let contenders = contenders(scene, entry, cut);
    let [first, others @ ..] = contenders.as_slice() else {
        return Judgement::Violated("none of its nodes answered at the heal".into());
    };
    if others.is_empty() {
        return Judgement::Violated("at the heal there was one branch, so none could win".into());
    }
    let met_with: Vec<String> = others
        .iter()
        .map(|other| work_at_meeting(scene, entry, other, first))
        .collect();
    let wanted_nodes = wanted.map(|x| resolve::pool(x, scene.roster).unwrap_or_default());
    let is_wanted = |side: &Contender| {
        let nodes = wanted_nodes.as_ref();
        nodes.is_none_or(|nodes| nodes.iter().any(|node| side.nodes.contains(node)))
    };
    if met_with.iter().any(|work| *work >= first.best.work) {
        return judge_race(scene, case, &contenders, is_wanted);
    }
    if !is_wanted(first) {
        let wanted = wanted.map(ToString::to_string).unwrap_or_default();
        return Judgement::Violated(format!(
            "{} had most work at the heal, not the side of {wanted}",
            first.who
        ));
    }
    judge_winner(scene, case, first, others)
}

/// One side was ahead beyond doubt: every node is on its branch.
fn judge_winner(
    scene: &Scene<'_>,
    case: &Case,
    first: &Contender,
    others: &[Contender],
) -> Judgement {
    let label = first.label();
    let judged = each(case, |node| {
        let Some(facts) = scene.history.facts(node) else {
            return silent(scene, node);
        };
        if first.has_won(scene, facts, &first.best.work) {
            return Judgement::Holds(format!("its chain contains {label}"));
        }
        let loser = others.iter().find(|other| other.is_on(scene, &facts.tip));
        match loser {
            // Its own nodes stay on it until they meet the winners.
            Some(loser) if !loser.nodes.contains(node) && facts.work > first.best.work => {
                Judgement::Violated(format!(
                    "is on the branch of {}, which had less work than {label} when they met",
                    loser.who
                ))
            }
            _ => Judgement::NotYet(format!("its chain does not contain {label}")),
        }
    });
    match judged {
        Judgement::Holds(text) => {
            Judgement::Holds(format!("{label} had most work and won; {text}"))
        }
        other => other,
    }
}

/// Looks cannot tell who was ahead when the sides met: any branch may win, but
/// one of them has to, and it must be the wanted one.
fn judge_race(
    scene: &Scene<'_>,
    case: &Case,
    contenders: &[Contender],
    is_wanted: impl Fn(&Contender) -> bool,
) -> Judgement {
    let most = contenders.iter().map(|x| &x.best.work).max();
    let told: Vec<String> = contenders.iter().map(Contender::label).collect();
    let told = told.join(" and ");
    let mut last = None;
    for side in contenders {
        let judged = each(case, |node| match scene.history.facts(node) {
            None => silent(scene, node),
            Some(facts) if most.is_some_and(|work| side.has_won(scene, facts, work)) => {
                Judgement::Holds(format!("its chain contains {}", side.label()))
            }
            Some(_) => Judgement::NotYet(format!("its chain does not contain {}", side.label())),
        });
        match judged {
            Judgement::Holds(_) if !is_wanted(side) => {
                return Judgement::Violated(format!(
                    "{told} had equal work when they met, as far as looks can tell, and {} won",
                    side.label()
                ));
            }
            Judgement::Holds(text) => {
                return Judgement::Holds(format!(
                    "{told} had equal work when they met, as far as looks can tell, so that \
                     either may win; {text}"
                ));
            }
            other => last = last.or(Some(other)),
        }
    }
    last.unwrap_or_else(|| Judgement::NotYet("no branch has won".into()))
}

impl Contender {
    fn label(&self) -> String {
        format!(
            "{} of {} at {}",
            short(&self.best.tip),
            self.who,
            self.best.height
        )
    }

    /// Whether a chain with that tip is on this side's branch.
    fn is_on(&self, scene: &Scene<'_>, tip: &str) -> bool {
        let tree = &scene.history.tree;
        self.own.iter().any(|own| tree.is_ancestor(own, tip))
    }

    /// Whether that node's chain is on this branch and at least as heavy as
    /// what there was at the heal.
    fn has_won(&self, scene: &Scene<'_>, facts: &NodeFacts, work: &str) -> bool {
        self.is_on(scene, &facts.tip) && facts.work.as_str() >= work
    }

    /// Whether that side was on this one's chain and had nothing of its own.
    fn includes(&self, scene: &Scene<'_>, tip: &str) -> bool {
        let tree = &scene.history.tree;
        self.tips.iter().any(|mine| tree.is_ancestor(tip, mine))
    }
}

/// Branches at the end of the cut, most work first. Sides on one branch count
/// as the one that is ahead.
fn contenders(scene: &Scene<'_>, entry: &FaultEntry, cut: &Cut) -> Vec<Contender> {
    let mut found: Vec<Contender> = Vec::new();
    for nodes in cut.parts(&scene.roster.names()) {
        let marks = nodes.iter().filter_map(|node| entry.at_end.get(node));
        let tips: BTreeSet<String> = marks.map(|mark| mark.tip.clone()).collect();
        if let Some(best) = heaviest(&entry.at_end, &nodes) {
            found.push(Contender {
                who: nodes.join(","),
                best: best.clone(),
                nodes,
                tips,
                own: BTreeSet::new(),
            });
        }
    }
    found.sort_by(|a, b| {
        let by_work = b.best.work.cmp(&a.best.work);
        by_work.then_with(|| a.who.cmp(&b.who))
    });
    let mut apart: Vec<Contender> = Vec::new();
    for contender in found {
        let tip = &contender.best.tip;
        match apart.iter_mut().find(|ahead| ahead.includes(scene, tip)) {
            Some(ahead) => ahead.nodes.extend(contender.nodes),
            None => apart.push(contender),
        }
    }
    let owned: Vec<BTreeSet<String>> = (0..apart.len())
        .map(|place| own_blocks(scene, &apart, place))
        .collect();
    for (side, own) in apart.iter_mut().zip(owned) {
        side.own = own;
    }
    apart
}

/// The blocks by which a chain is known to be on that side's branch.
fn own_blocks(scene: &Scene<'_>, sides: &[Contender], place: usize) -> BTreeSet<String> {
    let tree = &scene.history.tree;
    let side = &sides[place];
    let others = sides.iter().enumerate().filter(|(at, _)| *at != place);
    let theirs: Vec<&str> = others
        .flat_map(|(_, other)| other.tips.iter().map(String::as_str))
        .collect();
    let is_own = |hash: &str| !theirs.iter().any(|tip| tree.is_ancestor(hash, tip));
    // Tips of nodes that had nothing of the side's own yet tell nothing.
    let tips: Vec<&str> = side.tips.iter().map(String::as_str).collect();
    let tips: Vec<&str> = tips.into_iter().filter(|tip| is_own(tip)).collect();
    let shared = tree.fork_point(tips.iter().copied());
    if let Some(shared) = shared.filter(|block| is_own(&block.fact.hash)) {
        return BTreeSet::from([shared.fact.hash.clone()]);
    }
    let firsts = tips.iter().filter_map(|tip| {
        let own = tree.chain(tip).take_while(|x| is_own(&x.fact.hash));
        own.last().map(|block| block.fact.hash.clone())
    });
    firsts.collect()
}

/// The most work a branch can have had when the side that was ahead met it: what
/// it had at the heal, and what anybody but that side added until a node of that
/// side was seen on it, or, if none ever was, until the first look after the heal.
fn work_at_meeting(
    scene: &Scene<'_>,
    entry: &FaultEntry,
    branch: &Contender,
    ahead: &Contender,
) -> String {
    let ended = entry.ended_at_ms.unwrap_or(0);
    let met = ahead
        .nodes
        .iter()
        .filter_map(|node| scene.history.nodes.get(node))
        .flat_map(Track::tips)
        .filter(|change| change.at_ms >= ended && branch.is_on(scene, &change.tip))
        .map(|change| change.at_ms)
        .min();
    let until = met.or_else(|| scene.history.first_look_since(ended));
    let until = until.unwrap_or(ended);
    let mut ends: BTreeSet<&str> = branch.tips.iter().map(String::as_str).collect();
    let mut most = branch.best.work.clone();
    for block in scene.history.tree.blocks() {
        let fact = &block.fact;
        let miner = fact.miner.as_ref();
        let is_theirs = miner.is_some_and(|miner| ahead.nodes.contains(miner));
        let is_on_it = fact.parent.as_deref().is_some_and(|x| ends.contains(x));
        if block.seen_at_ms > until || is_theirs || !is_on_it {
            continue;
        }
        ends.insert(&fact.hash);
        if fact.work > most {
            most.clone_from(&fact.work);
        }
    }
    most
}
