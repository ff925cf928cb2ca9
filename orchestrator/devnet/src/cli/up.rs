//! `devnet up`: from a wish to a healthy network.

pub(super) mod bring_up;
mod watch;
mod wish;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ArgGroup;
use devnet_blueprint::quantity::{BlockTime, ByteSize};
use devnet_blueprint::{Blueprint, Topology, diff, render};

use self::bring_up::{Brought, bring_up, take_back};
pub use self::watch::MonitoringArgs;
use self::watch::{preview, watch};
pub(super) use self::wish::refuse;
use super::interrupts::Interrupts;
use super::report::{NetworkReport, count_words};
use super::serve::{PageArgs, serve};
use super::wait::{Patience, until_healthy};
use super::{NameArgs, OutputArgs};
use crate::clock::{parse_duration, spell_duration};
use crate::engine::Engine;
use crate::exit::{Exit, Failure};
use crate::faults::{self, Intent, Live};
use crate::health::Wish;
use crate::probe::{Depth, NodeAddress, Round};
use crate::world::{Attached, EngineChoice, World};

const EXAMPLES: &str = "\
Examples:
  devnet up                                     three nodes, two of them mining
  devnet up --nodes 5 --miners 3 --name big     a second network beside the first
  devnet up --block-time 1s --wait-blocks 10    fast blocks; wait for the tenth
  devnet up -f topology.yaml --dry-run          what would be made, without making it
  devnet up --monitoring                        with Prometheus, Grafana and links to them
  devnet up --serve                             and show it in the browser
  devnet up --monitoring --dry-run              which images, programs and ports those would have
  devnet up                                     again: brings back what has died

A topology:
  name: lab
  groups:
    - { name: bootstrap, count: 1 }
    - { name: miner, count: 2, hash_rate: 20000, zone: us-east-1 }
    - { name: observer, count: 3, zone: eu-west-1 }
  nodes:
    miner-1: { hash_rate: 5000 }
  genesis:
    block_time: 2s

Names are bootstrap-0, miner-0, observer-0 and so on. Ctrl-C removes what this call has made.";

/// Bring up a network and wait until it is healthy; again, bring back what has died
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("counts").args(["nodes", "miners"]).multiple(true), mut_arg("listen", |arg| arg.requires("serve")))]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Nodes in all [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) nodes: Option<u32>,

    /// How many of them mine [default: 2, or all if there are fewer]
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    pub(super) miners: Option<u32>,

    /// A topology in YAML, instead of counts
    #[arg(
        short = 'f',
        long = "file",
        value_name = "TOPOLOGY",
        conflicts_with = "counts"
    )]
    pub(super) file: Option<PathBuf>,

    /// A wish that another verb has read.
    #[arg(skip)]
    pub(super) wished: Option<Box<Topology>>,

    /// What runs the nodes
    #[arg(
        long,
        env = "DEVNET_ENGINE",
        hide_env_values = true,
        value_enum,
        default_value_t
    )]
    pub(super) engine: EngineChoice,

    /// Target time between blocks, whole seconds such as 1s
    #[arg(long, value_name = "TIME")]
    pub(super) block_time: Option<BlockTime>,

    /// Container image of the nodes, instead of one built from the binary
    #[arg(long, value_name = "IMAGE", conflicts_with = "binary")]
    pub(super) image: Option<String>,

    /// The nodes' binary, instead of $MINICHAIN_BIN, the one beside devnet, or the first in PATH
    #[arg(long, value_name = "PATH")]
    pub(super) binary: Option<PathBuf>,

    /// Memory that each node's container may hold, such as 512MiB [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub(super) memory: Option<ByteSize>,

    /// Where keys and identities follow from; the same seed gives the same
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// How long to wait for health
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    pub(super) timeout: Duration,

    /// Also wait until every node has this height
    #[arg(
        long,
        value_name = "HEIGHT",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(super) wait_blocks: u32,

    #[command(flatten)]
    pub(super) monitoring: MonitoringArgs,

    /// Then show it in the browser, until Ctrl-C; the network stays
    #[arg(long, conflicts_with_all = ["dry_run", "json"])]
    pub(super) serve: bool,

    #[command(flatten)]
    pub(super) page: PageArgs,

    /// Print the plan and what is to be done; touch nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Name every single step
    #[arg(short, long)]
    pub(super) verbose: bool,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What another verb brings up: a wish that it has read.
pub(super) struct Own {
    /// Name of the network.
    pub(super) name: String,
    pub(super) topology: Topology,
    pub(super) engine: EngineChoice,
    pub(super) image: Option<String>,
    pub(super) binary: Option<PathBuf>,
    pub(super) seed: Option<u64>,
    pub(super) timeout: Duration,
}

impl From<Own> for Args {
    fn from(own: Own) -> Self {
        Self {
            network: NameArgs { name: own.name },
            nodes: None,
            miners: None,
            file: None,
            wished: Some(Box::new(own.topology)),
            engine: own.engine,
            block_time: None,
            image: own.image,
            binary: own.binary,
            memory: None,
            seed: own.seed,
            timeout: own.timeout,
            wait_blocks: 0,
            monitoring: MonitoringArgs::default(),
            serve: false,
            page: PageArgs::default(),
            dry_run: false,
            verbose: false,
            output: OutputArgs { json: false },
        }
    }
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    let began = Instant::now();
    let name = wish::name(&args)?;
    if args.dry_run {
        return dry_run(world, &args, &name).await;
    }
    let folder = world.states.network(&name);
    let lock = folder.lock()?;
    let is_new = !folder.exists();
    let outcome = {
        let work = up(world, &args, &name, began);
        tokio::select! {
            outcome = work => Some(outcome),
            () = interrupts.next() => None,
        }
    };
    match outcome {
        // Others may work on the network while the page is served.
        Some(Ok(exit)) if args.serve => {
            drop(lock);
            let served = serve(world, &name, &args.page, interrupts).await;
            return served.map(|_| exit);
        }
        Some(outcome) => return outcome,
        None => {}
    }
    if !is_new {
        return Err(
            Failure::failed(format!("interrupted; network `{name}` stays as it is"))
                .next(format!("`devnet up --name {name}` goes on."))
                .next(format!("`devnet down --name {name}` removes it.")),
        );
    }
    world
        .console
        .remark("Interrupted: removing what was made. Once more to leave it.");
    tokio::select! {
        outcome = take_back(world, &args, &name) => outcome?,
        () = interrupts.next() => {
            return Err(Failure::failed("interrupted twice; something may be left")
                .next(format!("`devnet down --name {name}` removes it.")));
        }
    }
    Err(Failure::failed(format!(
        "interrupted; nothing is left of network `{name}`"
    )))
}

async fn up(world: &World, args: &Args, name: &str, began: Instant) -> Result<Exit, Failure> {
    let Brought {
        engine,
        blueprint,
        actions,
    } = bring_up(world, args, name).await?;
    let nodes = NodeAddress::of_blueprint(&blueprint);
    let has_faults = condition_links(world, &engine, &blueprint).await?;
    let stage = world.console.stage("health", "asking the nodes");
    let patience = Patience {
        timeout: args.timeout,
        wish: Wish {
            height_min: args.wait_blocks,
        },
    };
    let healthy = until_healthy(world, &*engine, name, &nodes, &patience, &stage).await;
    let round = match healthy {
        Ok(round) => {
            stage.done(&describe_health(&nodes, &round));
            round
        }
        Err(failure) => {
            stage.failed("the network is not healthy");
            let failure = match has_faults {
                true => failure.next(format!(
                    "Faults are in force: `devnet faults --name {name}` shows them, \
                     `devnet heal --name {name}` takes them out."
                )),
                false => failure,
            };
            return Err(failure);
        }
    };
    let watched_by = watch(world, &args.monitoring, &*engine, &blueprint).await?;
    let observed = world.observe(&*engine, name).await?;
    let attached = Attached {
        engine,
        blueprint: Some(blueprint),
        nodes,
        observed,
    };
    // The digest of coins belongs to the data only; people get it from status.
    let round = match world.console.json {
        true => world.prober.probe(&attached.nodes, Depth::Coins).await,
        false => round,
    };
    let mut report = NetworkReport::new(name, &attached, &round);
    report.elapsed_ms = u64::try_from(began.elapsed().as_millis()).ok();
    report.actions = Some(actions);
    report.monitoring = watched_by;
    world.console.answer(&report)?;
    world
        .console
        .say(&conclusion(world, &report, began.elapsed()));
    Ok(Exit::Success)
}

/// Nodes that were started anew have lost the topology's own latency, and what
/// faults did to them: puts it in force again. Whether faults are intended.
pub(super) async fn condition_links(
    world: &World,
    engine: &Arc<dyn Engine>,
    blueprint: &Blueprint,
) -> Result<bool, Failure> {
    let live = Live::new(engine.clone(), blueprint.clone());
    let folder = world.states.network(&blueprint.name);
    let mut intent = Intent::load(&folder)?;
    if !intent.is_empty() {
        intent.came_up();
        intent.save(&folder)?;
    }
    let reconciled = faults::reconcile(world, &live, &live.layout().roster()).await?;
    for problem in &reconciled.problems {
        world.console.remark(&format!("not in force: {problem}"));
    }
    Ok(reconciled.was_needed && !Intent::load(&folder)?.is_empty())
}

pub(super) fn describe_health(nodes: &[NodeAddress], round: &Round) -> String {
    let height = round.common_height.unwrap_or_default();
    match nodes.len() {
        1 => format!("the node answers, at height {height}"),
        count => format!("all {count} nodes answer, are joined and agree at height {height}"),
    }
}

/// The table, what it took, and the next commands to try.
fn conclusion(world: &World, report: &NetworkReport, elapsed: Duration) -> String {
    let name = &report.name;
    let is_default = name == devnet_blueprint::topology::DEFAULT_NAME;
    let option = if is_default {
        String::new()
    } else {
        format!(" --name {name}")
    };
    let count = report.nodes.len();
    let said = match report.actions {
        Some(0) => {
            let nodes = if count == 1 {
                "1 node is".into()
            } else {
                format!("{count} nodes are")
            };
            format!("Nothing to do: {nodes} running.")
        }
        _ => {
            let roles = count_words(report.nodes.iter().map(|node| node.role.as_str()));
            format!(
                "Network `{name}` is up ({roles}) after {}.",
                spell_duration(elapsed)
            )
        }
    };
    format!(
        "\n{}\n\n{said}{}\nNext: devnet status{option} · devnet logs{option} -f · devnet down{option}",
        report.table(&world.console),
        report.monitoring_lines()
    )
}

async fn dry_run(world: &World, args: &Args, name: &str) -> Result<Exit, Failure> {
    let planned = bring_up::plan_only(world, args, name).await?;
    let todo = diff(&planned.blueprint, &planned.observed);
    let watched_by = preview(world, &args.monitoring, &planned.blueprint).await?;
    if world.console.json {
        let mut blueprint = planned.blueprint;
        blueprint.rpc.password = String::new();
        for node in &mut blueprint.nodes {
            hide_password(node);
        }
        world.console.answer(&serde_json::json!({
            "blueprint": blueprint, "plan": todo, "monitoring": watched_by,
        }))?;
    } else {
        world
            .console
            .say(render::dry_run(&planned.blueprint, &todo).trim_end());
        if let Some(watched_by) = watched_by {
            let text = watched_by.text(name);
            world.console.say(&format!("\n{}", text.trim_end()));
        }
        world
            .console
            .say("\nNothing was touched; without --dry-run it is done.");
    }
    Ok(Exit::Success)
}

/// A dry run is shown to others; its password was drawn for nothing anyway.
fn hide_password(node: &mut devnet_blueprint::NodePlan) {
    use devnet_blueprint::Runtime;
    node.config.rpc.password = None;
    match &mut node.runtime {
        Runtime::Container(container) => {
            container.env.remove(minichain_api::config::CONFIG_ENV);
        }
        Runtime::Process(process) => process.files.clear(),
    }
}

#[cfg(test)]
mod tests;
