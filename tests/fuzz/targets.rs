//! One function per kind of bytes that reach us from outside. Each states the
//! two laws of the codec: no input panics, and what decodes is the only byte
//! form of its value.

#[path = "accept.rs"]
mod accept;

pub use self::accept::accept_blocks;

use minichain_chain::address::Address;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{Decode, Encode, decode, encode};
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{StoredHeader, StoredTip};
use minichain_chain::transaction::Transaction;
use minichain_node::db::archive::Reader;
use minichain_protocol::saved::SavedPool;
use minichain_protocol::wire::{Request, Response};
use minichain_wallet::contents::Contents;
use minichain_wallet::file::{Cost, FileError, Sealed};

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

/// What a store keeps: a damaged disk is as bad as a stranger.
pub fn decode_stored(bytes: &[u8]) {
    let _ = check_canonical::<Coin>(bytes);
    let _ = check_canonical::<Undo>(bytes);
    let _ = check_canonical::<StoredHeader>(bytes);
    let _ = check_canonical::<StoredTip>(bytes);
}

/// An exported chain: what is read of it is what the file holds.
pub fn read_archive(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(bytes) else {
        return;
    };
    let mut read = 0;
    while let Ok(Some(block)) = reader.next_block() {
        read += block.len();
        assert!(read <= bytes.len(), "more than there is");
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

/// A wallet's file, and what is in it once the password has opened it. No
/// password is tried where a guess takes more than an instant.
pub fn wallet_file(bytes: &[u8]) {
    if let Ok(sealed) = Sealed::parse(bytes) {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = sealed.cost();
        let is_cheap = memory_kib <= 64 && passes <= 2;
        let is_refused = passes > 16 || lanes > 8 || memory_kib > 512 << 10;
        if is_cheap || is_refused {
            match sealed.open("another password") {
                Ok(_) => panic!("opened by a password that did not seal it"),
                Err(error) => assert!(
                    !is_refused || matches!(error, FileError::Cost(_)),
                    "a cost out of bounds was paid: {error}"
                ),
            }
        }
    }
    if let Ok(contents) = Contents::from_bytes(bytes) {
        let again = contents.to_bytes();
        assert_eq!(again.as_slice(), bytes, "a second byte form of one wallet");
    }
}

/// The file that keeps a mempool, with and without its checksum.
pub fn decode_saved_pool(bytes: &[u8]) {
    let _ = SavedPool::from_bytes(bytes, BlockHash::ZERO);
    let Some(content) = bytes.len().checked_sub(32).map(|end| &bytes[..end]) else {
        return;
    };
    if let Some(pool) = check_canonical::<SavedPool>(content) {
        let read = SavedPool::from_bytes(&pool.to_bytes(), pool.genesis);
        assert_eq!(read, Ok(pool));
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

/// A body of JSON-RPC: whatever it is, it gets an answer that is JSON.
pub fn rpc_body(bytes: &[u8]) {
    let answer = minichain_node::rpc::examine(bytes).to_string();
    let again: Result<serde_json::Value, _> = serde_json::from_str(&answer);
    assert!(again.is_ok(), "an answer that is not JSON: {answer}");
}
