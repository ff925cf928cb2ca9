//! Payments checked by the chain's own rules.

use minichain_chain::block::Header;
use minichain_chain::hash::{BlockHash, MerkleRoot, Txid};
use minichain_chain::pow::CompactTarget;
use minichain_chain::signature::verify_transaction;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, TxIn, Witness};

use super::*;
use crate::contents::Network;
use crate::keyring::{Branch, Place};
use crate::pending::Chain;
use crate::phrase::Phrase;

const RATE: FeeRate = FeeRate::from_sat_per_kvb(1_000);
const CHAIN: Chain = Chain {
    tip: Height(1),
    maturity: 100,
};

/// A wallet with coins of these values at height 1.
fn with_coins(values: &[u64]) -> Wallet {
    let mut wallet = Wallet::new(&[4; 32], Vec::new()).unwrap();
    let place = |index| Place {
        branch: Branch::Receive,
        index,
    };
    let outputs = values.iter().zip(0..).map(|(sats, at)| TxOut {
        value: Amount::from_sat(*sats),
        script_pubkey: Script::p2tr(&wallet.keyring.key(place(at % 3)).unwrap().output_key()),
    });
    let transaction = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint {
                txid: Txid::from_bytes([9; 32]),
                vout: 0,
            },
            script_sig: Script::default(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs: outputs.collect(),
        lock_time: 0,
    };
    let block = Block {
        header: Header {
            version: 1,
            previous: BlockHash::ZERO,
            merkle_root: MerkleRoot::ZERO,
            time: UnixSeconds(1),
            bits: CompactTarget(0),
            nonce: 0,
        },
        transactions: vec![transaction],
    };
    wallet.apply(&block, Height(1)).unwrap();
    wallet
}

fn stranger() -> Address {
    let key = SecretKey::from_bytes([0x55; 32]).unwrap();
    Address::new("mini", key.output_key()).unwrap()
}

fn outlook(wallet: &Wallet, waiting: &[&Transaction]) -> Outlook {
    let waiting = waiting.iter().copied();
    Outlook::new(&wallet.ledger, &wallet.keyring, waiting, CHAIN)
}

/// Signatures hold, and what goes in comes out, with the fee as told.
fn check(wallet: &Wallet, outlook: &Outlook, draft: &Draft) {
    let transaction = &draft.transaction;
    let spent: Vec<TxOut> = transaction
        .inputs
        .iter()
        .map(|input| {
            let coins = &mut outlook.coins.iter();
            let coin = coins.find(|coin| coin.outpoint == input.previous_output);
            wallet.spend(coin.unwrap()).unwrap().output
        })
        .collect();
    assert_eq!(verify_transaction(transaction, &spent), Ok(()));
    let sum = |outputs: &[TxOut]| {
        outputs
            .iter()
            .map(|output| output.value.to_sat())
            .sum::<u64>()
    };
    let (fee, out) = (draft.fee.to_sat(), sum(&transaction.outputs));
    assert_eq!(sum(&spent), out + fee);
    assert!(fee >= RATE.fee(transaction.vsize()).to_sat());
    assert_eq!(
        out,
        draft.amount.to_sat() + draft.change.map_or(0, Amount::to_sat)
    );
    let to = stranger().script_pubkey();
    let paid = transaction
        .outputs
        .iter()
        .find(|output| output.script_pubkey == to);
    assert_eq!(paid.unwrap().value, draft.amount);
}

#[test]
fn payments_are_valid_whatever_the_coins() {
    let wallet = with_coins(&[5_000, 20_000, 700, 90_000]);
    let outlook = outlook(&wallet, &[]);
    let exactly = |sats| Sum::Exactly(Amount::from_sat(sats));
    let included = |sats| Sum::FeeIncluded(Amount::from_sat(sats));
    for sum in [
        exactly(330),
        exactly(19_888),
        exactly(100_000),
        included(5_000),
        included(20_000),
        included(115_000),
        Sum::All,
    ] {
        for noise in [[0; 32], [1; 32]] {
            let draft = wallet
                .pay(&outlook, &stranger(), sum, RATE, &noise)
                .unwrap();
            check(&wallet, &outlook, &draft);
            match sum {
                Sum::Exactly(amount) => assert_eq!(draft.amount, amount),
                Sum::FeeIncluded(amount) => assert!(draft.amount < amount),
                Sum::All => assert_eq!(draft.change, None),
            }
        }
    }
}

#[test]
fn too_little_and_dust_are_refused() {
    let wallet = with_coins(&[1_000]);
    let outlook = outlook(&wallet, &[]);
    let pay = |sum| {
        wallet
            .pay(&outlook, &stranger(), sum, RATE, &[0; 32])
            .unwrap_err()
    };
    let exactly = |sats| Sum::Exactly(Amount::from_sat(sats));
    let why = pay(exactly(889)).to_string();
    assert!(why.contains("0.00001 coins can be spent"), "{why}");
    assert_eq!(pay(exactly(329)), PayError::Dust(Amount::from_sat(329)));
    let why = pay(Sum::FeeIncluded(Amount::from_sat(400)));
    assert!(matches!(why, PayError::Dust(_)), "{why}");
}

#[test]
fn change_that_waits_is_spent_only_where_it_must() {
    let wallet = with_coins(&[50_000, 10_000]);
    let first = outlook(&wallet, &[]);
    let pay = |outlook: &Outlook, sats| {
        let sum = Sum::Exactly(Amount::from_sat(sats));
        wallet.pay(outlook, &stranger(), sum, RATE, &[0; 32])
    };
    let paid = pay(&first, 20_000).unwrap();
    let then = outlook(&wallet, &[&paid.transaction]);
    let small = pay(&then, 5_000).unwrap();
    let spent = |draft: &Draft| draft.transaction.inputs[0].previous_output;
    assert_ne!(spent(&small).txid, paid.transaction.txid());
    let large = pay(&then, 25_000).unwrap();
    assert_eq!(spent(&large).txid, paid.transaction.txid());
    check(&wallet, &then, &large);
}

#[test]
fn a_file_brings_back_keys_coins_and_the_gap() {
    let mut wallet = with_coins(&[5_000, 6_000, 7_000]);
    let given = wallet.keyring.next_receive().unwrap();
    assert_eq!(given.index, 3);
    let contents = Contents {
        phrase: Phrase::from_entropy(&[6; 32]).unwrap(),
        network: Network {
            name: "test".into(),
            prefix: "mini".into(),
            genesis: BlockHash::ZERO,
        },
        birthday: Height(0),
        used: wallet.keyring.used(),
        ledger: wallet.ledger.clone(),
    };
    let mut again = Wallet::of_contents(&contents).unwrap();
    assert_eq!(again.ledger, wallet.ledger);
    assert_eq!(again.keyring.used(), [4, 0]);
    assert_eq!(again.keyring.waiting_receive(), Some(given));
    // Twenty behind the last that was paid, of which one is given out.
    for _ in 0..19 {
        again.keyring.next_receive().unwrap();
    }
    assert_eq!(again.keyring.next_receive(), Err(KeyError::Gap));
}
