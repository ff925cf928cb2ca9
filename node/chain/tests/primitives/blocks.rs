//! Real Bitcoin blocks through our header, work, merkle and transaction code.

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{decode, encode};
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::merkle::{
    find_witness_commitment, transaction_root, witness_commitment, witness_root,
};
use minichain_chain::pow::{Chainwork, Searcher, U256};

use crate::oracle;

const MAINNET_0: &str = include_str!("../vectors/blocks/mainnet_0.hex");
const MAINNET_170: &str = include_str!("../vectors/blocks/mainnet_170.hex");
const TESTNET_926485: &str = include_str!("../vectors/blocks/testnet3_926485.hex");
const TESTNET_1263442: &str = include_str!("../vectors/blocks/testnet3_1263442.hex");

#[test]
fn the_genesis_block_is_bitcoins() {
    let block = read(&from_hex(MAINNET_0));
    check(
        &block,
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    );
    assert_eq!(
        oracle::block(&block),
        bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin)
    );
    assert_eq!(
        block.header.merkle_root.to_string(),
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    );
    // As every explorer shows it for height 0.
    let work = block.header.bits.to_target().expect("real bits").work();
    assert_eq!(work, Chainwork::from_u256(U256::from(0x1_0001_0001_u64)));
    assert!(block.transactions[0].is_coinbase());
}

#[test]
fn the_first_payment_keeps_its_name() {
    let block = read(&from_hex(MAINNET_170));
    check(
        &block,
        "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee",
    );
    let [coinbase, payment] = &block.transactions[..] else {
        panic!("two transactions")
    };
    assert_eq!(
        coinbase.txid().to_string(),
        "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082"
    );
    assert_eq!(
        payment.txid().to_string(),
        "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    );
    assert_eq!(payment.outputs[0].value.to_string(), "10");
}

#[test]
fn blocks_with_witnesses_commit_to_them() {
    let block = read(&from_hex(TESTNET_926485));
    check(
        &block,
        "000000000000015d6077a411a8f5cc95caf775ccf11c54e27df75ce58d187313",
    );
    check_commitment(&block);
    check_height(&block, 926_485);

    let block = read(&from_hex(TESTNET_1263442));
    check(
        &block,
        "000000006f27ddfe1dd680044a34548f41bed47eba9e6f0b310da21423bc5f33",
    );
    check_commitment(&block);
    check_height(&block, 1_263_442);
}

#[test]
fn a_full_block_of_the_main_net_passes() {
    let bytes = bitcoin_test_data::blocks::mainnet_702861();
    let block = read(bytes);
    check(
        &block,
        "000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae",
    );
    check_commitment(&block);
    check_height(&block, 702_861);
    assert_eq!(block.transactions.len(), 2_500);
    assert_eq!(block.total_size(), 1_381_836);
    assert_eq!(block.weight(), 3_993_054);
}

#[test]
fn a_changed_witness_breaks_the_commitment_but_not_the_header() {
    let mut block = read(&from_hex(TESTNET_1263442));
    block.transactions[1].inputs[0].witness.0[0][5] ^= 1;
    let tree = transaction_root(&block.transactions).expect("not empty");
    assert_eq!(tree.root, block.header.merkle_root);
    assert_ne!(
        commitment_of(&block),
        find_witness_commitment(&block.transactions[0])
    );
}

#[test]
fn the_search_finds_the_nonce_of_the_genesis_block() {
    let mut header = read(&from_hex(MAINNET_0)).header;
    let nonce = std::mem::take(&mut header.nonce);
    let mut searcher = Searcher::new(&header).expect("real bits");
    assert_eq!(searcher.search(nonce - 1_000..nonce), None);
    assert_eq!(searcher.search(nonce - 1_000..nonce + 1_000), Some(nonce));
}

fn from_hex(text: &str) -> Vec<u8> {
    hex::decode(text.trim()).expect("vector files hold hexadecimal text")
}

fn read(bytes: &[u8]) -> Block {
    let block: Block = decode(bytes).expect("a real block");
    assert_eq!(encode(&block), bytes);
    block
}

/// Everything that can be said of a block without its ancestors, twice: by
/// our code and by the `bitcoin` crate.
fn check(block: &Block, hash: &str) {
    assert_eq!(block.hash().to_string(), hash);
    let target = block.header.bits.to_target().expect("real bits");
    assert!(target.is_met_by(&block.hash()));
    assert_eq!(target.to_compact(), block.header.bits);
    let tree = transaction_root(&block.transactions).expect("not empty");
    assert_eq!((tree.root, tree.mutated), (block.header.merkle_root, false));
    assert_eq!(decode::<Header>(&encode(&block.header)), Ok(block.header));

    let theirs: bitcoin::Block =
        bitcoin::consensus::deserialize(&encode(block)).expect("a real block");
    assert_eq!(oracle::block(block), theirs);
    assert_eq!(block.weight(), theirs.weight().to_wu());
    assert!(theirs.check_merkle_root() && theirs.check_witness_commitment());
    assert_eq!(
        target.work().to_be_bytes(),
        theirs.header.work().to_be_bytes()
    );
    for (ours, theirs) in block.transactions.iter().zip(&theirs.txdata) {
        assert_eq!(ours.txid().to_string(), theirs.compute_txid().to_string());
        assert_eq!(ours.wtxid().to_string(), theirs.compute_wtxid().to_string());
        assert_eq!(ours.weight(), theirs.weight().to_wu());
    }
}

fn check_commitment(block: &Block) {
    let found = find_witness_commitment(&block.transactions[0]);
    assert!(found.is_some());
    assert_eq!(commitment_of(block), found);
}

fn commitment_of(block: &Block) -> Option<[u8; 32]> {
    let reserved = &block.transactions[0].inputs[0].witness.items()[0];
    let reserved: [u8; 32] = reserved.as_slice().try_into().expect("32 bytes");
    Some(witness_commitment(
        &witness_root(&block.transactions)?,
        &reserved,
    ))
}

fn check_height(block: &Block, height: u32) {
    let script = &block.transactions[0].inputs[0].script_sig;
    assert_eq!(script.coinbase_height(), Some(Height(height)));
}
