//! The `devnet` command as its users call it: arguments in, output and exit
//! code out. Nodes are plain processes of a stand-in; no Docker is touched.

mod bench;
mod check;
#[path = "../common/fresh.rs"]
mod fresh;
mod help;
mod interrupted;
mod lifecycle;
mod nodes;
mod refusals;
mod support;
