//! A connection whose gossip died while requests work is made anew.

use minichain_protocol::limits::SILENCE_GRACE_MS;
use minichain_protocol::output::{DisconnectReason, Topic, Verdict};

use crate::support::chain::Maker;
use crate::support::lone::{Lone, headers_of, status_of};
use crate::support::network::Network;

#[test]
fn a_peer_whose_gossip_fell_silent_is_redialled() {
    let mut network = Network::new(1);
    network.add(Some(5_000.0));
    network.add(None);
    network.link_all();
    network.run_ms(30_000);
    network.deaf.insert((0, 1));
    network.run_ms(60_000);
    let silent = (0, DisconnectReason::GossipSilent);
    assert!(
        network.hosts[1].dropped.contains(&silent),
        "{:?}",
        network.hosts[1].dropped
    );
    network.deaf.clear();
    network.run_until(20_000, "gossip is back", |network| {
        network.hosts[1].height() == network.hosts[0].height()
    });
}

#[test]
fn gossip_that_comes_behind_the_status_is_not_silence() {
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    lone.now_ms += SILENCE_GRACE_MS;
    for _ in 0..10 {
        let block = maker.mine(1).remove(0);
        lone.tell_status(peer, &status_of(&maker));
        lone.pass_ms(1_000);
        assert_eq!(
            lone.gossip(peer, Topic::Block, block.as_ref()),
            Verdict::Accept
        );
        lone.pass_ms(9_000);
    }
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn nobody_is_silent_to_a_node_that_is_far_behind() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(20);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.now_ms += SILENCE_GRACE_MS;
    for _ in 0..5 {
        maker.mine(1);
        lone.tell_status(peer, &status_of(&maker));
        lone.pass_ms(10_000);
    }
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn blocks_reach_a_node_by_request_while_gossip_is_dead() {
    let mut network = Network::new(2);
    network.add(Some(5_000.0));
    network.add(None);
    network.link_all();
    network.deaf.insert((0, 1));
    network.run_ms(100_000);
    network.settle(20_000);
    assert!(network.hosts[1].height() > 5);
}

#[test]
fn catching_up_is_not_taken_for_silence() {
    let mut network = Network::new(3);
    network.add(Some(1_000.0));
    network.add(None);
    network.link_all();
    network.run_ms(400_000);
    for _ in 0..3 {
        let late = network.add(None);
        for place in 0..late {
            network.link(place, late);
        }
        network.run_ms(30_000);
    }
    for host in &network.hosts {
        assert!(host.dropped.is_empty(), "{:?}", host.dropped);
    }
}
