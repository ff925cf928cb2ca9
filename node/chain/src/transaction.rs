//! Transactions in Bitcoin's bytes, with and without witnesses (BIP 144).

use crate::amount::Amount;
use crate::codec::{
    Decode, DecodeError, Encode, Reader, compact_size_len, list_len, put_compact_size, put_list,
    put_var_bytes, var_bytes_len,
};
use crate::hash::{Txid, Wtxid, sha256d};
use crate::height::Height;
use crate::script::{SCRIPT_BYTES_MAX, Script};
use crate::time::UnixSeconds;

/// Lock times below this are heights, the others seconds since the epoch.
pub const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// The sequence number that switches the lock time off for an input.
pub const SEQUENCE_FINAL: u32 = 0xffff_ffff;

/// Bytes without witness count this often towards the weight (BIP 141).
pub const WITNESS_SCALE_FACTOR: u64 = 4;

/// Items of one list read from bytes; a block cannot hold more.
const ITEMS_MAX: usize = 1_000_000;

const INPUT_BYTES_MIN: usize = 32 + 4 + 1 + 4;
const OUTPUT_BYTES_MIN: usize = 8 + 1;
const WITNESS_FLAG: u8 = 1;

/// The place of an output: the transaction that made it and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutPoint {
    /// Transaction that made the output.
    pub txid: Txid,
    /// Index among its outputs, from zero.
    pub vout: u32,
}

impl OutPoint {
    /// What the input of a coinbase points at.
    pub const NULL: Self = Self {
        txid: Txid::ZERO,
        vout: u32::MAX,
    };

    /// Whether this is [`OutPoint::NULL`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::NULL
    }
}

/// The stack of byte strings that unlocks an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Witness(pub Vec<Vec<u8>>);

impl Witness {
    /// No items.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The items, bottom first.
    #[must_use]
    pub fn items(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// Whether there are no items.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The spending of one output.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TxIn {
    /// The output that is spent.
    pub previous_output: OutPoint,
    /// Script bytes; empty but in a coinbase, since only taproot is spent.
    pub script_sig: Script,
    /// [`SEQUENCE_FINAL`], or less to make the lock time count.
    pub sequence: u32,
    /// What unlocks the output; not part of the transaction's [`Txid`].
    pub witness: Witness,
}

/// An amount and the lock on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TxOut {
    /// How much.
    pub value: Amount,
    /// Who may spend it.
    pub script_pubkey: Script,
}

/// A transfer: what is spent and what is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Version of the format; 2 today.
    pub version: i32,
    /// What is spent. Bytes may carry none; the rules refuse that.
    pub inputs: Vec<TxIn>,
    /// What is made.
    pub outputs: Vec<TxOut>,
    /// Earliest height or time of a block that may contain this.
    pub lock_time: u32,
}

/// Both names of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// Without its witnesses.
    pub txid: Txid,
    /// With them.
    pub wtxid: Wtxid,
}

impl Transaction {
    /// Both names, at the price of one where there are no witnesses.
    #[must_use]
    pub fn names(&self) -> Names {
        let txid = self.txid();
        let wtxid = if self.has_witness() {
            self.wtxid()
        } else {
            Wtxid::from_bytes(txid.to_bytes())
        };
        Names { txid, wtxid }
    }

    /// Name of the transaction without its witnesses.
    #[must_use]
    pub fn txid(&self) -> Txid {
        let mut bytes = Vec::with_capacity(self.base_len());
        self.encode_base(&mut bytes);
        Txid::from_bytes(sha256d(&bytes))
    }

    /// Name of the transaction with its witnesses. Equal to the txid's bytes
    /// if there are none.
    #[must_use]
    pub fn wtxid(&self) -> Wtxid {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        if self.has_witness() {
            self.encode_to(&mut bytes);
        } else {
            self.encode_base(&mut bytes);
        }
        Wtxid::from_bytes(sha256d(&bytes))
    }

    /// Whether any input carries a witness.
    #[must_use]
    pub fn has_witness(&self) -> bool {
        self.inputs.iter().any(|input| !input.witness.is_empty())
    }

    /// Bytes without marker, flag and witnesses.
    #[must_use]
    pub fn base_size(&self) -> u64 {
        self.base_len() as u64
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn total_size(&self) -> u64 {
        self.encoded_len() as u64
    }

    /// Three times the base size plus the total size (BIP 141), in weight
    /// units.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.base_size() * (WITNESS_SCALE_FACTOR - 1) + self.total_size()
    }

    /// A quarter of the weight, rounded up, in virtual bytes.
    #[must_use]
    pub fn vsize(&self) -> u64 {
        self.weight().div_ceil(WITNESS_SCALE_FACTOR)
    }

    /// Whether this has the shape of a block's first transaction.
    #[must_use]
    pub fn is_coinbase(&self) -> bool {
        matches!(self.inputs.as_slice(), [input] if input.previous_output.is_null())
    }

    /// Whether a block of this `height` may contain the transaction; `time`
    /// is the median time of the block's ancestors (BIP 113).
    #[must_use]
    pub fn is_final(&self, height: Height, time: UnixSeconds) -> bool {
        let limit = if self.lock_time < LOCK_TIME_THRESHOLD {
            height.0
        } else {
            time.0
        };
        self.lock_time == 0
            || self.lock_time < limit
            || self
                .inputs
                .iter()
                .all(|input| input.sequence == SEQUENCE_FINAL)
    }

    /// The place of output `vout` of this transaction.
    #[must_use]
    pub fn outpoint(&self, vout: u32) -> OutPoint {
        OutPoint {
            txid: self.txid(),
            vout,
        }
    }

    fn base_len(&self) -> usize {
        4 + list_len(&self.inputs) + list_len(&self.outputs) + 4
    }

    fn encode_base(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        put_list(out, &self.inputs);
        put_list(out, &self.outputs);
        out.extend_from_slice(&self.lock_time.to_le_bytes());
    }

    /// Without inputs the count 0 would read as the witness marker, so such a
    /// transaction is always written in the witness form.
    fn uses_witness_form(&self) -> bool {
        self.inputs.is_empty() || self.has_witness()
    }
}

impl Encode for Transaction {
    fn encode_to(&self, out: &mut Vec<u8>) {
        if !self.uses_witness_form() {
            return self.encode_base(out);
        }
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&[0, WITNESS_FLAG]);
        put_list(out, &self.inputs);
        put_list(out, &self.outputs);
        for input in &self.inputs {
            input.witness.encode_to(out);
        }
        out.extend_from_slice(&self.lock_time.to_le_bytes());
    }

    fn encoded_len(&self) -> usize {
        if !self.uses_witness_form() {
            return self.base_len();
        }
        let witnesses: usize = self
            .inputs
            .iter()
            .map(|input| input.witness.encoded_len())
            .sum();
        self.base_len() + 2 + witnesses
    }
}

impl Decode for Transaction {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = reader.i32()?;
        let mut inputs: Vec<TxIn> = reader.list(ITEMS_MAX, INPUT_BYTES_MIN)?;
        let witness_form = inputs.is_empty();
        if witness_form {
            match reader.u8()? {
                WITNESS_FLAG => inputs = reader.list(ITEMS_MAX, INPUT_BYTES_MIN)?,
                flag => return Err(DecodeError::UnknownTransactionFlag { flag }),
            }
        }
        let outputs = reader.list(ITEMS_MAX, OUTPUT_BYTES_MIN)?;
        if witness_form {
            for input in &mut inputs {
                input.witness = Witness::decode_from(reader)?;
            }
            if !inputs.is_empty() && inputs.iter().all(|input| input.witness.is_empty()) {
                return Err(DecodeError::SuperfluousWitness);
            }
        }
        let lock_time = reader.u32()?;
        Ok(Self {
            version,
            inputs,
            outputs,
            lock_time,
        })
    }
}

impl Encode for OutPoint {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.txid.encode_to(out);
        out.extend_from_slice(&self.vout.to_le_bytes());
    }

    fn encoded_len(&self) -> usize {
        36
    }
}

impl Decode for OutPoint {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            txid: Txid::decode_from(reader)?,
            vout: reader.u32()?,
        })
    }
}

/// Without the witness, which stands behind the outputs.
impl Encode for TxIn {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.previous_output.encode_to(out);
        self.script_sig.encode_to(out);
        out.extend_from_slice(&self.sequence.to_le_bytes());
    }

    fn encoded_len(&self) -> usize {
        36 + self.script_sig.encoded_len() + 4
    }
}

/// Without the witness, which stands behind the outputs.
impl Decode for TxIn {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            previous_output: OutPoint::decode_from(reader)?,
            script_sig: Script::decode_from(reader)?,
            sequence: reader.u32()?,
            witness: Witness::new(),
        })
    }
}

impl Encode for TxOut {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.value.encode_to(out);
        self.script_pubkey.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        8 + self.script_pubkey.encoded_len()
    }
}

impl Decode for TxOut {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            value: Amount::decode_from(reader)?,
            script_pubkey: Script::decode_from(reader)?,
        })
    }
}

impl Encode for Witness {
    fn encode_to(&self, out: &mut Vec<u8>) {
        put_compact_size(out, self.0.len() as u64);
        for item in &self.0 {
            put_var_bytes(out, item);
        }
    }

    fn encoded_len(&self) -> usize {
        compact_size_len(self.0.len() as u64)
            + self.0.iter().map(|item| var_bytes_len(item)).sum::<usize>()
    }
}

impl Decode for Witness {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(ITEMS_MAX, 1)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(reader.var_bytes(SCRIPT_BYTES_MAX)?.to_vec());
        }
        Ok(Self(items))
    }
}
