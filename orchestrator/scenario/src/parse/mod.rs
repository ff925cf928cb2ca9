//! From a text to a scenario, with the place of everything that is wrong.

mod tree;

pub use tree::{Key, Place, Tree, Value};
