//! The faults: everything that can be done to a network, in resolved form.
//!
//! Names are node names of the network (`miner-1`). Whoever makes a [`Fault`]
//! has checked them against the roster. The same words are used by the command
//! line, by scenario files and by every world.

mod words;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::links::Condition;

/// Name of a node.
pub type NodeName = String;

/// One direction between two nodes: what `from` sends to `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Sender.
    pub from: NodeName,
    /// Receiver.
    pub to: NodeName,
}

/// Something done to the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Cuts links. States all cuts at once: it replaces every cut before it.
    Cut(Cut),
    /// Slows, thins or loses what is sent on links. Replaces earlier conditions
    /// of the same links, field by field where given; leaves cuts alone.
    Condition {
        /// Which directions.
        links: BTreeSet<Link>,
        /// What happens there.
        with: Condition,
    },
    /// Done to single nodes.
    Node {
        /// To whom, in order.
        nodes: Vec<NodeName>,
        /// What.
        what: NodeFault,
    },
}

/// Which links are cut, and the words it was asked for in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The shape, for people and for judging sides.
    pub shape: CutShape,
    /// Every direction that is cut.
    pub links: BTreeSet<Link>,
}

/// In which shape links are cut; each covers the whole roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutShape {
    /// Disjoint groups that cannot reach each other. Nodes that were not named
    /// form the last one.
    Groups(Vec<Vec<NodeName>>),
    /// Disjoint sides, and bridge nodes that reach all of them.
    Bridge {
        /// The sides.
        sides: Vec<Vec<NodeName>>,
        /// Nodes that reach everyone.
        bridge: Vec<NodeName>,
    },
    /// Every node sees a majority, no two the same: node `i` of the ring
    /// reaches its nearest neighbours on both sides.
    MajoritiesRing(Vec<NodeName>),
    /// What the first set sends does not arrive at the second.
    OneWay {
        /// Senders.
        from: Vec<NodeName>,
        /// Receivers that hear nothing from them.
        to: Vec<NodeName>,
    },
    /// Single pairs, both directions.
    Pairs(Vec<(NodeName, NodeName)>),
}

/// What can be done to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeFault {
    /// SIGKILL.
    Kill,
    /// SIGTERM, and SIGKILL if it does not end in time.
    Stop,
    /// Start it again.
    Start,
    /// Stop, then start.
    Restart,
    /// Freeze; the process stays, nothing runs.
    Pause,
    /// Thaw.
    Unpause,
    /// Remove the node with all its data.
    Remove,
    /// Empty its data folder: stops it, wipes, starts it.
    Wipe,
    /// Set its clock off by so many milliseconds.
    ClockSkew {
        /// May be negative.
        offset_ms: i64,
    },
    /// Change its hash rate.
    HashRate {
        /// Hashes a second; 0 idles the miner.
        hashes_per_second: f64,
    },
    /// Run another program in its place; data is kept.
    Upgrade {
        /// Image reference or path of a binary.
        program: String,
    },
    /// Let its disk quota be full from now on.
    FillDisk,
    /// Damage its store on purpose: kills it, damages, starts it.
    CorruptStore,
    /// Add fresh nodes of the named group; the fault's `nodes` are their names.
    Add {
        /// Name of an existing group.
        group: String,
    },
}

/// What is to be healed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heal {
    /// Everything: cuts, conditions (down to the topology's own zones), clocks,
    /// rates, quotas; what does not run is started, what is frozen thawed.
    All,
    /// Cuts only.
    Cuts,
    /// Conditions only.
    Conditions,
    /// What was done to these nodes.
    Nodes(Vec<NodeName>),
}

/// The form of a cut that cannot be made, as a fragment that fits after "cannot
/// partition: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A name that is not in the roster.
    #[error("there is no node {0}")]
    Unknown(NodeName),
    /// A node in two groups.
    #[error("{0} stands in two groups; a node that reaches both is a bridge")]
    Twice(NodeName),
    /// A group without nodes.
    #[error("a group is empty")]
    Empty,
    /// Nothing would be cut.
    #[error("nothing would be cut: all nodes are on one side")]
    CutsNothing,
    /// Fewer nodes than the shape needs.
    #[error("it needs at least {needed} nodes, the network has {have}")]
    TooFew {
        /// At least.
        needed: usize,
        /// Have.
        have: usize,
    },
}

impl Link {
    /// What `from` sends to `to`.
    pub fn new(from: &str, to: &str) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
        }
    }

    /// The other direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self::new(&self.to, &self.from)
    }
}

impl Cut {
    /// Cuts nothing; the state after healing.
    pub fn none() -> Self {
        Self {
            shape: CutShape::Pairs(Vec::new()),
            links: BTreeSet::new(),
        }
    }

    /// The cut of that shape among the nodes of `roster`. Nodes that a
    /// `Groups` shape does not name become one more group.
    ///
    /// # Errors
    /// A shape that names unknown nodes, names one twice, or cuts nothing.
    pub fn new(shape: CutShape, roster: &[NodeName]) -> Result<Self, ShapeError> {
        let shape = completed(shape, roster)?;
        let links: BTreeSet<Link> = roster
            .iter()
            .flat_map(|from| roster.iter().map(move |to| (from, to)))
            .filter(|(from, to)| from != to && severs(&shape, from, to))
            .map(|(from, to)| Link::new(from, to))
            .collect();
        if links.is_empty() {
            return Err(ShapeError::CutsNothing);
        }
        Ok(Self { shape, links })
    }

    /// Disjoint sides whose nodes cannot reach another side's; a bridge node
    /// belongs to none. Empty for shapes without sides.
    pub fn sides(&self) -> &[Vec<NodeName>] {
        match &self.shape {
            CutShape::Groups(sides) | CutShape::Bridge { sides, .. } => sides,
            _ => &[],
        }
    }

    /// Disjoint groups of these nodes that the cut separates: its sides, else
    /// what is connected in both directions.
    pub fn parts(&self, roster: &[NodeName]) -> Vec<Vec<NodeName>> {
        if !self.sides().is_empty() {
            return self.sides().to_vec();
        }
        let mut left: Vec<NodeName> = roster.to_vec();
        let mut groups = Vec::new();
        while let Some(first) = left.pop() {
            let mut group = vec![first];
            let mut at = 0;
            while at < group.len() {
                let from = group[at].clone();
                let is_joined = |to: &NodeName| {
                    let link = Link::new(&from, to);
                    !self.links.contains(&link) && !self.links.contains(&link.reversed())
                };
                let (joined, rest) = left.into_iter().partition(is_joined);
                left = rest;
                group.extend::<Vec<NodeName>>(joined);
                at += 1;
            }
            group.sort();
            groups.push(group);
        }
        groups.sort();
        groups
    }
}

impl CutShape {
    /// One node against all others.
    pub fn isolate(nodes: &[NodeName]) -> Self {
        Self::Groups(nodes.iter().map(|node| vec![node.clone()]).collect())
    }

    /// The roster in two halves, in its order; the first is the larger.
    pub fn halves(roster: &[NodeName]) -> Self {
        let (first, second) = roster.split_at(roster.len().div_ceil(2));
        Self::Groups(vec![first.to_vec(), second.to_vec()])
    }
}

impl fmt::Display for CutShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |groups: &[Vec<NodeName>]| {
            let texts: Vec<String> = groups.iter().map(|group| group.join(",")).collect();
            texts.join(" | ")
        };
        match self {
            Self::Groups(groups) => f.write_str(&joined(groups)),
            Self::Bridge { sides, bridge } => {
                write!(f, "{} with bridge {}", joined(sides), bridge.join(","))
            }
            Self::MajoritiesRing(ring) => write!(f, "majorities ring of {}", ring.join(",")),
            Self::OneWay { from, to } => {
                write!(f, "one way {} -x-> {}", from.join(","), to.join(","))
            }
            Self::Pairs(pairs) => {
                let texts: Vec<String> = pairs.iter().map(|(a, b)| format!("{a} | {b}")).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

fn completed(shape: CutShape, roster: &[NodeName]) -> Result<CutShape, ShapeError> {
    let mut named = BTreeSet::new();
    let mut take = |nodes: &[NodeName]| {
        if nodes.is_empty() {
            return Err(ShapeError::Empty);
        }
        for node in nodes {
            if !roster.contains(node) {
                return Err(ShapeError::Unknown(node.clone()));
            }
            if !named.insert(node.clone()) {
                return Err(ShapeError::Twice(node.clone()));
            }
        }
        Ok(())
    };
    match &shape {
        CutShape::Groups(groups) => groups.iter().try_for_each(|group| take(group))?,
        CutShape::Bridge { sides, bridge } => {
            sides.iter().try_for_each(|side| take(side))?;
            take(bridge)?;
        }
        CutShape::OneWay { from, to } => {
            take(from)?;
            take(to)?;
        }
        CutShape::MajoritiesRing(ring) => {
            take(ring)?;
            if ring.len() < 4 {
                let have = ring.len();
                return Err(ShapeError::TooFew { needed: 4, have });
            }
        }
        CutShape::Pairs(pairs) => {
            for (a, b) in pairs {
                if a == b {
                    return Err(ShapeError::Twice(a.clone()));
                }
                let unknown = [a, b].into_iter().find(|node| !roster.contains(node));
                if let Some(unknown) = unknown {
                    return Err(ShapeError::Unknown(unknown.clone()));
                }
            }
        }
    }
    let rest: Vec<NodeName> = roster
        .iter()
        .filter(|node| !named.contains(*node))
        .cloned()
        .collect();
    Ok(match shape {
        CutShape::Groups(mut groups) if !rest.is_empty() => {
            groups.push(rest);
            CutShape::Groups(groups)
        }
        CutShape::Bridge { mut sides, bridge } if !rest.is_empty() => {
            sides.push(rest);
            CutShape::Bridge { sides, bridge }
        }
        other => other,
    })
}

/// Whether the shape cuts what `from` sends to `to`.
fn severs(shape: &CutShape, from: &NodeName, to: &NodeName) -> bool {
    let apart = |groups: &[Vec<NodeName>]| {
        let side = |node| groups.iter().position(|group| group.contains(node));
        matches!((side(from), side(to)), (Some(a), Some(b)) if a != b)
    };
    match shape {
        CutShape::Groups(groups) => apart(groups),
        CutShape::Bridge { sides, .. } => apart(sides),
        CutShape::OneWay { from: a, to: b } => a.contains(from) && b.contains(to),
        CutShape::Pairs(pairs) => pairs
            .iter()
            .any(|(a, b)| (a == from && b == to) || (a == to && b == from)),
        CutShape::MajoritiesRing(ring) => {
            let at = |node| ring.iter().position(|other| other == node);
            let (Some(a), Some(b)) = (at(from), at(to)) else {
                return false;
            };
            let distance = a.abs_diff(b).min(ring.len() - a.abs_diff(b));
            // With so many neighbours on each side a node sees, itself counted,
            // the smallest majority that is the same on both sides.
            let reach = (ring.len() / 2).div_ceil(2);
            distance > reach
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(count: usize) -> Vec<NodeName> {
        (0..count).map(|index| format!("n{index}")).collect()
    }

    fn names(text: &str) -> Vec<NodeName> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn unnamed_nodes_form_one_more_group() {
        let cut = Cut::new(CutShape::Groups(vec![names("n0")]), &roster(3)).unwrap();
        assert_eq!(cut.sides(), [names("n0"), names("n1,n2")]);
        assert!(cut.links.contains(&Link::new("n0", "n2")));
        assert!(cut.links.contains(&Link::new("n2", "n0")));
        assert!(!cut.links.contains(&Link::new("n1", "n2")));
    }

    #[test]
    fn a_bridge_reaches_every_side() {
        let shape = CutShape::Bridge {
            sides: vec![names("n0,n1"), names("n3,n4")],
            bridge: names("n2"),
        };
        let cut = Cut::new(shape, &roster(5)).unwrap();
        assert!(
            cut.links
                .iter()
                .all(|link| link.from != "n2" && link.to != "n2")
        );
        assert_eq!(cut.links.len(), 8);
    }

    #[test]
    fn one_way_cuts_one_direction() {
        let shape = CutShape::OneWay {
            from: names("n0"),
            to: names("n1"),
        };
        let cut = Cut::new(shape, &roster(3)).unwrap();
        assert_eq!(cut.links, BTreeSet::from([Link::new("n0", "n1")]));
    }

    #[test]
    fn every_node_of_a_majorities_ring_sees_a_majority_and_not_everyone() {
        for count in 4..20 {
            let all = roster(count);
            let cut = Cut::new(CutShape::MajoritiesRing(all.clone()), &all).unwrap();
            for node in &all {
                let lost = cut.links.iter().filter(|link| link.from == *node).count();
                let seen = count - lost;
                assert!(seen * 2 > count && seen < count, "{seen} of {count}");
            }
        }
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let all = roster(3);
        let groups =
            |groups: &[&str]| CutShape::Groups(groups.iter().map(|group| names(group)).collect());
        let refuse = |shape| Cut::new(shape, &all).unwrap_err();
        assert_eq!(
            refuse(groups(&["n0", "n7"])),
            ShapeError::Unknown("n7".into())
        );
        assert_eq!(
            refuse(groups(&["n0,n1", "n1"])),
            ShapeError::Twice("n1".into())
        );
        assert_eq!(refuse(groups(&["n0,n1,n2"])), ShapeError::CutsNothing);
        assert_eq!(
            refuse(CutShape::Groups(vec![Vec::new()])),
            ShapeError::Empty
        );
        assert_eq!(
            refuse(CutShape::MajoritiesRing(all.clone())),
            ShapeError::TooFew { needed: 4, have: 3 }
        );
    }
}
