//! The configuration and its example.

use minichain_api::config::{EXAMPLE, NodeConfig};

/// The example with its commented-out settings switched on: lines such as
/// `# user: alice`, but not prose.
fn example_with_every_setting() -> String {
    let is_setting = |line: &str| {
        let text = line.trim_start().trim_start_matches("# ").trim_start();
        let key = text.split(':').next().unwrap_or_default();
        text.contains(": ")
            && !key.is_empty()
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            || text == "genesis:"
    };
    EXAMPLE
        .lines()
        .map(|line| match line.split_once("# ") {
            Some((indent, rest)) if indent.trim().is_empty() && is_setting(line) => {
                format!("{indent}{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

/// Every path of keys in a JSON value.
fn paths(value: &serde_json::Value, prefix: &str, found: &mut Vec<String>) {
    if let serde_json::Value::Object(map) = value {
        for (key, value) in map {
            let path = format!("{prefix}{key}");
            paths(value, &format!("{path}."), found);
            found.push(path);
        }
    }
}

#[test]
fn example_parses_to_the_defaults() {
    let parsed: NodeConfig = serde_yaml::from_str(EXAMPLE).expect("the example is valid");
    assert_eq!(parsed, NodeConfig::default());
}

#[test]
fn empty_document_is_the_default() {
    assert_eq!(
        serde_yaml::from_str::<NodeConfig>("{}").unwrap(),
        NodeConfig::default()
    );
}

#[test]
fn example_names_every_field_where_it_belongs() {
    let yaml = example_with_every_setting();
    let parsed: serde_json::Value = serde_yaml::from_str(&yaml).expect("still valid");
    let (mut named, mut wanted) = (Vec::new(), Vec::new());
    paths(&parsed, "", &mut named);
    paths(
        &serde_json::to_value(NodeConfig::default()).unwrap(),
        "",
        &mut wanted,
    );
    let missing: Vec<_> = wanted.iter().filter(|path| !named.contains(path)).collect();
    assert!(missing.is_empty(), "the example does not name {missing:?}");
    assert!(
        wanted.len() >= 30,
        "the walk over the fields found only {}",
        wanted.len()
    );
}

#[test]
fn example_settings_that_are_commented_out_are_valid_too() {
    let parsed: NodeConfig = serde_yaml::from_str(&example_with_every_setting()).expect("valid");
    assert!(parsed.genesis.is_some() && parsed.genesis_file.is_some());
    assert!(parsed.rpc.user.is_some() && parsed.rpc.password.is_some());
    assert!(parsed.p2p.identity_seed.is_some() && parsed.p2p.advertise.is_some());
    assert!(parsed.mining.address.is_some() && parsed.mining.account.is_some());
}

#[test]
fn unknown_key_is_refused_with_its_place() {
    let error = serde_yaml::from_str::<NodeConfig>("name: a\np2p:\n  prot: 1\n").unwrap_err();
    let location = error.location().expect("a place");
    assert_eq!((location.line(), location.column()), (3, 3), "{error}");
    assert!(error.to_string().contains("prot"), "{error}");
}

#[test]
fn configuration_survives_a_round_trip() {
    let mut config = NodeConfig::default();
    config.p2p.bootstrap = vec!["127.0.0.1:8999".into()];
    config.mining.hash_rate = 2.5;
    config.rpc.user = Some("no".into());
    config.rpc.password = Some("1e5".into());
    let yaml = serde_yaml::to_string(&config).unwrap();
    assert_eq!(
        serde_yaml::from_str::<NodeConfig>(&yaml).unwrap(),
        config,
        "{yaml}"
    );
}
