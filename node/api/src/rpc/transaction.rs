//! A transaction and its parts.

use serde::{Deserialize, Serialize};

/// An output's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptPubKey {
    /// The script in words: numbers, pushed bytes and names of operations.
    #[serde(default)]
    pub asm: String,
    /// Script bytes.
    pub hex: String,
    /// `witness_v1_taproot`, `nulldata` or `nonstandard`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Address, where the script has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// A decoded transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionInfo {
    /// Id without witnesses.
    pub txid: String,
    /// Id with witnesses.
    pub hash: String,
    /// Version.
    pub version: i32,
    /// Bytes.
    pub size: u64,
    /// Virtual bytes.
    pub vsize: u64,
    /// BIP141 weight.
    pub weight: u64,
    /// Earliest height or time.
    pub locktime: u32,
    /// Inputs.
    pub vin: Vec<InputInfo>,
    /// Outputs.
    pub vout: Vec<OutputInfo>,
    /// All of it in hexadecimal.
    pub hex: String,
}

/// A transaction's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputInfo {
    /// Script of a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coinbase: Option<String>,
    /// Transaction whose output is spent; absent in a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub txid: Option<String>,
    /// Index of the output spent; absent in a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vout: Option<u32>,
    /// Witness items in hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub txinwitness: Vec<String>,
    /// Sequence number.
    pub sequence: u32,
}

/// A transaction's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputInfo {
    /// Value in coins.
    pub value: f64,
    /// Position in the transaction.
    pub n: u32,
    /// The lock.
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: ScriptPubKey,
}
