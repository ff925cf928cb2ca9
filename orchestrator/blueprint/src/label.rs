//! Labels on every container, network and volume. Together with the state
//! folder they are the only memory between two calls.

/// Name of the devnet; what `down` and `status` select by.
pub const NAME: &str = "devnet.name";
/// Run id: one for each birth of a network, kept until it is taken down.
pub const RUN: &str = "devnet.run";
/// Role of a node (`bootstrap`, `miner`, `observer`), or `network`.
pub const ROLE: &str = "devnet.role";
/// Name of the node a container or volume belongs to.
pub const NODE: &str = "devnet.node";
/// What a container beside the network's nodes does (`prometheus`, `grafana`);
/// nodes have none.
pub const SERVICE: &str = "devnet.service";
/// Birth of the network, in seconds since 1970.
pub const CREATED: &str = "devnet.created";
/// Who brought the network up.
pub const OWNER: &str = "devnet.owner";
/// Digest of the exact plan a thing was made from; another digest is drift.
pub const SPEC: &str = "devnet.spec";
/// Address of a node inside the network.
pub const IP: &str = "devnet.ip";
/// `ip:port` where the host reaches a node's JSON-RPC.
pub const RPC: &str = "devnet.rpc";
/// `ip:port` where the host reaches a node's metrics.
pub const METRICS: &str = "devnet.metrics";
