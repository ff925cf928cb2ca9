//! What is said between devnet and its helper inside a node's container.
//!
//! The helper, `devnet-netfault`, is started by `exec` in the container's
//! network namespace and reads one command a line from standard input; each is
//! answered by one line. The end of the input ends it, and the rules stay in
//! force. This library is the words only; it does no I/O.

use std::net::Ipv4Addr;

pub mod wire;

/// Where the helper stands in a node's image.
pub const PATH: &str = "/devnet-netfault";

/// File name of the helper's binary.
pub const BINARY_NAME: &str = "devnet-netfault";

/// The hardware address of the node with that IP address: locally administered,
/// and as Docker's bridges make it by themselves. Devnet asks its engine for it,
/// so that it is known before the node runs and stays the same at each start.
pub const fn hardware_address(ip: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ip.octets();
    [0x02, 0x42, a, b, c, d]
}

/// A hardware address as it is written.
pub fn written(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}
