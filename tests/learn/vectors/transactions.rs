//! Ids, what is signed, signatures, and why a transfer is refused.

use minichain_chain::amount::{Amount, MAX_MONEY};
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::rules::transaction::{self as rules, TransactionError};
use minichain_chain::script::Script;
use minichain_chain::signature::{
    SecretKey, SighashCache, SighashType, sign_input, verify_input, verify_transaction,
};
use minichain_chain::transaction::{OutPoint, Transaction, TxOut};
use serde_json::{Value, json};

use super::{output_json, transaction_json};
use crate::random::Random;

/// A signed transaction, and the outputs it spends.
type Case = (Transaction, Vec<TxOut>);

/// Signs each input in one of the ways there are.
fn signed(random: &mut Random) -> Case {
    let keys: Vec<SecretKey> = (0..=random.index(3)).map(|_| random.key()).collect();
    let mut tx = random.transaction(keys.len());
    let spent = random.coins(&keys);
    for (at, key) in keys.iter().enumerate() {
        let way = SighashType::ALL[random.index(7)];
        let cache = SighashCache::new(&tx, &spent).expect("one coin for each input");
        let aux = random.bytes32();
        // Without an output of the same place there is nothing to sign.
        if let Ok(witness) = sign_input(&cache, at, way, key, &aux) {
            tx.inputs[at].witness = witness;
        }
    }
    (tx, spent)
}

/// The same, damaged in one of many ways.
fn damaged(random: &mut Random) -> Case {
    let (mut tx, mut spent) = signed(random);
    let at = random.index(tx.inputs.len());
    let item = tx.inputs[at].witness.0.first_mut();
    match (random.index(9), item) {
        (0, Some(item)) => {
            let bit = random.index(512);
            item[bit / 8] ^= 1 << (bit % 8);
        }
        (1, Some(item)) => item.push(0),
        (2, Some(item)) => item.truncate(63),
        (3, _) => tx.inputs[at].witness.0.clear(),
        (4, _) => tx.inputs[at].witness.0.push(vec![0x50]),
        (5, _) => tx.inputs[at].script_sig = Script::from_bytes(&[0x51]),
        (6, _) => spent[at].value = Amount::from_sat(spent[at].value.to_sat() + 1),
        (7, _) => spent[at].script_pubkey = Script::p2tr(&random.key().output_key()),
        (_, _) => tx.outputs[0].value = Amount::from_sat(tx.outputs[0].value.to_sat() + 1),
    }
    (tx, spent)
}

fn facts((tx, spent): &Case) -> Value {
    let cache = SighashCache::new(tx, spent).expect("one coin for each input");
    let places = || 0..tx.inputs.len();
    let sighash = |at: usize, way: &SighashType| {
        let message = cache.sighash(at, *way).ok();
        message.map(|message| hex::encode(&message))
    };
    let sighashes = places().map(|at| -> Vec<Option<String>> {
        SighashType::ALL
            .iter()
            .map(|way| sighash(at, way))
            .collect()
    });
    let signed = places().map(|at| verify_input(&cache, at).is_ok());
    json!({
        "bytes": hex::encode(&encode(tx)),
        "txid": tx.txid().to_string(),
        "wtxid": tx.wtxid().to_string(),
        "sighashes": sighashes.collect::<Vec<_>>(),
        "signed": signed.collect::<Vec<_>>(),
    })
}

#[test]
fn ids_sighashes_and_verdicts_on_signatures_are_those_of_the_chain() {
    let test = "ids_sighashes_and_verdicts_on_signatures_are_those_of_the_chain";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let mut cases: Vec<Case> = (0..25).map(|_| signed(&mut random)).collect();
    cases.extend((0..45).map(|_| damaged(&mut random)));
    let wanted: Vec<Value> = cases.iter().map(facts).collect();
    let all: Vec<&Value> = wanted
        .iter()
        .flat_map(|facts| facts["signed"].as_array().expect("a list"))
        .collect();
    assert!(all.iter().filter(|is_valid| **is_valid == true).count() > 20);
    assert!(all.iter().filter(|is_valid| **is_valid == false).count() > 20);
    let told: Vec<Value> = cases
        .iter()
        .map(|(tx, spent)| {
            let spent: Vec<Value> = spent.iter().map(output_json).collect();
            json!({ "transaction": transaction_json(tx), "spent": spent })
        })
        .collect();
    let found = page.eval(&format!("transactions({})", json!(told)));
    for (at, wanted) in wanted.iter().enumerate() {
        assert_eq!(&found[at], wanted, "{}", told[at]);
    }
}

#[test]
fn signatures_of_lessons_are_those_of_the_chain() {
    let test = "signatures_of_lessons_are_those_of_the_chain";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let (mut told, mut wanted) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let (key, message, aux) = (random.key(), random.bytes32(), random.bytes32());
        told.push(json!({
            "secret": hex::encode(&key.to_bytes()),
            "message": hex::encode(&message),
            "aux": hex::encode(&aux),
        }));
        wanted.push(json!({
            "key": hex::encode(&key.x_only_public()),
            "output": hex::encode(&key.output_key()),
            "signature": hex::encode(&key.sign(&message, &aux)),
            "isValid": true,
        }));
    }
    assert_eq!(
        page.eval(&format!("signatures({})", json!(told))),
        json!(wanted)
    );
}

/// Signatures and keys at the edges of what BIP 340 allows.
#[test]
fn what_is_no_key_or_no_signature_verifies_nothing() {
    let test = "what_is_no_key_or_no_signature_verifies_nothing";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let (key, message) = (random.key(), random.bytes32());
    let good = key.sign(&message, &[0; 32]);
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let field = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
    let (r, s) = (hex::encode(&good[..32]), hex::encode(&good[32..]));
    let output = hex::encode(&key.output_key());
    let zero = "0".repeat(64);
    // No point of the curve has that x (test vector 5 of BIP 340).
    let none = "eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34";
    let cases = [
        (r.clone() + &s, output.as_str(), true),
        (r.clone() + order, &output, false),
        (field.to_owned() + &s, &output, false),
        (r.clone() + &zero, &output, false),
        (zero.clone() + &s, &output, false),
        (r.clone() + &s, none, false),
        (r.clone() + &s, field, false),
        (r.clone() + &s, &zero, false),
        (r.clone(), &output, false),
        (String::new(), &output, false),
    ];
    let told: Vec<Value> = cases
        .iter()
        .map(|(signature, key, _)| {
            json!({ "signature": signature, "message": hex::encode(&message), "key": key })
        })
        .collect();
    let wanted: Vec<bool> = cases.iter().map(|case| case.2).collect();
    assert_eq!(
        page.eval(&format!("verified({})", json!(told))),
        json!(wanted)
    );
}

/// The coins that there are, by their place.
type Coins = Vec<(OutPoint, TxOut)>;

/// The first rule that a transfer breaks, by the chain's own functions in the
/// chain's own order.
fn flaw(tx: &Transaction, coins: &[(OutPoint, TxOut)]) -> Option<&'static str> {
    let judge = || -> Result<(), TransactionError> {
        rules::check_form(tx, 400_000)?;
        let find = |place: OutPoint| coins.iter().find(|(known, _)| *known == place);
        let spent: Result<Vec<TxOut>, TransactionError> = tx
            .inputs
            .iter()
            .map(|input| {
                let place = input.previous_output;
                let found = find(place).map(|(_, output)| output.clone());
                found.ok_or(TransactionError::InputMissing(place))
            })
            .collect();
        let spent = spent?;
        rules::check_amounts(spent.iter().map(|output| output.value), tx)?;
        verify_transaction(tx, &spent)
            .map_err(|(index, error)| TransactionError::Signature { index, error })
    };
    judge().err().map(|error| error.rule())
}

/// A sound transfer of one or two coins.
fn transfer(random: &mut Random) -> (Transaction, Coins) {
    let keys = [random.key(), random.key()];
    let keys = &keys[..=random.index(2)];
    let mut tx = random.transaction(keys.len());
    let spent = random.coins(keys);
    sign(&mut tx, &spent, keys);
    let places = tx.inputs.iter().map(|input| input.previous_output);
    let coins = places.zip(spent).collect();
    (tx, coins)
}

fn sign(tx: &mut Transaction, spent: &[TxOut], keys: &[SecretKey]) {
    for (at, key) in keys.iter().enumerate() {
        let cache = SighashCache::new(tx, spent).expect("one coin for each input");
        let witness = sign_input(&cache, at, SighashType::Default, key, &[0; 32]);
        tx.inputs[at].witness = witness.expect("it has the input");
    }
}

#[test]
fn transfers_are_refused_by_the_rule_that_the_chain_names() {
    let test = "transfers_are_refused_by_the_rule_that_the_chain_names";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    let mut random = Random::of(test);
    let mut cases: Vec<(Transaction, Coins)> = Vec::new();
    for harm in 0..24 {
        let (mut tx, mut coins) = transfer(&mut random);
        match harm % 8 {
            0 => {}
            1 => tx.inputs.clear(),
            2 => tx.outputs.clear(),
            3 => tx.outputs[0].value = Amount::from_sat(MAX_MONEY.to_sat() + 1),
            4 => tx.inputs.push(tx.inputs[0].clone()),
            5 => coins.clear(),
            6 => tx.outputs[0].value = Amount::from_sat(2_100_000_000_000_000),
            _ => tx.lock_time ^= 1,
        }
        cases.push((tx, coins));
    }
    let (mut tx, coins) = transfer(&mut random);
    let most = tx.outputs[0].clone();
    tx.outputs = vec![
        TxOut {
            value: MAX_MONEY,
            ..most
        };
        2
    ];
    cases.push((tx, coins));
    let wanted: Vec<Option<&str>> = cases.iter().map(|(tx, coins)| flaw(tx, coins)).collect();
    let mut rules: Vec<Option<&str>> = wanted.clone();
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(
        rules,
        [
            None,
            Some("input_missing"),
            Some("inputs_duplicate"),
            Some("inputs_empty"),
            Some("output_sum_range"),
            Some("output_value_range"),
            Some("outputs_empty"),
            Some("overspent"),
            Some("signature"),
        ]
    );
    let told: Vec<Value> = cases
        .iter()
        .map(|(tx, coins)| {
            let coins = coins.iter().map(|(place, output)| {
                let mut told = output_json(output);
                told["txid"] = hex::encode(place.txid.as_bytes()).into();
                told["vout"] = place.vout.into();
                told
            });
            json!({ "transaction": transaction_json(tx), "coins": coins.collect::<Vec<_>>() })
        })
        .collect();
    assert_eq!(page.eval(&format!("flaws({})", json!(told))), json!(wanted));
}
