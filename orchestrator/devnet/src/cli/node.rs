//! The verbs that do something to single nodes: `devnet kill` and its family.
//! All go the way of every fault: inflict, prove, and, where a time is given,
//! take it out again and prove that too.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use devnet_scenario::fault::{Fault, NodeFault};

use super::fault::{self, FaultArgs, select};
use super::{NameArgs, OutputArgs};
use crate::exit::{Exit, Failure};
use crate::faults::node;
use crate::words::program;
use crate::world::World;

/// Verbs of node faults.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Kill nodes at once, as a crash does (SIGKILL)
    #[command(after_help = KILL)]
    Kill(Lasting),
    /// Stop nodes in good order (SIGTERM)
    #[command(after_help = STOP)]
    Stop(Lasting),
    /// Start nodes that do not run, and thaw those that are frozen
    #[command(after_help = START)]
    Start(Momentary),
    /// Stop nodes and start them again
    #[command(after_help = RESTART)]
    Restart(Momentary),
    /// Freeze nodes: the process stays, nothing runs
    #[command(after_help = PAUSE)]
    Pause(Lasting),
    /// Thaw frozen nodes
    #[command(after_help = UNPAUSE)]
    Unpause(Momentary),
    /// Empty nodes' data folders: stops them, wipes, starts them at genesis
    #[command(after_help = WIPE)]
    Wipe(Momentary),
    /// Add fresh nodes to a group of a running network
    #[command(after_help = ADD)]
    Add(Add),
    /// Remove nodes with all their data
    #[command(after_help = REMOVE)]
    Remove(Lasting),
    /// Run another program in nodes' place; their data is kept
    #[command(after_help = UPGRADE)]
    Upgrade(Upgrade),
    /// Let the disks of nodes be full
    #[command(after_help = FILL_DISK)]
    FillDisk(Lasting),
    /// Damage the stores of nodes on purpose
    #[command(after_help = CORRUPT)]
    Corrupt(Lasting),
}

/// Arguments of what can be undone.
#[derive(Clone, Debug, Args)]
pub struct Lasting {
    /// Nodes, groups or zones
    #[arg(value_name = "NODE", required = true)]
    nodes: Vec<String>,

    #[command(flatten)]
    fault: FaultArgs,
}

/// Arguments of what leaves nothing to undo.
#[derive(Clone, Debug, Args)]
pub struct Momentary {
    /// Nodes, groups or zones
    #[arg(value_name = "NODE", required = true)]
    nodes: Vec<String>,

    /// Known so that it can be refused with a reason
    #[arg(long = "for", value_name = "TIME", hide = true)]
    time: Option<String>,

    #[command(flatten)]
    network: NameArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Arguments of `add`.
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// Group to add to, such as miner
    #[arg(value_name = "GROUP")]
    group: String,

    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=250))]
    count: u32,

    #[command(flatten)]
    fault: FaultArgs,
}

/// Arguments of `upgrade`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("program").args(["image", "binary"]).required(true))]
pub struct Upgrade {
    /// Nodes, groups or zones
    #[arg(value_name = "NODE", required = true)]
    nodes: Vec<String>,

    /// Container image to run
    #[arg(long, value_name = "REF")]
    image: Option<String>,

    /// Binary to run; on Docker an image is made of it
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,

    #[command(flatten)]
    fault: FaultArgs,
}

impl Verb {
    /// Whether the answer is to be JSON.
    pub const fn is_json(&self) -> bool {
        match self {
            Self::Kill(args)
            | Self::Stop(args)
            | Self::Pause(args)
            | Self::Remove(args)
            | Self::FillDisk(args)
            | Self::Corrupt(args) => args.fault.output.json,
            Self::Start(args) | Self::Restart(args) | Self::Unpause(args) | Self::Wipe(args) => {
                args.output.json
            }
            Self::Add(args) => args.fault.output.json,
            Self::Upgrade(args) => args.fault.output.json,
        }
    }
}

/// Runs the verb.
pub async fn run(world: &World, verb: Verb) -> Result<Exit, Failure> {
    let (words, what, args) = match verb {
        Verb::Add(args) => return add(world, args).await,
        Verb::Kill(args) => (args.nodes, NodeFault::Kill, args.fault),
        Verb::Stop(args) => (args.nodes, NodeFault::Stop, args.fault),
        Verb::Pause(args) => (args.nodes, NodeFault::Pause, args.fault),
        Verb::Remove(args) => (args.nodes, NodeFault::Remove, args.fault),
        Verb::FillDisk(args) => (args.nodes, NodeFault::FillDisk, args.fault),
        Verb::Corrupt(args) => (args.nodes, NodeFault::CorruptStore, args.fault),
        Verb::Upgrade(args) => {
            let program = program(args.image.as_deref(), args.binary.as_ref())?;
            (args.nodes, NodeFault::Upgrade { program }, args.fault)
        }
        Verb::Start(args) => args.with(NodeFault::Start)?,
        Verb::Restart(args) => args.with(NodeFault::Restart)?,
        Verb::Unpause(args) => args.with(NodeFault::Unpause)?,
        Verb::Wipe(args) => args.with(NodeFault::Wipe)?,
    };
    fault::run(world, &args, None, |layout| {
        let nodes = select::all_nodes(layout, &words)?;
        Ok(Fault::Node { nodes, what })
    })
    .await
}

async fn add(world: &World, args: Add) -> Result<Exit, Failure> {
    let Add {
        group,
        count,
        fault,
    } = args;
    fault::run(world, &fault, None, |layout| {
        let nodes = node::fresh_names(world, layout, &group, count)?;
        let what = NodeFault::Add { group };
        Ok(Fault::Node { nodes, what })
    })
    .await
}

impl Momentary {
    fn with(self, what: NodeFault) -> Result<(Vec<String>, NodeFault, FaultArgs), Failure> {
        if self.time.is_some() {
            let nodes = self.nodes.join(" ");
            return Err(no_time(&what).next(match what {
                NodeFault::Unpause => {
                    format!("`devnet pause {nodes} --for TIME` freezes, and thaws after that time.")
                }
                _ => format!("`devnet stop {nodes} --for TIME` stops, and starts after that time."),
            }));
        }
        let fault = FaultArgs {
            network: self.network,
            time: None,
            output: self.output,
        };
        Ok((self.nodes, what, fault))
    }
}

/// Why what happens in a moment takes no time.
fn no_time(what: &NodeFault) -> Failure {
    Failure::bad_input(match what {
        NodeFault::Start => "`start` ends a kill, a stop or a pause: it takes no --for",
        NodeFault::Unpause => "`unpause` ends a pause: it takes no --for",
        NodeFault::Wipe => "what was wiped cannot be put back after a time: it takes no --for",
        _ => "a restart is over when the node runs again: it takes no --for",
    })
}

const KILL: &str = "\
Examples:
  devnet kill miner-0                until `devnet start`, `devnet heal` or `devnet up`
  devnet kill miner-0 miner-1 --for 30s
  devnet kill miner-0 --json         with the evidence as data

Proof: the process is gone and its RPC is silent. Exit code 4 if it is not.";

const STOP: &str = "\
Examples:
  devnet stop observer-0 --for 1m
  devnet stop miner-0,miner-1        until `devnet start`, `devnet heal` or `devnet up`

Proof: the process is gone and its RPC is silent. Exit code 4 if it is not.";

const START: &str = "\
Examples:
  devnet start miner-0               after a kill, a stop or a pause

Proof: the node answers RPC. Exit code 4 if it does not.";

const RESTART: &str = "\
Examples:
  devnet restart miner-0 miner-1

Proof: another process answers RPC. Exit code 4 if none does.";

const PAUSE: &str = "\
Examples:
  devnet pause miner-0 --for 20s
  devnet pause miner-0               until `devnet unpause`, `devnet heal` or `devnet up`

Peers still connect to a frozen node and wait for it; for a cut network see `devnet partition`.
Proof: the process stands still and its RPC does not answer. Exit code 4 if it does.";

const UNPAUSE: &str = "\
Examples:
  devnet unpause miner-0

Proof: the node answers RPC. Exit code 4 if it does not.";

const WIPE: &str = "\
Examples:
  devnet wipe observer-0             the chain is fetched again from the peers

Proof: the node begins at genesis. Exit code 4 if it still has its chain.";

const ADD: &str = "\
Examples:
  devnet add observer                one more, with the group's settings
  devnet add miner --count 2 --for 5m

Proof: the fresh nodes answer RPC. `devnet up` brings back the network as it was asked for; to grow
it for good, run `devnet up` with other counts or another file.";

const REMOVE: &str = "\
Examples:
  devnet remove observer-0           until `devnet heal` or `devnet up`, with fresh data then
  devnet remove miner-0 --for 1m

Proof: node and data are gone and nobody answers. Exit code 4 if not.";

const UPGRADE: &str = "\
Examples:
  devnet upgrade miner-0 --image minichain:next
  devnet upgrade miner-0 miner-1 --binary target/release/minichain --for 2m

Data is kept. It stays until `devnet heal` or `devnet up`.
Proof: a new process, made from the new plan, answers RPC. Exit code 4 if none does.";

const FILL_DISK: &str = "\
Examples:
  devnet fill-disk miner-0              it can write nothing more
  devnet fill-disk miner-0 --for 30s    room again after 30 s

The node meets its disk quota; the disk of this host has nothing to do with it.";

const CORRUPT: &str = "\
Examples:
  devnet corrupt observer-0             kill it, damage its store, start it again
  devnet corrupt observer-0 --for 30s   then wiped, if it refused its store
  devnet wipe observer-0                the way out by hand

Damaged pages follow from the network's seed. Proof: the node refuses its store in clear words, or
survives. Exit code 4 if it does neither.";

#[cfg(test)]
mod tests;
