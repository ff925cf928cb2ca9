//! The program `minichain` as its users meet it: started as a process, asked
//! over HTTP, ended by signals, and given everything wrong.

#![expect(clippy::panic, reason = "helpers of tests end the test that way")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "parameters are written with json! in place"
)]

mod admin;
mod call;
mod cli;
mod client_library;
mod db;
mod errors;
mod events;
mod faults;
mod kills;
mod lifecycle;
mod owner;
mod peers;
mod rpc;
mod spend;
mod steering;
mod support;
mod traffic;
mod trial;
mod wallet;
mod wallet_file;
mod wallet_follow;
