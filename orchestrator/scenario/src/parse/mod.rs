//! From a text to a scenario, with the place of everything that is wrong.
//!
//! The text becomes a [`Tree`], parameters are put in, and the tree is read by
//! the tables of `crate::form`. Reading goes on after a fault, so that all are
//! told at once. Everything is bounded by [`limits`].

mod claims;
mod faults;
pub mod limits;
mod nearest;
mod problem;
mod reader;
mod root;
mod sim;
mod steps;
mod substitute;
mod tree;
mod tree_serde;
mod values;

pub use nearest::{hint, nearest};
pub use problem::{Problem, Severity};
pub use tree::{Key, Place, Tree, Value};
pub use tree_serde::{PlacedError, PlacedWhat};

use crate::model::Scenario;

/// A scenario and the tree it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it says; not yet held against a network.
    pub scenario: Scenario,
    /// For the places of later problems; parameters are put in.
    pub tree: Tree,
    /// What is odd, and forbids nothing.
    pub warnings: Vec<Problem>,
}

/// Reads a scenario; `sets` are parameters set from outside, by name.
///
/// # Errors
/// Everything wrong with it, in the order of the file; at least one.
pub fn parse(text: &str, sets: &[(String, String)]) -> Result<Document, Vec<Problem>> {
    let tree = root::tree(text).map_err(|problem| vec![problem])?;
    root::document(tree, sets)
}
