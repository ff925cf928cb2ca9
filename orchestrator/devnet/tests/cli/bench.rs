//! `devnet bench`, on processes of a stand-in.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Devnet, Outcome, signal};

/// Nothing runs, and no network is known.
fn assert_nothing_is_left(devnet: &Devnet) {
    assert_eq!(devnet.nodes(), Vec::<i32>::new());
    let listed = devnet.json(&["ls", "--json"]);
    assert_eq!(listed, Value::Array(Vec::new()));
}

#[test]
fn each_size_has_its_figures_and_each_figure_its_growth() {
    let devnet = Devnet::new();
    let sizes = ["bench", "--nodes", "1,2,4", "--rounds", "2"];
    let how = ["--no-partition", "--idle", "100ms", "--json"];
    let told = devnet.json(&[&sizes[..], &how].concat());
    assert_eq!(told["engine"], "process");
    let sizes = told["sizes"].as_array().expect("a list of sizes");
    let nodes: Vec<u64> = sizes
        .iter()
        .filter_map(|size| size["nodes"].as_u64())
        .collect();
    assert_eq!(nodes, [1, 2, 4]);
    for size in sizes {
        assert_eq!(size["samples"].as_array().map(Vec::len), Some(2), "{size}");
        for figure in ["up_s", "status_s", "memory_mib", "down_s"] {
            assert!(
                size["median"][figure]
                    .as_f64()
                    .is_some_and(|value| value > 0.0),
                "{size}"
            );
        }
        assert!(size["median"]["cpu_percent"].is_number(), "{size}");
        assert!(size["median"].get("partition_s").is_none(), "{size}");
    }
    let growth = &told["growth"]["memory_mib"];
    // Stand-ins all hold the same, so that memory is linear.
    let exponent = growth["exponent"].as_f64().expect("three sizes");
    assert!((0.5..1.5).contains(&exponent), "{growth}");
    assert_eq!(
        growth["interval"].as_array().map(Vec::len),
        Some(2),
        "{growth}"
    );
    assert_nothing_is_left(&devnet);
}

#[test]
fn people_get_a_table_with_the_exponents_below() {
    let devnet = Devnet::new();
    let outcome = devnet.ok(&["bench", "--nodes", "1,2", "--no-partition", "--idle", "0s"]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let heads: Vec<&str> = lines[0].split_whitespace().take(6).collect();
    assert_eq!(heads, ["NODES", "N", "UP", "s", "STATUS", "s"]);
    assert!(lines[3].starts_with("exponent"), "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("2 nodes, round 1: up "),
        "{}",
        outcome.stderr
    );
    assert_nothing_is_left(&devnet);
}

#[test]
fn a_dry_run_names_the_networks_and_makes_none() {
    let devnet = Devnet::new();
    let told = devnet.json(&[
        "bench",
        "--nodes",
        "20,3",
        "--rounds",
        "2",
        "--dry-run",
        "--json",
    ]);
    let networks = told["networks"].as_array().expect("a list");
    let sizes: Vec<(u64, u64)> = networks
        .iter()
        .filter_map(|one| Some((one["nodes"].as_u64()?, one["miners"].as_u64()?)))
        .collect();
    assert_eq!(sizes, [(20, 3), (20, 3), (3, 3), (3, 3)]);
    assert_nothing_is_left(&devnet);
    for what in ["propagation", "load"] {
        devnet.ok(&["bench", what, "--dry-run"]);
        assert_nothing_is_left(&devnet);
    }
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_is_made() {
    let devnet = Devnet::new();
    let refused: [&[&str]; 7] = [
        &["bench", "--nodes", "0"],
        &["bench", "--nodes", "1024"],
        &["bench", "--nodes", "3,x"],
        &["bench", "--rounds", "0"],
        &["bench", "--no-partition", "--hold", "1s"],
        &["bench", "propagation", "--zones", "nowhere"],
        &["bench", "load", "--time", "0s"],
    ];
    for arguments in refused {
        let outcome = devnet.run(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{arguments:?}");
    }
    assert_nothing_is_left(&devnet);
}

#[test]
fn a_network_that_does_not_come_up_is_removed() {
    let devnet = Devnet::new();
    let outcome = devnet
        .command(&["bench", "--nodes", "2", "--no-partition"])
        .env("FAKE_NODE", "exit")
        .output()
        .expect("devnet runs");
    let outcome = Outcome::from(outcome);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("ended"), "{}", outcome.stderr);
    assert_nothing_is_left(&devnet);
}

#[test]
fn ctrl_c_in_the_midst_leaves_nothing() {
    let devnet = Devnet::new();
    let arguments = ["bench", "--nodes", "3", "--no-partition", "--idle", "1h"];
    let mut command = devnet.command(&arguments);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("devnet runs");
    let deadline = Instant::now() + Duration::from_secs(60);
    while devnet.nodes().len() != 3 {
        assert!(Instant::now() < deadline, "three nodes never run");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = i32::try_from(child.id()).expect("process ids fit");
    signal(pid, Signal::INT);
    let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("nothing is left"),
        "{}",
        outcome.stderr
    );
    assert_nothing_is_left(&devnet);
}
