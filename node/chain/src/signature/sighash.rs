//! The message a taproot key-path signature commits to (BIP 341).

use std::sync::OnceLock;

use crate::codec::{Encode, encode};
use crate::hash::{sha256, tagged_hash};
use crate::transaction::{Transaction, TxIn, TxOut};

/// Which parts of the transaction a signature commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SighashType {
    /// Everything, and no byte is appended to the signature.
    Default,
    /// Everything.
    All,
    /// All inputs, no output.
    None,
    /// All inputs, and the output with the index of the signed input.
    Single,
    /// The signed input, all outputs.
    AllAnyoneCanPay,
    /// The signed input, no output.
    NoneAnyoneCanPay,
    /// The signed input, and the output with its index.
    SingleAnyoneCanPay,
}

impl SighashType {
    /// Every hash type BIP 341 defines.
    pub const ALL: [Self; 7] = [
        Self::Default,
        Self::All,
        Self::None,
        Self::Single,
        Self::AllAnyoneCanPay,
        Self::NoneAnyoneCanPay,
        Self::SingleAnyoneCanPay,
    ];

    /// The byte that stands for the type in the message.
    #[must_use]
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::Default => 0x00,
            Self::All => 0x01,
            Self::None => 0x02,
            Self::Single => 0x03,
            Self::AllAnyoneCanPay => 0x81,
            Self::NoneAnyoneCanPay => 0x82,
            Self::SingleAnyoneCanPay => 0x83,
        }
    }

    /// The type for its byte.
    ///
    /// # Errors
    /// [`SighashError::UnknownType`].
    pub fn from_u8(byte: u8) -> Result<Self, SighashError> {
        Self::ALL
            .into_iter()
            .find(|hash_type| hash_type.to_u8() == byte)
            .ok_or(SighashError::UnknownType { byte })
    }

    /// The type for the byte behind a 64-byte signature, where 0 is refused
    /// because it would be a second form of the same signature.
    ///
    /// # Errors
    /// [`SighashError::UnknownType`].
    pub fn from_appended_byte(byte: u8) -> Result<Self, SighashError> {
        match Self::from_u8(byte)? {
            Self::Default => Err(SighashError::UnknownType { byte }),
            hash_type => Ok(hash_type),
        }
    }

    const fn anyone_can_pay(self) -> bool {
        matches!(
            self,
            Self::AllAnyoneCanPay | Self::NoneAnyoneCanPay | Self::SingleAnyoneCanPay
        )
    }

    const fn commits_to_all_outputs(self) -> bool {
        matches!(self, Self::Default | Self::All | Self::AllAnyoneCanPay)
    }

    const fn commits_to_one_output(self) -> bool {
        matches!(self, Self::Single | Self::SingleAnyoneCanPay)
    }
}

/// Why there is no message to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SighashError {
    /// Not one of the bytes BIP 341 defines.
    #[error("unknown signature hash type {byte:#04x}")]
    UnknownType {
        /// The byte found.
        byte: u8,
    },
    /// The transaction has no such input.
    #[error("input {index} does not exist: the transaction has {inputs}")]
    NoSuchInput {
        /// The input asked for.
        index: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// The hash type commits to the output with the input's index.
    #[error("hash type single needs an output {index}: the transaction has {outputs}")]
    NoMatchingOutput {
        /// Index of the input.
        index: usize,
        /// Outputs of the transaction.
        outputs: usize,
    },
    /// Every input needs the output it spends.
    #[error("{prevouts} spent outputs were given for {inputs} inputs")]
    PrevoutCount {
        /// Inputs of the transaction.
        inputs: usize,
        /// Spent outputs given.
        prevouts: usize,
    },
}

/// A transaction with the outputs it spends. Hashes shared by its inputs are
/// computed at most once, so that a transaction's signatures cost linear time;
/// threads may share the cache.
#[derive(Debug)]
pub struct SighashCache<'a> {
    tx: &'a Transaction,
    prevouts: &'a [TxOut],
    inputs: OnceLock<InputHashes>,
    outputs: OnceLock<[u8; 32]>,
}

#[derive(Debug)]
struct InputHashes {
    prevouts: [u8; 32],
    amounts: [u8; 32],
    script_pubkeys: [u8; 32],
    sequences: [u8; 32],
}

impl<'a> SighashCache<'a> {
    /// `prevouts` are the spent outputs in the order of the inputs.
    ///
    /// # Errors
    /// [`SighashError::PrevoutCount`].
    pub fn new(tx: &'a Transaction, prevouts: &'a [TxOut]) -> Result<Self, SighashError> {
        if tx.inputs.len() != prevouts.len() {
            return Err(SighashError::PrevoutCount {
                inputs: tx.inputs.len(),
                prevouts: prevouts.len(),
            });
        }
        Ok(Self {
            tx,
            prevouts,
            inputs: OnceLock::new(),
            outputs: OnceLock::new(),
        })
    }

    /// The 32 bytes to sign for input `input_index`, without annex.
    ///
    /// # Errors
    /// [`SighashError::NoSuchInput`] or [`SighashError::NoMatchingOutput`].
    pub fn sighash(
        &self,
        input_index: usize,
        hash_type: SighashType,
    ) -> Result<[u8; 32], SighashError> {
        let message = self.message(input_index, hash_type)?;
        Ok(tagged_hash("TapSighash", &[&[SIGHASH_EPOCH], &message]))
    }

    pub(super) fn input(&self, index: usize) -> Result<&TxIn, SighashError> {
        let inputs = self.tx.inputs.len();
        self.tx
            .inputs
            .get(index)
            .ok_or(SighashError::NoSuchInput { index, inputs })
    }

    pub(super) fn prevout(&self, index: usize) -> Result<&TxOut, SighashError> {
        let inputs = self.prevouts.len();
        self.prevouts
            .get(index)
            .ok_or(SighashError::NoSuchInput { index, inputs })
    }

    /// `SigMsg(hash_type, 0)` of BIP 341, without the epoch byte.
    fn message(&self, index: usize, hash_type: SighashType) -> Result<Vec<u8>, SighashError> {
        let (input, prevout) = (self.input(index)?, self.prevout(index)?);
        let mut message = Vec::with_capacity(MESSAGE_BYTES_MAX);
        message.push(hash_type.to_u8());
        message.extend_from_slice(&self.tx.version.to_le_bytes());
        message.extend_from_slice(&self.tx.lock_time.to_le_bytes());
        if !hash_type.anyone_can_pay() {
            let hashes = self.inputs.get_or_init(|| self.hash_inputs());
            message.extend_from_slice(&hashes.prevouts);
            message.extend_from_slice(&hashes.amounts);
            message.extend_from_slice(&hashes.script_pubkeys);
            message.extend_from_slice(&hashes.sequences);
        }
        if hash_type.commits_to_all_outputs() {
            message.extend_from_slice(self.outputs.get_or_init(|| hash_all(&self.tx.outputs)));
        }
        message.push(SPEND_TYPE_KEY_PATH);
        if hash_type.anyone_can_pay() {
            input.previous_output.encode_to(&mut message);
            prevout.encode_to(&mut message);
            message.extend_from_slice(&input.sequence.to_le_bytes());
        } else {
            // Encodings bound the number of inputs far below 2^32.
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            message.extend_from_slice(&index.to_le_bytes());
        }
        if hash_type.commits_to_one_output() {
            let outputs = self.tx.outputs.len();
            let output = self
                .tx
                .outputs
                .get(index)
                .ok_or(SighashError::NoMatchingOutput { index, outputs })?;
            message.extend_from_slice(&sha256(&encode(output)));
        }
        Ok(message)
    }

    fn hash_inputs(&self) -> InputHashes {
        let mut outpoints = Vec::new();
        let mut sequences = Vec::new();
        for input in &self.tx.inputs {
            input.previous_output.encode_to(&mut outpoints);
            sequences.extend_from_slice(&input.sequence.to_le_bytes());
        }
        let mut amounts = Vec::new();
        let mut script_pubkeys = Vec::new();
        for prevout in self.prevouts {
            amounts.extend_from_slice(&prevout.value.to_sat().to_le_bytes());
            prevout.script_pubkey.encode_to(&mut script_pubkeys);
        }
        InputHashes {
            prevouts: sha256(&outpoints),
            amounts: sha256(&amounts),
            script_pubkeys: sha256(&script_pubkeys),
            sequences: sha256(&sequences),
        }
    }
}

/// The 32 bytes to sign for one input. For several inputs of one transaction
/// keep a [`SighashCache`].
///
/// # Errors
/// [`SighashError`].
pub fn sighash(
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    hash_type: SighashType,
) -> Result<[u8; 32], SighashError> {
    SighashCache::new(tx, prevouts)?.sighash(input_index, hash_type)
}

const SIGHASH_EPOCH: u8 = 0;

/// Key path, no annex.
const SPEND_TYPE_KEY_PATH: u8 = 0;

/// Type, version, lock time, four input hashes, outputs, spend type, index
/// and one output: the longest form but for long scripts under
/// `ANYONECANPAY`.
const MESSAGE_BYTES_MAX: usize = 1 + 4 + 4 + 4 * 32 + 32 + 1 + 4 + 32;

fn hash_all<T: Encode>(items: &[T]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for item in items {
        item.encode_to(&mut bytes);
    }
    sha256(&bytes)
}
