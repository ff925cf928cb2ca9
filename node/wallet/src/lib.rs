//! What a wallet knows and decides: keys that follow from a phrase, which
//! coins a payment spends, what it earned and paid, and the file all of that
//! is sealed in.
//!
//! Everything here is a pure function of its arguments. The room does no input
//! or output, reads no clock and draws no random number: whoever calls brings
//! entropy, salts and nonces. It imports `chain` and never another sibling.
//!
//! - keys: [`phrase`] (BIP 39), [`keyring`] (BIP 32, BIP 86);
//! - payments: [`rate`], [`select`], [`payment`];
//! - what happened: [`ledger`], and [`pending`] on top of it;
//! - all of it together: [`wallet`], sealed by [`file`](mod@file) as
//!   [`contents`].

pub mod contents;
pub mod file;
pub mod keyring;
pub mod ledger;
pub mod payment;
pub mod pending;
pub mod phrase;
pub mod rate;
pub mod select;
pub mod wallet;
