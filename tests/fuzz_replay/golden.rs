//! The seeds are also the golden bytes of every format: changing a format is an
//! explicit act, done with `BLESS_SEEDS=1 cargo test -p minichain-tests`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_chain::address::Address;
use minichain_chain::block::Block;
use minichain_chain::codec::{Encode, decode, encode};
use minichain_chain::coins::{Coin, CoinStats, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::store::{Status as BlockStatus, StoredHeader, StoredTip};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;
use minichain_node::db::archive::Writer;
use minichain_protocol::limits::PROTOCOL_VERSION;
use minichain_protocol::saved::{SavedPool, SavedTransaction};
use minichain_protocol::wire::{
    GetBlocks, GetHeaders, GetInventory, GetTransactions, Inventory, Request, Response, Standing,
    Status, Text,
};
use minichain_wallet::contents::{Contents, Network};
use minichain_wallet::file::{Cost, Key};
use minichain_wallet::keyring::{Branch, Place};
use minichain_wallet::ledger::{Ledger, Owned};
use minichain_wallet::phrase::Phrase;

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
    let spend = Arc::new(payment.transactions[1].clone());
    let mut seeds = vec![
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
        ("decode_transaction", "payment", encode(spend.as_ref())),
        ("decode_transaction", "witness", last_transaction(&witness)),
        ("decode_saved_pool", "one", saved_pool(hash, spend.clone())),
    ];
    seeds.extend(stored(&payment).map(|(name, bytes)| ("decode_stored", name, bytes)));
    seeds.push(("read_archive", "two", archive(&[&genesis, &payment])));
    seeds.extend(wallets(&spend).map(|(name, bytes)| ("wallet_file", name, bytes)));
    let requests = requests(hash, &spend).map(|(name, r)| ("decode_request", name, encode(&r)));
    let responses = responses(&genesis, payment, spend);
    let responses = responses.map(|(name, r)| ("decode_response", name, encode(&r)));
    seeds.extend(requests);
    seeds.extend(responses);
    seeds
}

/// An exported chain with these blocks.
fn archive(blocks: &[&Block]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), BlockHash::ZERO).expect("memory");
    for block in blocks {
        writer.block(block.hash(), &encode(*block)).expect("memory");
    }
    writer.finish().expect("memory").0
}

/// One record of each kind that a store keeps.
fn stored(block: &Block) -> [(&'static str, Vec<u8>); 4] {
    let coin = Coin {
        output: block.transactions[1].outputs[0].clone(),
        height: Height(170),
        is_coinbase: false,
    };
    let header = StoredHeader {
        header: block.header,
        sequence: 170,
        status: BlockStatus::Valid,
    };
    let undo = Undo {
        spent: vec![coin.clone()],
    };
    let tip = StoredTip::new(block.hash(), &CoinStats::default());
    [
        ("coin", encode(&coin)),
        ("undo", encode(&undo)),
        ("header", encode(&header)),
        ("tip", encode(&tip)),
    ]
}

/// A wallet that was paid once, open and sealed.
fn wallets(paid: &Transaction) -> [(&'static str, Vec<u8>); 2] {
    let place = Place {
        branch: Branch::Receive,
        index: 0,
    };
    let coin = Owned {
        value: paid.outputs[0].value,
        place,
        height: Height(170),
        is_coinbase: false,
        spent: None,
    };
    let contents = Contents {
        phrase: Phrase::from_entropy(&[7; 16]).expect("16 bytes make a phrase"),
        network: Network {
            name: "golden".into(),
            prefix: "mini".into(),
            genesis: BlockHash::ZERO,
        },
        birthday: Height(160),
        used: [1, 0],
        ledger: Ledger::of_coins([(paid.outpoint(0), coin)]),
    };
    let open = contents.to_bytes();
    let cheap = Cost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    let key = Key::derive("golden", cheap, [1; 16]).expect("a cost within bounds");
    let sealed = key.seal(&open, [2; 24]);
    [("open", open.to_vec()), ("sealed", sealed)]
}

fn requests(hash: BlockHash, spend: &Transaction) -> [(&'static str, Request); 6] {
    let inventory = GetInventory {
        digest: [7; 32],
        from: 2_000,
    };
    let transactions = GetTransactions {
        txids: vec![spend.txid()],
    };
    [
        ("status", Request::Status(status(hash))),
        ("headers", get_headers(hash)),
        ("blocks", get_blocks(hash)),
        ("inventory", Request::Inventory(inventory)),
        ("transactions", Request::Transactions(transactions)),
        ("standing", Request::Standing(standing(hash))),
    ]
}

fn responses(
    genesis: &Block,
    payment: Block,
    spend: Arc<Transaction>,
) -> [(&'static str, Response); 6] {
    let inventory = Inventory {
        txids: vec![spend.txid()],
        next: 2_001,
    };
    [
        ("status", Response::Status(status(genesis.hash()))),
        ("headers", headers(&[genesis, &payment])),
        ("blocks", Response::Blocks(vec![Arc::new(payment)])),
        ("inventory", Response::Inventory(inventory)),
        ("transactions", Response::Transactions(vec![spend])),
        ("standing", Response::Standing(standing(genesis.hash()))),
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

fn standing(genesis: BlockHash) -> Standing {
    Standing {
        status: status(genesis),
        pool: [8; 32],
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

fn saved_pool(genesis: BlockHash, transaction: Arc<Transaction>) -> Vec<u8> {
    let entry = SavedTransaction {
        time: UnixSeconds(1_700_000_000),
        is_own: true,
        transaction,
    };
    let entries = vec![entry];
    SavedPool { genesis, entries }.to_bytes()
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
