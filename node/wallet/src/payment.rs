//! Payments put together and signed.

use minichain_chain::hash::tagged_hash;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, SighashCache, SighashError, SighashType, sign_input};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

/// Version of the transactions made here, that of Bitcoin Core's.
const VERSION: i32 = 2;

/// A coin to be spent, with its key.
#[derive(Debug, Clone)]
pub struct Spend {
    /// Where it is.
    pub place: OutPoint,
    /// The output itself.
    pub output: TxOut,
    /// Its key.
    pub key: SecretKey,
}

/// A transaction that spends all of `spends` and makes `outputs` in this order,
/// every input signed. `noise` protects keys from side channels; any value is
/// correct (BIP 340), and public keys' owners may give zeros.
///
/// # Errors
/// [`SighashError`], which no set of spends causes.
pub fn signed(
    spends: &[Spend],
    outputs: Vec<TxOut>,
    noise: &[u8; 32],
) -> Result<Transaction, SighashError> {
    let mut transaction = Transaction {
        version: VERSION,
        inputs: spends.iter().map(|spend| input(spend.place)).collect(),
        outputs,
        lock_time: 0,
    };
    let spent: Vec<TxOut> = spends.iter().map(|spend| spend.output.clone()).collect();
    let cache = SighashCache::new(&transaction, &spent)?;
    let witnesses = spends
        .iter()
        .enumerate()
        .map(|(at, spend)| {
            let noise = tagged_hash("minichain/noise", &[noise, &(at as u64).to_le_bytes()]);
            sign_input(&cache, at, SighashType::Default, &spend.key, &noise)
        })
        .collect::<Result<Vec<_>, _>>()?;
    for (input, witness) in transaction.inputs.iter_mut().zip(witnesses) {
        input.witness = witness;
    }
    Ok(transaction)
}

fn input(place: OutPoint) -> TxIn {
    TxIn {
        previous_output: place,
        script_sig: Script::default(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    }
}

#[cfg(test)]
mod tests {
    use minichain_chain::amount::Amount;
    use minichain_chain::hash::Txid;
    use minichain_chain::signature::verify_transaction;

    use super::*;
    use crate::rate::{FIXED_VBYTES, INPUT_VBYTES, OUTPUT_VBYTES};

    fn spend(number: u8) -> Spend {
        let key = SecretKey::from_bytes([number; 32]).unwrap();
        Spend {
            place: OutPoint {
                txid: Txid::from_bytes([number; 32]),
                vout: number.into(),
            },
            output: TxOut {
                value: Amount::from_sat(1_000),
                script_pubkey: Script::p2tr(&key.output_key()),
            },
            key,
        }
    }

    #[test]
    fn every_key_signs_its_own_input_and_the_size_is_as_told() {
        for count in [1_u8, 2, 3, 100, 253] {
            let spends: Vec<Spend> = (1..=count.min(250)).map(spend).collect();
            let outputs = vec![spends[0].output.clone(), spends[0].output.clone()];
            let paid = signed(&spends, outputs, &[3; 32]).unwrap();
            let spent: Vec<TxOut> = spends.iter().map(|spend| spend.output.clone()).collect();
            assert_eq!(verify_transaction(&paid, &spent), Ok(()));
            let told = FIXED_VBYTES + spends.len() as u64 * INPUT_VBYTES + 2 * OUTPUT_VBYTES;
            assert!(paid.vsize() <= told, "{} > {told}", paid.vsize());
            assert!(told - paid.vsize() <= spends.len() as u64, "{count}");
        }
    }
}
