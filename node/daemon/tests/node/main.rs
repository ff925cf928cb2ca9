//! The program `minichain` as its users meet it: started as a process, asked
//! over HTTP, ended by signals, and given everything wrong.

#![expect(clippy::panic, reason = "helpers of tests end the test that way")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "parameters are written with json! in place"
)]

mod admin;
mod cli;
mod faults;
mod lifecycle;
mod rpc;
mod spend;
mod support;
