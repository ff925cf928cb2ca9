//! Genesis files, good and bad.

use super::*;

const SHORTEST: &str = "network: lab\ntime_s: 1767225600\ninitial_hash_rate: 20000\n";

fn read(yaml: &str) -> Result<Params, String> {
    parse_yaml(yaml, "genesis.yaml")
        .and_then(|genesis| params(&genesis))
        .map_err(|error| error.to_string())
}

#[test]
fn builtin_network_is_pinned() {
    let params = params(&load(None).unwrap()).unwrap();
    assert_eq!(params.network, "minichain-local");
    assert_eq!(params.spacing_s, 5);
    // Changing this hash cuts everybody off who runs the former network.
    assert_eq!(params.genesis_hash().to_string(), BUILTIN_HASH);
}

const BUILTIN_HASH: &str = "2a27de724b9c3a3e142909f8f6219afa37df01cde8d2f540a0337de742c00d58";

#[test]
fn defaults_follow_the_spacing() {
    let params = read(SHORTEST).unwrap();
    assert_eq!(params.future_limit_s, 15);
    assert_eq!(params.difficulty, Rule::Asert { half_life_s: 150 });
    let fast = read(&format!("{SHORTEST}spacing_s: 1\n")).unwrap();
    assert_eq!(fast.future_limit_s, 10);
    assert_eq!(fast.difficulty, Rule::Asert { half_life_s: 100 });
}

#[test]
fn initial_target_is_met_once_a_spacing() {
    for (rate, spacing, hashes) in [
        ("20000", 5, 100_000.0),
        ("0.5", 10, 5.0),
        ("1", 1, 1.0),
        ("123.456", 7, 864.192),
    ] {
        let yaml =
            format!("network: lab\ntime_s: 1\ninitial_hash_rate: {rate}\nspacing_s: {spacing}\n");
        let params = read(&yaml).unwrap();
        let work: f64 = params.initial_target.work().to_f64();
        // Compact targets have at least 16 significant bits.
        assert!(
            (work / hashes - 1.0).abs() < 1e-4 || work - hashes < 1.0,
            "{yaml}: {work}"
        );
        assert_eq!(
            params.initial_target.to_compact().to_target().unwrap(),
            params.initial_target
        );
        assert!(params.pow_limit >= params.initial_target);
    }
}

#[test]
fn limit_is_a_multiple_of_the_initial_target() {
    let ratio = |factor: &str| {
        let params = read(&format!("{SHORTEST}limit_factor: {factor}\n")).unwrap();
        params.initial_target.work().to_f64() / params.pow_limit.work().to_f64()
    };
    assert!((ratio("2.0") - 2.0).abs() < 1e-3);
    assert!((ratio("1.5") - 1.5).abs() < 1e-3);
    assert!((ratio("1") - 1.0).abs() < 1e-9);
}

#[test]
fn accounts_get_keys_from_seed_or_address() {
    let seed = "07".repeat(32);
    let key = dev_account_key(&[7; 32], "alice").output_key();
    let address = Address::new("mini", key).unwrap();
    let yaml = format!(
        "{SHORTEST}allocations:\n- {{account: alice, amount: \"1.5\", owner: {{public_seed: \"{seed}\"}}}}\n\
         - {{account: bob, amount: \"2\", owner: {{address: {address}}}}}\n"
    );
    let params = read(&yaml).unwrap();
    assert_eq!(params.allocations[0].output_key, key);
    assert_eq!(params.allocations[1].output_key, key);
    assert_eq!(params.allocations[0].amount, Amount::from_sat(150_000_000));
}

#[test]
fn any_difference_makes_another_network() {
    let base = read(SHORTEST).unwrap().genesis_hash();
    for change in [
        "spacing_s: 6\n",
        "limit_factor: 3\n",
        "future_limit_s: 14\n",
        "difficulty: {rule: fixed}\n",
        "difficulty: {rule: asert, half_life_s: 200}\n",
        "reward: {initial: \"49\"}\n",
        "reward: {halving_interval: 100}\n",
        "coinbase_maturity: 10\n",
        "block_weight_max: 1000000\n",
        "address_prefix: lab\n",
    ] {
        assert_ne!(
            read(&format!("{SHORTEST}{change}")).unwrap().genesis_hash(),
            base,
            "{change}"
        );
    }
}

#[test]
fn mistakes_name_the_field() {
    let allocation = |amount: &str, owner: &str| {
        format!("allocations:\n- {{account: a, amount: \"{amount}\", owner: {owner}}}\n")
    };
    let seed = format!("{{public_seed: \"{}\"}}", "07".repeat(32));
    for (change, words) in [
        (
            "limit_factor: 0.5\n".to_owned(),
            ["limit_factor", "out of range"],
        ),
        (
            "limit_factor: .nan\n".to_owned(),
            ["limit_factor", "out of range"],
        ),
        ("spacing_s: 4294967295\n".to_owned(), ["spacing", ""]),
        ("spacing_s: 0\n".to_owned(), ["spacing", "86400"]),
        (
            "reward: {initial: fifty}\n".to_owned(),
            ["reward.initial", "fifty"],
        ),
        (
            "reward: {initial: \"0.123456789\"}\n".to_owned(),
            ["reward.initial", "8 decimals"],
        ),
        ("future_limit_s: 1\n".to_owned(), ["future limit", "10"]),
        (
            "difficulty: {rule: asert, half_life_s: 1}\n".to_owned(),
            ["half-life", ""],
        ),
        (allocation("-1", &seed), ["allocations[0].amount", "-1"]),
        (
            allocation("1", "{public_seed: \"07\"}"),
            ["allocations[0].owner.public_seed", "64"],
        ),
        (
            allocation("1", "{address: nonsense}"),
            ["allocations[0].owner.address", "nonsense"],
        ),
        (allocation("22000000", &seed), ["", "21000000"]),
        ("address_prefix: \"9\"\n".to_owned(), ["prefix", ""]),
    ] {
        let yaml = format!("{SHORTEST}{change}");
        let error = read(&yaml).expect_err(&yaml);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{change}: {error}"
        );
    }
    for rate in ["0", "-5", "1e300", ".nan"] {
        let yaml = format!("network: lab\ntime_s: 1\ninitial_hash_rate: {rate}\n");
        let error = read(&yaml).expect_err(&yaml);
        assert!(error.contains("initial_hash_rate"), "{error}");
    }
    let error = read("network: \"a b\"\ntime_s: 1\ninitial_hash_rate: 1\n").unwrap_err();
    assert!(error.contains("network"), "{error}");
}
