//! Simulated chains follow the rules that nodes follow: two shells read the
//! genesis file, and must read the same out of it.

use minichain_api::genesis::{DifficultyRule, GenesisFile};
use minichain_chain::params::{Params, Proof};

/// The built-in network, and what else a file may say.
fn files() -> Vec<GenesisFile> {
    let mut builtin = minichain_node::genesis::load(None).expect("it is built in");
    // Only networks that are called so may be simulated.
    builtin.network = "sim-rules".into();
    let changed = |change: fn(&mut GenesisFile)| {
        let mut file = builtin.clone();
        change(&mut file);
        file
    };
    vec![
        builtin.clone(),
        changed(|file| file.spacing_s = 1),
        changed(|file| file.spacing_s = 600),
        changed(|file| file.future_limit_s = Some(77)),
        changed(|file| {
            file.difficulty = DifficultyRule::Asert {
                half_life_s: Some(90_000),
            };
        }),
        changed(|file| file.difficulty = DifficultyRule::Lwma { window: 45 }),
        changed(|file| file.difficulty = DifficultyRule::Fixed {}),
        changed(|file| file.reward.halving_interval = 7),
        changed(|file| file.allocations.clear()),
    ]
}

#[test]
fn simulated_chains_follow_the_rules_of_the_nodes() {
    for file in files() {
        let nodes = minichain_node::genesis::params(&file).expect("a sound file");
        let simulated = devnet::simworld::params(&file).expect("a sound file");
        // Work is drawn there, in another unit.
        let wanted = Params {
            proof: Proof::Simulated,
            initial_target: simulated.initial_target,
            pow_limit: simulated.pow_limit,
            ..nodes
        };
        assert_eq!(simulated, wanted);
    }
}
