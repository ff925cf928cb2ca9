//! `devnet partition`: groups that cannot reach each other, and other cuts.

use super::fault::{self, FaultArgs};
use crate::exit::{Exit, Failure};
use crate::words::Shape;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet partition bootstrap-0,miner-0 miner-1,observer-0   two groups; the others form a third
  devnet partition miner                                    all miners apart from the others
  devnet partition --halves --for 30s                       two halves, healed after 30 s
  devnet partition --bridge miner-1                         two halves that meet in one node
  devnet partition --one-way miner-0:miner-1                what miner-0 sends does not arrive
  devnet partition --link miner-0:miner-1 --link miner-0:observer-0

Each call states the whole partition and replaces the one before; `devnet heal` ends it.
Every node is probed from every other; exit code 4 if the cut did not bite. Each side's tip is
told with it; `devnet faults --watch` goes on telling what they mine, and where they part.";

/// Cut the network into groups that cannot reach each other
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES,
    group = clap::ArgGroup::new("shape").multiple(false)
        .args(["groups", "isolate", "halves", "majorities_ring", "one_way", "link"]))]
pub struct Args {
    /// Groups: names of nodes, groups or zones, comma-separated; who is not named forms one more
    #[arg(value_name = "GROUP")]
    pub(super) groups: Vec<String>,

    /// Each of these nodes alone, apart from all others
    #[arg(long, value_name = "NODE,…")]
    pub(super) isolate: Option<String>,

    /// Two halves, in the order of the nodes
    #[arg(long)]
    pub(super) halves: bool,

    /// Every node sees a majority, no two the same
    #[arg(long)]
    pub(super) majorities_ring: bool,

    /// Nodes that reach every group; without groups the others form two halves
    #[arg(long, value_name = "NODE,…", conflicts_with_all = ["isolate", "halves", "majorities_ring", "one_way", "link"])]
    pub(super) bridge: Option<String>,

    /// What A sends does not arrive at B; B is heard by A
    #[arg(long, value_name = "A:B")]
    pub(super) one_way: Option<String>,

    /// The link between A and B, both directions; may be repeated
    #[arg(long, value_name = "A:B")]
    pub(super) link: Vec<String>,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let shape = shape(&args);
    fault::run(world, &args.fault, None, |layout| shape.cut(layout)).await
}

fn shape(args: &Args) -> Shape {
    if let Some(bridge) = args.bridge.clone() {
        let sides = args.groups.clone();
        return Shape::Bridge { bridge, sides };
    }
    if let Some(nodes) = args.isolate.clone() {
        return Shape::Isolate(vec![nodes]);
    }
    if let Some(pair) = args.one_way.clone() {
        return Shape::OneWay(pair);
    }
    match (args.halves, args.majorities_ring) {
        (true, _) => Shape::Halves,
        (_, true) => Shape::Ring,
        _ if !args.link.is_empty() => Shape::Links(args.link.clone()),
        _ => Shape::Groups(args.groups.clone()),
    }
}
