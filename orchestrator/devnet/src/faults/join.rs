//! Nodes of one side that have only met through the other would be parted by a
//! cut that was not to part them: they are introduced to each other before it.
//!
//! Only for networks whose nodes find each other by themselves; where the
//! topology says who dials whom, it says so on purpose.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::fault::{Link, NodeName};
use minichain_api::rpc::{PeerInfo, method};
use serde_json::json;

use super::admin;
use super::apply::Applied;
use super::links::plain;
use super::measure;
use crate::crowd;
use crate::health::components::Components;

/// What a node may take to tell its peers; a frozen one never does.
const CALL_TIMEOUT: Duration = Duration::from_millis(400);
/// Connecting takes milliseconds; who cannot be reached now is no reason to
/// hold the fault back.
const DIAL_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Connects what each side needs to hang together by its own links.
pub async fn sides(applied: &Applied) {
    let peers = peers(applied).await;
    let is_cut = |link: &Link| applied.states.get(link).is_some_and(|x| plain(x).cut);
    let is_open = |link: &Link| !is_cut(link) && !is_cut(&link.reversed());
    let missing = missing(&peers, is_open);
    if !missing.is_empty() {
        measure::ping(applied, &missing, DIAL_TIMEOUT).await;
    }
}

/// The peers of every running node that tells them.
async fn peers(applied: &Applied) -> BTreeMap<NodeName, Vec<NodeName>> {
    let ends = applied.ends.iter();
    let names: BTreeMap<&str, &NodeName> = ends
        .filter_map(|(node, end)| Some((end.peer_id.as_deref()?, node)))
        .collect();
    let timeout = crowd::patience(CALL_TIMEOUT, applied.running.len());
    let asked = applied.running.iter().map(|node| {
        let names = &names;
        async move {
            let order = (method::GET_PEER_INFO, json!([]));
            let limits = (timeout, Duration::ZERO);
            let told: Result<Vec<PeerInfo>, String> =
                admin::call(&applied.layout, node, order, limits).await;
            let named = |peer: PeerInfo| names.get(peer.peerid.as_str()).map(|x| (*x).clone());
            Some((
                node.clone(),
                told.ok()?.into_iter().filter_map(named).collect(),
            ))
        }
    });
    let told = crowd::at_once(asked).await;
    told.into_iter().flatten().collect()
}

/// The fewest open links that make one piece of what is parted only because its
/// nodes have not met.
fn missing(
    peers: &BTreeMap<NodeName, Vec<NodeName>>,
    is_open: impl Fn(&Link) -> bool,
) -> Vec<Link> {
    let mut pieces = Components::new(peers.keys().cloned());
    for (node, others) in peers {
        for other in others {
            if is_open(&Link::new(node, other)) {
                pieces.join(node, other);
            }
        }
    }
    let mut missing = Vec::new();
    for from in peers.keys() {
        for to in peers.keys().filter(|to| *to > from) {
            let link = Link::new(from, to);
            if is_open(&link) && pieces.join(from, to) {
                missing.push(link);
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn star(center: &str, others: &[&str]) -> BTreeMap<NodeName, Vec<NodeName>> {
        let spoke = |node: &&str| ((*node).to_owned(), vec![center.to_owned()]);
        let hub = others.iter().map(|node| (*node).to_owned()).collect();
        let mut peers: BTreeMap<_, _> = others.iter().map(spoke).collect();
        peers.insert(center.to_owned(), hub);
        peers
    }

    fn between(sides: [&'static [&'static str]; 2]) -> impl Fn(&Link) -> bool {
        move |link| {
            let side = |node: &str| sides.iter().position(|side| side.contains(&node));
            side(&link.from) == side(&link.to)
        }
    }

    #[test]
    fn a_side_whose_nodes_met_through_the_other_is_joined() {
        let peers = star("boot", &["a", "b", "c"]);
        let is_open = between([&["boot", "a"], &["b", "c"]]);
        assert_eq!(missing(&peers, is_open), [Link::new("b", "c")]);
    }

    #[test]
    fn sides_that_hang_together_are_left_alone() {
        let mut peers = star("boot", &["a", "b", "c"]);
        peers.insert("c".into(), vec!["b".into()]);
        let is_open = between([&["boot", "a"], &["b", "c"]]);
        assert_eq!(missing(&peers, is_open), []);
        assert_eq!(missing(&peers, |_| true), []);
    }

    #[test]
    fn a_large_side_is_joined_by_as_few_links_as_it_takes() {
        let peers = star("boot", &["a", "b", "c", "d", "e"]);
        let is_open = between([&["boot"], &["a", "b", "c", "d", "e"]]);
        assert_eq!(missing(&peers, is_open).len(), 4);
    }

    #[test]
    fn who_does_not_tell_is_not_introduced() {
        let mut peers = star("boot", &["a", "b", "c"]);
        peers.remove("c");
        let is_open = between([&["boot", "a"], &["b", "c"]]);
        assert_eq!(missing(&peers, is_open), []);
    }
}
