//! Many small networks of random shape through random trouble: after the storm
//! all agree, and nobody honest was blamed.

use std::collections::BTreeSet;

use minichain_protocol::output::DisconnectReason;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::support::chain::{ACCOUNTS, allocated, params, pay};
use crate::support::network::Network;

fn storm(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |limit: u64| rng.next_u64() % limit;
    let count = usize::try_from(2 + below(9)).expect("small");
    let mut network = Network::new(seed);
    for place in 0..count {
        let is_miner = place == 0 || below(2) == 0;
        network.add(is_miner.then_some(10_000.0));
    }
    // A random tree, so that all are connected, and some more links.
    for place in 1..count {
        network.link(usize::try_from(below(place as u64)).expect("small"), place);
    }
    for _ in 0..count {
        let ends = [(); 2].map(|()| usize::try_from(below(count as u64)).expect("small"));
        if ends[0] != ends[1] {
            network.link(ends[0], ends[1]);
        }
    }
    for account in 0..ACCOUNTS {
        network.loss_per_mille = below(3) * 100;
        let sides: Vec<bool> = (0..count).map(|_| below(2) == 0).collect();
        let group = |side| {
            (0..count)
                .filter(|place| sides[*place] == side)
                .collect::<Vec<_>>()
        };
        network.partition(&[&group(true), &group(false)]);
        let payer = usize::try_from(below(count as u64)).expect("small");
        network.submit(
            payer,
            pay(allocated(&params(), account), account, 0, 10_000),
        );
        network.run_ms(below(120_000));
        network.heal();
        network.run_ms(below(60_000));
    }
    network.loss_per_mille = 0;
    network.run_ms(5_000);
    network.settle(60_000);
    let digests = network
        .hosts
        .iter()
        .map(|host| host.node.state().utxo_info().muhash);
    assert_eq!(
        digests.collect::<BTreeSet<_>>().len(),
        1,
        "seed {seed}: one set of coins"
    );
    for host in &network.hosts {
        let blamed = host
            .dropped
            .iter()
            .find(|(_, reason)| reason.is_misbehaviour());
        assert_eq!(blamed, None::<&(usize, DisconnectReason)>, "seed {seed}");
    }
}

#[test]
fn after_any_storm_all_agree_and_nobody_was_blamed() {
    for seed in 0..15 {
        storm(seed);
    }
}
