//! A network's life, from up to down.

use rustix::process::Signal;

use crate::support::{Devnet, signal};

fn names(report: &serde_json::Value) -> Vec<&str> {
    let nodes = report["nodes"].as_array().expect("a list of nodes");
    nodes
        .iter()
        .map(|node| node["name"].as_str().expect("a name"))
        .collect()
}

#[test]
fn up_says_where_everything_is() {
    let devnet = Devnet::new();
    let outcome = devnet.ok(&["up", "--nodes", "3", "--miners", "2"]);
    for word in [
        "bootstrap-0",
        "miner-0",
        "miner-1",
        "http://127.",
        ":9001/",
        ":9002/metrics",
    ] {
        assert!(outcome.stdout.contains(word), "{word}: {}", outcome.stdout);
    }
    for word in [
        "is up (1 bootstrap, 2 miners) after",
        "devnet status",
        "devnet logs",
        "devnet down",
    ] {
        assert!(outcome.stdout.contains(word), "{word}: {}", outcome.stdout);
    }
    for stage in ["✓ plan", "✓ nodes", "✓ health"] {
        assert!(
            outcome.stderr.contains(stage),
            "{stage}: {}",
            outcome.stderr
        );
    }
    assert!(!outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'));
    assert_eq!(devnet.nodes().len(), 3);
}

#[test]
fn up_answers_with_data() {
    let devnet = Devnet::new();
    let report = devnet.json(&[
        "up", "--json", "--nodes", "4", "--miners", "2", "--seed", "9",
    ]);
    assert_eq!(
        names(&report),
        ["bootstrap-0", "miner-0", "miner-1", "observer-0"]
    );
    assert_eq!(report["seed"], 9);
    assert_eq!(report["agreement"]["same_utxo"], true);
    for node in report["nodes"].as_array().expect("a list") {
        for key in [
            "role",
            "state",
            "ip",
            "rpc_url",
            "metrics_url",
            "height",
            "tip",
            "chainwork",
            "peers",
            "utxo_muhash",
        ] {
            assert!(!node[key].is_null(), "{key}: {node}");
        }
        assert!(node["rpc_auth"].is_null(), "a secret: {node}");
    }
}

#[test]
fn credentials_are_told_only_where_they_are_asked_for() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let asked = devnet.json(&["status", "--json", "--credentials"]);
    let auth = asked["nodes"][0]["rpc_auth"]
        .as_str()
        .expect("it was asked for");
    let (user, password) = auth.split_once(':').expect("user and password");
    assert!(!user.is_empty() && !password.is_empty());
    for verb in [
        ["status", "--json"].as_slice(),
        &["status"],
        &["up", "--json"],
        &["up"],
        &["up", "--dry-run"],
        &["up", "--dry-run", "--json"],
        &["faults", "--json"],
        &["ls", "--json"],
        &["accounts", "--json"],
    ] {
        let outcome = devnet.run(verb);
        assert!(!outcome.stdout.contains(password), "{verb:?}");
        assert!(!outcome.stderr.contains(password), "{verb:?}");
    }
    let refused = devnet.run(&["status", "--credentials"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--json"), "{}", refused.stderr);
}

#[test]
fn up_twice_changes_nothing_and_says_so() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let before = devnet.nodes();
    let outcome = devnet.ok(&["up"]);
    assert!(
        outcome
            .stdout
            .contains("Nothing to do: 3 nodes are running."),
        "{}",
        outcome.stdout
    );
    assert_eq!(devnet.nodes(), before);
    assert_eq!(devnet.json(&["up", "--json"])["actions"], 0);
}

#[test]
fn a_dead_node_is_seen_and_brought_back() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let before = devnet.nodes();
    signal(before[0], Signal::KILL);
    while devnet.nodes().len() == before.len() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let status = devnet.run(&["status"]);
    assert_eq!(status.code, 1);
    assert!(
        status.stdout.contains("exited") && status.stdout.contains("brings back"),
        "{}",
        status.stdout
    );
    devnet.ok(&["up"]);
    let after = devnet.nodes();
    assert_eq!(after.len(), 3);
    assert!(
        before[1..].iter().all(|pid| after.contains(pid)),
        "the living were left alone"
    );
    devnet.ok(&["status"]);
}

#[test]
fn a_network_grows_and_shrinks() {
    let devnet = Devnet::new();
    devnet.ok(&["up", "--nodes", "2", "--miners", "1"]);
    let before = devnet.nodes();
    devnet.ok(&["up", "--nodes", "4", "--miners", "1"]);
    assert_eq!(devnet.nodes().len(), 4);
    assert!(before.iter().all(|pid| devnet.nodes().contains(pid)));
    devnet.ok(&["up", "--nodes", "2", "--miners", "1"]);
    assert_eq!(devnet.nodes().len(), 2);
}

#[test]
fn down_leaves_nothing() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let answer = devnet.json(&["down", "--json"]);
    assert_eq!(answer["removed"][0]["nodes"], 3);
    assert_eq!(answer["removed"][0]["volumes"], 3);
    assert!(devnet.nodes().is_empty());
    assert!(!devnet.folder().exists());
    assert!(devnet.ok(&["down"]).stdout.contains("Nothing to do"));
}

#[test]
fn networks_stand_side_by_side() {
    let devnet = Devnet::new();
    let other = format!("{}-b", devnet.name);
    devnet.ok(&["up", "--nodes", "2", "--miners", "1"]);
    devnet.ok(&["up", "--nodes", "1", "--miners", "1", "--name", &other]);
    let listed = devnet.json(&["ls", "--json"]);
    let listed: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(listed, [devnet.name.as_str(), &other]);
    devnet.ok(&["down"]);
    assert_eq!(devnet.nodes().len(), 1);
    devnet.ok(&["status", "--name", &other]);
}

#[test]
fn down_all_takes_the_old_and_leaves_the_young() {
    let devnet = Devnet::new();
    devnet.ok(&["up", "--nodes", "1", "--miners", "1"]);
    devnet.ok(&["down", "--all", "--older-than", "1h"]);
    assert_eq!(devnet.nodes().len(), 1);
    devnet.ok(&["down", "--all"]);
    assert!(devnet.nodes().is_empty() && !devnet.folder().exists());
}

#[test]
fn logs_come_in_time_order_with_names_before_them() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let lines = devnet.ok(&["logs"]).stdout;
    assert_eq!(lines.lines().count(), 6, "{lines}");
    assert!(
        lines.lines().all(|line| line.contains(" | 2026-01-01T")),
        "{lines}"
    );
    let times: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split(" | ").nth(1)?.split(' ').next())
        .collect();
    assert!(times.is_sorted(), "{lines}");
    let one = devnet.ok(&["logs", "miner-0", "--tail", "1"]).stdout;
    assert!(
        one.starts_with("miner-0     | ") && one.contains("ready"),
        "{one}"
    );
    assert_eq!(one.lines().count(), 1);
    let json = devnet
        .ok(&["logs", "miner-0", "--tail", "1", "--json"])
        .stdout;
    let line: serde_json::Value = serde_json::from_str(&json).expect("one object a line");
    assert_eq!(line["node"], "miner-0");
}

#[test]
fn logs_of_an_unknown_node_name_the_nearest() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    let outcome = devnet.run(&["logs", "minr-0"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("Did you mean `miner-0`?"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn status_survives_the_loss_of_the_plan() {
    let devnet = Devnet::new();
    devnet.ok(&["up"]);
    for file in ["network.json", "wish.json"] {
        std::fs::remove_file(devnet.folder().join(file)).expect("own file");
    }
    let outcome = devnet.ok(&["status"]);
    assert!(
        outcome.stdout.contains("its state folder is lost"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("same block and the same coins"),
        "{}",
        outcome.stdout
    );
    devnet.ok(&["down"]);
    assert!(devnet.nodes().is_empty() && !devnet.folder().exists());
}

#[test]
fn a_node_that_ends_is_named_with_its_last_words() {
    let devnet = Devnet::new();
    let text = "groups:\n  - name: miner\n  - { name: odd, env: { FAKE_NODE: exit } }\n";
    let file = devnet.write("t.yaml", text);
    let outcome = devnet.run(&[
        "up",
        "-f",
        file.to_str().expect("UTF-8"),
        "--timeout",
        "30s",
    ]);
    assert_eq!(outcome.code, 1);
    for words in [
        "odd-0 ended",
        "cannot go on: told to end",
        "devnet logs",
        "devnet down",
    ] {
        assert!(
            outcome.stderr.contains(words),
            "{words}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_node_that_stays_silent_is_named_at_the_time_out() {
    let devnet = Devnet::new();
    let text = "groups:\n  - name: miner\n  - { name: odd, env: { FAKE_NODE: silent } }\n";
    let file = devnet.write("t.yaml", text);
    let outcome = devnet.run(&["up", "-f", file.to_str().expect("UTF-8"), "--timeout", "1s"]);
    assert_eq!(outcome.code, 1);
    for words in [
        "was not healthy within 1.0 s",
        "odd-0 does not answer on 127.",
        "last lines of odd-0",
    ] {
        assert!(
            outcome.stderr.contains(words),
            "{words}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_dry_run_shows_the_plan_without_password_and_touches_nothing() {
    let devnet = Devnet::new();
    let text = devnet.ok(&["up", "--dry-run", "--seed", "7"]).stdout;
    assert!(
        text.contains("engine process") && text.contains("seed 7"),
        "{text}"
    );
    assert!(
        text.contains("start bootstrap-0") && text.contains("Nothing was touched"),
        "{text}"
    );
    let data = devnet.json(&["up", "--dry-run", "--seed", "7", "--json"]);
    assert_eq!(data["blueprint"]["rpc"]["password"], "");
    assert_eq!(data["blueprint"]["nodes"].as_array().map(Vec::len), Some(3));
    assert!(
        data["plan"]["stages"]
            .as_array()
            .is_some_and(|stages| !stages.is_empty())
    );
    assert!(!devnet.folder().exists() && devnet.nodes().is_empty());
}

#[test]
fn a_dry_run_shows_what_would_watch_the_network() {
    let devnet = Devnet::new();
    let up = ["up", "--dry-run", "--monitoring"];
    let text = devnet.ok(&up).stdout;
    for part in [
        "\nExporter    http://127.0.0.1:",
        "\nPrometheus  ",
        "\nGrafana     none: no Docker engine can be used\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let data = devnet.json(&[&up[..], &["--json"]].concat());
    let monitoring = &data["monitoring"];
    assert!(monitoring["exporter"].is_string(), "{monitoring}");
    assert!(
        monitoring["grafana"]["from"]["missing"].is_string(),
        "{monitoring}"
    );
    let data = devnet.json(&["up", "--dry-run", "--json"]);
    assert!(data["monitoring"].is_null(), "nobody asked for it");
    assert!(!devnet.folder().exists());
}

#[test]
fn without_docker_auto_uses_processes_and_says_so_in_one_line() {
    let devnet = Devnet::new();
    let outcome = devnet.ok(&["up", "--engine", "auto", "--nodes", "1", "--miners", "1"]);
    let lines = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("using plain processes"));
    assert_eq!(lines.count(), 1, "{}", outcome.stderr);
    assert_eq!(devnet.nodes().len(), 1);
}

#[test]
fn doctor_tells_what_fails_and_what_to_do() {
    let devnet = Devnet::new();
    let outcome = devnet.ok(&["doctor"]);
    assert!(
        outcome.stdout.contains("process table"),
        "{}",
        outcome.stdout
    );
    let docker = devnet.run(&["doctor", "--engine", "docker"]);
    assert_eq!(docker.code, 1);
    assert!(
        docker.stdout.contains("fail") && docker.stdout.contains("→"),
        "{}",
        docker.stdout
    );
    let data = devnet.json(&["doctor", "--json"]);
    assert_eq!(data["usable"], true);
}
