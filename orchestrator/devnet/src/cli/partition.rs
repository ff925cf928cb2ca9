//! `devnet partition`: groups that cannot reach each other, and other cuts.

use devnet_scenario::fault::{Cut, CutShape, Fault, NodeName};

use super::fault::{self, FaultArgs, select};
use crate::exit::{Exit, Failure};
use crate::faults::Layout;
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
    fault::run(world, &args.fault, None, |layout| cut(&args, layout)).await
}

fn cut(args: &Args, layout: &Layout) -> Result<Fault, Failure> {
    cut_of(shape(args, layout)?, layout)
}

/// The cut of that shape, or why it cannot be made.
pub fn cut_of(shape: CutShape, layout: &Layout) -> Result<Fault, Failure> {
    let cut = Cut::new(shape, &layout.roster())
        .map_err(|error| Failure::bad_input(format!("cannot partition: {error}")))?;
    Ok(Fault::Cut(cut))
}

fn shape(args: &Args, layout: &Layout) -> Result<CutShape, Failure> {
    if let Some(bridge) = &args.bridge {
        return bridged(args, layout, bridge);
    }
    if let Some(nodes) = &args.isolate {
        return Ok(CutShape::isolate(&select::nodes(layout, nodes)?));
    }
    if args.halves {
        return Ok(CutShape::halves(&layout.roster()));
    }
    if args.majorities_ring {
        return Ok(CutShape::MajoritiesRing(layout.roster()));
    }
    if let Some(pair) = &args.one_way {
        let (from, to) = select::must_be_pair(layout, pair)?;
        return Ok(CutShape::OneWay { from, to });
    }
    if !args.link.is_empty() {
        return Ok(CutShape::Pairs(pairs(layout, &args.link)?));
    }
    if args.groups.is_empty() {
        return Err(Failure::bad_input("no groups are named")
            .next("Name them like `devnet partition miner-0,miner-1 observer-0`, or use --halves.")
            .next("`devnet heal` ends a partition."));
    }
    Ok(CutShape::Groups(groups(args, layout)?))
}

fn groups(args: &Args, layout: &Layout) -> Result<Vec<Vec<NodeName>>, Failure> {
    let groups = args.groups.iter();
    groups.map(|group| select::nodes(layout, group)).collect()
}

/// Sides that meet in the bridge. Nodes that groups do not name form one more
/// side, as in any partition.
fn bridged(args: &Args, layout: &Layout, bridge: &str) -> Result<CutShape, Failure> {
    let bridge = select::nodes(layout, bridge)?;
    let mut sides = groups(args, layout)?;
    if sides.is_empty() {
        let mut others = layout.roster();
        others.retain(|node| !bridge.contains(node));
        if others.len() < 2 {
            return Err(Failure::bad_input(
                "cannot partition: beside the bridge there are not two nodes to keep apart",
            ));
        }
        let second = others.split_off(others.len().div_ceil(2));
        sides = vec![others, second];
    }
    Ok(CutShape::Bridge { sides, bridge })
}

fn pairs(layout: &Layout, words: &[String]) -> Result<Vec<(NodeName, NodeName)>, Failure> {
    let mut pairs = Vec::new();
    for word in words {
        let (left, right) = select::must_be_pair(layout, word)?;
        for a in &left {
            pairs.extend(right.iter().map(|b| (a.clone(), b.clone())));
        }
    }
    Ok(pairs)
}
