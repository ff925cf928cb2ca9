//! One function per kind of bytes that reach us from outside. Each states the
//! two laws of the codec: no input panics, and what decodes is the only byte
//! form of its value.

use minichain_chain::address::Address;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{Decode, Encode, decode, encode};
use minichain_chain::transaction::Transaction;
use minichain_protocol::wire::{Request, Response};

fn check_canonical<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let value: T = decode(bytes).ok()?;
    assert_eq!(encode(&value), bytes, "a second byte form of one value");
    assert_eq!(value.encoded_len(), bytes.len());
    Some(value)
}

/// A block, and all that is computed from its bytes alone.
pub fn decode_block(bytes: &[u8]) {
    if let Some(block) = check_canonical::<Block>(bytes) {
        let _ = (block.hash(), block.weight());
        let leaves: Vec<[u8; 32]> = block
            .transactions
            .iter()
            .map(|tx| tx.txid().to_bytes())
            .collect();
        let _ = minichain_chain::merkle::merkle_root(&leaves);
    }
}

/// A transaction.
pub fn decode_transaction(bytes: &[u8]) {
    if let Some(transaction) = check_canonical::<Transaction>(bytes) {
        let _ = (
            transaction.txid(),
            transaction.wtxid(),
            transaction.weight(),
        );
        let _ = (transaction.vsize(), transaction.is_coinbase());
    }
}

/// A header with its target and work.
pub fn decode_header(bytes: &[u8]) {
    if let Some(header) = check_canonical::<Header>(bytes)
        && let Ok(target) = header.bits.to_target()
    {
        let _ = (target.work(), target.is_met_by(&header.hash()));
    }
}

/// What a peer asks.
pub fn decode_request(bytes: &[u8]) {
    if let Some(request) = check_canonical::<Request>(bytes) {
        let _ = request.kind();
    }
}

/// What a peer answers.
pub fn decode_response(bytes: &[u8]) {
    if let Some(response) = check_canonical::<Response>(bytes) {
        let _ = response.kind();
    }
}

/// An address as a person types it.
pub fn decode_address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(address) = Address::parse("mini", text) {
        assert_eq!(address.to_string(), text.to_lowercase());
    }
}
