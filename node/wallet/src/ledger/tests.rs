//! Blocks in, blocks out again.

use minichain_chain::block::Header;
use minichain_chain::hash::MerkleRoot;
use minichain_chain::pow::CompactTarget;
use minichain_chain::script::Script;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{SEQUENCE_FINAL, TxIn, TxOut, Witness};

use super::*;
use crate::keyring::Branch;
use crate::pending::{Balance, Chain, CoinState, Outlook};

const STRANGER: [u8; 32] = [0xee; 32];

fn keyring() -> Keyring {
    Keyring::new(&[5; 32], Vec::new()).unwrap()
}

fn lock(keyring: &Keyring, branch: Branch, index: u32) -> Script {
    Script::p2tr(&keyring.key(Place { branch, index }).unwrap().output_key())
}

fn transaction(spends: &[OutPoint], pays: &[(Script, u64)]) -> Transaction {
    let input = |place: &OutPoint| TxIn {
        previous_output: *place,
        script_sig: Script::default(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    };
    Transaction {
        version: 2,
        inputs: spends.iter().map(input).collect(),
        outputs: pays
            .iter()
            .map(|(lock, sats)| TxOut {
                value: Amount::from_sat(*sats),
                script_pubkey: lock.clone(),
            })
            .collect(),
        lock_time: 0,
    }
}

fn foreign(number: u32) -> OutPoint {
    OutPoint {
        txid: Txid::from_bytes([0xaa; 32]),
        vout: number,
    }
}

fn block(time_s: u32, transactions: Vec<Transaction>) -> Block {
    Block {
        header: Header {
            version: 1,
            previous: BlockHash::ZERO,
            merkle_root: MerkleRoot::ZERO,
            time: UnixSeconds(time_s),
            bits: CompactTarget(0),
            nonce: 0,
        },
        transactions,
    }
}

fn balance(ledger: &Ledger, keyring: &Keyring, waiting: &[&Transaction], tip: u32) -> Balance {
    let chain = Chain {
        tip: Height(tip),
        maturity: 100,
    };
    Outlook::new(ledger, keyring, waiting.iter().copied(), chain).balance()
}

fn sats(amount: u64) -> Amount {
    Amount::from_sat(amount)
}

/// Paid 1,000 at height 1, from which 300 go out at height 2 with 20 of fee.
fn story() -> (Ledger, Keyring, [Block; 2]) {
    let mut keyring = keyring();
    let mut ledger = Ledger::default();
    let paid = transaction(
        &[foreign(0)],
        &[(lock(&keyring, Branch::Receive, 0), 1_000)],
    );
    let first = block(10, vec![paid.clone()]);
    let change = lock(&keyring, Branch::Change, 0);
    let pays = [(Script::p2tr(&STRANGER), 300), (change, 680)];
    let second = block(20, vec![transaction(&[paid.outpoint(0)], &pays)]);
    for (block, height) in [(&first, 1), (&second, 2)] {
        ledger.apply(block, Height(height), &mut keyring).unwrap();
        ledger.note_seen(Height(height), block.hash());
    }
    (ledger, keyring, [first, second])
}

#[test]
fn payments_in_and_out_add_up() {
    let (ledger, keyring, _) = story();
    assert_eq!(balance(&ledger, &keyring, &[], 2).confirmed, sats(680));
    let [earned, paid] = ledger.entries() else {
        panic!("two entries: {:?}", ledger.entries());
    };
    assert_eq!((earned.received, earned.spent), (sats(1_000), Amount::ZERO));
    assert_eq!((earned.fee, earned.time_s), (None, 10));
    assert!(earned.paid_to.is_empty());
    assert_eq!((paid.received, paid.spent), (sats(680), sats(1_000)));
    assert_eq!(paid.fee, Some(sats(20)));
    assert_eq!(paid.paid_to, [(STRANGER, sats(300))]);
}

#[test]
fn a_branch_is_taken_back_whole() {
    let (mut ledger, mut keyring, [_, second]) = story();
    let before = ledger.clone();
    ledger.rewind(Height(1));
    assert_eq!(balance(&ledger, &keyring, &[], 1).confirmed, sats(1_000));
    assert_eq!(ledger.entries().len(), 1);
    assert_eq!(ledger.tip().map(|(height, _)| height), Some(Height(1)));
    // The same block, or the same twice, brings everything back once.
    for _ in 0..2 {
        ledger.apply(&second, Height(2), &mut keyring).unwrap();
        ledger.note_seen(Height(2), second.hash());
        assert_eq!(ledger, before);
    }
}

#[test]
fn rewards_have_to_mature_and_allocations_do_not() {
    let mut keyring = keyring();
    let mut ledger = Ledger::default();
    let own = lock(&keyring, Branch::Receive, 0);
    let mut reward = transaction(&[OutPoint::NULL], &[(own, 50)]);
    ledger
        .apply(&block(0, vec![reward.clone()]), Height(0), &mut keyring)
        .unwrap();
    reward.lock_time = 5;
    ledger
        .apply(&block(5, vec![reward]), Height(5), &mut keyring)
        .unwrap();
    let young = balance(&ledger, &keyring, &[], 103);
    assert_eq!((young.confirmed, young.immature), (sats(50), sats(50)));
    // The block after height 104 is 105: then it may be spent.
    let ripe = balance(&ledger, &keyring, &[], 104);
    assert_eq!((ripe.confirmed, ripe.immature), (sats(100), Amount::ZERO));
    assert!(!ledger.entries()[0].is_coinbase && ledger.entries()[1].is_coinbase);
}

#[test]
fn gap_grows_while_a_block_is_read() {
    let mut keyring = keyring();
    let mut ledger = Ledger::default();
    // The later key stands first in the block and is out of the gap at first.
    let later = lock(&keyring, Branch::Receive, 35);
    let nearer = lock(&keyring, Branch::Receive, 19);
    let payments = vec![
        transaction(&[foreign(0)], &[(later, 7)]),
        transaction(&[foreign(1)], &[(nearer, 5)]),
    ];
    let block = block(1, payments);
    assert_eq!(ledger.apply(&block, Height(1), &mut keyring), Ok(true));
    assert_eq!(balance(&ledger, &keyring, &[], 1).confirmed, sats(12));
    assert_eq!(keyring.used(), [36, 0]);
}

#[test]
fn waiting_payments_stand_on_their_own() {
    let (ledger, keyring, [_, second]) = story();
    let coin = second.transactions[0].outpoint(1);
    let change = lock(&keyring, Branch::Change, 1);
    let spend = transaction(
        &[coin],
        &[(Script::p2tr(&STRANGER), 100), (change.clone(), 570)],
    );
    let again = transaction(&[spend.outpoint(1)], &[(change, 560)]);
    let gift = transaction(&[foreign(3)], &[(lock(&keyring, Branch::Receive, 1), 9)]);
    let expected = Balance {
        confirmed: Amount::ZERO,
        unconfirmed: sats(569),
        change: sats(560),
        immature: Amount::ZERO,
    };
    // In whatever order they are told.
    for waiting in [[&spend, &again, &gift], [&gift, &again, &spend]] {
        assert_eq!(balance(&ledger, &keyring, &waiting, 2), expected);
    }
    let chain = Chain {
        tip: Height(2),
        maturity: 100,
    };
    let outlook = Outlook::new(&ledger, &keyring, [&gift, &spend], chain);
    let spendable: Vec<_> = outlook.spendable(true).collect();
    assert_eq!(spendable.len(), 1, "a stranger's gift is not spent yet");
    assert_eq!(spendable[0].state, CoinState::Change);
    assert_eq!(outlook.waiting.len(), 2);
    assert_eq!(outlook.waiting[1].fee, Some(sats(10)));
}

#[test]
fn remembered_blocks_thin_out_downwards() {
    let mut ledger = Ledger::default();
    for height in 0..5_000 {
        ledger.note_seen(Height(height), BlockHash::from_bytes([1; 32]));
    }
    let seen: Vec<u32> = ledger.seen().map(|(height, _)| height.0).collect();
    assert!(seen.len() <= RECENT_MAX + 14, "{seen:?}");
    let recent: Vec<u32> = (4_988..5_000).rev().collect();
    assert_eq!(seen[..12], recent[..], "{seen:?}");
    // Whatever the depth of a branch, at most as much again is looked through.
    for pair in seen.windows(2) {
        let (near, far) = (4_999 - pair[0], 4_999 - pair[1]);
        assert!(far <= near.max(12) * 4, "{seen:?}");
    }
}
