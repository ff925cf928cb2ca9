//! The Docker engine on a real engine. Every test has names, addresses and
//! ports of its own, and leaves nothing behind, also when it fails.

mod bad;
mod cycle;
mod image;
mod support;
