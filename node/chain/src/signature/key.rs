//! Keys: BIP 340 secrets and the output keys BIP 86 makes of them.

use std::fmt;

use secp256k1::{Keypair, Scalar, XOnlyPublicKey, schnorr};

use super::SpendError;
use crate::hash::tagged_hash;

/// 32 bytes that are not a secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these 32 bytes are not a secret key: zero, or not below the curve's order")]
pub struct SecretKeyError;

/// 32 bytes that are not the x coordinate of a curve point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these 32 bytes are not a public key of the curve")]
pub struct PublicKeyError;

/// What signs. Its output key is the untweaked key tweaked by the hash of
/// itself, with no script tree (BIP 86), so any wallet that derives the same
/// secret signs for the same addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey {
    untweaked: Keypair,
    tweaked: Keypair,
}

impl SecretKey {
    /// From 32 bytes, most significant first.
    ///
    /// # Errors
    /// [`SecretKeyError`] for zero and for values not below the curve order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SecretKeyError> {
        let untweaked = Keypair::from_secret_bytes(bytes).map_err(|_| SecretKeyError)?;
        let internal = untweaked.x_only_public_key().0.to_byte_array();
        let tweaked = untweaked
            .add_xonly_tweak(&key_path_tweak(&internal)?)
            .map_err(|_| SecretKeyError)?;
        Ok(Self { untweaked, tweaked })
    }

    /// The untweaked secret; keep it where no log can reach it.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.untweaked.to_secret_bytes()
    }

    /// The internal key: x coordinate of the untweaked public key.
    #[must_use]
    pub fn x_only_public(&self) -> [u8; 32] {
        self.untweaked.x_only_public_key().0.to_byte_array()
    }

    /// The key that goes into scripts and addresses.
    #[must_use]
    pub fn output_key(&self) -> [u8; 32] {
        self.tweaked.x_only_public_key().0.to_byte_array()
    }

    /// BIP 340 signature by the output key over 32 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8; 32], aux_rand: &[u8; 32]) -> [u8; 64] {
        schnorr::sign_with_aux_rand(message, &self.tweaked, aux_rand).to_byte_array()
    }
}

/// Best effort: copies the compiler made are beyond reach.
impl Drop for SecretKey {
    fn drop(&mut self) {
        self.untweaked.non_secure_erase();
        self.tweaked.non_secure_erase();
    }
}

/// Shows the public side only.
impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretKey")
            .field("output_key", &crate::hex::encode(&self.output_key()))
            .finish_non_exhaustive()
    }
}

/// The output key of `internal_key` for key-path spends only (BIP 86).
///
/// # Errors
/// [`PublicKeyError`] if the bytes are not on the curve.
pub fn tweaked_output_key(internal_key: &[u8; 32]) -> Result<[u8; 32], PublicKeyError> {
    let key = XOnlyPublicKey::from_byte_array(*internal_key).map_err(|_| PublicKeyError)?;
    let tweak = key_path_tweak(internal_key).map_err(|_| PublicKeyError)?;
    let (output, _parity) = key.add_tweak(&tweak).map_err(|_| PublicKeyError)?;
    Ok(output.to_byte_array())
}

/// Whether an output locked to these bytes can ever be spent.
#[must_use]
pub fn is_valid_output_key(output_key: &[u8; 32]) -> bool {
    XOnlyPublicKey::from_byte_array(*output_key).is_ok()
}

/// The last point that was found for a key. Whoever pays often spends several
/// coins of one key, and finding its point is a tenth of a check.
#[derive(Default)]
pub(super) struct Points {
    last: Option<([u8; 32], XOnlyPublicKey)>,
}

impl Points {
    pub(super) fn verify(
        &mut self,
        signature: &[u8; 64],
        message: &[u8; 32],
        output_key: &[u8; 32],
    ) -> Result<(), SpendError> {
        let point = self.point(output_key)?;
        schnorr::Signature::from_byte_array(*signature)
            .verify(message, &point)
            .map_err(|_| SpendError::InvalidSignature)
    }

    fn point(&mut self, output_key: &[u8; 32]) -> Result<XOnlyPublicKey, SpendError> {
        if let Some((key, point)) = self.last
            && key == *output_key
        {
            return Ok(point);
        }
        let point = XOnlyPublicKey::from_byte_array(*output_key);
        let point = point.map_err(|_| SpendError::InvalidOutputKey)?;
        self.last = Some((*output_key, point));
        Ok(point)
    }
}

/// BIP 341's tweak for an output without scripts.
fn key_path_tweak(internal_key: &[u8; 32]) -> Result<Scalar, SecretKeyError> {
    Scalar::from_be_bytes(tagged_hash("TapTweak", &[internal_key])).map_err(|_| SecretKeyError)
}

#[cfg(test)]
mod tests;
