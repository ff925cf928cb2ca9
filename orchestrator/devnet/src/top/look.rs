//! Looks at a network: asks its nodes, and the engine where one is silent, and
//! reads what is meant to be in force. It changes nothing and takes no lock.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use devnet_blueprint::{NodeState, Observed};
use devnet_scenario::fault::{Fault as Meant, Heal, NodeName};
use devnet_scenario::history::tree::Tree;
use devnet_scenario::parting::Parting;
use devnet_scenario::world::BlockFact;
use futures::future::join_all;
use minichain_api::rpc::{BlockchainInfo, HeaderInfo, MempoolInfo, method};
use serde_json::json;

use super::chains::{self, Ask, Far, TipOf};
use super::seen::{Fault, Faults, Life, Node, Seen, Tip};
use crate::client::Client;
use crate::clock::now_ms;
use crate::faults::state::spell_fault;
use crate::faults::{self, Active, Intent, Layout, Live};
use crate::probe::NodeAddress;
use crate::world::World;

/// A node of this machine answers within milliseconds; one that does not shall
/// not hold up the picture.
const PATIENCE: Duration = Duration::from_millis(800);
/// Blocks remembered; with more it is begun afresh.
const BLOCKS_MAX: usize = 500;
/// Peers and mempools are asked for, what is in force is read back, and sides
/// are compared, at every so many looks.
const PEERS_EVERY: u64 = 2;
const FORCE_EVERY: u64 = 5;
const SIDES_EVERY: u64 = 2;

/// Looks again and again, and remembers what need not be asked twice.
pub struct Looker<'a> {
    world: &'a World,
    live: &'a Live,
    /// When the plan was last changed, as far as it was read.
    planned: Option<SystemTime>,
    tree: Tree,
    far: Far,
    last: BTreeMap<NodeName, Node>,
    sides: Option<Parting>,
    /// Differences of the last reading, and those that stood there before.
    differences: (Vec<String>, Vec<String>),
    turn: u64,
}

/// What a node said.
struct Said {
    chain: BlockchainInfo,
    peers: Option<u32>,
    mempool: Option<u64>,
}

impl<'a> Looker<'a> {
    /// Knows nothing yet.
    pub fn new(world: &'a World, live: &'a Live) -> Self {
        Self {
            world,
            live,
            planned: None,
            tree: Tree::default(),
            far: Far::new(),
            last: BTreeMap::new(),
            sides: None,
            differences: Default::default(),
            turn: 0,
        }
    }

    /// Looks once. Whatever does not answer is told as such.
    pub async fn look(&mut self) -> Seen {
        let mut troubles = Vec::new();
        match self.live.follow(self.world, &mut self.planned) {
            Ok(Some(_)) => {}
            Ok(None) => troubles.push("The network is gone; nothing of it is left.".to_owned()),
            Err(failure) => troubles.push(format!("{}.", failure.message())),
        }
        let layout = self.live.layout();
        let nodes = self.nodes(&layout, &mut troubles).await;
        self.learn(&layout, &nodes).await;
        let faults = self.faults().await;
        let blueprint = &layout.blueprint;
        self.turn += 1;
        Seen {
            at_ms: now_ms(),
            born_s: blueprint.created_at_s.into(),
            spacing_s: blueprint
                .genesis
                .as_ref()
                .map_or(0, |genesis| genesis.spacing_s),
            nodes,
            tree: self.tree.clone(),
            far: self.far.clone(),
            faults,
            troubles,
        }
    }

    async fn nodes(&mut self, layout: &Layout, troubles: &mut Vec<String>) -> Vec<Node> {
        let with_peers = self.turn.is_multiple_of(PEERS_EVERY);
        let asked = layout.nodes.iter().map(|node| ask(node, with_peers));
        let said = join_all(asked).await;
        let observed = match said.iter().all(Option::is_some) {
            true => None,
            false => match self.live.observe().await {
                Ok(observed) => Some(observed),
                Err(failure) => {
                    troubles.push(format!("{}.", failure.message()));
                    None
                }
            },
        };
        let answers = layout.nodes.iter().zip(said);
        let nodes = answers.map(|(address, said)| {
            let mut node = self.last.remove(&address.name).unwrap_or_default();
            node.name.clone_from(&address.name);
            node.role.clone_from(&address.role);
            take(&mut node, said, observed.as_ref());
            node
        });
        let nodes: Vec<Node> = nodes.collect();
        self.last = nodes
            .iter()
            .map(|node| (node.name.clone(), node.clone()))
            .collect();
        nodes
    }

    /// Reads the blocks below tips that are new.
    async fn learn(&mut self, layout: &Layout, nodes: &[Node]) {
        if self.tree.blocks().len() > BLOCKS_MAX {
            self.tree = Tree::default();
        }
        let answering = nodes.iter().zip(&layout.nodes);
        let tips = answering.filter_map(|(node, address)| {
            let tip = node.tip.as_ref().filter(|_| node.life == Life::Running)?;
            Some(TipOf {
                node: Caller(client(address)?),
                hash: &tip.hash,
                height: tip.height,
                work: &tip.work,
            })
        });
        let tips: Vec<TipOf<'_, Caller>> = tips.collect();
        self.far = chains::learn(&mut self.tree, &tips, now_ms()).await;
    }

    async fn faults(&mut self) -> Faults {
        let folder = self.world.states.network(self.live.name());
        let intent = match Intent::load(&folder) {
            Ok(intent) => intent,
            Err(failure) => {
                let remarks = vec![format!("{}.", failure.message())];
                return Faults {
                    remarks,
                    ..Faults::default()
                };
            }
        };
        let is_of_links = |active: &Active| !matches!(active.fault, Meant::Node { .. });
        if !intent.faults().iter().any(is_of_links) {
            self.sides = None;
        } else if self.sides.is_none() || self.turn.is_multiple_of(SIDES_EVERY) {
            let sides = faults::progress::current(self.world, self.live, &Heal::All).await;
            self.sides = sides.ok().flatten();
        }
        if intent.is_empty() {
            self.differences = Default::default();
        } else if self.turn.is_multiple_of(FORCE_EVERY) {
            self.read_back().await;
        }
        let intended = intent.faults().iter().map(|active| Fault {
            text: spell_fault(&active.fault),
            since_ms: active.since_ms,
        });
        Faults {
            intended: intended.collect(),
            sides: self.sides.clone(),
            remarks: self.differences.1.clone(),
        }
    }

    /// A difference that is seen once may be a fault on its way.
    async fn read_back(&mut self) {
        let Ok(found) = faults::in_force(self.world, self.live).await else {
            return;
        };
        let stood = |text: &&String| self.differences.0.contains(text);
        let stayed = found.differences.iter().filter(stood).cloned().collect();
        self.differences = (found.differences, stayed);
    }
}

/// Takes in what the node said; of one that said nothing, why.
fn take(node: &mut Node, said: Option<Said>, observed: Option<&Observed>) {
    let Some(said) = said else {
        let found = observed.map(|observed| observed.node(&node.name));
        node.life = match found.map(|found| found.map(|found| found.state)) {
            None | Some(Some(NodeState::Running)) => Life::Silent,
            Some(Some(NodeState::Paused)) => Life::Paused,
            Some(Some(NodeState::Created | NodeState::Exited | NodeState::Dead)) => Life::Down,
            Some(None) => Life::Missing,
        };
        (node.peers, node.mempool) = (None, None);
        return;
    };
    node.life = Life::Running;
    node.tip = Some(Tip {
        hash: said.chain.bestblockhash,
        height: said.chain.blocks,
        work: said.chain.chainwork,
        time_s: said.chain.time,
    });
    node.peers = said.peers.or(node.peers);
    node.mempool = said.mempool.or(node.mempool);
}

async fn ask(node: &NodeAddress, with_peers: bool) -> Option<Said> {
    let client = client(node)?;
    let chain = client
        .call(method::GET_BLOCKCHAIN_INFO, json!([]))
        .await
        .ok()?;
    if !with_peers {
        return Some(Said {
            chain,
            peers: None,
            mempool: None,
        });
    }
    let (peers, mempool) = futures::join!(
        client.call(method::GET_CONNECTION_COUNT, json!([])),
        client.call::<MempoolInfo>(method::GET_MEMPOOL_INFO, json!([])),
    );
    Some(Said {
        chain,
        peers: peers.ok(),
        mempool: mempool.ok().map(|mempool| mempool.size),
    })
}

fn client(node: &NodeAddress) -> Option<Client> {
    Some(Client::new(node.rpc?, node.credentials.clone(), PATIENCE))
}

/// A node that is asked over its RPC.
struct Caller(Client);

impl Ask for Caller {
    async fn block(&self, hash: &str) -> Option<BlockFact> {
        let asked = self.0.call(method::GET_BLOCK_HEADER, json!([hash]));
        let header: HeaderInfo = asked.await.ok()?;
        Some(BlockFact {
            hash: header.hash,
            parent: header.previousblockhash,
            height: header.height,
            work: header.chainwork,
            miner: None,
            time_ms: u64::from(header.time) * 1_000,
            transactions: header.n_tx,
        })
    }

    async fn hash_at(&self, height: u32) -> Option<String> {
        let asked = self.0.call(method::GET_BLOCK_HASH, json!([height]));
        asked.await.ok()
    }
}
