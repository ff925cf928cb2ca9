//! Error codes, as Bitcoin Core numbers them.

/// Any error without a number of its own.
pub const MISC: i32 = -1;
/// A parameter has the wrong type.
pub const TYPE: i32 = -3;
/// The wallet's own failure.
pub const WALLET: i32 = -4;
/// No such block, transaction or address.
pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
/// The wallet has too little to pay.
pub const INSUFFICIENT_FUNDS: i32 = -6;
/// A parameter is out of range.
pub const INVALID_PARAMETER: i32 = -8;
/// The node still fetches the chain.
pub const IN_INITIAL_DOWNLOAD: i32 = -10;
/// Bytes that do not decode.
pub const DESERIALIZATION: i32 = -22;
/// The peer is added already.
pub const NODE_ALREADY_ADDED: i32 = -23;
/// The peer was not added.
pub const NODE_NOT_ADDED: i32 = -24;
/// A transaction whose inputs are missing or spent.
pub const VERIFY: i32 = -25;
/// A transaction that breaks a rule or policy.
pub const VERIFY_REJECTED: i32 = -26;
/// A transaction already in the chain.
pub const ALREADY_IN_UTXO_SET: i32 = -27;
/// The peer is not connected.
pub const NODE_NOT_CONNECTED: i32 = -29;
/// No address, network or peer id, or one that is not banned.
pub const INVALID_IP_OR_SUBNET: i32 = -30;
/// The request is not a valid JSON-RPC object.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// Parameters are not an array or object.
pub const INVALID_PARAMS: i32 = -32602;
/// The node itself failed.
pub const INTERNAL: i32 = -32603;
/// The body is not JSON.
pub const PARSE: i32 = -32700;
