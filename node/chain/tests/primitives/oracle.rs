//! The same values in the `bitcoin` crate's types, and generated ones.

use bitcoin::hashes::Hash as _;
use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::hash::{BlockHash, MerkleRoot, Txid};
use minichain_chain::pow::CompactTarget;
use minichain_chain::script::Script;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};
use proptest::collection::vec;
use proptest::prelude::*;

/// The transaction, field by field.
pub fn transaction(tx: &Transaction) -> bitcoin::Transaction {
    bitcoin::Transaction {
        version: bitcoin::transaction::Version(tx.version),
        lock_time: bitcoin::absolute::LockTime::from_consensus(tx.lock_time),
        input: tx.inputs.iter().map(input).collect(),
        output: tx.outputs.iter().map(output).collect(),
    }
}

/// The output, field by field.
pub fn output(output: &TxOut) -> bitcoin::TxOut {
    bitcoin::TxOut {
        value: bitcoin::Amount::from_sat(output.value.to_sat()),
        script_pubkey: bitcoin::ScriptBuf::from_bytes(output.script_pubkey.0.clone()),
    }
}

/// The block, field by field.
pub fn block(block: &Block) -> bitcoin::Block {
    bitcoin::Block {
        header: header(&block.header),
        txdata: block.transactions.iter().map(transaction).collect(),
    }
}

/// The header, field by field.
pub fn header(header: &Header) -> bitcoin::block::Header {
    bitcoin::block::Header {
        version: bitcoin::block::Version::from_consensus(header.version),
        prev_blockhash: bitcoin::BlockHash::from_byte_array(header.previous.to_bytes()),
        merkle_root: bitcoin::TxMerkleNode::from_byte_array(header.merkle_root.to_bytes()),
        time: header.time.0,
        bits: bitcoin::CompactTarget::from_consensus(header.bits.0),
        nonce: header.nonce,
    }
}

fn input(input: &TxIn) -> bitcoin::TxIn {
    bitcoin::TxIn {
        previous_output: bitcoin::OutPoint {
            txid: bitcoin::Txid::from_byte_array(input.previous_output.txid.to_bytes()),
            vout: input.previous_output.vout,
        },
        script_sig: bitcoin::ScriptBuf::from_bytes(input.script_sig.0.clone()),
        sequence: bitcoin::Sequence(input.sequence),
        witness: bitcoin::Witness::from_slice(&input.witness.0),
    }
}

/// Any transaction that bytes can carry, without inputs or outputs too.
pub fn any_transaction() -> impl Strategy<Value = Transaction> {
    (
        any::<i32>(),
        vec(any_input(), 0..4),
        vec(any_output(), 0..4),
        any::<u32>(),
    )
        .prop_map(|(version, inputs, outputs, lock_time)| Transaction {
            version,
            inputs,
            outputs,
            lock_time,
        })
}

/// Any output.
pub fn any_output() -> impl Strategy<Value = TxOut> {
    (any::<u64>(), any_script()).prop_map(|(sat, script_pubkey)| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey,
    })
}

/// Any block with a few transactions.
pub fn any_block() -> impl Strategy<Value = Block> {
    (any_header(), vec(any_transaction(), 0..4)).prop_map(|(header, transactions)| Block {
        header,
        transactions,
    })
}

/// Any header.
pub fn any_header() -> impl Strategy<Value = Header> {
    let hash = any::<[u8; 32]>;
    (
        any::<i32>(),
        hash(),
        hash(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
    )
        .prop_map(
            |(version, previous, merkle_root, time, bits, nonce)| Header {
                version,
                previous: BlockHash::from_bytes(previous),
                merkle_root: MerkleRoot::from_bytes(merkle_root),
                time: UnixSeconds(time),
                bits: CompactTarget(bits),
                nonce,
            },
        )
}

fn any_input() -> impl Strategy<Value = TxIn> {
    (
        any::<[u8; 32]>(),
        any::<u32>(),
        any_script(),
        any::<u32>(),
        any_witness(),
    )
        .prop_map(|(txid, vout, script_sig, sequence, witness)| TxIn {
            previous_output: OutPoint {
                txid: Txid::from_bytes(txid),
                vout,
            },
            script_sig,
            sequence,
            witness,
        })
}

/// Lengths on both sides of the first CompactSize step, 253.
fn any_script() -> impl Strategy<Value = Script> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 250..260),
    ]
    .prop_map(Script)
}

fn any_witness() -> impl Strategy<Value = Witness> {
    prop_oneof![
        1 => Just(Vec::new()),
        2 => vec(vec(any::<u8>(), 0..70), 0..3),
    ]
    .prop_map(Witness)
}
