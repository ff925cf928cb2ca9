//! What validation takes: for every block, every signed input and every byte, one
//! thing after the other.

use std::sync::Arc;

use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::setup::{CpuCost, NodeSetup};

use crate::payments::payment;
use crate::support::{Arrival, LATENCY, arrivals, delays, height, pair, seconds, world};

#[test]
fn a_block_takes_its_time_once_it_is_there() {
    let mut setup = pair();
    setup.cpu.block_us = 100 * MILLI;
    let delays = delays(setup);
    let alone = LATENCY + 100 * MILLI;
    let on_time = delays.iter().filter(|delay| **delay == alone).count();
    assert!(on_time > delays.len() / 2, "{delays:?}");
    assert!(delays.iter().all(|delay| *delay >= alone), "{delays:?}");
}

#[test]
fn bytes_take_their_time_and_ballast_is_bytes() {
    let mut setup = pair();
    setup.ballast_bytes = 1_000_000;
    setup.cpu.kilobyte_us = 100;
    let delays = delays(setup);
    let least = LATENCY + 100 * MILLI;
    assert!(delays.iter().all(|delay| *delay >= least), "{delays:?}");
    // What the block itself is on the wire comes on top.
    let near = delays.iter().filter(|delay| **delay < least + MILLI);
    assert!(near.count() > delays.len() / 2, "{delays:?}");
}

#[test]
fn a_signed_input_takes_its_time_by_itself_and_in_a_block() {
    let input_us = 20 * MILLI;
    let mut setup = pair();
    setup.cpu.input_us = input_us;
    let mut world = world(setup);
    world.run_until(seconds(20));
    let payment = Arc::new(payment(&world));
    let txid = payment.txid();
    let handed_in = world.now();
    assert_eq!(world.submit(0, payment), Some(Ok(())));
    let has_it = |world: &minichain_sim::world::World| {
        let node = world.node(1).expect("it runs");
        node.mempool().contains(&txid)
    };
    assert!(!world.run_while(seconds(21), |world| !has_it(world)));
    assert_eq!(world.now() - handed_in, LATENCY + input_us);
    let arrivals = arrivals(&mut world, seconds(200));
    let late = arrivals
        .iter()
        .filter(|one| one.heard - one.found == LATENCY + input_us);
    assert_eq!(late.count(), 1, "the block with the payment: {arrivals:?}");
    let others = arrivals
        .iter()
        .filter(|one| one.heard - one.found == LATENCY);
    assert_eq!(others.count(), arrivals.len() - 1, "{arrivals:?}");
}

#[test]
fn a_busy_node_validates_one_block_after_the_other() {
    let mut setup = pair();
    let takes = 4_000 * MILLI;
    setup.cpu.block_us = takes;
    let arrivals = arrivals(&mut world(setup), seconds(400));
    let heard: Vec<Micros> = arrivals.iter().map(|one: &Arrival| one.heard).collect();
    assert!(heard.windows(2).all(|pair| pair[1] - pair[0] >= takes));
    let waited = arrivals
        .iter()
        .filter(|one| one.heard - one.found > LATENCY + takes);
    assert!(waited.count() > 5, "{arrivals:?}");
}

/// When a node that comes late has as many blocks as were there at its start.
fn catches_up_in(cpu: CpuCost) -> Micros {
    let mut setup = pair();
    setup.cpu = cpu;
    setup.ballast_bytes = 1_000_000;
    let mut world = world(setup);
    world.run_until(seconds(500));
    let blocks = height(&world, 0);
    assert!(blocks > 60, "{blocks}");
    let began = world.now();
    let late = world.add(NodeSetup::default());
    world.run_until(began);
    let end = began + seconds(100);
    assert!(!world.run_while(end, |world| height(world, late) < blocks));
    world.now() - began
}

#[test]
fn blocks_that_are_fetched_cost_what_gossiped_ones_cost() {
    let free = catches_up_in(CpuCost::default());
    let (block_us, kilobyte_us) = (50 * MILLI, 50);
    let by_block = catches_up_in(CpuCost {
        block_us,
        ..CpuCost::default()
    });
    let by_byte = catches_up_in(CpuCost {
        kilobyte_us,
        ..CpuCost::default()
    });
    // Sixty blocks of 50 ms each, be it for the block or for its megabyte.
    for costly in [by_block, by_byte] {
        assert!(costly > free + seconds(2), "{free} {costly}");
    }
}
