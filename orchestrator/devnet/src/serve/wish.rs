//! What the page may wish for, and what that means in the words of faults.

use std::collections::BTreeSet;
use std::time::Duration;

use devnet_scenario::fault::{Cut, CutShape, Fault, Heal, Link, NodeFault, NodeName};
use devnet_scenario::links::Condition;
use serde::Deserialize;

use super::watch::Watch;
use crate::exit::Failure;
use crate::faults::{Layout, node};

/// The longest time after which a fault is taken out again, in seconds.
const TIME_S_MAX: u32 = 86_400;
/// The longest delay, in milliseconds; more belongs to a cut.
const DELAY_MS_MAX: f64 = 60_000.0;
/// Nodes added at once at most.
const ADDED_MAX: u32 = 50;

/// What the page wants done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wish {
    /// Cuts the network into these groups; nodes that none names form one more.
    Partition {
        /// The groups.
        groups: Vec<Vec<NodeName>>,
        /// Healed after so many seconds.
        for_s: Option<u32>,
    },
    /// Cuts the network into two halves.
    Halves {
        /// Healed after so many seconds.
        for_s: Option<u32>,
    },
    /// Makes all links of these nodes slow or lossy; of all nodes, if none is
    /// named.
    Links {
        /// The nodes.
        nodes: Vec<NodeName>,
        /// What happens there.
        with: Condition,
        /// Healed after so many seconds.
        for_s: Option<u32>,
    },
    /// Does something to nodes.
    Node {
        /// The nodes.
        nodes: Vec<NodeName>,
        /// What.
        act: Act,
        /// Undone after so many seconds, where that can be.
        for_s: Option<u32>,
    },
    /// Changes the hash rate of miners.
    HashRate {
        /// The nodes.
        nodes: Vec<NodeName>,
        /// Hashes a second.
        hashes_per_second: f64,
    },
    /// Adds nodes to a group.
    Add {
        /// The group.
        group: String,
        /// How many.
        count: u32,
    },
    /// Takes faults out: everything, or what was done to these nodes.
    Heal {
        /// The nodes; none for everything.
        nodes: Vec<NodeName>,
    },
}

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Ends it at once.
    Kill,
    /// Asks it to end.
    Stop,
    /// Starts what does not run.
    Start,
    /// Stops, then starts.
    Restart,
    /// Freezes it.
    Pause,
    /// Thaws it.
    Unpause,
    /// Empties its data folder.
    Wipe,
    /// Takes it out of the network.
    Remove,
}

/// A wish, in the words of faults.
pub enum Order {
    /// A fault, and after which time it is taken out again.
    Inflict(Fault, Option<Duration>),
    /// Faults that are taken out.
    Heal(Heal),
}

/// What a wish means in this network.
///
/// # Errors
/// It cannot be done there.
pub fn order(watch: &Watch, wish: Wish) -> Result<Order, Failure> {
    let layout = watch.live.layout();
    Ok(match wish {
        Wish::Partition { groups, for_s } => {
            Order::Inflict(cut(CutShape::Groups(groups), &layout)?, time(for_s)?)
        }
        Wish::Halves { for_s } => {
            let shape = CutShape::halves(&layout.roster());
            Order::Inflict(cut(shape, &layout)?, time(for_s)?)
        }
        Wish::Links { nodes, with, for_s } => {
            check_condition(&with)?;
            let links = links(&layout, &nodes)?;
            Order::Inflict(Fault::Condition { links, with }, time(for_s)?)
        }
        Wish::Node { nodes, act, for_s } => {
            let what = act.fault();
            let nodes = known(&layout, nodes)?;
            Order::Inflict(Fault::Node { nodes, what }, time(for_s)?)
        }
        Wish::HashRate {
            nodes,
            hashes_per_second,
        } => {
            if !(0.0..=1e12).contains(&hashes_per_second) {
                return Err(Failure::bad_input("a hash rate is between 0 and 10^12"));
            }
            let what = NodeFault::HashRate { hashes_per_second };
            let nodes = known(&layout, nodes)?;
            Order::Inflict(Fault::Node { nodes, what }, None)
        }
        Wish::Add { group, count } => {
            if !(1..=ADDED_MAX).contains(&count) {
                let why = format!("1 to {ADDED_MAX} nodes can be added at once");
                return Err(Failure::bad_input(why));
            }
            let nodes = node::fresh_names(&watch.world, &layout, &group, count)?;
            let what = NodeFault::Add { group };
            Order::Inflict(Fault::Node { nodes, what }, None)
        }
        Wish::Heal { nodes } => Order::Heal(match nodes.is_empty() {
            true => Heal::All,
            false => Heal::Nodes(known(&layout, nodes)?),
        }),
    })
}

fn cut(shape: CutShape, layout: &Layout) -> Result<Fault, Failure> {
    let cut = Cut::new(shape, &layout.roster());
    let cut = cut.map_err(|why| Failure::bad_input(format!("cannot partition: {why}")))?;
    Ok(Fault::Cut(cut))
}

fn known(layout: &Layout, nodes: Vec<NodeName>) -> Result<Vec<NodeName>, Failure> {
    if nodes.is_empty() {
        return Err(Failure::bad_input("no node is named"));
    }
    match nodes.iter().find(|node| layout.address(node).is_none()) {
        None => Ok(nodes),
        Some(node) => Err(Failure::bad_input(format!("there is no node {node}"))),
    }
}

/// All links of these nodes, both directions.
fn links(layout: &Layout, nodes: &[NodeName]) -> Result<BTreeSet<Link>, Failure> {
    let roster = layout.roster();
    let nodes = match nodes.is_empty() {
        true => roster.clone(),
        false => known(layout, nodes.to_vec())?,
    };
    let pairs = nodes
        .iter()
        .flat_map(|a| roster.iter().map(move |b| (a, b)));
    let links = pairs
        .filter(|(a, b)| a != b)
        .flat_map(|(a, b)| [Link::new(a, b), Link::new(b, a)]);
    Ok(links.collect())
}

fn check_condition(with: &Condition) -> Result<(), Failure> {
    let is_delay = |ms: Option<f64>| ms.is_none_or(|ms| (0.0..=DELAY_MS_MAX).contains(&ms));
    if !is_delay(with.latency_ms) || !is_delay(with.jitter_ms) {
        return Err(Failure::bad_input("a delay is between 0 and 60,000 ms"));
    }
    if !with.loss.is_none_or(|loss| (0.0..=1.0).contains(&loss)) {
        return Err(Failure::bad_input("a loss is a share between 0 and 1"));
    }
    match *with == Condition::default() || with.rate_bytes_s == Some(0) {
        true => Err(Failure::bad_input("nothing is asked for of these links")),
        false => Ok(()),
    }
}

fn time(for_s: Option<u32>) -> Result<Option<Duration>, Failure> {
    match for_s {
        None => Ok(None),
        Some(seconds) if (1..=TIME_S_MAX).contains(&seconds) => {
            Ok(Some(Duration::from_secs(u64::from(seconds))))
        }
        Some(_) => Err(Failure::bad_input("a fault lasts 1 second to a day")),
    }
}

/// What is healed, in words.
pub fn spell_heal(heal: &Heal) -> String {
    match heal {
        Heal::Nodes(nodes) => format!("heal {}", nodes.join(", ")),
        _ => "heal everything".to_owned(),
    }
}

impl Act {
    const fn fault(self) -> NodeFault {
        match self {
            Self::Kill => NodeFault::Kill,
            Self::Stop => NodeFault::Stop,
            Self::Start => NodeFault::Start,
            Self::Restart => NodeFault::Restart,
            Self::Pause => NodeFault::Pause,
            Self::Unpause => NodeFault::Unpause,
            Self::Wipe => NodeFault::Wipe,
            Self::Remove => NodeFault::Remove,
        }
    }
}

#[cfg(test)]
mod tests;
