//! Which faults were in force when, and how it is known.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::fault::{Cut, Fault, Heal, Link, NodeFault, NodeName};
use crate::parting::{Parting, Tips};
use crate::world::{ActId, Evidence};

use super::tree::Tree;

/// A fault from the order to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultEntry {
    /// The act that inflicted it.
    pub act: ActId,
    /// Path of the step that asked for it, as the report numbers steps.
    pub step: String,
    /// What was inflicted.
    pub fault: Fault,
    /// The fault for people: `partition a,b | c`.
    pub title: String,
    /// When it was ordered, milliseconds on the world's clock.
    pub ordered_at_ms: u64,
    /// When it was proven to be in force.
    pub in_force_at_ms: Option<u64>,
    /// When it ended: healed, replaced, or over by its nature (a restart).
    pub ended_at_ms: Option<u64>,
    /// What was measured.
    pub evidence: Option<Evidence>,
    /// Every node's tip in the last look before the order.
    pub before: BTreeMap<NodeName, TipMark>,
    /// Every node's tip in the last look before what ended it was ordered.
    pub at_end: BTreeMap<NodeName, TipMark>,
    /// What each side had mined by then, and where their chains part; for
    /// faults of links, once the run is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parting: Option<Parting>,
    /// What is still left of it: nodes that were not healed on their own, or
    /// links whose cut or condition was not replaced.
    left: Left,
}

/// A node's tip at some moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipMark {
    /// Hash of the tip.
    pub tip: String,
    /// Its height.
    pub height: u32,
    /// Work of its chain, 64 hexadecimal digits.
    pub work: String,
}

/// The heaviest of these nodes' tips; the first of equals.
pub fn heaviest<'a>(
    marks: &'a BTreeMap<NodeName, TipMark>,
    nodes: &[NodeName],
) -> Option<&'a TipMark> {
    let marks = nodes.iter().filter_map(|node| marks.get(node));
    marks.reduce(|best, next| if next.work > best.work { next } else { best })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Left {
    Cut,
    Links(BTreeSet<Link>),
    Nodes(BTreeSet<NodeName>),
}

/// All faults of a run, in the order they were asked for.
#[derive(Clone, Debug, Default)]
pub struct FaultLog {
    entries: Vec<FaultEntry>,
    last_end_ms: Option<u64>,
}

impl FaultLog {
    /// All faults of the run.
    pub fn entries(&self) -> &[FaultEntry] {
        &self.entries
    }

    /// The fault that act inflicted.
    pub fn get(&self, act: ActId) -> Option<&FaultEntry> {
        self.entries.iter().find(|entry| entry.act == act)
    }

    /// Faults in force now.
    pub fn in_force(&self) -> impl Iterator<Item = &FaultEntry> {
        self.entries.iter().filter(|entry| entry.is_in_force())
    }

    /// Faults in force at that time.
    pub fn in_force_at(&self, at_ms: u64) -> impl Iterator<Item = &FaultEntry> {
        self.entries.iter().filter(move |entry| {
            let begun = entry.in_force_at_ms.is_some_and(|begin| begin <= at_ms);
            begun && entry.ended_at_ms.is_none_or(|end| end > at_ms)
        })
    }

    /// When the last fault ended: healed, reverted, or over by its nature.
    pub fn last_end_ms(&self) -> Option<u64> {
        self.last_end_ms
    }

    /// The newest cut that came in force, whether or not it still is.
    pub fn last_cut(&self) -> Option<(&FaultEntry, &Cut)> {
        self.entries.iter().rev().find_map(|entry| {
            let cut = entry.cut().filter(|cut| !cut.links.is_empty())?;
            entry.in_force_at_ms.map(|_| (entry, cut))
        })
    }

    /// Notes that a fault was ordered.
    pub fn ordered(&mut self, act: ActId, step: &str, fault: &Fault, at: Moment<'_>) {
        self.entries.push(FaultEntry {
            act,
            step: step.into(),
            title: describe(fault),
            fault: fault.clone(),
            ordered_at_ms: at.now_ms,
            in_force_at_ms: None,
            ended_at_ms: None,
            evidence: None,
            before: at.tips.clone(),
            at_end: BTreeMap::new(),
            parting: None,
            left: Left::of(fault),
        });
    }

    /// Notes that a fault came in force, and what it replaced.
    pub fn came_in_force(&mut self, act: ActId, evidence: &Evidence, now_ms: u64) {
        let at_ms = evidence.in_force_at_ms.unwrap_or(now_ms).min(now_ms);
        let Some(place) = self.entries.iter().position(|entry| entry.act == act) else {
            return;
        };
        let fault = self.entries[place].fault.clone();
        let before = self.entries[place].before.clone();
        let replaced = self.entries[..place].iter_mut();
        let mut ended = false;
        for entry in replaced.filter(|entry| entry.is_in_force()) {
            if entry.give_way_to(&fault, at_ms) {
                entry.at_end.clone_from(&before);
                ended = true;
            }
        }
        let entry = &mut self.entries[place];
        entry.in_force_at_ms = Some(at_ms);
        entry.evidence = Some(evidence.clone());
        if !lasts(&fault) {
            entry.ended_at_ms = Some(at_ms);
        }
        ended |= !lasts(&fault) || is_done_at_once(&fault);
        if ended {
            self.last_end_ms = self.last_end_ms.max(Some(at_ms));
        }
    }

    /// Keeps the evidence of a fault that did not bite.
    pub fn missed(&mut self, act: ActId, evidence: &Evidence) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.act == act) {
            entry.evidence = Some(evidence.clone());
        }
    }

    /// Notes that what was left of that act's fault was taken out, and nothing
    /// else; `before` are the tips in the last look before the order.
    pub fn lifted(&mut self, act: ActId, at_ms: u64, before: &BTreeMap<NodeName, TipMark>) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|x| x.act == act && x.is_in_force()) {
            entry.end(at_ms);
            entry.at_end.clone_from(before);
            self.last_end_ms = self.last_end_ms.max(Some(at_ms));
        }
    }

    /// Notes that faults were healed; `before` are the tips in the last look
    /// before the order.
    pub fn healed(&mut self, heal: &Heal, at_ms: u64, before: &BTreeMap<NodeName, TipMark>) {
        let mut ended = false;
        for entry in self.entries.iter_mut().filter(|x| x.is_in_force()) {
            if entry.heal(heal, at_ms) {
                entry.at_end.clone_from(before);
                ended = true;
            }
        }
        if ended {
            self.last_end_ms = self.last_end_ms.max(Some(at_ms));
        }
    }
}

/// When something was ordered, and what the tips were then.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Milliseconds on the world's clock.
    pub now_ms: u64,
    /// Every node's tip in the last look.
    pub tips: &'a BTreeMap<NodeName, TipMark>,
}

impl FaultEntry {
    /// Whether it is in force now.
    pub fn is_in_force(&self) -> bool {
        self.in_force_at_ms.is_some() && self.ended_at_ms.is_none()
    }

    /// The cut, if it is one.
    pub fn cut(&self) -> Option<&Cut> {
        match &self.fault {
            Fault::Cut(cut) => Some(cut),
            _ => None,
        }
    }

    /// With what its sides had mined when it ended, or by `tips` if it is still
    /// in force; a fault that never was has no sides.
    #[must_use]
    pub fn with_parting(mut self, roster: &[NodeName], tips: &Tips, tree: &Tree) -> Self {
        let now = match self.ended_at_ms {
            Some(_) => &self.at_end,
            None => tips,
        };
        let lasted = self.in_force_at_ms.filter(|_| lasts(&self.fault));
        self.parting =
            lasted.and_then(|_| Parting::in_tree(&self.fault, roster, (&self.before, now), tree));
        self
    }

    /// Whether it makes that node unable to run.
    pub fn holds_down(&self, node: &str) -> bool {
        let stops =
            |what: &NodeFault| matches!(what, NodeFault::Kill | NodeFault::Stop | NodeFault::Pause);
        let Left::Nodes(left) = &self.left else {
            return false;
        };
        let Fault::Node { what, .. } = &self.fault else {
            return false;
        };
        self.is_in_force() && stops(what) && left.contains(node)
    }

    /// Whether anything of it is left on that node.
    pub(crate) fn is_on(&self, node: &str) -> bool {
        matches!(&self.left, Left::Nodes(left) if left.contains(node))
    }

    /// Takes away what a newer fault replaces; whether that ended it.
    fn give_way_to(&mut self, newer: &Fault, at_ms: u64) -> bool {
        match (&mut self.left, newer) {
            (Left::Cut, Fault::Cut(_)) => return self.end(at_ms),
            (Left::Nodes(left), Fault::Node { nodes, what }) => {
                let Fault::Node { what: mine, .. } = &self.fault else {
                    return false;
                };
                if undoes(what, mine) {
                    left.retain(|node| !nodes.contains(node));
                }
            }
            // A condition replaces earlier ones field by field, so that the
            // earlier one may still be felt on every link.
            _ => {}
        }
        self.end_if_nothing_is_left(at_ms)
    }

    fn heal(&mut self, heal: &Heal, at_ms: u64) -> bool {
        match (heal, &mut self.left) {
            (Heal::All, _) | (Heal::Cuts, Left::Cut) | (Heal::Conditions, Left::Links(_)) => {
                self.end(at_ms)
            }
            (Heal::Nodes(nodes), Left::Nodes(left)) => {
                left.retain(|node| !nodes.contains(node));
                self.end_if_nothing_is_left(at_ms)
            }
            _ => false,
        }
    }

    fn end_if_nothing_is_left(&mut self, at_ms: u64) -> bool {
        let is_over = match &self.left {
            Left::Nodes(left) => left.is_empty(),
            Left::Cut | Left::Links(_) => false,
        };
        is_over && self.end(at_ms)
    }

    fn end(&mut self, at_ms: u64) -> bool {
        self.ended_at_ms = Some(at_ms.max(self.in_force_at_ms.unwrap_or(0)));
        true
    }
}

impl Left {
    fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Cut(_) => Self::Cut,
            Fault::Condition { links, .. } => Self::Links(links.clone()),
            Fault::Node { nodes, .. } => Self::Nodes(nodes.iter().cloned().collect()),
        }
    }
}

/// Whether the fault stays in force until it is healed; the others are over
/// once they are done.
pub fn lasts(fault: &Fault) -> bool {
    match fault {
        Fault::Cut(cut) => !cut.links.is_empty(),
        Fault::Condition { .. } => true,
        Fault::Node { what, .. } => match what {
            NodeFault::Kill
            | NodeFault::Stop
            | NodeFault::Pause
            | NodeFault::HashRate { .. }
            | NodeFault::FillDisk
            | NodeFault::Remove
            | NodeFault::Upgrade { .. }
            | NodeFault::CorruptStore
            | NodeFault::Add { .. } => true,
            NodeFault::ClockSkew { offset_ms } => *offset_ms != 0,
            NodeFault::Start | NodeFault::Restart | NodeFault::Unpause | NodeFault::Wipe => false,
        },
    }
}

/// Whether nothing goes on happening by it, although its mark stays on the
/// network until it is healed: blocks are fresh from then on.
const fn is_done_at_once(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Node {
            what: NodeFault::Remove
                | NodeFault::Upgrade { .. }
                | NodeFault::CorruptStore
                | NodeFault::Add { .. },
            ..
        }
    )
}

/// Whether doing `newer` to a node takes `older` away from it.
fn undoes(newer: &NodeFault, older: &NodeFault) -> bool {
    use NodeFault as N;
    match older {
        N::Kill | N::Stop => matches!(
            newer,
            N::Start | N::Restart | N::Wipe | N::Upgrade { .. } | N::CorruptStore | N::Remove
        ),
        N::Pause => matches!(
            newer,
            N::Unpause | N::Kill | N::Stop | N::Restart | N::Remove
        ),
        N::ClockSkew { .. } => matches!(newer, N::ClockSkew { .. } | N::Remove),
        N::HashRate { .. } => matches!(newer, N::HashRate { .. } | N::Remove),
        N::FillDisk => matches!(newer, N::Wipe | N::Remove),
        N::Add { .. } => matches!(newer, N::Remove),
        N::Remove => matches!(newer, N::Add { .. }),
        N::Upgrade { .. } => matches!(newer, N::Upgrade { .. } | N::Remove),
        N::CorruptStore => matches!(newer, N::Wipe | N::CorruptStore | N::Remove),
        N::Start | N::Restart | N::Unpause | N::Wipe => false,
    }
}

/// A fault in a few words, as the command line would say it.
pub fn describe(fault: &Fault) -> String {
    match fault {
        Fault::Cut(cut) if cut.links.is_empty() => "no cut".into(),
        Fault::Cut(cut) => format!("cut {}", cut.shape),
        Fault::Condition { links, with } => {
            let parts = [
                with.latency_ms.map(|x| format!("latency {x} ms")),
                with.jitter_ms.map(|x| format!("jitter {x} ms")),
                with.loss.map(|x| format!("loss {} %", x * 100.0)),
                with.rate_bytes_s.map(|x| format!("at most {x} bytes/s")),
            ];
            let what: Vec<String> = parts.into_iter().flatten().collect();
            format!("{} on {}", what.join(", "), describe_links(links))
        }
        Fault::Node { nodes, what } => format!("{what} {}", nodes.join(",")),
    }
}

fn describe_links(links: &BTreeSet<Link>) -> String {
    let mut told: Vec<String> = links
        .iter()
        .take(3)
        .map(|link| format!("{} → {}", link.from, link.to))
        .collect();
    if links.len() > told.len() {
        told.push(format!("{} more", links.len() - told.len()));
    }
    told.join(", ")
}
