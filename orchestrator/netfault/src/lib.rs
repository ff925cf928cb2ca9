//! What is said between devnet and its helper inside a node's container.
//!
//! The helper, `devnet-netfault`, is started by `exec` in the container's
//! network namespace and reads one command a line from standard input; each is
//! answered by one line. The end of the input ends it, and the rules stay in
//! force. This library is the words only; it does no I/O.

pub mod wire;

/// Where the helper stands in a node's image.
pub const PATH: &str = "/devnet-netfault";

/// File name of the helper's binary.
pub const BINARY_NAME: &str = "devnet-netfault";
