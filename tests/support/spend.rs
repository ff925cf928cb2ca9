//! Builds and signs transfers from a devnet's funded accounts, with the chain's
//! own code.

use std::fs;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use serde_json::{Value, json};

use crate::network::Network;

/// An account of the genesis file, with its key and its first coin.
pub struct Account {
    key: SecretKey,
    coin: OutPoint,
    output: TxOut,
}

/// A signed transaction.
pub struct Payment {
    /// Its bytes in hexadecimal.
    pub hex: String,
    /// Its id.
    pub txid: String,
}

impl Account {
    /// The account `name` of a network that was brought up by this test.
    pub fn of(network: &Network, name: &str) -> Self {
        let key = dev_account_key(&public_seed(network, name), name);
        let genesis = genesis_block(network);
        let lock = Script::p2tr(&key.output_key());
        let coinbase = &genesis.transactions[0];
        let place = coinbase
            .outputs
            .iter()
            .position(|output| output.script_pubkey == lock);
        let place = place.unwrap_or_else(|| panic!("genesis pays nothing to {name}"));
        let vout = u32::try_from(place).expect("few outputs");
        let coin = OutPoint {
            txid: coinbase.txid(),
            vout,
        };
        Self {
            output: coinbase.outputs[place].clone(),
            key,
            coin,
        }
    }

    /// Pays `sats` to `to` with `fee_sats`; output 0 is the payment, output 1
    /// the change.
    pub fn pay(&self, to: &Self, sats: u64, fee_sats: u64) -> Payment {
        let change = self.output.value.to_sat() - sats - fee_sats;
        let output = |key: &SecretKey, sats| TxOut {
            value: Amount::from_sat(sats),
            script_pubkey: Script::p2tr(&key.output_key()),
        };
        let mut transaction = Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: self.coin,
                script_sig: Script::default(),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs: vec![output(&to.key, sats), output(&self.key, change)],
            lock_time: 0,
        };
        sign_all_inputs(
            &mut transaction,
            std::slice::from_ref(&self.output),
            &self.key,
            &[7; 32],
        )
        .expect("one coin for one input");
        Payment {
            hex: hex::encode(&encode(&transaction)),
            txid: transaction.txid().to_string(),
        }
    }
}

fn public_seed(network: &Network, account: &str) -> [u8; 32] {
    let path = network.state().join(&network.name).join("network.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let record: Value = serde_json::from_str(&text).expect("the state is JSON");
    let allocations = record["genesis"]["allocations"]
        .as_array()
        .expect("allocations");
    let ours = allocations
        .iter()
        .find(|allocation| allocation["account"] == account);
    let seed = ours.and_then(|allocation| allocation["owner"]["public_seed"].as_str());
    let seed = seed.unwrap_or_else(|| panic!("no public seed for {account}"));
    let bytes = hex::decode(seed).expect("a seed is hexadecimal");
    bytes.try_into().expect("a seed has 32 bytes")
}

fn genesis_block(network: &Network) -> Block {
    let rpc = &network.nodes()[0].rpc;
    let hash: String = rpc.must("getblockhash", &json!([0]));
    let bytes: String = rpc.must("getblock", &json!([hash, 0]));
    decode(&hex::decode(&bytes).expect("a block in hexadecimal")).expect("a block")
}
