//! `devnet bench propagation`: how fast blocks reach nodes all over the world.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_blueprint::Topology;
use devnet_blueprint::quantity::BlockTime;
use devnet_blueprint::topology::{Group, NODES_MAX, Role};
use futures::StreamExt as _;
use serde::Serialize;

use super::super::interrupts::Interrupts;
use super::super::up::refuse;
use super::own::{Ended, Ground, Own, interrupted, until};
use super::{HowArgs, table};
use crate::account::arrivals::Book;
use crate::bench::propagation::{Propagation, Seen};
use crate::engine::LogWish;
use crate::exit::{Exit, Failure};
use crate::faults::Live;
use crate::probe::{Depth, Round};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet bench propagation                            20 nodes in ten regions, 30 blocks
  devnet bench propagation --nodes 50 --blocks 100
  devnet bench propagation --zones us-east-1,eu-west-1,ap-northeast-1 --engine process --json

Nodes stand in the zones in turn, one of each zone mines; zones are as far apart as a topology's of
the same names (`devnet up --help`). Each block's arrival at every node is taken from the nodes'
logs, which share this machine's clock, and held against the best way: the least sum of one-way
delays over links that exist. Blocks that did not reach every node in time are left out and counted.

Exit codes: 0 measured · 1 the network did not come through, or interrupted · 2 bad arguments ·
3 the world broke";

/// The regions whose distances are known without being described.
const ZONES: &str = "us-east-1,us-west-1,us-west-2,eu-west-1,eu-central-1,ap-northeast-1,\
                     ap-northeast-2,ap-southeast-1,ap-southeast-2,sa-east-1";
/// Blocks before the first that counts: meanwhile nodes find each other.
const BLOCKS_BEFORE: u32 = 3;
const MICROS_IN_MS: f64 = 1_000.0;

/// Measure how fast blocks reach nodes that are far apart
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Nodes in all
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(2..=i64::from(NODES_MAX)))]
    nodes: u32,

    /// Where they stand
    #[arg(long, value_name = "ZONE,…", value_delimiter = ',', default_value = ZONES)]
    zones: Vec<String>,

    /// Blocks to follow
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    blocks: u32,

    /// Target time between blocks
    #[arg(long, value_name = "TIME", default_value = "3s")]
    block_time: BlockTime,

    #[command(flatten)]
    pub(super) how: HowArgs,
}

#[derive(Debug, Serialize)]
struct Answer {
    engine: devnet_blueprint::EngineKind,
    nodes: u32,
    zones: Vec<String>,
    block_time_s: u32,
    #[serde(flatten)]
    told: Propagation,
}

/// Runs the verb.
pub async fn run(world: &World, args: &Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    let topology = topology(args)?;
    let ground = Ground::new(world, &args.how).await?;
    if args.how.dry_run {
        world.console.answer(&topology)?;
        world.console.say(&format!(
            "{} nodes in {} zones on the {} engine, {} blocks\nNothing was touched; without \
             --dry-run it is done.",
            args.nodes,
            args.zones.len(),
            ground.kind,
            args.blocks
        ));
        return Ok(Exit::Success);
    }
    let own = ground.network("propagation", topology);
    let stage = world.console.stage("bench", "bringing the network up");
    let waiting = |doing: &str| stage.waiting(doing);
    let work = measure(args, &ground, &own, &waiting);
    let told = match own.during(&mut interrupts, work).await {
        Ok(Ended::Done(told)) => told,
        Ok(Ended::Interrupted) => {
            stage.failed("interrupted");
            return Err(interrupted());
        }
        Err(failure) => {
            stage.failed("the network did not come through");
            return Err(failure);
        }
    };
    stage.done(&format!("{} blocks followed to every node", told.blocks));
    tell(world, args, &ground, told)
}

fn tell(world: &World, args: &Args, ground: &Ground, told: Propagation) -> Result<Exit, Failure> {
    let rows = table(world, told.rows());
    let blocks = format!(
        "{} blocks over {} links; {} left out",
        told.blocks, told.links, told.left_out
    );
    let has_figures = told.arrival_ms.is_some();
    world.console.answer(&Answer {
        engine: ground.kind,
        nodes: args.nodes,
        zones: args.zones.clone(),
        block_time_s: args.block_time.seconds(),
        told,
    })?;
    world.console.say(&format!("{rows}\n\n{blocks}"));
    Ok(if has_figures {
        Exit::Success
    } else {
        Exit::Failed
    })
}

/// Nodes dealt over the zones in turn; the first of each zone mines.
fn topology(args: &Args) -> Result<Topology, Failure> {
    let zones = u32::try_from(args.zones.len()).unwrap_or(u32::MAX);
    let in_zone = |place: u32| (args.nodes / zones) + u32::from(place < args.nodes % zones);
    let mut groups = Vec::new();
    for (place, zone) in (0..zones).zip(&args.zones) {
        let count = in_zone(place);
        let group = |name: String, role, count| Group {
            role: Some(role),
            zone: Some(zone.clone()),
            ..Group::new(&name, count)
        };
        groups.push(group(format!("m-{zone}"), Role::Miner, count.min(1)));
        groups.push(group(
            format!("o-{zone}"),
            Role::Observer,
            count.saturating_sub(1),
        ));
    }
    groups.retain(|group| group.count > 0);
    let mut topology = Topology {
        groups,
        ..Topology::default()
    };
    topology.genesis.block_time = Some(args.block_time);
    topology.check().map_err(|problems| refuse(&problems))?;
    Ok(topology)
}

async fn measure(
    args: &Args,
    ground: &Ground,
    own: &Own<'_>,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Propagation, Failure> {
    let live = own.up().await?;
    let last = BLOCKS_BEFORE + args.blocks;
    let early = reach(own, &live, ground, BLOCKS_BEFORE, args).await?;
    tell(&format!("following {} blocks", args.blocks));
    let late = reach(own, &live, ground, last + 1, args).await?;
    let mut seen = Seen {
        nodes: live.layout().roster(),
        links: links(&live, &[early, late]),
        ..Seen::default()
    };
    let mut book = Book::default();
    let wish = LogWish::default();
    let mut lines = live.engine().logs(live.name(), &wish).await?;
    while let Some(line) = lines.next().await {
        let line = line?;
        book.take(&line.node, &line.text);
    }
    for (place, node) in live.layout().roster().iter().enumerate() {
        seen.take(place, book.of(node), BLOCKS_BEFORE + 1..last + 1);
    }
    own.down().await?;
    Ok(seen.reckon())
}

/// Waits until every node has that height.
async fn reach(
    own: &Own<'_>,
    live: &Live,
    ground: &Ground,
    height: u32,
    args: &Args,
) -> Result<Round, Failure> {
    let layout = live.layout();
    let mining = Duration::from_secs(args.block_time.seconds().into()) * height * 3;
    until("mining the blocks", ground.patience() + mining, || async {
        let round = own.world().prober.probe(&layout.nodes, Depth::Chain).await;
        let is_there = round.common_height.is_some_and(|common| common >= height)
            && round.nodes.values().all(Result::is_ok);
        Ok(is_there.then_some(round))
    })
    .await
}

/// Pairs that were connected in any of the rounds, with the delay between them.
fn links(live: &Live, rounds: &[Round]) -> Vec<(usize, usize, u64)> {
    let layout = live.layout();
    let places: BTreeMap<String, usize> = layout.roster().into_iter().zip(0..).collect();
    let delays = layout.blueprint.link_conditions().into_iter();
    let delays: BTreeMap<(usize, usize), f64> = delays
        .filter_map(|(from, to, ms, _)| Some(((*places.get(&from)?, *places.get(&to)?), ms)))
        .collect();
    let mut joined = BTreeMap::new();
    for round in rounds {
        let answers = round.nodes.iter();
        let answers: Vec<_> = answers
            .filter_map(|(name, facts)| Some((*places.get(name)?, facts.as_ref().ok()?)))
            .collect();
        let by_id: BTreeMap<&str, usize> = answers
            .iter()
            .map(|(place, facts)| (facts.network.peerid.as_str(), *place))
            .collect();
        for (place, facts) in &answers {
            let peers = facts.peers.iter();
            for other in peers.filter_map(|peer| by_id.get(peer.peerid.as_str())) {
                let pair = (*place.min(other), *place.max(other));
                let ms = delays.get(&pair).copied().unwrap_or_default();
                joined.insert(pair, micros(ms));
            }
        }
    }
    joined.into_iter().map(|((a, b), us)| (a, b, us)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "delays are bounded and not negative"
)]
const fn micros(ms: f64) -> u64 {
    (ms * MICROS_IN_MS) as u64
}
