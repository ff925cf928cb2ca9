//! What is true: the types, bytes, rules, coins and tree of the chain.
//!
//! Everything here is a pure function of its arguments. The crate does no
//! input or output, reads no clock, draws no random number and keeps no
//! global state; it never imports a sibling room, an async runtime, a logger
//! or a collection whose iteration order differs between runs.
//!
//! The formats are Bitcoin's: 80-byte headers, double SHA-256, CompactSize,
//! merkle trees, witness transactions (BIP 144), taproot key-path spends
//! (BIP 341) with Schnorr signatures (BIP 340), and bech32m addresses
//! (BIP 350) under the network's own prefix.
//!
//! From the bottom up:
//!
//! - numbers with a meaning: [`amount`], [`height`], [`time`], [`hash`], and
//!   [`hex`] for people;
//! - bytes: [`codec`], [`script`], [`transaction`], [`block`], [`merkle`];
//! - work: [`pow`], [`difficulty`];
//! - ownership: [`signature`], [`address`];
//! - the network: [`params`]; what must hold: [`rules`];
//! - consensus: [`store`], [`coins`], [`tree`], [`state`];
//! - what comes next: [`mempool`], [`template`].

pub mod address;
pub mod amount;
pub mod block;
pub mod codec;
pub mod coins;
pub mod difficulty;
pub mod hash;
pub mod height;
pub mod hex;
pub mod mempool;
pub mod merkle;
pub mod params;
pub mod pow;
pub mod rules;
pub mod script;
pub mod signature;
pub mod state;
pub mod store;
pub mod template;
pub mod time;
pub mod transaction;
pub mod tree;
