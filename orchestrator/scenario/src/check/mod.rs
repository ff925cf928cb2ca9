//! Holds a scenario against a network: names, times, and claims that can never
//! hold. Nothing may be left to be found out while a network runs.

mod claims;
mod ledger;
mod walk;

use crate::model::Roster;
use crate::parse::{Document, Problem};
use walk::Walk;

/// Everything wrong with a scenario on that network, in the order of the file;
/// warnings among it.
pub fn check(document: &Document, roster: &Roster) -> Vec<Problem> {
    let mut walk = Walk::new(&document.tree, roster.clone());
    walk.scenario(&document.scenario);
    let mut problems = document.warnings.clone();
    problems.extend(walk.problems);
    problems.sort_by_key(|problem| problem.place);
    problems
}
