//! The network side alone, over real sockets on loopback: who finds whom, what
//! passes, and what is refused. No chain is involved; the core's part is
//! played by the tests.

#![expect(clippy::panic, reason = "a test fails by panicking")]

#[path = "net/support.rs"]
mod support;

#[path = "net/bounds.rs"]
mod bounds;
#[path = "net/conditions.rs"]
mod conditions;
#[path = "net/connect.rs"]
mod connect;
#[path = "net/crowd.rs"]
mod crowd;
#[path = "net/exchange.rs"]
mod exchange;
#[path = "net/gossip.rs"]
mod gossip;
#[path = "net/half_open.rs"]
mod half_open;
