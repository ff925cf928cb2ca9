//! What peers ask each other, as bytes. Everything here is untrusted: counts
//! and lengths are bounded before anything is allocated, and bytes left over
//! are refused.
//!
//! Gossip carries a plain block or transaction in the chain's own encoding.
//! The transport frames messages; here one message fills its bytes exactly:
//! one tag byte, then the fields.

mod request;
mod response;
mod status;
mod text;

pub use self::request::{GetBlocks, GetHeaders, GetInventory, GetTransactions, Request};
pub use self::response::{Inventory, Response};
pub use self::status::{Standing, Status};
pub use self::text::Text;
