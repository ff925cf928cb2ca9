//! The program `minichain` as its users meet it: started as a process, asked
//! over HTTP, ended by signals, and given everything wrong.

mod cli;
mod faults;
mod lifecycle;
mod rpc;
mod spend;
mod support;
