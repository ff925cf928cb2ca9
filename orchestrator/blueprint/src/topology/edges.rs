//! Explicit connections: known names, no loops, one piece.

use std::collections::{BTreeMap, BTreeSet};

use super::Flaw;
use super::check::{Found, unknown_node};

/// Finds every problem of the edges between these nodes.
pub fn check(
    names: &[String],
    edges: &[(String, String)],
    allow_disconnected: bool,
    found: &mut Found,
) {
    let before = found.count();
    let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    for (at, (from, to)) in edges.iter().enumerate() {
        for (end, name) in [from, to].into_iter().enumerate() {
            if !known.contains(name.as_str()) {
                let flaw = unknown_node(name, known.iter().copied());
                found.add(format!("peers.edges[{at}][{end}]"), flaw);
            }
        }
        let path = format!("peers.edges[{at}]");
        if from == to {
            found.add(path, Flaw::SelfEdge(from.clone()));
        } else if !seen.insert((from.min(to), from.max(to))) {
            found.add(path, Flaw::DuplicateEdge(from.clone(), to.clone()));
        }
    }
    // Of edges that are at fault themselves nothing follows.
    let is_sound = found.count() == before;
    if is_sound
        && !allow_disconnected
        && let Some((reached, unreached)) = cut_off(names, edges)
    {
        found.add("peers.edges", Flaw::Disconnected { reached, unreached });
    }
}

/// The first node, and the first that no path of edges joins to it.
fn cut_off(names: &[String], edges: &[(String, String)]) -> Option<(String, String)> {
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        neighbours.entry(from).or_default().push(to);
        neighbours.entry(to).or_default().push(from);
    }
    let first = names.first()?;
    let mut reached = BTreeSet::from([first.as_str()]);
    let mut frontier = vec![first.as_str()];
    while let Some(name) = frontier.pop() {
        let next = neighbours.get(name).into_iter().flatten();
        frontier.extend(next.filter(|neighbour| reached.insert(*neighbour)));
    }
    let unreached = names.iter().find(|name| !reached.contains(name.as_str()))?;
    Some((first.clone(), unreached.clone()))
}
