//! The JSON shapes are those that scripts written for Bitcoin Core read.

use minichain_api::rpc::{
    BlockInfo, BlockTransaction, HeaderInfo, ScriptPubKey, TransactionInfo, TxOutInfo,
};
use serde_json::{Value, json};

fn header() -> Value {
    json!({
        "hash": "aa", "confirmations": -1, "height": 7, "version": 1, "versionHex": "00000001",
        "merkleroot": "bb", "target": "ee",
        "time": 5, "mediantime": 4, "nonce": 9, "bits": "1d00ffff", "difficulty": 1.5,
        "chainwork": "cc", "nTx": 1, "previousblockhash": "dd",
    })
}

#[test]
fn header_keeps_core_field_names_and_leaves_out_what_is_absent() {
    let parsed: HeaderInfo = serde_json::from_value(header()).unwrap();
    assert_eq!(parsed.n_tx, 1);
    assert_eq!(parsed.nextblockhash, None);
    assert_eq!(serde_json::to_value(&parsed).unwrap(), header());
}

#[test]
fn block_lists_ids_or_whole_transactions() {
    let transaction = json!({
        "txid": "ee", "hash": "ff", "version": 2, "size": 10, "vsize": 9, "weight": 36,
        "locktime": 0, "vin": [{"coinbase": "01", "sequence": 0}],
        "vout": [{"value": 0.5, "n": 0,
                  "scriptPubKey": {"asm": "OP_RETURN", "hex": "6a", "type": "nulldata"}}],
        "hex": "00",
    });
    for (tx, is_id) in [(json!("ee"), true), (transaction, false)] {
        let mut block = header();
        block["size"] = json!(100);
        block["strippedsize"] = json!(90);
        block["weight"] = json!(370);
        block["tx"] = json!([tx]);
        let parsed: BlockInfo = serde_json::from_value(block.clone()).unwrap();
        assert_eq!(matches!(parsed.tx[0], BlockTransaction::Id(_)), is_id);
        if let BlockTransaction::Full(full) = &parsed.tx[0] {
            let TransactionInfo { vout, .. } = full.as_ref();
            assert_eq!(vout[0].script_pub_key.kind, "nulldata");
        }
        assert_eq!(serde_json::to_value(&parsed).unwrap(), block);
    }
}

#[test]
fn script_is_named_in_camel_case() {
    let info = TxOutInfo {
        bestblock: "aa".into(),
        confirmations: 1,
        value: 1.0,
        script_pub_key: ScriptPubKey {
            asm: "1".into(),
            hex: "51".into(),
            kind: "nonstandard".into(),
            address: None,
        },
        coinbase: true,
    };
    let value = serde_json::to_value(info).unwrap();
    assert_eq!(
        value["scriptPubKey"],
        json!({"asm": "1", "hex": "51", "type": "nonstandard"})
    );
}
