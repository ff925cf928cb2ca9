//! `devnet bench load`: how many payments a second a network confirms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use devnet_blueprint::Topology;
use devnet_blueprint::quantity::BlockTime;
use devnet_scenario::world::{Load as Wanted, Outcome};
use futures::future::join_all;
use minichain_api::rpc::{NetTotals, method};
use serde_json::json;

use super::super::interrupts::Interrupts;
use super::super::up::refuse;
use super::own::{Ended, Ground, Own, cpu_ms, interrupted, processors, until};
use super::{HowArgs, table};
use crate::bench::load::{Counters, Load, Offered, Step};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::faults::Live;
use crate::probe::{Depth, NodeAddress};
use crate::run::access::{Access, Http, ask};
use crate::run::payments::{Payments, funding_patience_ms};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet bench load                                     4 nodes, 1 s blocks, ever more payments
  devnet bench load --rates 500,1000 --time 60s
  devnet bench load --block-weight 400000 --rates 1000  small blocks, that are full
  devnet bench load --engine process --json

Each rate is held for a while, then the mempools empty before the next. ACCEPTED is what nodes took,
CONFIRMED what came into blocks, FULL the mean weight of a block of what it may have. REFUSED are
payments that nodes would not have, by rule; SILENT those without an answer within 2 s. BUSY, CONNECT
and COMMIT are the time in which a node's thread was at work, checked blocks, and made them durable.
Sustained is the best rate confirmed. What makes the payments runs on the same processors.

Exit codes: 0 measured · 1 the network did not come through, or interrupted · 2 bad arguments ·
3 the world broke";

/// Accounts that pay each other in a ring; each has coins of its own.
const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];
/// Workers for each node and account, so that an answer that takes its time
/// does not bound the rate.
const WORKERS: usize = 4;
/// Time a node may take over a look.
const PATIENCE: Duration = Duration::from_secs(5);

/// Measure how many payments a second a network confirms
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Nodes in all; half of them mine
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=32))]
    nodes: u32,

    /// Payments a second, one rate after the other
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "100,400,800,1600",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rates: Vec<u32>,

    /// How long each rate is held
    #[arg(long = "time", value_name = "TIME", default_value = "20s", value_parser = parse_duration)]
    time: Duration,

    /// Target time between blocks
    #[arg(long, value_name = "TIME", default_value = "1s")]
    block_time: BlockTime,

    /// Weight of a block at most [default: the network's own]
    #[arg(long, value_name = "UNITS")]
    block_weight: Option<u32>,

    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: &Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    let topology = topology(args)?;
    if args.time.is_zero() {
        return Err(Failure::bad_input("--time 0s leaves nothing to measure"));
    }
    let ground = Ground::new(world, &args.how).await?;
    if args.how.dry_run {
        world.console.answer(&topology)?;
        world.console.say(&format!(
            "{} nodes on the {} engine, {} rates\nNothing was touched; without --dry-run it is \
             done.",
            args.nodes,
            ground.kind,
            args.rates.len()
        ));
        return Ok(Exit::Success);
    }
    let own = ground.network("load", topology);
    let stage = world.console.stage("bench", "bringing the network up");
    let waiting = |doing: &str| stage.waiting(doing);
    let work = measure(args, &ground, &own, &waiting);
    let load = match own.during(&mut interrupts, work).await {
        Ok(Ended::Done(steps)) => Load::of(args.nodes, processors(), steps),
        Ok(Ended::Interrupted) => {
            stage.failed("interrupted");
            return Err(interrupted());
        }
        Err(failure) => {
            stage.failed("the network did not come through");
            return Err(failure);
        }
    };
    stage.done(&format!(
        "{:.0} payments a second sustained",
        load.sustained
    ));
    world.console.answer(&load)?;
    world.console.say(&table(world, load.rows()));
    Ok(Exit::Success)
}

fn topology(args: &Args) -> Result<Topology, Failure> {
    let miners = args.nodes.div_ceil(2);
    let mut topology =
        Topology::from_counts(args.nodes, miners).map_err(|problems| refuse(&problems))?;
    topology.genesis.block_time = Some(args.block_time);
    topology.genesis.block_weight_max = args.block_weight;
    topology.check().map_err(|problems| refuse(&problems))?;
    Ok(topology)
}

async fn measure(
    args: &Args,
    ground: &Ground,
    own: &Own<'_>,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Step>, Failure> {
    let live = own.up().await?;
    let payments = Payments::new(live.clone(), Arc::new(Http));
    tell("splitting coins");
    let spacing_ms = u64::from(args.block_time.seconds()) * 1_000;
    let patience = Duration::from_millis(funding_patience_ms(spacing_ms));
    let accounts = ACCOUNTS.map(str::to_owned);
    payments
        .prefund(&accounts, patience)
        .await
        .map_err(Failure::world)?;
    let mut steps = Vec::new();
    for rate in &args.rates {
        tell(&format!("{rate} payments a second"));
        steps.push(step(args, &live, &payments, f64::from(*rate)).await?);
        tell("waiting until the mempools are empty");
        until("emptying the mempools", ground.patience(), || async {
            let layout = live.layout();
            let round = own.world().prober.probe(&layout.nodes, Depth::Chain).await;
            let is_empty = |facts: &Result<crate::probe::NodeFacts, _>| {
                facts.as_ref().is_ok_and(|facts| facts.mempool.size == 0)
            };
            Ok(round.nodes.values().all(is_empty).then_some(()))
        })
        .await?;
    }
    own.down().await?;
    Ok(steps)
}

/// Holds one rate for a while.
async fn step(args: &Args, live: &Live, payments: &Payments, rate: f64) -> Result<Step, Failure> {
    let layout = live.layout();
    let names: Vec<&str> = ACCOUNTS.to_vec();
    for (place, from) in names.iter().enumerate() {
        let wanted = Wanted {
            name: (*from).to_owned(),
            rate: rate / ACCOUNTS_COUNT,
            from: (*from).to_owned(),
            to: names[(place + 1) % names.len()].to_owned(),
            via: std::iter::repeat_n(layout.roster(), WORKERS)
                .flatten()
                .collect(),
        };
        if let Outcome::Failed { why } = payments.start_load(&wanted).await {
            return Err(Failure::world(why));
        }
    }
    let began = Instant::now();
    let (cpu_before, before) = (cpu_ms(live).await?, counters(&layout.nodes).await?);
    let sent_before = offered(payments);
    tokio::time::sleep(args.time).await;
    let seconds = began.elapsed().as_secs_f64();
    let sent = since(&sent_before, offered(payments));
    let (cpu_after, after) = (cpu_ms(live).await?, counters(&layout.nodes).await?);
    for name in names {
        payments.stop_load(name).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "times and counts are small")]
    let share = |before: u64, after: u64| {
        let used_s = after.saturating_sub(before) as f64 / 1_000.0;
        100.0 * used_s / seconds / processors() as f64
    };
    let cpu = cpu_before
        .zip(cpu_after)
        .map(|(before, after)| share(before, after));
    Ok(Step::of((rate, seconds), sent, (&before, &after), cpu))
}

const ACCOUNTS_COUNT: f64 = 3.0;

fn offered(payments: &Payments) -> Offered {
    let mut all = Offered::default();
    for name in ACCOUNTS {
        let one = payments.offered(name);
        all.accepted += one.accepted;
        all.unanswered += one.unanswered;
        all.starved += one.starved;
        for (rule, count) in one.refused {
            *all.refused.entry(rule).or_default() += count;
        }
    }
    all
}

fn since(before: &Offered, mut after: Offered) -> Offered {
    after.accepted -= before.accepted;
    after.unanswered -= before.unanswered;
    after.starved -= before.starved;
    for (rule, count) in &before.refused {
        if let Some(now) = after.refused.get_mut(rule) {
            *now -= count;
        }
    }
    after.refused.retain(|_, count| *count > 0);
    after
}

async fn counters(nodes: &[NodeAddress]) -> Result<Vec<Counters>, Failure> {
    let asked = nodes.iter().map(|node| async {
        let text = Http.metrics(node, PATIENCE).await;
        let totals = ask::<NetTotals>(&Http, node, method::GET_NET_TOTALS, json!([]), PATIENCE);
        let silent = |error| Failure::failed(format!("{} {error}", node.name));
        let mut told = Counters::read(&text.map_err(silent)?);
        #[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
        {
            told.received_bytes = totals.await.map_err(silent)?.totalbytesrecv as f64;
        }
        Ok(told)
    });
    join_all(asked).await.into_iter().collect()
}
