//! Who may spend: taproot key-path signatures (BIP 340, BIP 341, BIP 86).

mod key;
mod sighash;

pub use self::key::{
    PublicKeyError, SecretKey, SecretKeyError, is_valid_output_key, tweaked_output_key,
};
pub use self::sighash::{SighashCache, SighashError, SighashType, sighash};

use crate::transaction::{Transaction, TxOut, Witness};

/// Why an input's witness does not unlock its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// The output is not locked by a taproot key.
    #[error("the spent output is not a taproot output")]
    NotTaproot,
    /// Taproot inputs leave the old script field empty.
    #[error("the input's script field is not empty")]
    ScriptSigNotEmpty,
    /// The witness is not exactly one signature: key-path spends without
    /// annex are the only kind this chain knows.
    #[error("the witness has {items} items instead of one signature")]
    WitnessShape {
        /// Items found.
        items: usize,
    },
    /// Neither 64 bytes, nor 65 with the last one naming a hash type.
    #[error("a signature has 64 or 65 bytes, not {length}")]
    SignatureLength {
        /// Bytes found.
        length: usize,
    },
    /// The message to be signed does not exist.
    #[error(transparent)]
    Sighash(#[from] SighashError),
    /// The output's 32 bytes are not a point of the curve.
    #[error("the output key is not on the curve")]
    InvalidOutputKey,
    /// The signature does not match key and message.
    #[error("the signature does not match")]
    InvalidSignature,
}

/// Checks that input `input_index` of the transaction in `cache` may spend
/// its output. An annex is refused: BIP 341 gives it no meaning yet, and on a
/// chain without script it could only carry unpaid-for data.
///
/// # Errors
/// [`SpendError`].
pub fn verify_input(cache: &SighashCache<'_>, input_index: usize) -> Result<(), SpendError> {
    verify_with(cache, input_index, &mut key::Points::default())
}

fn verify_with(
    cache: &SighashCache<'_>,
    input_index: usize,
    points: &mut key::Points,
) -> Result<(), SpendError> {
    let input = cache.input(input_index)?;
    let output_key = cache
        .prevout(input_index)?
        .script_pubkey
        .is_p2tr()
        .ok_or(SpendError::NotTaproot)?;
    if !input.script_sig.is_empty() {
        return Err(SpendError::ScriptSigNotEmpty);
    }
    let (signature, hash_type) = split_signature(&input.witness)?;
    let message = cache.sighash(input_index, hash_type)?;
    points.verify(&signature, &message, &output_key)
}

/// Checks every input of `tx`, whose spent outputs are `prevouts` in the
/// order of the inputs.
///
/// # Errors
/// The index of the first input that fails, and why.
pub fn verify_transaction(tx: &Transaction, prevouts: &[TxOut]) -> Result<(), (usize, SpendError)> {
    let cache = SighashCache::new(tx, prevouts).map_err(|error| (0, error.into()))?;
    let mut points = key::Points::default();
    (0..tx.inputs.len()).try_for_each(|index| {
        let verified = verify_with(&cache, index, &mut points);
        verified.map_err(|error| (index, error))
    })
}

/// Signs input `input_index` for the key-path spend of an output locked to
/// `secret`'s [`SecretKey::output_key`] and returns the witness. `aux_rand`
/// protects against side channels; any value is correct (BIP 340).
///
/// # Errors
/// [`SighashError`].
pub fn sign_input(
    cache: &SighashCache<'_>,
    input_index: usize,
    hash_type: SighashType,
    secret: &SecretKey,
    aux_rand: &[u8; 32],
) -> Result<Witness, SighashError> {
    let message = cache.sighash(input_index, hash_type)?;
    let mut signature = secret.sign(&message, aux_rand).to_vec();
    if hash_type != SighashType::Default {
        signature.push(hash_type.to_u8());
    }
    Ok(Witness(vec![signature]))
}

/// Signs every input of `tx` with `secret`, all outputs committed to.
///
/// # Errors
/// [`SighashError`] if `prevouts` are not one per input.
pub fn sign_all_inputs(
    tx: &mut Transaction,
    prevouts: &[TxOut],
    secret: &SecretKey,
    aux_rand: &[u8; 32],
) -> Result<(), SighashError> {
    let cache = SighashCache::new(tx, prevouts)?;
    let witnesses = (0..tx.inputs.len())
        .map(|index| sign_input(&cache, index, SighashType::Default, secret, aux_rand))
        .collect::<Result<Vec<_>, _>>()?;
    for (input, witness) in tx.inputs.iter_mut().zip(witnesses) {
        input.witness = witness;
    }
    Ok(())
}

fn split_signature(witness: &Witness) -> Result<([u8; 64], SighashType), SpendError> {
    let [item] = witness.items() else {
        return Err(SpendError::WitnessShape {
            items: witness.items().len(),
        });
    };
    let length = SpendError::SignatureLength { length: item.len() };
    let (signature, rest) = item.split_first_chunk::<64>().ok_or(length)?;
    match rest {
        [] => Ok((*signature, SighashType::Default)),
        [byte] => Ok((*signature, SighashType::from_appended_byte(*byte)?)),
        _ => Err(length),
    }
}
