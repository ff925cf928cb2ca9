//! Networks come to one chain.

use minichain_protocol::event::{Event, Source};
use minichain_protocol::output::DisconnectReason;

use crate::support::host::Host;
use crate::support::network::Network;

const SPACING_MS: f64 = 5_000.0;

#[test]
fn three_nodes_converge() {
    let mut network = Network::new(1);
    for mean_ms in [Some(2.0 * SPACING_MS), Some(2.0 * SPACING_MS), None] {
        network.add(mean_ms);
    }
    network.link_all();
    network.run_until(300_000, "height 5", |network| {
        network.hosts.iter().all(|host| host.height() >= 5)
    });
    network.settle(20_000);
    let digests = network
        .hosts
        .iter()
        .map(|host| host.node.state().utxo_info().muhash);
    assert_eq!(digests.collect::<std::collections::BTreeSet<_>>().len(), 1);
}

#[test]
fn a_chain_of_nodes_converges_though_the_ends_are_far_apart() {
    let mut network = Network::new(2);
    for place in 0..6 {
        network.add((place % 5 == 0).then_some(2.0 * SPACING_MS));
    }
    for place in 1..6 {
        network.link(place - 1, place);
    }
    network.run_ms(200_000);
    network.settle(30_000);
    assert!(
        network.hosts[0].height() >= 15,
        "height {}",
        network.hosts[0].height()
    );
}

#[test]
fn both_miners_of_a_new_network_mine_at_once() {
    let mut network = Network::new(3);
    network.add(Some(SPACING_MS));
    network.add(Some(SPACING_MS));
    network.link_all();
    network.run_ms(100);
    assert!(network.hosts.iter().all(|host| host.node.is_mining()));
    network.run_until(120_000, "blocks by both", |network| {
        let mined = |event: &Event| matches!(event, Event::BlockMined { .. });
        network
            .hosts
            .iter()
            .all(|host| host.events.iter().any(|(_, event)| mined(event)))
    });
}

//   side A  g─a1─a2─a3 ─ …            loses
//   side B  g─b1─b2─b3─b4─b5─b6 ─ …   has more hash rate and wins
#[test]
fn partition_then_heal_converges_on_most_work() {
    for seed in [4, 5, 6] {
        let mut network = Network::new(seed);
        for mean_ms in [4.0, 4.0, 1.0, 4.0] {
            network.add(Some(mean_ms * SPACING_MS));
        }
        network.link_all();
        network.run_ms(20_000);
        network.partition(&[&[0, 1], &[2, 3]]);
        network.run_ms(240_000);
        let heights: Vec<u32> = network.hosts.iter().map(Host::height).collect();
        assert_eq!(network.tips().len(), 2, "two sides, two tips");
        assert!(heights[2] > heights[0] + 3, "{heights:?}");
        let winner = network.hosts[2].tip();
        network.stop_mining();
        network.heal();
        network.run_until(30_000, "one tip after the heal", Network::has_one_tip);
        assert_eq!(
            network.hosts[0].tip(),
            winner,
            "the branch with most work won"
        );
        let reorged = network.hosts[0].events.iter().any(|(_, event)| {
            matches!(event, Event::TipChanged { disconnected, .. } if disconnected.len() > 1)
        });
        assert!(reorged, "the losing side gave up its blocks");
    }
}

#[test]
fn a_healed_network_agrees_on_fresh_blocks_too() {
    let mut network = Network::new(7);
    for _ in 0..4 {
        network.add(Some(4.0 * SPACING_MS));
    }
    network.link_all();
    network.partition(&[&[0, 1], &[2, 3]]);
    network.run_ms(60_000);
    network.heal();
    network.run_ms(30_000);
    let healed = network
        .hosts
        .iter()
        .map(Host::height)
        .max()
        .unwrap_or_default();
    network.run_until(120_000, "five blocks after the heal", |network| {
        network.hosts.iter().all(|host| host.height() >= healed + 5)
    });
    network.settle(20_000);
}

#[test]
fn a_lossy_network_converges() {
    for seed in [8, 9, 10] {
        let mut network = Network::new(seed);
        for place in 0..5 {
            network.add((place < 3).then_some(3.0 * SPACING_MS));
        }
        network.link_all();
        network.loss_per_mille = 200;
        network.run_ms(200_000);
        network.settle(90_000);
        assert!(network.hosts[0].height() > 15);
    }
}

#[test]
fn late_joiner_catches_up_300_blocks() {
    let mut network = Network::new(11);
    network.add(Some(SPACING_MS / 5.0));
    network.add(None);
    network.add(None);
    network.link_all();
    network.run_until(600_000, "300 blocks", |network| {
        network.hosts[2].height() >= 300
    });
    let joined_ms = network.now_ms;
    let late = network.add(None);
    for place in 0..3 {
        network.link(place, late);
    }
    network.run_until(10_000, "the late joiner catches up", |network| {
        network.hosts[3].height() + 1 >= network.hosts[0].height()
    });
    let events: Vec<&Event> = network.hosts[late]
        .events
        .iter()
        .map(|(_, event)| event)
        .collect();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::SyncStarted { .. }))
    );
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::SyncFinished { .. }))
    );
    let sources = events.iter().filter_map(|event| match event {
        Event::TipChanged {
            source: Source::Request(peer),
            ..
        } => Some(*peer),
        _ => None,
    });
    let sources: std::collections::BTreeSet<_> = sources.collect();
    assert!(
        sources.len() > 1,
        "bodies came from several peers: {sources:?}"
    );
    assert!(network.hosts[late].dropped.is_empty());
    assert!(network.now_ms > joined_ms);
}

#[test]
fn a_quiet_healthy_network_drops_nobody() {
    let mut network = Network::new(12);
    for place in 0..5 {
        network.add((place < 2).then_some(2.0 * SPACING_MS));
    }
    network.link_all();
    network.run_ms(600_000);
    for (place, host) in network.hosts.iter().enumerate() {
        assert_eq!(
            host.dropped,
            Vec::<(usize, DisconnectReason)>::new(),
            "by node {place}"
        );
    }
}
