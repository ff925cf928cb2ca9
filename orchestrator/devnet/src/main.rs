//! The `devnet` command.

fn main() {}
