//! `devnet status`: how every node is, and whether they are on one chain.

use std::time::Duration;

use super::report::{NetworkReport, NodeReport};
use super::{NameArgs, OutputArgs};
use crate::clock::{now_s, parse_duration, spell_duration, time_of_day};
use crate::console::Colour;
use crate::exit::{Exit, Failure};
use crate::faults::Intent;
use crate::faults::state::spell_fault;
use crate::monitoring;
use crate::probe::{Depth, Round};
use crate::world::{Attached, World};

const EXAMPLES: &str = "\
Examples:
  devnet status                                    once
  devnet status --watch                            every 2 s, until Ctrl-C
  devnet status --json | jq '.nodes[0].rpc_url'    for scripts
  devnet status --json --credentials               with user and password of every node's RPC

Exit code 0 if every node runs, answers and agrees with the others, else 1.";

/// Show how every node is, and whether they are on one chain
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Look again and again, this far apart
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true,
          default_missing_value = "2s", value_parser = parse_duration)]
    pub(super) watch: Option<Duration>,

    /// Also tell user and password of every node's JSON-RPC, as rpc_auth
    #[arg(long, requires = "json")]
    pub(super) credentials: bool,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let Some(pause) = args.watch else {
        let report = look(world, &args).await?;
        world.console.answer(&report)?;
        world.console.say(&text(world, &report));
        return Ok(if report.is_well() {
            Exit::Success
        } else {
            Exit::Failed
        });
    };
    let watch = async {
        loop {
            let report = look(world, &args).await?;
            world.console.answer_line(&report)?;
            world.console.say(&frame(world, &text(world, &report)));
            tokio::time::sleep(pause.max(Duration::from_millis(100))).await;
        }
    };
    tokio::select! {
        ended = watch => ended,
        // Ctrl-C is how one stops watching.
        _ = tokio::signal::ctrl_c() => Ok(Exit::Success),
    }
}

pub(super) async fn look(world: &World, args: &Args) -> Result<NetworkReport, Failure> {
    let name = &args.network.name;
    let attached = world.attach_or_fail(name).await?;
    if attached.nodes.iter().any(|node| node.credentials.is_none()) && !world.console.json {
        world
            .console
            .remark("Some nodes' RPC passwords are lost with the state folder.");
    }
    let round = ask_running(world, &attached).await;
    let mut report = NetworkReport::new(name, &attached, &round);
    if args.credentials {
        report.tell_credentials(&attached);
    }
    // Asked only where something has ended, for that costs a call for each node.
    if report.nodes.iter().any(NodeReport::has_ended) {
        let vitals = attached.engine.vitals(name).await.unwrap_or_default();
        report.tell_ends(&vitals);
    }
    report.monitoring = monitoring::links(&world.states.network(name));
    Ok(report)
}

/// Asks the nodes; those that do not run are not waited for.
async fn ask_running(world: &World, attached: &Attached) -> Round {
    world.prober.probe(&attached.nodes, Depth::Coins).await
}

fn text(world: &World, report: &NetworkReport) -> String {
    let age = report.created_at_s.map_or_else(
        || "its state folder is lost".to_owned(),
        |born_s| {
            let age_s = now_s().saturating_sub(born_s.into());
            format!("up for {}", spell_duration(Duration::from_secs(age_s)))
        },
    );
    let mut text = format!(
        "Network `{}` on the {} engine, {age}\n\n{}\n\n{}{}",
        report.name,
        report.engine,
        report.table(&world.console),
        report.agreement_line(&world.console),
        report.monitoring_lines()
    );
    let problems = report
        .nodes
        .iter()
        .filter_map(|node| Some((&node.name, node.problem.as_ref()?)));
    for (name, problem) in problems {
        text.push_str(&format!("\n  {name} {problem}"));
    }
    if let Some(remark) = faults_remark(world, &report.name) {
        text.push_str(&format!("\n{remark}"));
    }
    if report.nodes.iter().any(|node| node.state != "running") {
        let name = &report.name;
        text.push_str(&format!(
            "\nNext: devnet up --name {name} brings back what does not run."
        ));
    }
    text
}

/// That faults were asked for, if there are any; what is in force of them costs
/// more to tell.
fn faults_remark(world: &World, name: &str) -> Option<String> {
    let remark = match Intent::load(&world.states.network(name)) {
        Ok(intent) if intent.is_empty() => return None,
        Ok(intent) => {
            let faults: Vec<String> = intent
                .faults()
                .iter()
                .map(|active| spell_fault(&active.fault))
                .collect();
            format!(
                "Faults: {}. devnet faults --name {name} shows more.",
                faults.join("; ")
            )
        }
        Err(failure) => format!("Faults: {}.", failure.message()),
    };
    Some(world.console.paint(Colour::Yellow, &remark))
}

/// One picture of several: in place on a terminal, below each other elsewhere.
fn frame(world: &World, text: &str) -> String {
    if world.console.colour {
        return format!("\x1b[H\x1b[2J{text}");
    }
    format!("--- {} UTC\n{text}\n", time_of_day(crate::clock::now_ms()))
}
