//! Headers, targets, work, and blocks that lessons mine.

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::decode;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::merkle::{merkle_root, transaction_root};
use minichain_chain::pow::{CompactTarget, Target, U256};
use minichain_chain::rules;
use minichain_chain::time::UnixSeconds;
use serde_json::{Value, json};

use super::header_json;
use crate::random::Random;

/// The limit that the harness has.
fn limit() -> Target {
    Target::new(U256::ONE << 255_u32).expect("not zero")
}

fn header(random: &mut Random, bits: u32) -> Header {
    Header {
        version: i32::try_from(random.below(1 << 30)).expect("it fits"),
        previous: BlockHash::from_bytes(random.bytes32()),
        merkle_root: MerkleRoot::from_bytes(random.bytes32()),
        time: UnixSeconds(random.word()),
        bits: CompactTarget(bits),
        nonce: random.word(),
    }
}

/// What the chain says of a header.
fn facts(header: &Header) -> Value {
    let target = header.bits.to_target();
    let work = |target: Target| hex::encode(&target.work().to_be_bytes());
    let flaw = rules::header::check_proof_of_work(header, limit()).err();
    json!({
        "bytes": hex::encode(&header.to_bytes()),
        "name": header.hash().to_string(),
        "target": target.as_ref().ok().map(ToString::to_string),
        "work": target.as_ref().ok().map(|target| work(*target)),
        "bits": target.as_ref().ok().map(|target| target.to_compact().0),
        "flaw": flaw.map(|flaw| flaw.rule()),
    })
}

#[test]
fn headers_targets_and_work_are_those_of_the_chain() {
    let test = "headers_targets_and_work_are_those_of_the_chain";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let edges = [
        0,
        0x0100_3456,
        0x0112_3456,
        0x0200_8000,
        0x0300_0001,
        0x0412_3456,
        0x0492_3456,
        0x0500_9234,
        0x1d00_ffff,
        0x1f0f_ffff,
        0x207f_ffff,
        0x2100_ffff,
        0x2200_00ff,
        0x2300_0001,
        0xff12_3456,
        0x0180_0000,
        0x01fe_dcba,
        0x20ff_ffff,
    ];
    let mut all: Vec<u32> = edges.to_vec();
    for _ in 0..150 {
        let length = u32::try_from(random.below(36)).expect("it fits");
        all.push(length << 24 | random.word() >> 8);
        // Targets that about every other hash meets.
        all.push(0x2000_ffff | (random.word() & 0x7f_0000));
    }
    let headers: Vec<Header> = all.iter().map(|bits| header(&mut random, *bits)).collect();
    let wanted: Vec<Value> = headers.iter().map(facts).collect();
    let flaws = |rule: Value| wanted.iter().filter(|facts| facts["flaw"] == rule).count();
    assert!(flaws(Value::Null) > 10 && flaws("proof_of_work".into()) > 10);
    assert!(flaws("bits_malformed".into()) > 10);
    let told: Vec<Value> = headers.iter().map(header_json).collect();
    let found = page.eval(&format!("headers({})", json!(told)));
    for (at, wanted) in wanted.iter().enumerate() {
        assert_eq!(&found[at], wanted, "{}", told[at]);
    }
}

#[test]
fn merkle_roots_are_those_of_the_chain() {
    let test = "merkle_roots_are_those_of_the_chain";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let lists: Vec<Vec<[u8; 32]>> = (1..20)
        .map(|count| (0..count).map(|_| random.bytes32()).collect())
        .collect();
    let wanted: Vec<String> = lists
        .iter()
        .map(|leaves| merkle_root(leaves).expect("leaves").root)
        .map(|root| hex::encode(root.as_bytes()))
        .collect();
    let told: Vec<Vec<String>> = lists
        .iter()
        .map(|leaves| leaves.iter().map(|leaf| hex::encode(leaf)).collect())
        .collect();
    assert_eq!(page.eval(&format!("roots({})", json!(told))), json!(wanted));
}

#[test]
fn blocks_that_lessons_mine_obey_the_rules_of_the_chain() {
    let test = "blocks_that_lessons_mine_obey_the_rules_of_the_chain";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    for height in [0, 1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 8_388_608] {
        let tag = "Alice pays Bob: 5 coins, and more. ".repeat(random.index(4));
        let asked = json!({
            "header": header_json(&header(&mut random, 0x1f7f_ffff)),
            "height": height,
            "tag": tag,
            "value": "5000000000",
            "key": hex::encode(&random.key().output_key()),
        });
        let told = page.eval(&format!("minedBlock({asked})"));
        let bytes = hex::decode(told.as_str().expect("hexadecimal")).expect("hexadecimal");
        let block: Block = decode(&bytes).expect("a block of the chain");
        rules::block::check_form(&block, 4_000_000).expect("a sound block");
        rules::block::check_chain_form(&block).expect("a sound block of this chain");
        rules::block::check_coinbase_height(&block, Height(height)).expect("its height");
        rules::header::check_proof_of_work(&block.header, limit()).expect("work");
        let root = transaction_root(&block.transactions)
            .expect("a coinbase")
            .root;
        assert_eq!(block.header.merkle_root, root);
        // Of a long text as much as there is room for.
        let script = &block.transactions[0].inputs[0].script_sig;
        let kept = &tag.as_bytes()[..tag.len().min(75)];
        assert!(script.as_bytes().ends_with(kept), "{script:?}");
    }
}
