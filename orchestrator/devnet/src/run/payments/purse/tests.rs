//! Payments checked by the chain's own rules.

use std::collections::BTreeSet;

use minichain_api::genesis::{Allocation, DifficultyRule, Reward};
use minichain_chain::block::Header;
use minichain_chain::codec::decode;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::pow::CompactTarget;
use minichain_chain::signature::verify_transaction;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{SEQUENCE_FINAL, Transaction, TxIn, Witness};

use super::*;

const COIN: u64 = 100_000_000;

/// Rules of a chain on which these accounts own 100 coins each.
pub fn genesis(accounts: &[&str]) -> GenesisFile {
    let allocation = |account: &&str| Allocation {
        account: (*account).to_owned(),
        amount: "100".into(),
        owner: Owner::PublicSeed("07".repeat(32)),
    };
    GenesisFile {
        network: "test".into(),
        address_prefix: "mini".into(),
        time_s: 0,
        spacing_s: 1,
        difficulty: DifficultyRule::Fixed {},
        initial_hash_rate: 1.0,
        limit_factor: 2.0,
        future_limit_s: None,
        reward: Reward::default(),
        coinbase_maturity: 100,
        block_weight_max: 4_000_000,
        allocations: accounts.iter().map(allocation).collect(),
    }
}

fn block(genesis: &GenesisFile) -> Block {
    let outputs = genesis.allocations.iter().map(|allocation| {
        let key = dev_account_key(&[7; 32], &allocation.account);
        TxOut {
            value: Amount::from_sat(100 * COIN),
            script_pubkey: Script::p2tr(&key.output_key()),
        }
    });
    Block {
        header: Header {
            version: 1,
            previous: BlockHash::ZERO,
            merkle_root: MerkleRoot::ZERO,
            time: UnixSeconds(0),
            bits: CompactTarget(0),
            nonce: 0,
        },
        transactions: vec![Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint::NULL,
                script_sig: Script::default(),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs: outputs.collect(),
            lock_time: 0,
        }],
    }
}

fn purse() -> Purse {
    let genesis = genesis(&["alice", "bob"]);
    Purse::of_genesis(&genesis, &block(&genesis))
}

/// The transaction, whose signatures and sums hold.
fn checked(draft: &Draft) -> Transaction {
    let bytes = hex::decode(&draft.hex).expect("hexadecimal");
    let transaction: Transaction = decode(&bytes).expect("a transaction");
    assert_eq!(transaction.txid().to_string(), draft.txid);
    let lock = Script::p2tr(&dev_account_key(&[7; 32], &draft.from).output_key());
    let spends: Vec<TxOut> = draft
        .spent
        .iter()
        .map(|coin| TxOut {
            value: Amount::from_sat(coin.sats),
            script_pubkey: lock.clone(),
        })
        .collect();
    verify_transaction(&transaction, &spends).expect("sound signatures");
    let inside: u64 = draft.spent.iter().map(|coin| coin.sats).sum();
    let outside: u64 = transaction
        .outputs
        .iter()
        .map(|output| output.value.to_sat())
        .sum();
    let fee = inside.checked_sub(outside).expect("nothing from nothing");
    assert!(
        fee >= transaction.vsize() / 10,
        "{fee} for {} vbytes",
        transaction.vsize()
    );
    transaction
}

fn homes(names: &[&str]) -> Vec<NodeName> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_payment_pays_and_its_change_comes_back() {
    let mut purse = purse();
    let draft = purse.pay("alice", "bob", 30 * COIN, "a").expect("funds");
    let transaction = checked(&draft);
    assert_eq!(transaction.outputs[0].value.to_sat(), 30 * COIN);
    purse.accepted(draft);
    assert_eq!(purse.coins_at("alice", "a"), 1);
    assert_eq!(purse.coins_at("bob", "a"), 1);
    checked(
        &purse
            .pay("alice", "bob", 60 * COIN, "a")
            .expect("its change"),
    );
}

#[test]
fn sides_of_a_partition_never_spend_the_same_coin() {
    let mut purse = purse();
    let split = purse.split("alice", &homes(&["a", "b"]), 3).expect("funds");
    checked(&split);
    purse.accepted(split);
    let mut spent = BTreeSet::new();
    for via in ["a", "b", "a", "b", "a", "b"] {
        let draft = purse.pay("alice", "bob", 1_000, via).expect("funds");
        for input in checked(&draft).inputs {
            assert!(spent.insert(input.previous_output), "spent twice");
        }
        purse.accepted(draft);
    }
    let reserve = purse.accounts["alice"].coins.count(None);
    assert_eq!(reserve, 1, "the reserve");
}

#[test]
fn a_refused_payment_gives_its_coins_back_until_they_are_given_up() {
    let mut purse = purse();
    for _ in 1..STRIKES_MAX {
        let draft = purse.pay("alice", "bob", COIN, "a").expect("funds");
        purse.refused(draft);
    }
    let draft = purse.pay("alice", "bob", COIN, "a").expect("still there");
    purse.refused(draft);
    assert!(matches!(
        purse.pay("alice", "bob", COIN, "a"),
        Err(PurseError::Short { .. })
    ));
}

#[test]
fn many_small_coins_pay_a_large_sum() {
    let mut purse = purse();
    let split = purse.split("alice", &homes(&["a"]), 50).expect("funds");
    purse.accepted(split);
    let draft = purse.pay("alice", "bob", 90 * COIN, "a").expect("together");
    assert!(checked(&draft).inputs.len() > 1);
    let short = purse.pay("alice", "bob", 90 * COIN, "a");
    assert!(matches!(short, Err(PurseError::Short { .. })), "{short:?}");
}

#[test]
fn too_much_and_unknown_accounts_are_refused_and_cost_nothing() {
    let mut purse = purse();
    let short = purse.pay("alice", "bob", 100 * COIN, "a");
    assert!(matches!(short, Err(PurseError::Short { .. })), "{short:?}");
    let stranger = purse
        .pay("alice", "mallory", COIN, "a")
        .expect_err("nobody");
    assert!(stranger.to_string().contains("alice, bob"), "{stranger}");
    assert!(purse.pay("mallory", "bob", COIN, "a").is_err());
    assert!(purse.pay("alice", "bob", u64::MAX, "a").is_err());
    checked(&purse.pay("alice", "bob", COIN, "a").expect("all is there"));
}

#[test]
fn accounts_without_a_public_seed_are_none_of_ours() {
    let mut file = genesis(&["alice"]);
    file.allocations[0].owner = Owner::Address("mini1xyz".into());
    assert!(Purse::of_genesis(&file, &block(&file)).names().is_empty());
}
