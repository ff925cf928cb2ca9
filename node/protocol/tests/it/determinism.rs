//! The same seed gives the same network, to the last byte of every order.

use crate::support::chain::{allocated, params, pay};
use crate::support::network::Network;

fn run(seed: u64) -> [u8; 32] {
    let mut network = Network::new(seed);
    for place in 0..5 {
        network.add((place < 3).then_some(10_000.0));
    }
    network.link_all();
    network.loss_per_mille = 50;
    network.run_ms(40_000);
    network.submit(4, pay(allocated(&params(), 0), 0, 1, 1_000));
    network.partition(&[&[0, 1], &[2, 3, 4]]);
    network.run_ms(60_000);
    network.heal();
    network.run_ms(60_000);
    network.digest()
}

#[test]
fn same_seed_same_outputs() {
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
