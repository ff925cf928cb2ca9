//! Precedence, derived ports, and every mistake with its message.

use std::io::Write;

use super::*;

fn resolved(args: &RunArgs, environment: Option<&str>) -> Result<NodeConfig, String> {
    resolve(args, environment.map(OsString::from)).map_err(|error| error.to_string())
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn nothing_said_means_the_defaults() {
    assert_eq!(
        resolved(&RunArgs::default(), None).unwrap(),
        NodeConfig::default()
    );
    assert_eq!(
        resolved(&RunArgs::default(), Some("")).unwrap(),
        NodeConfig::default()
    );
    assert_eq!(
        resolved(&RunArgs::default(), Some("# nothing\n")).unwrap(),
        NodeConfig::default()
    );
    let example = minichain_api::config::EXAMPLE;
    assert_eq!(
        resolved(&RunArgs::default(), Some(example)).unwrap(),
        NodeConfig::default()
    );
}

#[test]
fn flags_win_over_file_and_file_over_environment() {
    let config = file("name: from-file\nmining: {hash_rate: 5}\n");
    let args = RunArgs {
        config: Some(config.path().to_owned()),
        hash_rate: Some(7.5),
        ..RunArgs::default()
    };
    let config = resolved(&args, Some("name: from-environment\np2p: {port: 1}\n")).unwrap();
    assert_eq!(config.name, "from-file");
    assert!((config.mining.hash_rate - 7.5).abs() < f64::EPSILON);
    assert_eq!(config.p2p.port, port::P2P);
    let config = resolved(&RunArgs::default(), Some("name: from-environment\n")).unwrap();
    assert_eq!(config.name, "from-environment");
}

#[test]
fn every_flag_reaches_its_field() {
    let args = RunArgs {
        data_dir: Some("d".into()),
        genesis: Some("g.yaml".into()),
        name: Some("n".into()),
        listen: Some("0.0.0.0".parse().unwrap()),
        port: Some(5),
        bootstrap: vec!["h:1".into(), "i:2".into()],
        no_discovery: true,
        mine: true,
        mining_address: Some("a".into()),
        rpc_listen: Some("127.0.0.2".parse().unwrap()),
        rpc_port: Some(6),
        rpc_user: Some("u".into()),
        rpc_password: Some("p".into()),
        metrics_port: Some(7),
        log_format: Some(crate::cli::LogFormatArg::Json),
        log_filter: Some("debug".into()),
        ..RunArgs::default()
    };
    let mut want = NodeConfig {
        name: "n".into(),
        data_dir: "d".into(),
        ..NodeConfig::default()
    };
    want.genesis_file = Some("g.yaml".into());
    want.p2p.listen = "0.0.0.0".parse().unwrap();
    want.p2p.port = 5;
    want.p2p.bootstrap = vec!["h:1".into(), "i:2".into()];
    want.p2p.discovery = false;
    want.mining.enabled = true;
    want.mining.address = Some("a".into());
    want.rpc.listen = "127.0.0.2".parse().unwrap();
    want.rpc.port = 6;
    want.rpc.user = Some("u".into());
    want.rpc.password = Some("p".into());
    want.metrics.port = 7;
    want.log.format = minichain_api::config::LogFormat::Json;
    want.log.filter = "debug".into();
    assert_eq!(resolved(&args, None).unwrap(), want);
}

#[test]
fn genesis_flag_replaces_whatever_genesis_the_file_had() {
    let inline = "genesis: {network: a, time_s: 1, initial_hash_rate: 1}\n";
    let args = RunArgs {
        genesis: Some("other.yaml".into()),
        ..RunArgs::default()
    };
    let config = resolved(&args, Some(inline)).unwrap();
    assert_eq!(
        (config.genesis, config.genesis_file),
        (None, Some("other.yaml".into()))
    );
    let args = RunArgs {
        mining_address: Some("a".into()),
        ..RunArgs::default()
    };
    let config = resolved(&args, Some("mining: {account: alice}\n")).unwrap();
    assert_eq!(
        (config.mining.account, config.mining.address),
        (None, Some("a".into()))
    );
}

#[test]
fn port_flag_moves_everything_of_a_node_along() {
    let at = |port| RunArgs {
        port: Some(port),
        ..RunArgs::default()
    };
    let config = resolved(&at(8999), None).unwrap();
    assert_eq!((config.rpc.port, config.metrics.port), (18_999, 28_999));
    assert_eq!(config.data_dir, PathBuf::from("minichain-data-8999"));
    // A document says what it means; the flag changes one port only.
    let config = resolved(&at(8999), Some("name: x\n")).unwrap();
    assert_eq!(
        (config.rpc.port, config.metrics.port),
        (port::RPC, port::METRICS)
    );
    assert_eq!(config.data_dir, PathBuf::from("minichain-data"));
    let any = resolved(&at(0), None).unwrap();
    assert_eq!((any.p2p.port, any.rpc.port, any.metrics.port), (0, 0, 0));
}

#[test]
fn port_too_high_for_derived_ports_asks_for_them() {
    let mut args = RunArgs {
        port: Some(60_000),
        ..RunArgs::default()
    };
    let error = resolved(&args, None).unwrap_err();
    assert!(error.contains("--rpc-port"), "{error}");
    args.rpc_port = Some(1_000);
    let error = resolved(&args, None).unwrap_err();
    assert!(error.contains("--metrics-port"), "{error}");
    args.metrics_port = Some(1_001);
    assert_eq!(resolved(&args, None).unwrap().metrics.port, 1_001);
}

#[test]
fn mistakes_name_the_field_and_the_way_out() {
    let seed = "identity_seed: \"12\"";
    for (yaml, words) in [
        ("name: \"a b\"", ["name", "letters"]),
        ("name: \"\"", ["name", "1 to 64"]),
        ("data_dir: \"\"", ["data_dir", "name a folder"]),
        (
            "genesis_file: g\ngenesis: {network: a, time_s: 1, initial_hash_rate: 1}",
            ["genesis", "keep one"],
        ),
        ("p2p: {advertise: 0.0.0.0}", ["p2p.advertise", "concrete"]),
        (
            "p2p: {bootstrap: [\"a:1\", \"b\"]}",
            ["p2p.bootstrap[1]", "host:port"],
        ),
        (&format!("p2p: {{{seed}}}"), ["p2p.identity_seed", "64"]),
        ("p2p: {max_peers: 0}", ["p2p.max_peers", "at least 1"]),
        (
            "p2p: {target_peers: 65}",
            ["p2p.target_peers", "max_peers (64)"],
        ),
        ("mining: {hash_rate: 0}", ["mining.hash_rate", "from 0.001"]),
        ("mining: {hash_rate: .nan}", ["mining.hash_rate", "NaN"]),
        ("mining: {hash_rate: .inf}", ["mining.hash_rate", "inf"]),
        (
            "mining: {address: a, account: b}",
            ["mining.account", "keep one"],
        ),
        ("rpc: {user: a}", ["rpc.password", "missing"]),
        ("rpc: {password: a}", ["rpc.user", "missing"]),
        ("rpc: {user: \"a:b\", password: c}", ["rpc.user", "`:`"]),
        ("rpc: {user: a, password: \"\"}", ["rpc.password", "cookie"]),
        ("rpc: {port: 9000}", ["rpc.port", "p2p.port"]),
        (
            "metrics: {listen: 0.0.0.0, port: 9001}",
            ["metrics.port", "rpc.port"],
        ),
        ("log: {filter: \"a=b=c\"}", ["log.filter", "a=b=c"]),
        (
            "limits: {mempool_bytes: 10}",
            ["limits.mempool_bytes", "at least"],
        ),
        (
            "limits: {store_cache_bytes: 10}",
            ["limits.store_cache_bytes", "at least"],
        ),
    ] {
        let error = resolved(&RunArgs::default(), Some(yaml)).expect_err(yaml);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{yaml}: {error}"
        );
    }
}

#[test]
fn log_filter_takes_levels_and_modules() {
    let checked = |filter: &str| {
        let args = RunArgs {
            log_filter: Some(filter.into()),
            ..RunArgs::default()
        };
        resolved(&args, None)
    };
    for filter in [
        "info",
        "DEBUG",
        "off",
        "info,minichain_node::net=debug",
        "minichain_node",
        "",
    ] {
        assert!(checked(filter).is_ok(), "{filter}");
    }
    for slip in ["inof", "info,verbose"] {
        let error = checked(slip).expect_err(slip);
        assert!(error.contains("is no level"), "{error}");
    }
}

#[test]
fn same_port_on_other_addresses_or_switched_off_is_fine() {
    for yaml in [
        "rpc: {port: 9000, listen: 127.0.0.2}",
        "rpc: {port: 9000, enabled: false}",
        "metrics: {port: 9000, enabled: false}",
        "p2p: {port: 0}\nrpc: {port: 0}\nmetrics: {port: 0}",
    ] {
        assert!(resolved(&RunArgs::default(), Some(yaml)).is_ok(), "{yaml}");
    }
}

#[test]
fn yaml_mistakes_have_a_place() {
    for (yaml, place, word) in [
        ("name: a\nport: 1\n", "line 2, column 1", "port"),
        ("p2p:\n  port: 70000\n", "line 2, column 9", "65535"),
        (
            "p2p:\n  discovery: yes\n",
            "line 2, column 14",
            "true or false",
        ),
        ("name: a\nname: b\n", "line 2, column 1", "name"),
        ("p2p: [\n", "line", ""),
    ] {
        let error = resolved(&RunArgs::default(), Some(yaml)).expect_err(yaml);
        assert!(
            error.starts_with("MINICHAIN_CONFIG, line"),
            "{yaml}: {error}"
        );
        assert!(
            error.contains(place) && error.contains(word),
            "{yaml}: {error}"
        );
    }
}

#[test]
fn unreadable_files_are_named() {
    let error = load_file(Path::new("/nonexistent/node.yaml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nonexistent/node.yaml"), "{error}");
    let binary = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(binary.path(), [0xff, 0xfe, 0x00]).unwrap();
    assert!(load_file(binary.path()).is_err());
    binary.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
    let error = load_file(binary.path()).unwrap_err().to_string();
    assert!(error.contains("at most"), "{error}");
}
