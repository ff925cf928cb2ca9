//! What the page may wish for, and what that means in the words of faults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Fault, Heal, NodeFault};
use devnet_scenario::links::Condition;
use serde::Deserialize;

use crate::clock::parse_duration;
use crate::exit::Failure;
use crate::faults::{Layout, node};
use crate::words::{Shape, program, provable_rate, select, units};
use crate::world::World;

/// The longest time after which a fault is taken out again.
const TIME_MAX: Duration = Duration::from_secs(86_400);
/// Nodes added at once at most.
const ADDED_MAX: u32 = 50;

/// What the page wants done. Nodes are names of nodes, groups or zones;
/// quantities are texts with a unit, as on the command line.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wish {
    /// Cuts links.
    Cut {
        /// Which.
        shape: Shape,
        /// Healed after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Makes links slow, lossy or narrow.
    Links {
        /// `A:B`, or all of a node; none: every link.
        links: Vec<String>,
        /// Only what A sends to B, or what the node sends.
        #[serde(default)]
        one_way: bool,
        /// Delay of each direction.
        latency: Option<String>,
        /// Its standard deviation.
        jitter: Option<String>,
        /// Share of packets lost.
        loss: Option<String>,
        /// Data rate of each direction.
        bandwidth: Option<String>,
        /// Healed after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Does something to nodes.
    Node {
        /// The nodes.
        nodes: Vec<String>,
        /// What.
        act: Act,
        /// Undone after that time, where it can be.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Sets clocks off.
    Skew {
        /// The nodes.
        nodes: Vec<String>,
        /// By how much, such as `-90s`.
        offset: String,
        /// Right again after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Changes the hash rate of miners.
    HashRate {
        /// The nodes.
        nodes: Vec<String>,
        /// Hashes a second, such as `20k`.
        rate: String,
        /// As planned after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Runs another program in the place of nodes.
    Upgrade {
        /// The nodes.
        nodes: Vec<String>,
        /// Reference of an image, or
        image: Option<String>,
        /// path of a binary.
        binary: Option<PathBuf>,
        /// The program before, after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Adds nodes to a group.
    Add {
        /// The group.
        group: String,
        /// How many.
        count: u32,
        /// Gone after that time.
        #[serde(rename = "for")]
        time: Option<String>,
    },
    /// Takes faults out: everything, one sort, or what was done to these nodes.
    Heal {
        /// The nodes; none for all.
        nodes: Vec<String>,
        /// Only that sort.
        only: Option<Sort>,
    },
    /// Takes the fault of that number out.
    Lift {
        /// Its number.
        id: u32,
    },
    /// Puts in force again what was asked for.
    Reapply,
}

/// What a page does not do, by its word, each with the reason.
pub type Refusals = BTreeMap<String, String>;

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
    /// Lets its disk be full.
    FillDisk,
    /// Damages its store.
    Corrupt,
}

/// A sort of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Cuts.
    Cuts,
    /// Slow, lossy and narrow links.
    Conditions,
}

/// How a wish comes true.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// A fault is inflicted, and taken out again after that time.
    Inflict(Option<Duration>),
    /// Faults are taken out.
    Heal,
    /// The fault of that number is taken out.
    Lift(u32),
    /// What was asked for is put in force again.
    Reapply,
}

/// What is refused on that engine, by a page that other machines can reach or
/// not.
pub fn refusals(engine: EngineKind, is_open: bool) -> Refusals {
    let mut refusals = Refusals::new();
    let mut refuse = |word: &str, why: &str| refusals.insert(word.to_owned(), why.to_owned());
    if is_open {
        refuse(
            "upgrade",
            "it starts a program of this machine, and other machines can reach this page",
        );
    }
    if engine == EngineKind::Process {
        refuse(
            "upgrade-image",
            "this network runs plain processes, which take the path of a binary",
        );
    }
    refusals
}

impl Wish {
    /// How it comes true.
    ///
    /// # Errors
    /// Its time is none.
    pub fn way(&self) -> Result<Way, Failure> {
        Ok(match self {
            Self::Cut { time, .. }
            | Self::Links { time, .. }
            | Self::Node { time, .. }
            | Self::Skew { time, .. }
            | Self::HashRate { time, .. }
            | Self::Upgrade { time, .. }
            | Self::Add { time, .. } => Way::Inflict(span(time.as_deref())?),
            Self::Heal { .. } => Way::Heal,
            Self::Lift { id } => Way::Lift(*id),
            Self::Reapply => Way::Reapply,
        })
    }

    /// The fault that it asks for.
    ///
    /// # Errors
    /// It cannot be made in this network, or it is none.
    pub fn fault(&self, world: &World, layout: &Layout) -> Result<Fault, Failure> {
        let (nodes, what) = match self {
            Self::Cut { shape, .. } => return shape.cut(layout),
            Self::Links { links, one_way, .. } => {
                let with = self.condition()?;
                let links = select::links(layout, links, *one_way)?;
                return Ok(Fault::Condition { links, with });
            }
            Self::Add { group, count, .. } => return add(world, layout, group, *count),
            Self::Node { nodes, act, .. } => (nodes, act.fault()),
            Self::Skew { nodes, offset, .. } => {
                let offset_ms = units::offset_ms(offset).map_err(Failure::bad_input)?;
                (nodes, NodeFault::ClockSkew { offset_ms })
            }
            Self::HashRate { nodes, rate, .. } => {
                let hashes_per_second = units::hash_rate(rate).map_err(Failure::bad_input)?;
                (nodes, NodeFault::HashRate { hashes_per_second })
            }
            Self::Upgrade {
                nodes,
                image,
                binary,
                ..
            } => {
                let program = program(image.as_deref(), binary.as_ref())?;
                (nodes, NodeFault::Upgrade { program })
            }
            Self::Heal { .. } | Self::Lift { .. } | Self::Reapply => {
                return Err(Failure::bad_input("this is no fault"));
            }
        };
        let nodes = select::all_nodes(layout, nodes)?;
        Ok(Fault::Node { nodes, what })
    }

    /// What it takes out.
    ///
    /// # Errors
    /// It names what is not there, or takes nothing out.
    pub fn heal(&self, layout: &Layout) -> Result<Heal, Failure> {
        match self {
            Self::Heal { nodes, only } => Ok(match only {
                Some(Sort::Cuts) => Heal::Cuts,
                Some(Sort::Conditions) => Heal::Conditions,
                None if nodes.is_empty() => Heal::All,
                None => Heal::Nodes(select::all_nodes(layout, nodes)?),
            }),
            _ => Err(Failure::bad_input("this heals nothing")),
        }
    }

    /// Why this page does not do it, among what it refuses.
    pub fn refused(&self, refusals: &Refusals) -> Option<String> {
        let Self::Upgrade { image, .. } = self else {
            return None;
        };
        let of_image = image.as_ref().and_then(|_| refusals.get("upgrade-image"));
        let why = refusals.get("upgrade").or(of_image)?;
        Some(format!("an upgrade is refused here: {why}"))
    }

    /// What happens on links.
    fn condition(&self) -> Result<Condition, Failure> {
        let Self::Links {
            latency,
            jitter,
            loss,
            bandwidth,
            ..
        } = self
        else {
            return Err(Failure::bad_input("this is about no link"));
        };
        let read = |text: &Option<String>, read: fn(&str) -> Result<f64, String>| {
            let value = text.as_deref().map(read).transpose();
            value.map_err(Failure::bad_input)
        };
        let with = Condition {
            latency_ms: read(latency, units::delay_ms)?,
            jitter_ms: read(jitter, units::delay_ms)?,
            loss: read(loss, units::share)?,
            rate_bytes_s: bandwidth.as_deref().map(provable_rate).transpose()?,
        };
        match with == Condition::default() {
            true => Err(Failure::bad_input("nothing is asked for of these links")),
            false => Ok(with),
        }
    }
}

fn add(world: &World, layout: &Layout, group: &str, count: u32) -> Result<Fault, Failure> {
    if !(1..=ADDED_MAX).contains(&count) {
        let why = format!("1 to {ADDED_MAX} nodes can be added at once");
        return Err(Failure::bad_input(why));
    }
    let nodes = node::fresh_names(world, layout, group, count)?;
    let group = group.to_owned();
    Ok(Fault::Node {
        nodes,
        what: NodeFault::Add { group },
    })
}

fn span(text: Option<&str>) -> Result<Option<Duration>, Failure> {
    let span = text.map(parse_duration).transpose();
    match span.map_err(Failure::bad_input)? {
        Some(span) if span.is_zero() || span > TIME_MAX => {
            Err(Failure::bad_input("a fault lasts a moment to a day"))
        }
        span => Ok(span),
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
            Self::FillDisk => NodeFault::FillDisk,
            Self::Corrupt => NodeFault::CorruptStore,
        }
    }
}

#[cfg(test)]
mod tests;
