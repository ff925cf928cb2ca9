//! The seeds are also the golden bytes of every format: changing a format is an
//! explicit act, done with `BLESS_SEEDS=1 cargo test -p minichain-tests`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_chain::address::Address;
use minichain_chain::block::Block;
use minichain_chain::codec::{Encode, decode, encode};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_protocol::limits::PROTOCOL_VERSION;
use minichain_protocol::wire::{GetBlocks, GetHeaders, Request, Response, Status, Text};

#[test]
fn formats_are_the_committed_ones() {
    let bless = env::var_os("BLESS_SEEDS").is_some();
    for (target, name, bytes) in golden() {
        let path = folder().join(target).join(name);
        if bless {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for seeds");
            fs::write(&path, &bytes).expect("a seed can be written");
        }
        let committed = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            committed, bytes,
            "the format behind {target}/{name} changed"
        );
    }
}

/// Target, name and bytes of a seed.
type Seed = (&'static str, &'static str, Vec<u8>);

fn golden() -> Vec<Seed> {
    let genesis = real_block("mainnet_0.hex");
    let payment = real_block("mainnet_170.hex");
    let witness = real_block("testnet3_1263442.hex");
    let address = Address::new("mini", [0x79; 32])
        .expect("a valid prefix")
        .to_string();
    let hash = genesis.hash();
    vec![
        ("decode_address", "taproot", address.into_bytes()),
        ("decode_block", "genesis", encode(&genesis)),
        ("decode_block", "payment", encode(&payment)),
        ("decode_block", "witness", encode(&witness)),
        ("decode_header", "genesis", encode(&genesis.header)),
        ("decode_header", "payment", encode(&payment.header)),
        (
            "decode_transaction",
            "coinbase",
            encode(&genesis.transactions[0]),
        ),
        (
            "decode_transaction",
            "payment",
            encode(&payment.transactions[1]),
        ),
        ("decode_transaction", "witness", last_transaction(&witness)),
        (
            "decode_request",
            "status",
            encode(&Request::Status(status(hash))),
        ),
        ("decode_request", "headers", encode(&get_headers(hash))),
        ("decode_request", "blocks", encode(&get_blocks(hash))),
        (
            "decode_response",
            "status",
            encode(&Response::Status(status(hash))),
        ),
        (
            "decode_response",
            "headers",
            encode(&headers(&[&genesis, &payment])),
        ),
        (
            "decode_response",
            "blocks",
            encode(&Response::Blocks(vec![Arc::new(payment)])),
        ),
    ]
}

fn status(genesis: BlockHash) -> Status {
    Status {
        protocol_version: PROTOCOL_VERSION,
        network: Text::lossy("golden"),
        genesis,
        tip: genesis,
        height: Height(7),
        chainwork: minichain_chain::pow::Chainwork::ZERO,
        user_agent: Text::lossy("/golden:1.0/"),
    }
}

fn get_headers(hash: BlockHash) -> Request {
    Request::Headers(GetHeaders {
        locator: vec![hash, BlockHash::ZERO],
        stop: BlockHash::ZERO,
    })
}

fn get_blocks(hash: BlockHash) -> Request {
    Request::Blocks(GetBlocks {
        hashes: vec![hash, BlockHash::ZERO],
    })
}

fn headers(blocks: &[&Block]) -> Response {
    Response::Headers(blocks.iter().map(|block| block.header).collect())
}

fn last_transaction(block: &Block) -> Vec<u8> {
    let last = block
        .transactions
        .last()
        .expect("a block has a transaction");
    assert!(last.encoded_len() > 60, "a whole transaction");
    encode(last)
}

fn real_block(file: &str) -> Block {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../node/chain/tests/vectors/blocks")
        .join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    decode(&hex::decode(text.trim()).expect("hexadecimal")).expect("a real block")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}
