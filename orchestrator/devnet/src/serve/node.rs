//! One node in detail: peers, miner, resources, and the end of its log.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use futures::StreamExt as _;
use minichain_api::rpc::{BlockchainInfo, NetworkInfo, PeerInfo, method};
use serde::Serialize;
use serde_json::json;

use super::Shop;
use super::ask::answer;
use crate::client;
use crate::clock::now_ms;
use crate::engine::LogWish;
use crate::exit::Failure;
use crate::probe::NodeAddress;

/// Lines of log shown.
const LINES: usize = 80;
/// How long each part of the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Metrics that tell what the process takes.
const RESOURCES: &[&str] = &[
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_threads",
];

/// A node in detail. What it does not answer is null.
#[derive(Serialize)]
struct Detail {
    name: String,
    at_ms: u64,
    rpc: Option<String>,
    metrics: Option<String>,
    chain: Option<BlockchainInfo>,
    network: Option<NetworkInfo>,
    peers: Vec<PeerInfo>,
    resources: std::collections::BTreeMap<String, f64>,
    log: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    at_ms: u64,
    text: String,
}

/// Answers with one node in detail.
pub async fn node(State(shop): State<Arc<Shop>>, Path(name): Path<String>) -> Response {
    let layout = shop.watch.live.layout();
    let Some(address) = layout.address(&name) else {
        return answer::<()>(Err(Failure::failed(format!("there is no node {name}"))));
    };
    let _turn = shop.questions.acquire().await;
    let client = layout.client(&name, PATIENCE);
    let client = client.as_ref();
    let (chain, network, peers, resources, log) = tokio::join!(
        async {
            client?
                .call(method::GET_BLOCKCHAIN_INFO, json!([]))
                .await
                .ok()
        },
        async { client?.call(method::GET_NETWORK_INFO, json!([])).await.ok() },
        async { client?.call(method::GET_PEER_INFO, json!([])).await.ok() },
        resources(address),
        log(&shop, &name),
    );
    answer(Ok(Detail {
        at_ms: now_ms(),
        rpc: address.rpc.map(|rpc| format!("http://{rpc}/")),
        metrics: address.metrics.map(|at| format!("http://{at}/metrics")),
        chain,
        network,
        peers: peers.unwrap_or_default(),
        resources,
        log,
        name,
    }))
}

async fn resources(node: &NodeAddress) -> std::collections::BTreeMap<String, f64> {
    let text = match node.metrics {
        Some(address) => client::metrics(address, PATIENCE).await.unwrap_or_default(),
        None => String::new(),
    };
    let value = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        let is_wanted = RESOURCES.contains(&name);
        is_wanted.then(|| Some((name.to_owned(), value.trim().parse().ok()?)))?
    };
    text.lines().filter_map(value).collect()
}

/// The last lines; none where the engine does not tell in time.
async fn log(shop: &Shop, name: &str) -> Vec<Line> {
    let live = &shop.watch.live;
    let wish = LogWish {
        nodes: vec![name.to_owned()],
        tail: Some(LINES),
        ..LogWish::default()
    };
    let read = async {
        let lines = live.engine().logs(live.name(), &wish).await.ok()?;
        let lines = lines.take(LINES).filter_map(|line| async move {
            let line = line.ok()?;
            Some(Line {
                at_ms: line.time_ms,
                text: line.text,
            })
        });
        Some(lines.collect::<Vec<Line>>().await)
    };
    let read = tokio::time::timeout(PATIENCE, read).await;
    read.ok().flatten().unwrap_or_default()
}
