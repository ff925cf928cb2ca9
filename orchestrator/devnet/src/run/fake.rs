//! A double of a network's nodes: they hold blocks, take payments, and fall
//! silent where a test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devnet_blueprint::observed::ObservedNode;
use devnet_blueprint::{EngineKind, NodeState};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use minichain_api::rpc::{RpcError, code, method};
use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::pow::{CompactTarget, Target};
use minichain_chain::script::Script;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use serde_json::{Value, json};

use super::access::{Access, AskError};
use crate::client::ClientError;
use crate::engine::recording::Recording;
use crate::faults::Live;
use crate::probe::NodeAddress;

/// Seed of the accounts `alice` and `bob`, which own 100 coins each.
pub const SEED: [u8; 32] = [7; 32];

/// Nodes of one network.
#[derive(Default)]
pub struct FakeNodes {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    blocks: BTreeMap<BlockHash, (Block, u32)>,
    nodes: BTreeMap<String, FakeNode>,
    calls: Vec<String>,
}

#[derive(Default)]
struct FakeNode {
    tip: BlockHash,
    /// Tips of side branches.
    sides: Vec<BlockHash>,
    pool: BTreeMap<String, Transaction>,
    is_silent: bool,
    refuses: Option<String>,
}

impl FakeNodes {
    /// Nodes at a genesis block.
    pub fn new(names: &[&str]) -> Arc<Self> {
        let nodes = Arc::new(Self::default());
        let genesis = nodes.mine(None, "x", Vec::new());
        for name in names {
            nodes
                .lock()
                .nodes
                .entry((*name).to_owned())
                .or_default()
                .tip = genesis;
        }
        nodes
    }

    /// A network of these nodes, all of which run, and its engine.
    pub fn live(names: &[&str]) -> (Arc<Live>, Arc<Recording>) {
        use devnet_blueprint::{DockerInput, EngineInput, PlanInput, Topology, plan};
        let count = u32::try_from(names.len()).expect("few nodes");
        let mut topology = Topology::from_counts(count, count).expect("a network");
        topology.genesis.allocations = None;
        let input = PlanInput {
            seed: 1,
            created_at_s: 1,
            run_id: "r".into(),
            owner: "o".into(),
            rpc_password: "p".into(),
            engine: EngineInput::Docker(DockerInput {
                subnet: "10.9.0.0/24".parse().expect("a subnet"),
                host_ports: (20_000..20_200).collect(),
                image: "i".into(),
                images: BTreeMap::new(),
            }),
            previous: None,
        };
        let mut blueprint = plan(&topology, &input).expect("a plan");
        for (node, name) in blueprint.nodes.iter_mut().zip(names) {
            (*name).clone_into(&mut node.name);
        }
        let genesis = blueprint.genesis.as_mut().expect("a genesis");
        for allocation in &mut genesis.allocations {
            allocation.owner = minichain_api::genesis::Owner::PublicSeed(hex::encode(&SEED));
        }
        let engine = Arc::new(Recording::new(EngineKind::Docker));
        engine.disturb(&blueprint.name, |observed| {
            observed.nodes = names.iter().map(|name| running(name)).collect();
        });
        (Arc::new(Live::new(engine.clone(), blueprint)), engine)
    }

    /// Makes a block on `parent`; `None` for genesis.
    pub fn mine(
        &self,
        parent: Option<BlockHash>,
        miner: &str,
        transactions: Vec<Transaction>,
    ) -> BlockHash {
        let mut inner = self.lock();
        let height = parent.map_or(0, |parent| inner.blocks[&parent].1 + 1);
        let outputs = match parent {
            None => ["alice", "bob"].map(allocation).to_vec(),
            Some(_) => Vec::new(),
        };
        let coinbase = Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint::NULL,
                script_sig: Script::coinbase(Height(height), 0, miner.as_bytes()),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs,
            lock_time: 0,
        };
        let block = Block {
            header: Header {
                version: 1,
                previous: parent.unwrap_or(BlockHash::ZERO),
                merkle_root: MerkleRoot::from_bytes(coinbase.txid().to_bytes()),
                time: UnixSeconds(height),
                bits: easy(),
                nonce: 0,
            },
            transactions: [vec![coinbase], transactions].concat(),
        };
        let hash = block.hash();
        inner.blocks.insert(hash, (block, height));
        hash
    }

    /// Puts a node on a tip.
    pub fn set_tip(&self, node: &str, tip: BlockHash) {
        self.with(node, |node| node.tip = tip);
    }

    /// A node's tip.
    pub fn tip(&self, node: &str) -> BlockHash {
        self.lock().nodes[node].tip
    }

    /// Gives a node a side branch.
    pub fn add_side(&self, node: &str, tip: BlockHash) {
        self.with(node, |node| node.sides.push(tip));
    }

    /// Lets a node be silent, or speak again.
    pub fn silence(&self, node: &str, is_silent: bool) {
        self.with(node, |node| node.is_silent = is_silent);
    }

    /// Lets a node refuse payments by that rule.
    pub fn refuse(&self, node: &str, rule: Option<&str>) {
        self.with(node, |node| node.refuses = rule.map(str::to_owned));
    }

    /// Mines all that waits anywhere into one block on which every node is.
    pub fn confirm_all(&self) {
        let (parent, all) = {
            let mut inner = self.lock();
            let mut all = BTreeMap::new();
            for node in inner.nodes.values_mut() {
                all.extend(std::mem::take(&mut node.pool));
            }
            (inner.nodes.values().next().expect("a node").tip, all)
        };
        let block = self.mine(Some(parent), "a", all.into_values().collect());
        for node in self.lock().nodes.values_mut() {
            node.tip = block;
        }
    }

    /// Lets a payment wait at a node.
    pub fn wait_at(&self, node: &str, payment: Transaction) {
        let txid = payment.txid().to_string();
        self.with(node, |node| {
            node.pool.insert(txid, payment);
        });
    }

    /// Payments that wait at a node.
    pub fn pool(&self, node: &str) -> Vec<Transaction> {
        self.lock().nodes[node].pool.values().cloned().collect()
    }

    /// Calls so far: `node method`.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    fn with(&self, node: &str, change: impl FnOnce(&mut FakeNode)) {
        change(self.lock().nodes.get_mut(node).expect("a known node"));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn answer(&mut self, name: &str, asked: &str, params: &Value) -> Result<Value, (i32, String)> {
        self.calls.push(format!("{name} {asked}"));
        let node = &self.nodes[name];
        let text = |at: usize| params[at].as_str().unwrap_or_default().to_owned();
        Ok(match asked {
            method::GET_CHAIN_TIPS => self.tips(node),
            method::GET_PEER_INFO => {
                let others = self.nodes.keys().filter(|other| *other != name);
                others.map(|other| peer(other)).collect()
            }
            method::GET_MEMPOOL_INFO => {
                json!({ "size": node.pool.len(), "bytes": 0, "maxmempool": 0 })
            }
            method::GET_NETWORK_INFO => json!({
                "version": 1, "subversion": "", "connections": 0, "connections_in": 0,
                "connections_out": 0, "peerid": format!("id-of-{name}"), "localaddresses": [],
            }),
            method::GET_RAW_MEMPOOL => json!(node.pool.keys().collect::<Vec<_>>()),
            method::GET_TXOUTSET_INFO => {
                let height = params[1].as_u64().unwrap_or_default();
                json!({ "height": height, "bestblock": "b", "txouts": 1, "muhash": "m",
                        "total_amount": 0.0, "total_sats": 5 })
            }
            method::GET_BLOCK_HASH => {
                json!(self.chain(node.tip).last().expect("genesis").to_string())
            }
            method::GET_BLOCK => {
                let hash: BlockHash = text(0).parse().expect("a hash");
                let (block, _) = self.blocks.get(&hash).ok_or((-5, "unknown".to_owned()))?;
                json!(hex::encode(&encode(block)))
            }
            method::GET_TXOUT => match self.is_confirmed(node.tip, &text(0)) {
                true => json!({ "bestblock": "b", "confirmations": 1, "value": 1.0,
                                "scriptPubKey": { "hex": "", "type": "x" }, "coinbase": false }),
                false => Value::Null,
            },
            method::SEND_RAW_TRANSACTION => return self.take(name, &text(0)),
            other => panic!("nobody taught the double {other}"),
        })
    }

    fn take(&mut self, name: &str, hex_text: &str) -> Result<Value, (i32, String)> {
        let bytes = hex::decode(hex_text).expect("hexadecimal");
        let transaction: Transaction = decode(&bytes).expect("a transaction");
        let txid = transaction.txid().to_string();
        let tip = self.nodes[name].tip;
        if self.is_confirmed(tip, &txid) {
            return Err((code::ALREADY_IN_UTXO_SET, "already_confirmed: it is".into()));
        }
        let node = self.nodes.get_mut(name).expect("a known node");
        if let Some(rule) = &node.refuses {
            return Err((code::VERIFY_REJECTED, format!("{rule}: no")));
        }
        let spent: BTreeSet<OutPoint> = node
            .pool
            .values()
            .flat_map(|waiting| waiting.inputs.iter().map(|input| input.previous_output))
            .collect();
        if transaction
            .inputs
            .iter()
            .any(|input| spent.contains(&input.previous_output))
        {
            return Err((code::VERIFY_REJECTED, "conflict: spent".into()));
        }
        node.pool.insert(txid.clone(), transaction);
        Ok(json!(txid))
    }

    fn tips(&self, node: &FakeNode) -> Value {
        let tip = |hash: &BlockHash, status: &str| {
            let work: u64 = u64::from(self.blocks[hash].1) + 1;
            json!({ "height": self.blocks[hash].1, "hash": hash.to_string(), "branchlen": 0,
                    "status": status, "chainwork": format!("{work:064x}") })
        };
        let sides = node.sides.iter().map(|side| tip(side, "valid-fork"));
        let unread = json!({ "height": 99, "hash": "ff".repeat(32), "branchlen": 9,
                             "status": "headers-only", "chainwork": "0".repeat(64) });
        [tip(&node.tip, "active"), unread]
            .into_iter()
            .chain(sides)
            .collect()
    }

    fn chain(&self, tip: BlockHash) -> Vec<BlockHash> {
        std::iter::successors(Some(tip), |hash| {
            let parent = self.blocks[hash].0.header.previous;
            (parent != BlockHash::ZERO).then_some(parent)
        })
        .collect()
    }

    fn is_confirmed(&self, tip: BlockHash, txid: &str) -> bool {
        let chain = self.chain(tip);
        chain.iter().any(|hash| {
            let transactions = &self.blocks[hash].0.transactions;
            transactions
                .iter()
                .any(|found| found.txid().to_string() == txid)
        })
    }
}

impl Access for FakeNodes {
    fn call<'a>(
        &'a self,
        node: &'a NodeAddress,
        asked: &'a str,
        params: Value,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Value, AskError>> {
        async move {
            let address = "127.0.0.1:1".parse().expect("an address");
            if self.lock().nodes[&node.name].is_silent {
                tokio::time::sleep(timeout).await;
                let timeout_ms = timeout.as_millis();
                return Err(ClientError::TimedOut {
                    address,
                    timeout_ms,
                }
                .into());
            }
            let answer = self.lock().answer(&node.name, asked, &params);
            answer.map_err(|(code, message)| {
                let method = asked.to_owned();
                let error = RpcError { code, message };
                ClientError::Rpc { method, error }.into()
            })
        }
        .boxed()
    }

    fn metrics<'a>(
        &'a self,
        node: &'a NodeAddress,
        _timeout: Duration,
    ) -> BoxFuture<'a, Result<String, AskError>> {
        async move { Ok(format!("up{{node=\"{}\"}} 1\n", node.name)) }.boxed()
    }
}

fn allocation(account: &str) -> TxOut {
    let key = dev_account_key(&SEED, account);
    TxOut {
        value: Amount::from_sat(100 * 100_000_000),
        script_pubkey: Script::p2tr(&key.output_key()),
    }
}

fn running(name: &str) -> ObservedNode {
    ObservedNode {
        node: name.to_owned(),
        state: NodeState::Running,
        id: String::new(),
        spec: String::new(),
        run: String::new(),
    }
}

fn easy() -> CompactTarget {
    Target::from_hash_rate(1, 2).to_compact()
}

fn peer(name: &str) -> Value {
    json!({ "id": 0, "addr": "", "peerid": format!("id-of-{name}"), "inbound": false, "subver": "",
            "conntime": 0, "pingtime": null, "synced_blocks": null, "besthash": null })
}
