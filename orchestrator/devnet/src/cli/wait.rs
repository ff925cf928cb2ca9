//! Waits until a network is healthy, or says who lags and where to look.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use devnet_blueprint::NodeState;
use futures::StreamExt as _;

use crate::clock::spell_duration;
use crate::console::Stage;
use crate::engine::{Engine, EngineError, LogWish, Shortage, Vitals};
use crate::exit::Failure;
use crate::health::{Lag, Wish, judge};
use crate::probe::{Depth, NodeAddress, Round};
use crate::world::World;

/// Between two looks while a network comes up, and later.
const POLL_AT_FIRST: Duration = Duration::from_millis(40);
const POLL_LATER: Duration = Duration::from_millis(250);
const AT_FIRST: Duration = Duration::from_secs(3);
/// Between two looks at whether nodes still run.
const LIFE_POLL: Duration = Duration::from_millis(500);
/// Log lines shown of a node in trouble, and of how many such nodes.
const LINES_SHOWN: usize = 8;
const NODES_SHOWN: usize = 3;

/// What to wait for.
pub struct Patience {
    /// How long.
    pub timeout: Duration,
    /// What is asked beyond health.
    pub wish: Wish,
}

/// Waits until the network is healthy and returns what its nodes said then.
/// A node that ended is not waited for: nothing would start it again.
pub async fn until_healthy(
    world: &World,
    engine: &dyn Engine,
    network: &str,
    nodes: &[NodeAddress],
    patience: &Patience,
    stage: &Stage,
) -> Result<Round, Failure> {
    let began = Instant::now();
    let mut first = None;
    let mut life_seen = began;
    loop {
        let asked = Instant::now();
        let round = world.prober.probe(nodes, Depth::Chain).await;
        let answered_after = asked.elapsed();
        let before = first.get_or_insert_with(|| round.clone());
        let lags = judge(nodes, before, &round, patience.wish);
        if lags.is_empty() {
            return Ok(round);
        }
        stage.waiting(&summary(&lags));
        if life_seen.elapsed() >= LIFE_POLL {
            life_seen = Instant::now();
            let ended = ended(engine, network).await?;
            if !ended.is_empty() {
                return Err(explain_ended(engine, network, &ended).await);
            }
        }
        if began.elapsed() >= patience.timeout {
            return Err(explain_lags(engine, network, &lags, patience.timeout).await);
        }
        let pause = if began.elapsed() < AT_FIRST {
            POLL_AT_FIRST
        } else {
            POLL_LATER
        };
        // Many nodes on few cores have more to do than to answer.
        tokio::time::sleep(pause.max(answered_after)).await;
    }
}

/// The first that lags, and how many more.
fn summary(lags: &[Lag]) -> String {
    let Some(first) = lags.first() else {
        return String::new();
    };
    let more = match lags.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!("{} {}{more}", first.node, first.why)
}

async fn ended(engine: &dyn Engine, network: &str) -> Result<Vec<String>, EngineError> {
    let observed = engine.observe(network).await?;
    let ended = observed
        .nodes
        .into_iter()
        .filter(|node| matches!(node.state, NodeState::Exited | NodeState::Dead));
    Ok(ended.map(|node| node.node).collect())
}

async fn explain_ended(engine: &dyn Engine, network: &str, ended: &[String]) -> Failure {
    let vitals = engine.vitals(network).await.unwrap_or_default();
    let told = ended.iter().map(|node| {
        let vitals = vitals.iter().find(|vitals| vitals.node == *node);
        match vitals.and_then(Vitals::why_ended) {
            Some(why) => format!("{node} ended ({why})"),
            None => format!("{node} ended"),
        }
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let lines = last_lines(engine, network, ended.iter().cloned().collect()).await;
    let message = format!("network `{network}` is not healthy: {told}{lines}");
    advise(Failure::failed(message), network, ended)
        .next("The same `devnet up` again starts what has ended.")
}

async fn explain_lags(
    engine: &dyn Engine,
    network: &str,
    lags: &[Lag],
    timeout: Duration,
) -> Failure {
    let nodes: BTreeSet<String> = lags.iter().map(|lag| lag.node.clone()).collect();
    let listed: String = lags
        .iter()
        .map(|lag| format!("\n  {} {}", lag.node, lag.why))
        .collect();
    let lines = last_lines(engine, network, nodes.clone()).await;
    let within = spell_duration(timeout);
    let message = format!("network `{network}` was not healthy within {within}:{listed}{lines}");
    let nodes: Vec<String> = nodes.into_iter().collect();
    let mut failure = Failure::failed(message);
    if let Some(Shortage { what, remedy }) = engine.exhausted() {
        failure = failure.next(format!("On this host {what}. {remedy}"));
    }
    advise(failure, network, &nodes).next("It goes on running; a longer `--timeout` waits longer.")
}

fn advise(failure: Failure, network: &str, nodes: &[String]) -> Failure {
    let names: Vec<&str> = nodes.iter().take(NODES_SHOWN).map(String::as_str).collect();
    failure
        .next(format!(
            "`devnet logs --name {network} {}` shows more.",
            names.join(" ")
        ))
        .next(format!(
            "`devnet down --name {network}` removes the network."
        ))
}

/// The last log lines of a few nodes, each below its name. Logs that cannot be
/// read are left out: the caller has worse to tell.
async fn last_lines(engine: &dyn Engine, network: &str, nodes: BTreeSet<String>) -> String {
    let mut text = String::new();
    for node in nodes.into_iter().take(NODES_SHOWN) {
        let wish = LogWish {
            nodes: vec![node.clone()],
            tail: Some(LINES_SHOWN),
            ..LogWish::default()
        };
        let Ok(stream) = engine.logs(network, &wish).await else {
            continue;
        };
        let lines: Vec<String> = stream
            .filter_map(|line| async { line.ok() })
            .map(|line| format!("\n    {}", line.text))
            .collect()
            .await;
        if !lines.is_empty() {
            text.push_str(&format!("\n  last lines of {node}:{}", lines.concat()));
        }
    }
    text
}
