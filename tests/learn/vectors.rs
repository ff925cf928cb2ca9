//! What the lessons compute, against the chain's own code.

mod headers;
mod reorgs;
mod transactions;

use minichain_chain::block::Header;
use minichain_chain::hex;
use minichain_chain::transaction::{Transaction, TxOut};
use serde_json::{Value, json};

use crate::random::Random;

fn header_json(header: &Header) -> Value {
    json!({
        "version": header.version,
        "previous": hex::encode(header.previous.as_bytes()),
        "merkleRoot": hex::encode(header.merkle_root.as_bytes()),
        "time": header.time.0,
        "bits": header.bits.0,
        "nonce": header.nonce,
    })
}

fn output_json(output: &TxOut) -> Value {
    json!({
        "value": output.value.to_sat().to_string(),
        "script": hex::encode(output.script_pubkey.as_bytes()),
    })
}

fn transaction_json(tx: &Transaction) -> Value {
    let inputs = tx.inputs.iter().map(|input| {
        let witness = input.witness.items().iter().map(|item| hex::encode(item));
        json!({
            "txid": hex::encode(input.previous_output.txid.as_bytes()),
            "vout": input.previous_output.vout,
            "script": hex::encode(input.script_sig.as_bytes()),
            "sequence": input.sequence,
            "witness": witness.collect::<Vec<_>>(),
        })
    });
    json!({
        "version": tx.version,
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": tx.outputs.iter().map(output_json).collect::<Vec<_>>(),
        "lockTime": tx.lock_time,
    })
}

#[test]
fn hashes_are_those_of_the_chain() {
    let Some(page) = crate::page("hashes_are_those_of_the_chain", "") else {
        return;
    };
    let mut random = Random::of("hashes_are_those_of_the_chain");
    // Around every length at which the padding takes another block.
    let lengths = (0..130).chain([1_000]);
    let texts: Vec<Vec<u8>> = lengths
        .map(|length| {
            (0..length)
                .map(|_| random.next().to_le_bytes()[0])
                .collect()
        })
        .collect();
    let wanted: Vec<[String; 2]> = texts
        .iter()
        .map(|text| {
            let (once, twice) = (
                minichain_chain::hash::sha256(text),
                minichain_chain::hash::sha256d(text),
            );
            [hex::encode(&once), hex::encode(&twice)]
        })
        .collect();
    let told: Vec<String> = texts.iter().map(|text| hex::encode(text)).collect();
    assert_eq!(
        page.eval(&format!("hashes({})", json!(told))),
        json!(wanted)
    );
}
