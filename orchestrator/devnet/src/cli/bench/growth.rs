//! `devnet bench`: what networks of several sizes cost, step by step.

use std::time::{Duration, Instant};

use devnet_blueprint::Topology;
use devnet_blueprint::quantity::BlockTime;
use devnet_blueprint::topology::NODES_MAX;
use devnet_scenario::fault::{CutShape, Heal};
use serde::Serialize;

use super::super::interrupts::Interrupts;
use super::super::{NameArgs, OutputArgs, status};
use super::cut::{SIDES, best_height, is_one_tip, proven, sides};
use super::own::{Ended, Ground, Own, cpu_ms, interrupted, processors, until};
use super::{HowArgs, table};
use crate::bench::growth::{Figure, Growth, Sample, Size};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::faults::{Layout, Live};
use crate::order;
use crate::probe::Depth;
use crate::words::shape::cut_of;
use crate::world::World;

/// One in so many nodes mines, and one on every side of the cut.
const NODES_PER_MINER: u32 = 10;
/// Looks at the whole network, of which the median counts.
const LOOKS: usize = 3;
const MIB: f64 = 1_048_576.0;

/// Options of the growth of costs.
#[derive(Debug, Clone, clap::Args)]
pub struct GrowthArgs {
    /// Sizes of the networks
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "3,10,20",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(NODES_MAX)))]
    nodes: Vec<u32>,

    /// Networks of each size
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// Target time between blocks
    #[arg(long, value_name = "TIME", default_value = "10s")]
    block_time: BlockTime,

    /// How long to leave a network alone while its processor time is taken; 0s leaves that out
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    idle: Duration,

    /// How long it stays cut [default: two block times]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    hold: Option<Duration>,

    /// Do not cut and heal it
    #[arg(long, conflicts_with = "hold")]
    no_partition: bool,

    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// One network to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Wanted {
    nodes: u32,
    miners: u32,
    round: u32,
}

/// Runs the verb.
pub async fn run(
    world: &World,
    args: &GrowthArgs,
    mut interrupts: Interrupts,
) -> Result<Exit, Failure> {
    let ground = Ground::new(world, &args.how).await?;
    let wanted = plan(args);
    if args.how.dry_run {
        return dry_run(world, &ground, &wanted);
    }
    let mut sizes: Vec<Size> = Vec::new();
    warm_up(world, &ground, &mut interrupts).await?;
    for one in &wanted {
        if sizes
            .last()
            .is_some_and(|size| size.nodes == one.nodes && size.failure.is_some())
        {
            continue;
        }
        let measured = measured(world, args, &ground, *one, &mut interrupts).await?;
        note(&mut sizes, *one, measured);
    }
    conclude(world, args, &ground, sizes)
}

/// Every network, in the order of the sizes.
fn plan(args: &GrowthArgs) -> Vec<Wanted> {
    let of_size = |nodes: &u32| {
        let nodes = *nodes;
        let miners = nodes.min((nodes / NODES_PER_MINER).max(3));
        (1..=args.rounds).map(move |round| Wanted {
            nodes,
            miners,
            round,
        })
    };
    args.nodes.iter().flat_map(of_size).collect()
}

fn dry_run(world: &World, ground: &Ground, wanted: &[Wanted]) -> Result<Exit, Failure> {
    world
        .console
        .answer(&serde_json::json!({ "engine": ground.kind, "networks": wanted }))?;
    for one in wanted {
        world.console.say(&format!(
            "{} nodes, {} of them mining, on the {} engine",
            one.nodes, one.miners, ground.kind
        ));
    }
    world
        .console
        .say("Nothing was touched; without --dry-run it is done.");
    Ok(Exit::Success)
}

/// The first network on a machine pays for what all later ones find ready: an
/// image, files in memory.
async fn warm_up(
    world: &World,
    ground: &Ground,
    interrupts: &mut Interrupts,
) -> Result<(), Failure> {
    let stage = world.console.stage("warm-up", "one node, not counted");
    let own = ground.network("warm-up", topology(1, 1, None)?);
    let work = async {
        own.up().await?;
        own.down().await
    };
    match own.during(interrupts, work).await {
        Ok(Ended::Done(())) => {
            stage.done("one node came and went");
            Ok(())
        }
        Ok(Ended::Interrupted) => {
            stage.failed("interrupted");
            Err(interrupted())
        }
        Err(failure) => {
            stage.failed("one node did not come up");
            Err(failure)
        }
    }
}

/// One network, from nothing to nothing; `Err` inside where it did not come
/// through.
async fn measured(
    world: &World,
    args: &GrowthArgs,
    ground: &Ground,
    wanted: Wanted,
    interrupts: &mut Interrupts,
) -> Result<Result<Sample, Failure>, Failure> {
    let title = format!("{} nodes, round {}", wanted.nodes, wanted.round);
    let stage = world.console.stage("bench", &title);
    let topology = topology(wanted.nodes, wanted.miners, Some(args.block_time))?;
    let own = ground.network(&format!("{}-{}", wanted.nodes, wanted.round), topology);
    let mut sample = Sample::default();
    let work = Work {
        args,
        ground,
        own: &own,
        tell: &|doing| stage.waiting(&format!("{title}: {doing}")),
    };
    let ended = own.during(interrupts, work.run(&mut sample)).await;
    match ended {
        Ok(Ended::Done(())) => {
            stage.done(&format!("{title}: {}", spell(&sample)));
            Ok(Ok(sample))
        }
        Ok(Ended::Interrupted) => {
            stage.failed(&format!("{title}: interrupted"));
            Err(interrupted())
        }
        Err(failure) => {
            stage.failed(&format!("{title}: {}", failure.message()));
            Ok(Err(failure))
        }
    }
}

/// The steps of one network.
struct Work<'a> {
    args: &'a GrowthArgs,
    ground: &'a Ground,
    own: &'a Own<'a>,
    tell: &'a (dyn Fn(&str) + Sync),
}

impl Work<'_> {
    async fn run(&self, sample: &mut Sample) -> Result<(), Failure> {
        (self.tell)("bringing it up");
        let began = Instant::now();
        let live = self.own.up().await?;
        sample.0.insert(Figure::UpS, seconds(began));
        (self.tell)("looking at it");
        sample.0.insert(Figure::StatusS, self.status().await?);
        self.idle(&live, sample).await?;
        if !self.args.no_partition && live.layout().nodes.len() >= SIDES {
            self.part(&live, sample).await?;
        }
        (self.tell)("taking it down");
        let began = Instant::now();
        self.own.down().await?;
        sample.0.insert(Figure::DownS, seconds(began));
        Ok(())
    }

    /// The median of some looks as `devnet status` takes them.
    async fn status(&self) -> Result<f64, Failure> {
        let args = status::Args {
            network: NameArgs {
                name: self.own.name().to_owned(),
            },
            watch: None,
            credentials: false,
            output: OutputArgs { json: false },
        };
        let mut taken = Vec::new();
        for _ in 0..LOOKS {
            let began = Instant::now();
            status::look(self.own.world(), &args).await?;
            taken.push(seconds(began));
        }
        taken.sort_by(f64::total_cmp);
        Ok(taken[LOOKS / 2])
    }

    /// Processor time over the window, memory at its end.
    async fn idle(&self, live: &Live, sample: &mut Sample) -> Result<(), Failure> {
        (self.tell)("leaving it alone");
        let name = self.own.name();
        let before = cpu_ms(live).await?;
        let began = Instant::now();
        tokio::time::sleep(self.args.idle).await;
        let after = cpu_ms(live).await?;
        let window_ms = 1_000.0 * seconds(began);
        if let (Some(before), Some(after), false) = (before, after, self.args.idle.is_zero()) {
            #[expect(clippy::cast_precision_loss, reason = "times and counts are small")]
            let used_ms = after.saturating_sub(before) as f64 / processors() as f64;
            sample
                .0
                .insert(Figure::CpuPercent, 100.0 * used_ms / window_ms);
        }
        let vitals = live.engine().vitals(name).await?;
        let held: Option<u64> = vitals.iter().map(|node| node.memory_bytes).sum();
        #[expect(clippy::cast_precision_loss, reason = "memory stays far below 2^53")]
        if let Some(bytes) = held {
            sample.0.insert(Figure::MemoryMib, bytes as f64 / MIB);
        }
        Ok(())
    }

    /// Cuts it into three, lets every side mine, heals, and waits for one tip.
    async fn part(&self, live: &Live, sample: &mut Sample) -> Result<(), Failure> {
        let (world, name) = (self.own.world(), self.own.name());
        (self.tell)("cutting it into three");
        let lock = || world.states.network(name).lock();
        let cut = |layout: &Layout| cut_of(CutShape::Groups(sides(layout)), layout);
        let done = order::inflict(world, live, lock()?, None, cut).await?;
        proven("the cut", &done.inflicted.outcome)?;
        sample
            .0
            .insert(Figure::PartitionS, done.elapsed.as_secs_f64());
        (self.tell)("waiting while it is cut");
        let two_blocks = 2 * Duration::from_secs(self.args.block_time.seconds().into());
        tokio::time::sleep(self.args.hold.unwrap_or(two_blocks)).await;
        (self.tell)("healing it");
        let layout = live.layout();
        let at_heal = world.prober.probe(&layout.nodes, Depth::Chain).await;
        let healed = order::heal(world, live, lock()?, |_| Ok(Heal::All)).await?;
        let began = Instant::now();
        proven("the heal", &healed.outcome)?;
        sample.0.insert(Figure::HealS, healed.elapsed.as_secs_f64());
        (self.tell)("waiting for one tip");
        let height = best_height(&at_heal);
        until("coming to one tip", self.ground.patience(), || async {
            let round = world.prober.probe(&layout.nodes, Depth::Chain).await;
            Ok(is_one_tip(&round, height).then_some(()))
        })
        .await?;
        sample.0.insert(Figure::ConvergeS, seconds(began));
        Ok(())
    }
}

fn conclude(
    world: &World,
    args: &GrowthArgs,
    ground: &Ground,
    sizes: Vec<Size>,
) -> Result<Exit, Failure> {
    let has_failed = sizes.iter().any(|size| size.failure.is_some());
    let growth = Growth::of(ground.kind, processors(), args.block_time.seconds(), sizes);
    world.console.answer(&growth)?;
    world.console.say(&table(world, growth.rows()));
    Ok(if has_failed {
        Exit::Failed
    } else {
        Exit::Success
    })
}

/// Adds what came of a network to those of its size.
fn note(sizes: &mut Vec<Size>, wanted: Wanted, measured: Result<Sample, Failure>) {
    if sizes.last().is_none_or(|size| size.nodes != wanted.nodes) {
        sizes.push(Size {
            nodes: wanted.nodes,
            miners: wanted.miners,
            samples: Vec::new(),
            median: Sample::default(),
            failure: None,
        });
    }
    let Some(size) = sizes.last_mut() else { return };
    match measured {
        Ok(sample) => size.samples.push(sample),
        Err(failure) => size.failure = Some(failure.message().to_owned()),
    }
    size.median = Sample::median_of(&size.samples);
}

fn topology(nodes: u32, miners: u32, block_time: Option<BlockTime>) -> Result<Topology, Failure> {
    let mut topology = Topology::from_counts(nodes, miners)
        .map_err(|problems| Failure::bad_input(problems.to_string()))?;
    topology.genesis.block_time = block_time;
    Ok(topology)
}

fn seconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}

/// `up 1.20 s, …`.
fn spell(sample: &Sample) -> String {
    let one = |(figure, value): (&Figure, &f64)| {
        let (title, unit) = figure.title().rsplit_once(' ').unwrap_or_default();
        format!("{} {} {unit}", title.to_lowercase(), figure.spell(*value))
    };
    sample.0.iter().map(one).collect::<Vec<_>>().join(", ")
}
