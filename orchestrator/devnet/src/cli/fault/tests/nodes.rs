//! Nodes that answer the admin RPC over HTTP, and probe each other through the
//! conditions they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};

use devnet_blueprint::Blueprint;
use minichain_api::admin::{
    AdminInfo, Conditions, DiskQuota, LinkConditions, ProbeAnswer, ProbeRequest, method,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::health::tests_support::peer_info;

/// What a round trip takes beside latency, in milliseconds.
const RTT_MS: f64 = 0.5;

/// The nodes of a network; their names are their peer ids.
#[derive(Clone, Default)]
pub struct Nodes {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    conditions: BTreeMap<String, Conditions>,
    hash_rates: BTreeMap<String, f64>,
    only_pretends: bool,
    /// Hashes of each node's chain by height.
    chains: BTreeMap<String, Vec<String>>,
    /// Pairs that are connected, both directions.
    connected: BTreeSet<(String, String)>,
    probes: u64,
}

impl Nodes {
    /// Listens where the nodes of that plan should.
    pub async fn serve(blueprint: &Blueprint) -> Self {
        let nodes = Self::default();
        for node in &blueprint.nodes {
            nodes.mine(&node.name, "genesis", 1);
            if node.config.mining.enabled {
                let mut state = nodes.state.lock().expect("nobody panicked");
                let rate = node.config.mining.hash_rate;
                state.hash_rates.insert(node.name.clone(), rate);
            }
            let listener = listen(node.host.rpc).await;
            let (nodes, name) = (nodes.clone(), node.name.clone());
            tokio::spawn(async move {
                while let Ok((stream, _peer)) = listener.accept().await {
                    let (nodes, name) = (nodes.clone(), name.clone());
                    tokio::spawn(async move { nodes.answer(&name, stream).await });
                }
            });
        }
        nodes
    }

    /// Whether conditions are taken, told, and do nothing.
    pub fn pretend(&self, only_pretends: bool) {
        self.state.lock().expect("nobody panicked").only_pretends = only_pretends;
    }

    /// Two nodes are connected from now on, as after an introduction.
    pub fn connect(&self, a: &str, b: &str) {
        let mut state = self.state.lock().expect("nobody panicked");
        state.connect(a, b);
    }

    /// Whether two nodes are connected.
    pub fn are_connected(&self, a: &str, b: &str) -> bool {
        let state = self.state.lock().expect("nobody panicked");
        state.connected.contains(&(a.to_owned(), b.to_owned()))
    }

    /// The node mines so many blocks; their names begin so.
    pub fn mine(&self, node: &str, name: &str, count: usize) {
        let mut state = self.state.lock().expect("nobody panicked");
        let chain = state.chains.entry(node.to_owned()).or_default();
        for _ in 0..count {
            chain.push(format!("{name}-{}", chain.len()));
        }
    }

    /// The node takes over another one's chain.
    pub fn follow(&self, node: &str, other: &str) {
        let mut state = self.state.lock().expect("nobody panicked");
        let chain = state.chains[other].clone();
        state.chains.insert(node.to_owned(), chain);
    }

    async fn answer(&self, name: &str, mut stream: TcpStream) {
        let Some(request) = body(&mut stream).await else {
            return;
        };
        let answer = match self.call(name, &request["method"], &request["params"][0]) {
            Some(result) => json!({ "id": 1, "result": result, "error": null }),
            None => {
                json!({ "id": 1, "result": null, "error": { "code": -32601, "message": "unknown" } })
            }
        };
        let body = answer.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let _gone = stream.write_all((head + &body).as_bytes()).await;
    }

    fn call(&self, name: &str, called: &Value, argument: &Value) -> Option<Value> {
        let mut state = self.state.lock().expect("nobody panicked");
        match called.as_str()? {
            method::GET_ADMIN_INFO => Some(json!(AdminInfo {
                peerid: name.to_owned(),
                conditions: state.conditions.get(name).cloned().unwrap_or_default(),
                clock_offset_ms: 0,
                hashrate: state.hash_rates.get(name).copied(),
                disk: DiskQuota {
                    quota_bytes: None,
                    used_bytes: 0
                },
            })),
            method::SET_CONDITIONS => {
                let conditions: Conditions = serde_json::from_value(argument.clone()).ok()?;
                state.conditions.insert(name.to_owned(), conditions);
                Some(json!(state.conditions.get(name)))
            }
            method::PROBE_PEERS => {
                let request: ProbeRequest = serde_json::from_value(argument.clone()).ok()?;
                let mut answers = Vec::new();
                for target in &request.targets {
                    let answer = state.probe(name, &target.peerid, request.payload_bytes);
                    if answer.reachable && target.address.is_some() {
                        state.connect(name, &target.peerid);
                    }
                    answers.push(answer);
                }
                Some(json!(answers))
            }
            "getpeerinfo" => {
                let peers = state.connected.iter().filter(|(from, _)| from == name);
                let peers = peers.map(|(_, to)| peer_info(to)).collect::<Vec<_>>();
                Some(json!(peers))
            }
            "getchaintips" => {
                let chain = state.chains.get(name)?;
                let height = chain.len().checked_sub(1)?;
                Some(json!([{
                    "height": height, "hash": chain.last()?, "branchlen": 0, "status": "active",
                    "chainwork": format!("{height:064x}"),
                }]))
            }
            "getblockhash" => {
                let height = usize::try_from(argument.as_u64()?).ok()?;
                Some(json!(state.chains.get(name)?.get(height)?))
            }
            _ => None,
        }
    }
}

impl State {
    fn connect(&mut self, a: &str, b: &str) {
        self.connected.insert((a.to_owned(), b.to_owned()));
        self.connected.insert((b.to_owned(), a.to_owned()));
    }

    fn probe(&mut self, from: &str, to: &str, payload_bytes: Option<u32>) -> ProbeAnswer {
        self.probes += 1;
        // One above, one below: as far from the mean as jitter says.
        let swing = if self.probes.is_multiple_of(2) {
            1.2
        } else {
            -1.2
        };
        let ways = [self.way(from, to), self.way(to, from)];
        let held = ways.iter().flatten().filter(|_| !self.only_pretends);
        let is_cut = held.clone().any(|way| way.cut);
        let delay_ms = |way: &&LinkConditions| way.latency_ms + swing * way.jitter_ms;
        let latency_ms: f64 = held.clone().map(delay_ms).sum();
        let bytes = f64::from(payload_bytes.unwrap_or_default());
        let rates = held.filter_map(|way| way.rate_bytes_s);
        let queued_ms: f64 = rates.map(|rate| 1_000.0 * bytes / rate as f64).sum();
        ProbeAnswer {
            peerid: to.to_owned(),
            reachable: !is_cut,
            rtt_ms: (!is_cut).then_some(RTT_MS + latency_ms + queued_ms),
            why: is_cut.then(|| "no answer".to_owned()),
        }
    }

    fn way(&self, from: &str, to: &str) -> Option<&LinkConditions> {
        let links = &self.conditions.get(from)?.links;
        links.iter().find(|link| link.peerid == to)
    }
}

/// The port was free when the network was planned; another test may have it
/// for a moment.
async fn listen(address: SocketAddrV4) -> TcpListener {
    for _ in 0..200 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return listener;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{address} stays occupied");
}

/// The JSON body of a request.
async fn body(stream: &mut TcpStream) -> Option<Value> {
    let mut asked = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 {
            return None;
        }
        asked.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&asked).into_owned();
        if let Some((_head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return Some(body);
        }
    }
}
