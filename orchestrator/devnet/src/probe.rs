//! Asks nodes how they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use devnet_blueprint::{Blueprint, NodePlan};
use minichain_api::rpc::{
    BlockchainInfo, MempoolInfo, MiningInfo, NetworkInfo, PeerInfo, TxOutSetInfo, method,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Client, ClientError, Credentials};
use crate::crowd;
use crate::engine::Endpoint;

/// A node on this machine answers within milliseconds; one that does not is in
/// trouble, and shall not hold up the others.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// What a node is asked, in the order of [`NodeFacts`].
const ASKED: [&str; 5] = [
    method::GET_BLOCKCHAIN_INFO,
    method::GET_PEER_INFO,
    method::GET_NETWORK_INFO,
    method::GET_MEMPOOL_INFO,
    method::GET_MINING_INFO,
];

/// Where a node is, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// Name.
    pub name: String,
    /// Role, for people.
    pub role: String,
    /// Whether it mines.
    pub mines: bool,
    /// Address in the network; `None` if its labels are lost.
    pub ip: Option<IpAddr>,
    /// JSON-RPC as the host reaches it; `None` if its labels are lost.
    pub rpc: Option<SocketAddr>,
    /// Metrics as the host reaches them; `None` if its labels are lost.
    pub metrics: Option<SocketAddr>,
    /// How to sign in; `None` if unknown.
    pub credentials: Option<Credentials>,
    /// Names of the nodes it was told to dial.
    pub dials: Vec<String>,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeFacts {
    /// Its chain.
    pub chain: BlockchainInfo,
    /// Its peers.
    pub peers: Vec<PeerInfo>,
    /// Its own identity.
    pub network: NetworkInfo,
    /// Its mempool.
    pub mempool: MempoolInfo,
    /// Its miner.
    pub mining: MiningInfo,
    /// Hash of its block at the height all nodes have.
    pub common_hash: Option<String>,
    /// Digest of its coins at that height.
    pub common_muhash: Option<String>,
}

/// Every node, asked at about the same time.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Answers by name.
    pub nodes: BTreeMap<String, Result<NodeFacts, Silence>>,
    /// The lowest tip of those that answer.
    pub common_height: Option<u32>,
}

/// Why a node gave no answer, as a fragment that fits after its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence(pub String);

/// How much to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Chain, peers, mempool, miner, and the block at the common height.
    Chain,
    /// Also the digest of the coins there, which costs the node some work.
    Coins,
}

impl NodeAddress {
    /// Every node of a blueprint.
    pub fn of_blueprint(blueprint: &Blueprint) -> Vec<Self> {
        let places = blueprint.nodes.iter().zip(0..);
        let places = places.map(|(node, place)| (node.inside.p2p.to_string(), place));
        let places: BTreeMap<String, usize> = places.collect();
        blueprint
            .nodes
            .iter()
            .map(|node| Self::of_plan(blueprint, node, &places))
            .collect()
    }

    /// `places` of all nodes in the plan, by the addresses that they dial.
    fn of_plan(blueprint: &Blueprint, node: &NodePlan, places: &BTreeMap<String, usize>) -> Self {
        let dialled = node.config.p2p.bootstrap.iter();
        let dialled: BTreeSet<usize> = dialled.filter_map(|to| places.get(to).copied()).collect();
        Self {
            name: node.name.clone(),
            role: node.role.to_string(),
            mines: node.config.mining.enabled,
            ip: Some(node.ip.into()),
            rpc: Some(node.host.rpc.into()),
            metrics: Some(node.host.metrics.into()),
            credentials: Some(Credentials {
                user: blueprint.rpc.user.clone(),
                password: blueprint.rpc.password.clone(),
            }),
            dials: dialled
                .into_iter()
                .map(|place| blueprint.nodes[place].name.clone())
                .collect(),
        }
    }

    /// A node as read back from an engine, where the blueprint is lost.
    pub fn of_endpoint(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.node.clone(),
            role: endpoint.role.clone(),
            mines: endpoint.role == devnet_blueprint::Role::Miner.to_string(),
            ip: endpoint.ip.parse().ok(),
            rpc: endpoint.rpc.parse().ok(),
            metrics: endpoint.metrics.parse().ok(),
            credentials: endpoint.access.as_ref().map(|access| Credentials {
                user: access.user.clone(),
                password: access.password.clone(),
            }),
            dials: Vec::new(),
        }
    }

    /// A client for its JSON-RPC whose calls may take `timeout`.
    pub fn client(&self, timeout: Duration) -> Option<Client> {
        Some(Client::new(self.rpc?, self.credentials.clone(), timeout))
    }
}

/// Asks every node at once.
pub async fn probe(nodes: &[NodeAddress], depth: Depth) -> Round {
    let timeout = crowd::patience(CALL_TIMEOUT, nodes.len());
    let asked = nodes
        .iter()
        .map(|node| async move { (node.name.clone(), ask(node, timeout).await) });
    let mut round = Round {
        nodes: crowd::at_once(asked).await.into_iter().collect(),
        common_height: None,
    };
    round.common_height = round
        .nodes
        .values()
        .filter_map(|facts| Some(facts.as_ref().ok()?.chain.blocks))
        .min();
    if let Some(height) = round.common_height {
        let answered = |node: &&NodeAddress| matches!(round.nodes.get(&node.name), Some(Ok(_)));
        let compared = nodes.iter().filter(answered).map(|node| async move {
            let compared = compare(node, height, depth, timeout).await;
            (node.name.clone(), compared)
        });
        for (name, (hash, muhash)) in crowd::at_once(compared).await {
            if let Some(Ok(facts)) = round.nodes.get_mut(&name) {
                (facts.common_hash, facts.common_muhash) = (hash, muhash);
            }
        }
    }
    round
}

async fn ask(node: &NodeAddress, timeout: Duration) -> Result<NodeFacts, Silence> {
    let client = node
        .client(timeout)
        .ok_or_else(|| Silence("has no known RPC address: its labels are damaged".into()))?;
    facts(&client)
        .await
        .map_err(|error| Silence(error.to_string()))
}

/// One request for all of it: connections are what a look at many nodes costs.
async fn facts(client: &Client) -> Result<NodeFacts, ClientError> {
    let answers = client.batch_told(&ASKED).await?;
    let mut answers = answers.into_iter().zip(ASKED);
    Ok(NodeFacts {
        chain: next(client, &mut answers)?,
        peers: next(client, &mut answers)?,
        network: next(client, &mut answers)?,
        mempool: next(client, &mut answers)?,
        mining: next(client, &mut answers)?,
        common_hash: None,
        common_muhash: None,
    })
}

fn next<T: DeserializeOwned>(
    client: &Client,
    answers: &mut impl Iterator<Item = (Result<Value, ClientError>, &'static str)>,
) -> Result<T, ClientError> {
    let (answer, method) = answers.next().unwrap_or((Ok(Value::Null), ASKED[0]));
    client.decode(method, answer?)
}

/// The node's block and coins at `height`. A node that fails now is seen to be
/// silent in the next round.
async fn compare(
    node: &NodeAddress,
    height: u32,
    depth: Depth,
    timeout: Duration,
) -> (Option<String>, Option<String>) {
    let Some(client) = node.client(timeout) else {
        return (None, None);
    };
    let hash = client.call::<String>(method::GET_BLOCK_HASH, json!([height]));
    let coins = async {
        if depth == Depth::Chain {
            return None;
        }
        let ask = |params| client.call::<TxOutSetInfo>(method::GET_TXOUTSET_INFO, params);
        let info = match ask(json!(["muhash", height])).await {
            // A node that keeps no coins of the past knows those of its tip.
            Err(ClientError::Rpc { .. }) => ask(json!(["muhash"])).await.ok()?,
            answer => answer.ok()?,
        };
        (info.height == height).then_some(info.muhash)
    };
    let (hash, muhash) = tokio::join!(hash, coins);
    (hash.ok(), muhash)
}
