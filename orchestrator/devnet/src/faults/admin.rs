//! The nodes' admin RPC: many nodes asked at once, each with its own failure.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::fault::{Link, NodeName};
use minichain_api::admin::{AdminInfo, Conditions, ProbeAnswer, ProbeRequest, ProbeTarget, method};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::live::Layout;
use super::proof::Seen;
use crate::client::ClientError;
use crate::crowd;

/// What one call may take; a node on this machine answers within milliseconds,
/// where there are few.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two attempts to reach a node that is starting.
const PAUSE: Duration = Duration::from_millis(50);
/// Targets of one probe request at most.
const TARGETS_MAX: usize = 1_024;
/// What all probes of one request may take at most.
pub const PROBE_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Answers of nodes by name; a failure is a fragment that fits after the name.
pub type Answers<T> = BTreeMap<NodeName, Result<T, String>>;

/// Whom to probe, and how.
#[derive(Clone, Copy, Debug)]
pub struct Ping<'a> {
    /// libp2p ids of the nodes.
    pub peer_ids: &'a BTreeMap<NodeName, String>,
    /// Open a connection where there is none.
    pub dial: bool,
    /// Time all probes of one node together may take.
    pub timeout: Duration,
    /// Bytes to send and get back; none: few.
    pub payload_bytes: Option<u32>,
}

/// Calls a method of one node. A node that is still starting is tried again for
/// as long as `patience`.
///
/// # Errors
/// A fragment that fits after the node's name.
pub async fn call<T: DeserializeOwned>(
    layout: &Layout,
    node: &str,
    (method, params): (&str, Value),
    (timeout, patience): (Duration, Duration),
) -> Result<T, String> {
    let client = layout
        .client(node, timeout)
        .ok_or("has no known RPC address")?;
    let began = Instant::now();
    loop {
        match client.call(method, params.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(ClientError::Unreachable { .. }) if began.elapsed() < patience => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// What is in force on each of the nodes.
pub async fn infos(layout: &Layout, nodes: &[NodeName], patience: Duration) -> Answers<AdminInfo> {
    let timeout = call_timeout(layout);
    let asked = nodes.iter().map(|node| async move {
        let order = (method::GET_ADMIN_INFO, json!([]));
        let answer = call(layout, node, order, (timeout, patience)).await;
        (node.clone(), answer)
    });
    crowd::at_once(asked).await.into_iter().collect()
}

fn call_timeout(layout: &Layout) -> Duration {
    crowd::patience(CALL_TIMEOUT, layout.nodes.len())
}

/// Sets conditions; the answers are what is in force afterwards.
pub async fn set_conditions(
    layout: &Layout,
    orders: &BTreeMap<NodeName, Conditions>,
) -> Answers<Conditions> {
    let timeout = call_timeout(layout);
    let told = orders.iter().map(|(node, conditions)| async move {
        let order = (method::SET_CONDITIONS, json!([conditions]));
        let answer = call(layout, node, order, (timeout, Duration::ZERO)).await;
        (node.clone(), answer)
    });
    crowd::at_once(told).await.into_iter().collect()
}

/// Lets the sender of each link probe the receiver. Every link is answered.
pub async fn ping(layout: &Layout, links: &[Link], how: Ping<'_>) -> BTreeMap<Link, Seen> {
    let mut by_sender: BTreeMap<&NodeName, Vec<&Link>> = BTreeMap::new();
    for link in links {
        by_sender.entry(&link.from).or_default().push(link);
    }
    let requests = by_sender.into_iter().flat_map(|(from, links)| {
        let chunks: Vec<Vec<&Link>> = links.chunks(TARGETS_MAX).map(<[_]>::to_vec).collect();
        chunks.into_iter().map(move |links| (from, links))
    });
    let answers = requests.map(|(from, links)| ping_from(layout, from, links, how));
    let answers = crowd::at_once(answers).await;
    answers.into_iter().flatten().collect()
}

async fn ping_from(
    layout: &Layout,
    from: &NodeName,
    links: Vec<&Link>,
    how: Ping<'_>,
) -> Vec<(Link, Seen)> {
    let (mut asked, mut seen, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for link in links {
        let Some(peerid) = how.peer_ids.get(&link.to).cloned() else {
            let why = format!("{} never told its libp2p id", link.to);
            seen.push((link.clone(), Seen::Untold(why)));
            continue;
        };
        let plan = layout.blueprint.node(&link.to);
        let address = plan.map(|node| node.inside.p2p.to_string());
        targets.push(ProbeTarget {
            peerid,
            address: address.filter(|_| how.dial),
        });
        asked.push(link);
    }
    if targets.is_empty() {
        return seen;
    }
    let timeout = how.timeout.min(PROBE_TIMEOUT_MAX);
    let request = ProbeRequest {
        targets,
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        payload_bytes: how.payload_bytes,
    };
    let order = (method::PROBE_PEERS, json!([request]));
    let limits = (timeout + call_timeout(layout), Duration::ZERO);
    let answers: Result<Vec<ProbeAnswer>, String> = call(layout, from, order, limits).await;
    let mut answers = match answers {
        Ok(answers) if answers.len() == asked.len() => answers.iter().map(told).collect(),
        Ok(_) => vec![Seen::Untold(format!("{from} left probes out")); asked.len()],
        Err(why) => vec![Seen::Untold(format!("{from} {why}")); asked.len()],
    };
    seen.extend(asked.into_iter().cloned().zip(answers.drain(..)));
    seen
}

fn told(answer: &ProbeAnswer) -> Seen {
    match (answer.reachable, answer.rtt_ms) {
        (true, Some(rtt_ms)) => Seen::Reached { rtt_ms },
        (true, None) => Seen::Untold("the round trip was not measured".to_owned()),
        (false, _) => Seen::Silent,
    }
}
