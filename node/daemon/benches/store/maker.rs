//! Makes valid blocks without a node.

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::merkle::{
    transaction_root, witness_commitment, witness_commitment_script, witness_root,
};
use minichain_chain::params::{Params, dev_account_key};
use minichain_chain::pow::Searcher;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use minichain_node::genesis;

const SEED: [u8; 32] = [1; 32];
/// Every second hash is a block.
pub const GENESIS: &str = "\
network: bench
time_s: 1700000000
spacing_s: 5
difficulty: {rule: fixed}
initial_hash_rate: 0.4
coinbase_maturity: 10
allocations:
- account: bank
  amount: \"1000000\"
  owner: {public_seed: \"0101010101010101010101010101010101010101010101010101010101010101\"}
";

/// An output of the one key, and its value.
pub type Purse = (OutPoint, u64);

/// The tip of a growing chain.
#[derive(Clone)]
pub struct Maker {
    pub params: Params,
    key: SecretKey,
    tip: Header,
    hash: BlockHash,
    height: Height,
    /// The bank's coin.
    pub bank: Purse,
    /// What tells a branch's blocks from another's.
    pub tag: &'static [u8],
}

impl Maker {
    /// At the genesis block of the network in `file`.
    pub fn new(file: &std::path::Path) -> Self {
        std::fs::write(file, GENESIS).unwrap();
        let params = genesis::params(&genesis::load(Some(file)).unwrap()).unwrap();
        let block = params.genesis_block();
        let allocation = block.transactions[0].outpoint(0);
        let value = block.transactions[0].outputs[0].value.to_sat();
        Self {
            params,
            key: dev_account_key(&SEED, "bank"),
            tip: block.header,
            hash: block.hash(),
            height: Height::GENESIS,
            bank: (allocation, value),
            tag: b"bench",
        }
    }

    /// A transaction of the bank that splits its coin into equal ones; they.
    pub fn split(&mut self, count: u32, each: u64) -> (Transaction, Vec<Purse>) {
        let rest = self.bank.1 - u64::from(count) * each;
        let mut outputs = vec![each; count as usize];
        outputs.push(rest);
        let tx = self.pay(&[self.bank], &outputs);
        let txid = tx.txid();
        let at = |vout| OutPoint { txid, vout };
        self.bank = (at(count), rest);
        let coins = (0..count).map(|vout| (at(vout), each)).collect();
        (tx, coins)
    }

    /// A payment of the bank, which keeps the rest.
    pub fn pay_out(&mut self, output: TxOut) -> Transaction {
        let rest = self.bank.1 - output.value.to_sat();
        let tx = self.sign(&[self.bank], vec![output, self.output(rest)]);
        self.bank = (tx.outpoint(1), rest);
        tx
    }

    /// Spends coins into new ones of the same key.
    pub fn pay(&self, inputs: &[Purse], outputs: &[u64]) -> Transaction {
        let outputs = outputs.iter().map(|value| self.output(*value));
        self.sign(inputs, outputs.collect())
    }

    fn sign(&self, inputs: &[Purse], outputs: Vec<TxOut>) -> Transaction {
        let spent: Vec<_> = inputs
            .iter()
            .map(|(_, value)| self.output(*value))
            .collect();
        let input = |(outpoint, _): &Purse| TxIn {
            previous_output: *outpoint,
            script_sig: Script::new(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        };
        let mut tx = Transaction {
            version: 2,
            inputs: inputs.iter().map(input).collect(),
            outputs,
            lock_time: 0,
        };
        sign_all_inputs(&mut tx, &spent, &self.key, &[0; 32]).unwrap();
        tx
    }

    /// The next block, solved.
    pub fn block(&mut self, payments: Vec<Transaction>) -> Block {
        self.height = self.height.next().unwrap();
        let transactions = self.with_coinbase(payments);
        let mut header = Header {
            version: 4,
            previous: self.hash,
            merkle_root: transaction_root(&transactions).unwrap().root,
            time: self.tip.time.saturating_add(self.params.spacing_s),
            bits: self.tip.bits,
            nonce: 0,
        };
        let mut searcher = Searcher::new(&header).unwrap();
        header.nonce = searcher.search(0..u32::MAX).unwrap();
        self.tip = header;
        self.hash = header.hash();
        Block {
            header,
            transactions,
        }
    }

    fn with_coinbase(&self, payments: Vec<Transaction>) -> Vec<Transaction> {
        let coinbase = Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint::NULL,
                script_sig: Script::coinbase(self.height, 0, self.tag),
                sequence: SEQUENCE_FINAL,
                witness: Witness(vec![vec![0; 32]]),
            }],
            outputs: vec![self.output(self.params.subsidy(self.height).to_sat())],
            lock_time: 0,
        };
        let mut transactions = vec![coinbase];
        transactions.extend(payments);
        let root = witness_root(&transactions).unwrap();
        transactions[0].outputs.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: witness_commitment_script(&witness_commitment(&root, &[0; 32])),
        });
        transactions
    }

    fn output(&self, value: u64) -> TxOut {
        TxOut {
            value: Amount::from_sat(value),
            script_pubkey: Script::p2tr(&self.key.output_key()),
        }
    }
}
