//! Which branch counts: trees that grow at random, block by block, in the
//! chain's state and in the lessons.

use std::sync::Arc;

use minichain_api::genesis::DifficultyRule;
use minichain_chain::block::{Block, Header};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::merkle::transaction_root;
use minichain_chain::params::Params;
use minichain_chain::pow::Searcher;
use minichain_chain::script::Script;
use minichain_chain::state::{Acceptance, Moved, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use serde_json::{Value, json};

use super::header_json;
use crate::random::Random;

const BLOCKS: u32 = 120;

/// A network whose blocks cost some hundred hashes, harder ones where they came
/// quickly.
fn params() -> Params {
    let mut file = minichain_node::genesis::load(None).expect("it is built in");
    file.spacing_s = 10;
    file.future_limit_s = Some(30);
    file.difficulty = DifficultyRule::Asert {
        half_life_s: Some(300),
    };
    file.initial_hash_rate = 20.0;
    file.limit_factor = 8.0;
    minichain_node::genesis::params(&file).expect("a sound file")
}

/// An empty block on that parent, mined.
fn block(state: &State<MemoryStore>, parent: BlockHash, number: u32, late_s: u32) -> Block {
    let entry = state.tree().get(&parent).expect("a known parent");
    let height = Height(entry.height.0 + 1);
    let coinbase = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::coinbase(height, number.into(), b"learn"),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs: vec![TxOut {
            value: state.params().subsidy(height),
            script_pubkey: Script::op_return(b"nobody"),
        }],
        lock_time: 0,
    };
    let transactions = vec![coinbase];
    let mut header = Header {
        version: 4,
        previous: parent,
        merkle_root: transaction_root(&transactions).expect("a coinbase").root,
        time: UnixSeconds(entry.header.time.0 + late_s),
        bits: state.next_bits(&parent),
        nonce: 0,
    };
    let mut searcher = Searcher::new(&header).expect("sound bits");
    header.nonce = searcher.search(0..u32::MAX).expect("it is easy");
    Block {
        header,
        transactions,
    }
}

/// What the state says of a block, as the lessons say it.
fn told(acceptance: &Acceptance, state: &State<MemoryStore>) -> Value {
    let names = |blocks: &[Moved]| -> Vec<String> {
        let hashes = blocks.iter().map(|block| block.hash().to_string());
        hashes.collect()
    };
    let (kind, disconnected, connected) = match acceptance {
        Acceptance::TipChanged {
            disconnected,
            connected,
            ..
        } => ("tip", names(disconnected), names(connected)),
        Acceptance::SideBranch { .. } => ("side", Vec::new(), Vec::new()),
        Acceptance::Duplicate => ("known", Vec::new(), Vec::new()),
        Acceptance::Orphan { .. } => ("orphan", Vec::new(), Vec::new()),
        other => panic!("{other:?}"),
    };
    let tip = state.tip();
    json!({
        "kind": kind,
        "disconnected": disconnected,
        "connected": connected,
        "tip": tip.header.hash().to_string(),
        "work": hex::encode(&tip.chainwork.to_be_bytes()),
    })
}

#[test]
fn the_lessons_follow_the_branch_that_the_chain_follows() {
    let test = "the_lessons_follow_the_branch_that_the_chain_follows";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let params = params();
    let genesis = params.genesis_block().header;
    let mut state = State::open(params, MemoryStore::default()).expect("in memory");
    let mut hashes = vec![genesis.hash()];
    let (mut headers, mut wanted) = (Vec::new(), Vec::new());
    let now = UnixSeconds(u32::MAX - 1_000);
    for number in 0..BLOCKS {
        // Of the last few, so that branches race.
        let back = 1 + random.index(6.min(hashes.len()));
        let parent = hashes[hashes.len() - back];
        let late_s = [1, 9, 60][random.index(3)];
        let block = Arc::new(block(&state, parent, number, late_s));
        headers.push(header_json(&block.header));
        let acceptance = state.accept_block(block.clone(), now).expect("in memory");
        wanted.push(told(&acceptance, &state));
        hashes.push(block.hash());
        if number % 20 == 7 {
            headers.push(header_json(&block.header));
            let again = state.accept_block(block, now).expect("in memory");
            wanted.push(told(&again, &state));
        }
    }
    let orphan = Header {
        previous: BlockHash::from_bytes(random.bytes32()),
        ..genesis
    };
    headers.push(header_json(&orphan));
    let tip = wanted.last().cloned().unwrap_or_default();
    wanted.push(json!({
        "kind": "orphan", "disconnected": [], "connected": [], "tip": tip["tip"], "work": tip["work"],
    }));
    let reorgs = wanted
        .iter()
        .filter(|told| told["disconnected"] != json!([]));
    assert!(reorgs.count() >= 3, "too few reorganisations to tell");
    let found = page.eval(&format!(
        "followed({}, {})",
        header_json(&genesis),
        json!(headers)
    ));
    for (at, wanted) in wanted.iter().enumerate() {
        assert_eq!(&found[at], wanted, "block {at}");
    }
}
