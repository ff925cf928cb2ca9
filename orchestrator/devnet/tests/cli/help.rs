//! What every verb says of itself.

use crate::support::Devnet;

fn help(verb: &str) -> String {
    let arguments: Vec<&str> = verb.split(' ').filter(|part| !part.is_empty()).collect();
    let outcome = Devnet::new().ok(&[&arguments[..], &["--help"]].concat());
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

#[test]
fn help_of_every_verb_has_examples() {
    let verbs = [
        "",
        "up",
        "down",
        "status",
        "top",
        "logs",
        "report",
        "ls",
        "doctor",
        "partition",
        "isolate",
        "latency",
        "loss",
        "bandwidth",
        "skew",
        "hashrate",
        "fill-disk",
        "corrupt",
        "heal",
        "faults",
        "accounts",
        "send",
        "faucet",
        "kill",
        "stop",
        "start",
        "restart",
        "pause",
        "unpause",
        "wipe",
        "add",
        "remove",
        "upgrade",
        "check",
        "schema",
        "run",
        "sim explore",
        "sim experiment",
        "sim play",
        "serve",
        "bench",
        "bench propagation",
        "bench load",
    ];
    for verb in verbs {
        assert!(help(verb).contains("Examples:\n"), "{verb}");
    }
}

#[test]
fn help_is_as_reviewed() {
    insta::assert_snapshot!("help", help(""));
    insta::assert_snapshot!("help_up", help("up"));
    insta::assert_snapshot!("help_down", help("down"));
    insta::assert_snapshot!("help_status", help("status"));
    insta::assert_snapshot!("help_logs", help("logs"));
    insta::assert_snapshot!("help_report", help("report"));
    insta::assert_snapshot!("help_ls", help("ls"));
    insta::assert_snapshot!("help_doctor", help("doctor"));
    insta::assert_snapshot!("help_partition", help("partition"));
    insta::assert_snapshot!("help_latency", help("latency"));
    insta::assert_snapshot!("help_skew", help("skew"));
    insta::assert_snapshot!("help_heal", help("heal"));
    insta::assert_snapshot!("help_check", help("check"));
    insta::assert_snapshot!("help_schema", help("schema"));
}

#[test]
fn the_version_is_told() {
    let outcome = Devnet::new().ok(&["--version"]);
    assert_eq!(
        outcome.stdout,
        format!("devnet {}\n", env!("CARGO_PKG_VERSION"))
    );
}
