//! Brings up, watches and takes down networks of minichain nodes.
//!
//! The shell around `devnet-blueprint`: it reads arguments, looks at the world,
//! lets the blueprint decide, and performs what was decided on an engine
//! (Docker or plain processes). It must never import the node; it speaks to it
//! through files, HTTP and the words of `minichain-api`.

pub mod account;
pub mod bench;
pub mod cli;
pub mod client;
pub mod clock;
pub mod console;
pub mod crowd;
pub mod engine;
pub mod exit;
pub mod exporter;
pub mod faults;
pub mod fork;
pub mod health;
pub mod keeper;
pub mod monitoring;
pub mod order;
pub mod prepare;
pub mod probe;
pub mod program;
pub mod run;
pub mod scenario_file;
pub mod serve;
pub mod simworld;
pub mod state;
pub mod top;
pub mod topology_file;
pub mod words;
pub mod world;
