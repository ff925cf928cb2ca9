//! Networks end to end, by the programs a user runs: on the real Docker engine
//! and as plain processes. Each test has its own network name and state folder
//! and leaves nothing behind.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

mod bench;
mod docker;
mod faults;
mod logs;
mod memory;
mod monitoring;
mod nodes;
mod payments;
mod podman;
mod process;
mod story;
mod swapped;
mod top;
mod versions;
