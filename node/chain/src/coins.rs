//! The unspent outputs: what a block does to them and how it is undone.
//!
//! Changes gather in an [`Overlay`] over the store. Only a path of fully valid
//! blocks is ever taken out of it, so a branch that fails half-way leaves
//! nothing behind. Outputs that provably cannot be spent (`OP_RETURN`) never
//! enter.

mod coin;
mod connect;
mod digest;
mod disconnect;
mod muhash;
mod overlay;
mod undo;
mod verify;

pub use self::coin::Coin;
pub use self::connect::{
    ConnectError, Connected, Context, Pending, connect_block, connect_genesis,
};
pub use self::digest::{Digest, DigestPart};
pub use self::disconnect::disconnect_block;
pub use self::muhash::{DigestChange, MuHash3072};
pub use self::overlay::{CoinStats, Overlay};
pub use self::undo::Undo;
pub use self::verify::{
    BlockSignatures, Connection, Gathered, SequentialVerifier, SignatureCheck, SignatureFailure,
    SignatureVerifier,
};

pub(crate) use self::coin::{created_coins, muhash_element};
