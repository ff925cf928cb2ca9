//! Verdicts over networks made up by hand.

use super::tests_support::{facts_of, peer_info};
use super::*;
use crate::probe::Silence;

/// A made-up network: what was wished, and what its nodes say.
struct World {
    nodes: Vec<NodeAddress>,
    first: Round,
    now: Round,
}

fn address(name: &str, mines: bool, dials: &[&str]) -> NodeAddress {
    NodeAddress {
        name: name.into(),
        role: String::new(),
        mines,
        ip: None,
        rpc: None,
        metrics: None,
        credentials: None,
        dials: dials.iter().map(ToString::to_string).collect(),
    }
}

impl World {
    /// Three nodes, `b` known to all, `m` mining; all is well.
    fn healthy() -> Self {
        let nodes = vec![
            address("b", false, &[]),
            address("m", true, &["b"]),
            address("o", false, &["b"]),
        ];
        let round = |height, hashes| Round {
            nodes: [
                ("b".into(), Ok(facts_of("b", &["m", "o"], height, 0))),
                ("m".into(), Ok(facts_of("m", &["b"], height, hashes))),
                ("o".into(), Ok(facts_of("o", &["b"], height, 0))),
            ]
            .into(),
            common_height: Some(height),
        };
        Self {
            nodes,
            first: round(0, 10),
            now: round(2, 20),
        }
    }

    fn at(&mut self, name: &str) -> &mut NodeFacts {
        self.now
            .nodes
            .get_mut(name)
            .expect("it exists")
            .as_mut()
            .expect("it answers")
    }

    fn lags(&self) -> Vec<String> {
        self.lags_at(0)
    }

    fn lags_at(&self, height_min: u32) -> Vec<String> {
        let lags = judge(&self.nodes, &self.first, &self.now, Wish { height_min });
        lags.into_iter()
            .map(|lag| format!("{} {}", lag.node, lag.why))
            .collect()
    }
}

#[test]
fn a_network_that_agrees_and_mines_is_healthy() {
    assert!(World::healthy().lags().is_empty());
}

#[test]
fn a_silent_node_lags_and_hides_what_follows_from_its_silence() {
    let mut world = World::healthy();
    world
        .now
        .nodes
        .insert("b".into(), Err(Silence("does not answer".into())));
    world.at("m").peers.clear();
    assert_eq!(world.lags(), ["b does not answer"]);
}

#[test]
fn a_node_that_was_never_asked_is_not_healthy() {
    let mut world = World::healthy();
    world.now.nodes.remove("o");
    assert_eq!(world.lags(), ["o was not asked"]);
}

#[test]
fn another_genesis_is_named_with_both_hashes() {
    let mut world = World::healthy();
    world.at("o").chain.genesishash = "other".into();
    assert_eq!(world.lags(), ["o has genesis other, but b has genesis"]);
}

#[test]
fn a_node_without_peers_is_not_joined() {
    let mut world = World::healthy();
    world.at("o").peers.clear();
    world.at("b").peers.retain(|peer| peer.peerid != "o");
    assert_eq!(world.lags(), ["o has no peers and is not joined with b"]);
}

#[test]
fn one_side_of_a_connection_is_enough_and_so_is_a_way_over_others() {
    let mut world = World::healthy();
    world.at("o").peers = vec![peer_info("m")];
    world.at("b").peers = vec![peer_info("m")];
    world.at("m").peers.clear();
    assert!(world.lags().is_empty(), "{:?}", world.lags());
}

#[test]
fn strangers_do_not_join_a_network() {
    let mut world = World::healthy();
    for name in ["b", "o"] {
        world.at(name).peers = vec![peer_info("stranger")];
    }
    assert_eq!(world.lags(), ["o has 1 peer and is not joined with b"]);
}

#[test]
fn one_block_behind_is_fine_and_two_are_not() {
    let mut world = World::healthy();
    world.at("o").chain.blocks = 1;
    assert!(world.lags().is_empty());
    world.at("o").chain.blocks = 0;
    assert_eq!(world.lags(), ["o is at height 0 of 2"]);
}

#[test]
fn another_block_at_the_common_height_is_another_branch() {
    let mut world = World::healthy();
    world.at("o").common_hash = Some("fork".into());
    assert_eq!(
        world.lags(),
        [
            "b is on another branch than o at height 2: common against fork",
            "m is on another branch than o at height 2: common against fork",
            "o is on another branch than b at height 2: fork against common",
        ]
    );
}

#[test]
fn a_miner_has_to_advance() {
    let mut world = World::healthy();
    world.at("m").mining.hashes = 10;
    assert_eq!(world.lags(), ["m has computed no hash since it had 10"]);
    world.at("m").mining.mining = false;
    assert_eq!(world.lags(), ["m does not mine, though it should"]);
}

#[test]
fn a_miner_that_was_silent_at_first_has_to_have_started() {
    let mut world = World::healthy();
    world.first = Round::default();
    assert!(world.lags().is_empty());
    world.at("m").mining.hashes = 0;
    assert_eq!(world.lags(), ["m has computed no hash since it had 0"]);
}

#[test]
fn a_wished_height_is_waited_for() {
    assert!(World::healthy().lags_at(2).is_empty());
    assert_eq!(World::healthy().lags_at(3).len(), 3);
}

#[test]
fn parts_that_are_not_to_be_joined_are_judged_apart() {
    let mut world = World::healthy();
    world.nodes = vec![
        address("b", false, &[]),
        address("m", true, &["b"]),
        address("o", false, &[]),
    ];
    world.at("o").peers.clear();
    world.at("o").common_hash = Some("own".into());
    world.at("o").chain.blocks = 0;
    world.at("b").peers.retain(|peer| peer.peerid == "m");
    assert!(world.lags().is_empty(), "{:?}", world.lags());
}

#[test]
fn without_a_blueprint_all_nodes_belong_together() {
    let mut world = World::healthy();
    for node in &mut world.nodes {
        node.dials.clear();
    }
    world.at("o").common_hash = Some("fork".into());
    assert_eq!(world.lags().len(), 3);
}

#[test]
fn a_single_node_needs_no_peers() {
    let mut world = World::healthy();
    world.nodes.retain(|node| node.name == "b");
    world.now.nodes.retain(|name, _| name == "b");
    world.at("b").peers.clear();
    assert!(world.lags().is_empty());
}

#[test]
fn agreement_needs_every_answer() {
    let mut world = World::healthy();
    assert_eq!(agreement(&world.now).same_coins, Some(true));
    world.at("o").common_muhash = Some("other".into());
    assert_eq!(agreement(&world.now).same_coins, Some(false));
    world.at("o").common_muhash = None;
    assert_eq!(agreement(&world.now).same_coins, None);
    world
        .now
        .nodes
        .insert("o".into(), Err(Silence(String::new())));
    assert!(!agreement(&world.now).is_everyone);
    assert_eq!(agreement(&Round::default()).same_block, None);
}

#[test]
fn a_fork_is_told_by_who_is_where() {
    let mut world = World::healthy();
    let everyone: Vec<String> = world.now.nodes.keys().cloned().collect();
    assert_eq!(agreement(&world.now).branches, [everyone.as_slice()]);
    world.at("o").common_hash = Some("fork".into());
    let told = agreement(&world.now);
    let rest = everyone.into_iter().filter(|name| name != "o");
    assert_eq!(told.branches, [rest.collect(), vec!["o".to_owned()]]);
    assert_eq!(told.same_block, Some(false));
}

#[test]
fn long_hashes_are_cut_for_people() {
    assert_eq!(short_hash("0123456789abcdef"), "0123456789ab…");
    assert_eq!(short_hash("0123"), "0123");
}
