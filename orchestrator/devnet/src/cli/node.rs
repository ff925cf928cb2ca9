//! The verbs that do something to single nodes: `devnet kill` and its family.
//! All take the same way: inflict, prove, and, where a time is given, take it
//! out again and prove that too.

mod spell;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use devnet_scenario::fault::NodeFault;

use self::spell::{Spell, cast};
use super::up::Interrupts;
use super::{NameArgs, OutputArgs};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::faults::{Live, node};
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
    /// Damage nodes' stores on purpose: kills them, damages, starts them
    #[command(after_help = CORRUPT)]
    Corrupt(Lasting),
}

/// Arguments of what can be undone.
#[derive(Clone, Debug, Args)]
pub struct Lasting {
    #[command(flatten)]
    nodes: Nodes,
    #[command(flatten)]
    span: Span,
}

/// Arguments of what leaves nothing to undo.
#[derive(Clone, Debug, Args)]
pub struct Momentary {
    #[command(flatten)]
    nodes: Nodes,
}

/// Arguments of `add`.
#[derive(Clone, Debug, Args)]
pub struct Add {
    #[command(flatten)]
    network: NameArgs,

    /// Group to add to, such as miner
    #[arg(value_name = "GROUP")]
    group: String,

    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=250))]
    count: u32,

    #[command(flatten)]
    span: Span,

    #[command(flatten)]
    output: OutputArgs,
}

/// Arguments of `upgrade`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("program").args(["image", "binary"]).required(true))]
pub struct Upgrade {
    #[command(flatten)]
    nodes: Nodes,

    /// Container image to run
    #[arg(long, value_name = "REF")]
    image: Option<String>,

    /// Binary to run; on Docker an image is made of it
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,

    #[command(flatten)]
    span: Span,
}

/// Which nodes of which network.
#[derive(Clone, Debug, Args)]
struct Nodes {
    #[command(flatten)]
    network: NameArgs,

    /// Names of nodes, such as miner-0
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    nodes: Vec<String>,

    #[command(flatten)]
    output: OutputArgs,
}

/// For how long.
#[derive(Clone, Copy, Debug, Args)]
struct Span {
    /// Undo it after this time, such as 30s; Ctrl-C undoes it at once
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    span: Option<Duration>,
}

impl Verb {
    /// Whether the answer is to be JSON.
    pub const fn is_json(&self) -> bool {
        match self {
            Self::Kill(args)
            | Self::Stop(args)
            | Self::Pause(args)
            | Self::Remove(args)
            | Self::Corrupt(args) => args.nodes.output.json,
            Self::Start(args) | Self::Restart(args) | Self::Unpause(args) | Self::Wipe(args) => {
                args.nodes.output.json
            }
            Self::Add(args) => args.output.json,
            Self::Upgrade(args) => args.nodes.output.json,
        }
    }
}

/// Runs the verb.
pub async fn run(world: &World, verb: Verb, interrupts: Interrupts) -> Result<Exit, Failure> {
    let (title, what, nodes, span) = match verb {
        Verb::Add(args) => return add(world, args, interrupts).await,
        Verb::Kill(args) => ("kill", NodeFault::Kill, args.nodes, args.span.span),
        Verb::Stop(args) => ("stop", NodeFault::Stop, args.nodes, args.span.span),
        Verb::Pause(args) => ("pause", NodeFault::Pause, args.nodes, args.span.span),
        Verb::Remove(args) => ("remove", NodeFault::Remove, args.nodes, args.span.span),
        Verb::Corrupt(args) => (
            "corrupt",
            NodeFault::CorruptStore,
            args.nodes,
            args.span.span,
        ),
        Verb::Start(args) => ("start", NodeFault::Start, args.nodes, None),
        Verb::Restart(args) => ("restart", NodeFault::Restart, args.nodes, None),
        Verb::Unpause(args) => ("unpause", NodeFault::Unpause, args.nodes, None),
        Verb::Wipe(args) => ("wipe", NodeFault::Wipe, args.nodes, None),
        Verb::Upgrade(args) => {
            let program = program(&args)?;
            let what = NodeFault::Upgrade { program };
            ("upgrade", what, args.nodes, args.span.span)
        }
    };
    let live = Live::attach(world, &nodes.network.name).await?;
    let spell = Spell {
        title,
        nodes: without_doubles(nodes.nodes),
        what,
        span,
    };
    cast(world, &live, &spell, interrupts).await
}

async fn add(world: &World, args: Add, interrupts: Interrupts) -> Result<Exit, Failure> {
    let live = Live::attach(world, &args.network.name).await?;
    let spell = Spell {
        title: "add",
        nodes: node::fresh_names(world, &live, &args.group, args.count)?,
        what: NodeFault::Add { group: args.group },
        span: args.span.span,
    };
    cast(world, &live, &spell, interrupts).await
}

/// The program as faults name it: a path is absolute, and so told from the
/// reference of an image.
fn program(args: &Upgrade) -> Result<String, Failure> {
    if let Some(image) = &args.image {
        if image.starts_with(['/', '.']) {
            return Err(Failure::bad_input(format!(
                "`{image}` is a path, not the reference of an image"
            ))
            .next("`--binary PATH` takes a path."));
        }
        return Ok(image.clone());
    }
    let binary = args.binary.clone().unwrap_or_default();
    let absolute = std::path::absolute(&binary)
        .map_err(|error| Failure::bad_input(format!("cannot use {}: {error}", binary.display())))?;
    Ok(absolute.to_string_lossy().into_owned())
}

fn without_doubles(nodes: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    for node in nodes {
        if !seen.contains(&node) {
            seen.push(node);
        }
    }
    seen
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

const CORRUPT: &str = "\
Examples:
  devnet corrupt miner-0             damaged pages follow from the network's seed
  devnet corrupt miner-0 --for 30s   then wiped, if it refused its store

Proof: the node refuses its store in clear words, or survives. Exit code 4 if it does neither.";
