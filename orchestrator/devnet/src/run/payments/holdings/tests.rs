//! Holdings beside a chain in the plainest form: lists of transactions, walked
//! through from the genesis block at every look.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use minichain_api::rpc::RpcError;
use minichain_chain::params::dev_account_key;
use minichain_chain::signature::verify_transaction;
use minichain_chain::transaction::{SEQUENCE_FINAL, TxIn, TxOut, Witness};
use minichain_wallet::select::SelectError;
use proptest::prelude::*;

use super::super::purse::tests::genesis;
use super::*;

mod facts;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const GRANT_SATS: u64 = 100 * COIN_SATS;
const REWARD_SATS: u64 = 7 * COIN_SATS;
const MATURITY: u32 = 3;
const RATE: FeeRate = FeeRate::from_sat_per_kvb(1_000);

/// An unspent output: what it is, the height of its block, whether it is a
/// reward.
type Unspent = BTreeMap<OutPoint, (TxOut, u32, bool)>;

#[derive(Clone)]
struct Model {
    /// Blocks from the genesis block on, rewards first.
    blocks: Vec<Vec<Transaction>>,
    /// Parents before children.
    pool: Vec<Transaction>,
    /// Tells rewards of one height apart.
    mined: u32,
}

/// A node that answers for the model.
struct ModelNode {
    model: Mutex<Model>,
    /// A block comes between two calls this often more.
    blocks_between: Mutex<usize>,
    /// Another scan is under way this often more.
    busy: Mutex<usize>,
}

fn lock_of(name: &str) -> Script {
    Script::p2tr(&dev_account_key(&[7; 32], name).output_key())
}

fn genesis_file() -> GenesisFile {
    GenesisFile {
        coinbase_maturity: MATURITY,
        ..genesis(&NAMES)
    }
}

fn reward(tag: u32, outputs: Vec<TxOut>) -> Transaction {
    Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::default(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs,
        lock_time: tag,
    }
}

fn output(name: &str, sats: u64) -> TxOut {
    TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: lock_of(name),
    }
}

/// Takes what a transaction spends and adds what it makes; whether all it
/// spends was there.
fn apply(coins: &mut Unspent, transaction: &Transaction, height: u32) -> bool {
    let is_reward = transaction.inputs[0].previous_output == OutPoint::NULL;
    let spent = transaction.inputs.iter().map(|input| input.previous_output);
    if !is_reward {
        if !spent.clone().all(|outpoint| coins.contains_key(&outpoint)) {
            return false;
        }
        spent.for_each(|outpoint| drop(coins.remove(&outpoint)));
    }
    let txid = transaction.txid();
    for (output, vout) in transaction.outputs.iter().zip(0..) {
        let coin = (output.clone(), height, is_reward && height > 0);
        coins.insert(OutPoint { txid, vout }, coin);
    }
    true
}

impl Model {
    fn new() -> Self {
        let grants = NAMES.map(|name| output(name, GRANT_SATS)).to_vec();
        Self {
            blocks: vec![vec![reward(0, grants)]],
            pool: Vec::new(),
            mined: 0,
        }
    }

    fn height(&self) -> u32 {
        u32::try_from(self.blocks.len() - 1).expect("a short chain")
    }

    fn coins(&self) -> Unspent {
        let mut coins = Unspent::new();
        for (block, height) in self.blocks.iter().zip(0..) {
            for transaction in block {
                assert!(apply(&mut coins, transaction, height), "{transaction:?}");
            }
        }
        coins
    }

    /// A block with all that waits; alice gets the reward.
    fn mine(&mut self) {
        self.mine_with(|pool| pool);
    }

    fn mine_with(&mut self, taken: impl FnOnce(Vec<Transaction>) -> Vec<Transaction>) {
        self.mined += 1;
        let mut block = vec![reward(self.mined, vec![output("alice", REWARD_SATS)])];
        block.extend(taken(std::mem::take(&mut self.pool)));
        self.blocks.push(block);
    }

    /// Takes `depth` blocks off and puts one more on, all empty: payments wait
    /// again, but for those of rewards that are gone.
    fn reorganise(&mut self, depth: usize) {
        let first = self.blocks.len() - depth.min(self.blocks.len() - 1);
        let gone = self.blocks.split_off(first);
        let waiting = gone.into_iter().flat_map(|block| block.into_iter().skip(1));
        let waiting: Vec<_> = waiting.chain(std::mem::take(&mut self.pool)).collect();
        for _ in 0..=depth {
            self.mine();
        }
        let mut coins = self.coins();
        let height = self.height();
        let is_ripe = |coins: &Unspent, one: &Transaction| {
            let spent = one.inputs.iter();
            let mut coins = spent.filter_map(|input| coins.get(&input.previous_output));
            coins.all(|(_, born, is_reward)| !is_reward || born + MATURITY <= height + 1)
        };
        for one in waiting {
            if is_ripe(&coins, &one) && apply(&mut coins, &one, height + 1) {
                self.pool.push(one);
            }
        }
    }

    /// What each account owns, by the definitions of [`Balance`].
    fn balance(&self, name: &str) -> Balance {
        let lock = lock_of(name);
        let (mut coins, next) = (self.coins(), self.height() + 1);
        let mut own = Vec::new();
        let mut before = coins.clone();
        for one in &self.pool {
            let txid = one.txid();
            let is_own = one.inputs.iter().all(|input| {
                let spent = &before[&input.previous_output];
                let is_trusted = spent.1 < next || own.contains(&input.previous_output.txid);
                spent.0.script_pubkey == lock && is_trusted
            });
            if is_own {
                own.push(txid);
            }
            assert!(apply(&mut coins, one, next));
            before.extend(coins.clone());
        }
        let sum = |is_meant: &dyn Fn(&OutPoint, u32, bool) -> bool| {
            let meant = coins.iter().filter(|(outpoint, (output, height, reward))| {
                output.script_pubkey == lock && is_meant(outpoint, *height, *reward)
            });
            Amount::from_sat(meant.map(|(_, (output, ..))| output.value.to_sat()).sum())
        };
        let is_ripe = |height: u32, reward: bool| !reward || height + MATURITY <= next;
        Balance {
            confirmed: sum(&|_, height, reward| height < next && is_ripe(height, reward)),
            unconfirmed: sum(&|_, height, _| height == next),
            change: sum(&|at, height, _| height == next && own.contains(&at.txid)),
            immature: sum(&|_, height, reward| height < next && !is_ripe(height, reward)),
        }
    }

    fn scan_coins(&self, objects: &[String]) -> Value {
        let coins = self.coins().into_iter();
        let unspents = coins.map(|(outpoint, (output, height, is_reward))| {
            let lock = hex::encode(output.script_pubkey.as_bytes());
            assert!(objects.contains(&format!("raw({lock})")));
            json!({
                "txid": outpoint.txid.to_string(),
                "vout": outpoint.vout,
                "scriptPubKey": lock,
                "amount": output.value.to_sat() as f64 / COIN_SATS as f64,
                "height": height,
                "coinbase": is_reward || height == 0,
            })
        });
        json!({"bestblock": self.mined.to_string(), "unspents": unspents.collect::<Vec<_>>()})
    }

    fn scan_pool(&self) -> Value {
        let waiting = self.pool.iter().map(|one| hex::encode(&encode(one)));
        json!({
            "bestblock": self.mined.to_string(),
            "height": self.height(),
            "chain": "test",
            "addressprefix": "mini",
            "coinbasematurity": MATURITY,
            "minfeerate": 100,
            "transactions": waiting.collect::<Vec<_>>(),
        })
    }

    /// Takes a payment whose coins are there and whose signatures hold.
    fn take(&mut self, payment: &Transaction) -> Result<Value, RpcError> {
        let mut coins = self.coins();
        for one in &self.pool {
            apply(&mut coins, one, self.height() + 1);
        }
        let spent = payment.inputs.iter();
        let spent = spent.map(|input| coins.get(&input.previous_output));
        let spent = spent.map(|coin| coin.map(|(output, ..)| output.clone()));
        let is_good = spent
            .collect::<Option<Vec<_>>>()
            .is_some_and(|spent| verify_transaction(payment, &spent).is_ok());
        if !is_good {
            return Err(refusal(code::VERIFY));
        }
        self.pool.push(payment.clone());
        Ok(json!(payment.txid().to_string()))
    }

    fn txout(&self, txid: &Value, vout: &Value) -> Value {
        let mut coins = self.coins();
        for one in &self.pool {
            apply(&mut coins, one, self.height() + 1);
        }
        let found = coins.iter().find(|(outpoint, _)| {
            *txid == json!(outpoint.txid.to_string()) && *vout == json!(outpoint.vout)
        });
        found.map_or(
            Value::Null,
            |(_, (_, height, _))| json!({"confirmations": self.height() + 1 - height}),
        )
    }
}

fn refusal(code: i32) -> RpcError {
    RpcError {
        code,
        message: "as a node would".into(),
    }
}

impl ModelNode {
    fn new() -> Self {
        Self {
            model: Mutex::new(Model::new()),
            blocks_between: Mutex::new(0),
            busy: Mutex::new(0),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Model) -> T) -> T {
        act(&mut self.model.lock().expect("no panic there"))
    }

    fn answer(&self, asked: &str, params: &Value) -> Result<Value, RpcError> {
        let is_due = |times: &Mutex<usize>| {
            let mut times = times.lock().expect("no panic there");
            let is_due = *times > 0;
            *times = times.saturating_sub(1);
            is_due
        };
        self.with(|model| match asked {
            method::SCAN_TXOUTSET if is_due(&self.busy) => Err(refusal(code::INVALID_PARAMETER)),
            method::SCAN_TXOUTSET => {
                let objects = serde_json::from_value::<Vec<String>>(params[1].clone());
                let coins = model.scan_coins(&objects.expect("locks"));
                if is_due(&self.blocks_between) {
                    model.mine();
                }
                Ok(coins)
            }
            method::SCAN_MEMPOOL => Ok(model.scan_pool()),
            method::GET_TXOUT => Ok(model.txout(&params[0], &params[1])),
            method::SEND_RAW_TRANSACTION => {
                let payment = transaction(params[0].as_str().expect("hexadecimal"));
                model.take(&payment.expect("a transaction"))
            }
            method::GET_MEMPOOL_ENTRY => {
                let mut ids = model.pool.iter().map(|one| json!(one.txid().to_string()));
                let found = ids.any(|txid| txid == params[0]);
                found
                    .then(|| json!({}))
                    .ok_or(refusal(code::INVALID_ADDRESS_OR_KEY))
            }
            other => panic!("{other} is not asked for"),
        })
    }
}

impl Access for ModelNode {
    fn call<'a>(
        &'a self,
        _: &'a NodeAddress,
        asked: &'a str,
        params: Value,
        _: Duration,
    ) -> BoxFuture<'a, Result<Value, AskError>> {
        let failed = |error| {
            let method = asked.to_owned();
            AskError::Client(ClientError::Rpc { method, error })
        };
        let answer = self.answer(asked, &params).map_err(failed);
        async move { answer }.boxed()
    }

    fn metrics<'a>(
        &'a self,
        _: &'a NodeAddress,
        _: Duration,
    ) -> BoxFuture<'a, Result<String, AskError>> {
        async { panic!("metrics are not asked for") }.boxed()
    }
}
