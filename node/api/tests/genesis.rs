//! The genesis file.

use minichain_api::genesis::{DifficultyRule, GenesisFile, Owner, Reward};

const SHORTEST: &str = "network: lab\ntime_s: 1767225600\ninitial_hash_rate: 20000\n";

fn parse(yaml: &str) -> Result<GenesisFile, String> {
    serde_yaml::from_str(yaml).map_err(|error| error.to_string())
}

#[test]
fn three_lines_make_a_network() {
    let genesis = parse(SHORTEST).unwrap();
    assert_eq!(genesis.spacing_s, 5);
    assert_eq!(
        genesis.difficulty,
        DifficultyRule::Asert { half_life_s: None }
    );
    assert_eq!(
        genesis.reward,
        Reward {
            initial: "50".into(),
            halving_interval: 210_000
        }
    );
    assert_eq!(
        (genesis.coinbase_maturity, genesis.block_weight_max),
        (100, 4_000_000)
    );
    assert_eq!(genesis.address_prefix, "mini");
    assert!(genesis.allocations.is_empty());
}

#[test]
fn difficulty_rules_and_owners_are_read() {
    for (yaml, rule) in [
        (
            "{rule: asert, half_life_s: 300}",
            DifficultyRule::Asert {
                half_life_s: Some(300),
            },
        ),
        ("{rule: lwma}", DifficultyRule::Lwma { window: 60 }),
        (
            "{rule: lwma, window: 30}",
            DifficultyRule::Lwma { window: 30 },
        ),
        ("{rule: fixed}", DifficultyRule::Fixed {}),
    ] {
        assert_eq!(
            parse(&format!("{SHORTEST}difficulty: {yaml}\n"))
                .unwrap()
                .difficulty,
            rule
        );
    }
    let seed = "07".repeat(32);
    let yaml = format!(
        "{SHORTEST}allocations:\n- {{account: alice, amount: \"10\", owner: {{public_seed: \"{seed}\"}}}}\n\
         - account: bob\n  amount: 0.5\n  owner:\n    address: mini1p\n"
    );
    let allocations = parse(&yaml).unwrap().allocations;
    assert_eq!(allocations[0].owner, Owner::PublicSeed(seed));
    assert_eq!(allocations[1].owner, Owner::Address("mini1p".into()));
    assert_eq!(allocations[1].amount, "0.5");
}

#[test]
fn genesis_survives_a_round_trip() {
    let mut genesis = parse(SHORTEST).unwrap();
    genesis.difficulty = DifficultyRule::Lwma { window: 45 };
    genesis.future_limit_s = Some(15);
    genesis.reward.initial = "12.5".into();
    assert_eq!(
        parse(&serde_yaml::to_string(&genesis).unwrap()).unwrap(),
        genesis
    );
}

#[test]
fn mistakes_are_refused() {
    for (yaml, word) in [
        ("network: lab\ntime_s: 1\n", "initial_hash_rate"),
        (&format!("{SHORTEST}spacing: 5\n"), "spacing"),
        (&format!("{SHORTEST}difficulty: {{rule: dark}}\n"), "dark"),
        (
            &format!("{SHORTEST}difficulty: {{rule: fixed, window: 3}}\n"),
            "window",
        ),
        (&format!("{SHORTEST}coinbase_maturity: -1\n"), "-1"),
        (
            "network: lab\ntime_s: 4294967296\ninitial_hash_rate: 1\n",
            "4294967296",
        ),
    ] {
        let message = parse(yaml).expect_err(yaml);
        assert!(message.contains(word), "{yaml}: {message}");
    }
}
