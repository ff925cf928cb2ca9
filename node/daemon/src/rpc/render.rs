//! Chain types in the shapes of Bitcoin Core's JSON. Pure.

use minichain_api::rpc::{InputInfo, OutputInfo, ScriptPubKey, TransactionInfo};
use minichain_chain::address::Address;
use minichain_chain::amount::{Amount, COIN_SATS};
use minichain_chain::codec::encode;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::pow::CompactTarget;
use minichain_chain::script::Script;
use minichain_chain::transaction::{Transaction, TxIn};

/// An amount as a float of coins.
#[expect(
    clippy::cast_precision_loss,
    reason = "below 2^53 base units all are exact"
)]
pub fn coins(amount: Amount) -> f64 {
    amount.to_sat() as f64 / COIN_SATS as f64
}

/// Bits as 8 hexadecimal digits.
pub fn bits(bits: CompactTarget) -> String {
    format!("{:08x}", bits.to_u32())
}

/// The target behind bits as 64 hexadecimal digits; zeros if they name none.
pub fn target_hex(bits: CompactTarget) -> String {
    bits.to_target()
        .map_or_else(|_| "0".repeat(64), |target| target.to_string())
}

/// Blocks from `height` to the tip, both counted.
pub fn confirmations(tip: Height, height: Height) -> i64 {
    i64::from(tip.0) - i64::from(height.0) + 1
}

/// A lock. `prefix` is the network's address prefix.
pub fn script(script: &Script, prefix: &str) -> ScriptPubKey {
    let key = script.is_p2tr();
    let kind = match key {
        Some(_) => "witness_v1_taproot",
        None if script.is_op_return() => "nulldata",
        None => "nonstandard",
    };
    let address = key.and_then(|key| Address::new(prefix, key).ok());
    ScriptPubKey {
        asm: words(script.as_bytes()),
        hex: hex::encode(script.as_bytes()),
        kind: kind.to_owned(),
        address: address.map(|address| address.to_string()),
    }
}

/// A script as Bitcoin Core spells it, as far as locks here have a meaning:
/// pushes, small numbers and OP_RETURN by name, anything else by its number.
fn words(mut script: &[u8]) -> String {
    let mut words = Vec::new();
    while let Some((&operation, rest)) = script.split_first() {
        script = rest;
        words.push(match operation {
            0 => "0".to_owned(),
            1..=75 => {
                let Some((pushed, rest)) = script.split_at_checked(operation.into()) else {
                    words.push("[error]".to_owned());
                    break;
                };
                script = rest;
                pushed_word(pushed)
            }
            0x4f => "-1".to_owned(),
            0x51..=0x60 => (operation - 0x50).to_string(),
            0x6a => "OP_RETURN".to_owned(),
            other => format!("OP_UNKNOWN_{other:02x}"),
        });
    }
    words.join(" ")
}

/// Up to four bytes are a number, least byte first, with the sign in the
/// highest bit.
fn pushed_word(pushed: &[u8]) -> String {
    if pushed.len() > 4 {
        return hex::encode(pushed);
    }
    let bytes = pushed.iter().rev();
    let all = bytes.fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    let sign = 1_i64 << (8 * pushed.len() - 1);
    let number = if all & sign == 0 { all } else { sign - all };
    number.to_string()
}

/// A whole transaction.
pub fn transaction(transaction: &Transaction, prefix: &str) -> TransactionInfo {
    let is_coinbase = transaction.is_coinbase();
    let vout = transaction
        .outputs
        .iter()
        .zip(0..)
        .map(|(output, n)| OutputInfo {
            value: coins(output.value),
            n,
            script_pub_key: script(&output.script_pubkey, prefix),
        })
        .collect();
    TransactionInfo {
        txid: transaction.txid().to_string(),
        hash: transaction.wtxid().to_string(),
        version: transaction.version,
        size: transaction.total_size(),
        vsize: transaction.vsize(),
        weight: transaction.weight(),
        locktime: transaction.lock_time,
        vin: transaction
            .inputs
            .iter()
            .map(|one| input(one, is_coinbase))
            .collect(),
        vout,
        hex: hex::encode(&encode(transaction)),
    }
}

fn input(input: &TxIn, is_coinbase: bool) -> InputInfo {
    let spent = (!is_coinbase).then_some(&input.previous_output);
    InputInfo {
        coinbase: is_coinbase.then(|| hex::encode(input.script_sig.as_bytes())),
        txid: spent.map(|spent| spent.txid.to_string()),
        vout: spent.map(|spent| spent.vout),
        txinwitness: input
            .witness
            .items()
            .iter()
            .map(|item| hex::encode(item))
            .collect(),
        sequence: input.sequence,
    }
}

#[cfg(test)]
mod tests {
    use minichain_chain::hash::Txid;
    use minichain_chain::signature::SecretKey;
    use minichain_chain::transaction::{OutPoint, TxOut, Witness};

    use super::*;

    fn output_key() -> [u8; 32] {
        SecretKey::from_bytes([1; 32]).unwrap().output_key()
    }

    fn spend() -> Transaction {
        Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint {
                    txid: Txid::from_bytes([7; 32]),
                    vout: 3,
                },
                script_sig: Script::new(),
                sequence: 0xffff_fffd,
                witness: Witness(vec![vec![9; 64]]),
            }],
            outputs: vec![TxOut {
                value: Amount::from_sat(150_000_001),
                script_pubkey: Script::p2tr(&output_key()),
            }],
            lock_time: 17,
        }
    }

    #[test]
    fn spend_shows_what_it_spends_and_pays() {
        let shown = transaction(&spend(), "mini");
        assert_eq!(shown.vin[0].txid, Some("07".repeat(32)));
        assert_eq!(
            (shown.vin[0].vout, shown.vin[0].coinbase.clone()),
            (Some(3), None)
        );
        assert_eq!(shown.vin[0].txinwitness, ["09".repeat(64)]);
        assert_ne!(shown.txid, shown.hash);
        assert_eq!((shown.locktime, shown.version, shown.vout[0].n), (17, 2, 0));
        assert!((shown.vout[0].value - 1.500_000_01).abs() < 1e-12);
        let address = shown.vout[0].script_pub_key.address.clone().unwrap();
        assert_eq!(
            Address::parse("mini", &address).unwrap().output_key(),
            output_key()
        );
        assert_eq!(hex::decode(&shown.hex).unwrap(), encode(&spend()));
    }

    #[test]
    fn coinbase_shows_its_script_instead_of_an_output() {
        let mut coinbase = spend();
        coinbase.inputs[0].previous_output = OutPoint::NULL;
        coinbase.inputs[0].script_sig = Script::from_bytes(&[1, 2]);
        let shown = transaction(&coinbase, "mini");
        assert_eq!(shown.vin[0].coinbase.as_deref(), Some("0102"));
        assert_eq!((shown.vin[0].txid.clone(), shown.vin[0].vout), (None, None));
    }

    #[test]
    fn scripts_are_named_as_core_names_them() {
        let kind = |one: &Script| script(one, "mini").kind;
        assert_eq!(kind(&Script::p2tr(&output_key())), "witness_v1_taproot");
        assert_eq!(kind(&Script::op_return(b"hello")), "nulldata");
        assert_eq!(kind(&Script::from_bytes(&[0x51])), "nonstandard");
        assert_eq!(script(&Script::op_return(b"x"), "mini").address, None);
        let spelled = |bytes: &[u8]| script(&Script::from_bytes(bytes), "mini").asm;
        assert_eq!(spelled(&[0x6a, 5, 1, 2, 3, 4, 5]), "OP_RETURN 0102030405");
        assert_eq!(spelled(&[2, 0xe8, 0x03, 1, 0x81]), "1000 -1");
        assert_eq!(spelled(&[0x51, 0x60, 0]), "1 16 0");
        assert_eq!(spelled(&[5, 1]), "[error]");
        assert_eq!(spelled(&[]), "");
    }

    #[test]
    fn numbers_look_like_those_of_core() {
        assert_eq!(bits(CompactTarget(0x1d00_ffff)), "1d00ffff");
        let target = target_hex(CompactTarget(0x1d00_ffff));
        assert_eq!(target, format!("00000000ffff{}", "0".repeat(52)));
        assert_eq!(target_hex(CompactTarget(0)), "0".repeat(64));
        assert_eq!(confirmations(Height(5), Height(5)), 1);
        assert_eq!(confirmations(Height(5), Height(0)), 6);
        assert!((coins(Amount::MAX_MONEY) - 21_000_000.0).abs() < f64::EPSILON);
    }
}
