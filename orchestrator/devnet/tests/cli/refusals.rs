//! Bad input: each with its message, its exit code, and nothing touched.

use crate::support::{Devnet, Outcome};

/// What the user reads, with this run's paths made constant.
fn refused(devnet: &Devnet, code: i32, arguments: &[&str]) -> String {
    let outcome = devnet.run(arguments);
    let Outcome {
        code: found,
        stdout,
        stderr,
    } = outcome;
    assert_eq!(found, code, "{arguments:?}: {stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    assert!(
        !devnet.folder().exists(),
        "{arguments:?} touched the state folder"
    );
    let root = devnet.state();
    let root = root.parent().expect("it has one").display().to_string();
    stderr.replace(&root, "ROOT").replace(&devnet.name, "NAME")
}

#[test]
fn counts_that_make_no_network() {
    let devnet = Devnet::new();
    let refuse = |arguments: &[&str]| refused(&devnet, 2, arguments);
    insta::assert_snapshot!(
        "more_miners_than_nodes",
        refuse(&["up", "--nodes", "3", "--miners", "5"])
    );
    insta::assert_snapshot!("no_nodes", refuse(&["up", "--nodes", "0"]));
    insta::assert_snapshot!(
        "too_many_nodes",
        refuse(&["up", "--nodes", "5000", "--miners", "1"])
    );
    insta::assert_snapshot!("negative_nodes", refuse(&["up", "--nodes", "-1"]));
}

#[test]
fn odd_names() {
    let devnet = Devnet::new();
    for name in ["", "Foo", "1st", "a_b", "a/b", "..", "a b", &"a".repeat(41)] {
        for verb in ["up", "down", "status", "logs"] {
            let stderr = refused(&devnet, 2, &[verb, "--name", name]);
            assert!(
                stderr.contains("cannot be a name; use 1 to 40"),
                "{name}: {stderr}"
            );
        }
    }
}

#[test]
fn options_nobody_knows() {
    let devnet = Devnet::new();
    let refuse = |arguments: &[&str]| refused(&devnet, 2, arguments);
    insta::assert_snapshot!("unknown_engine", refuse(&["up", "--engine", "kubernetes"]));
    insta::assert_snapshot!("misspelt_option", refuse(&["up", "--node", "3"]));
    insta::assert_snapshot!("misspelt_verb", refuse(&["statsu"]));
    insta::assert_snapshot!("block_time", refuse(&["up", "--block-time", "500ms"]));
    insta::assert_snapshot!("older_than_alone", refuse(&["down", "--older-than", "1h"]));
    insta::assert_snapshot!(
        "bad_age",
        refuse(&["down", "--all", "--older-than", "1 week"])
    );
    insta::assert_snapshot!(
        "file_and_counts",
        refuse(&["up", "-f", "t.yaml", "--nodes", "3"])
    );
    insta::assert_snapshot!("bad_tail", refuse(&["logs", "--tail", "some"]));
}

#[test]
fn faulty_topologies() {
    let devnet = Devnet::new();
    let refuse = |text: &str| {
        let path = devnet.write("topology.yaml", text);
        refused(&devnet, 2, &["up", "-f", path.to_str().expect("UTF-8")])
    };
    insta::assert_snapshot!(
        "misspelt_key",
        refuse("groups:\n  - name: miner\n    cout: 2\n")
    );
    insta::assert_snapshot!(
        "misspelt_role",
        refuse("groups:\n  - { name: a, role: minner }\n")
    );
    insta::assert_snapshot!(
        "wrong_type",
        refuse("groups:\n  - name: miner\n    count: two\n")
    );
    insta::assert_snapshot!("broken_yaml", refuse("groups: [\n  - name\n"));
    insta::assert_snapshot!(
        "several_problems",
        refuse(
            "groups:\n  - name: miner\n    count: 0\n  - name: miner\n    hash_rate: -1\nnodes:\n  minr-0: {}\n"
        )
    );
    insta::assert_snapshot!("empty_file", refuse(""));
    insta::assert_snapshot!(
        "missing_file",
        refused(&devnet, 2, &["up", "-f", "/nonexistent/t.yaml"])
    );
}

#[test]
fn no_daemon() {
    let devnet = Devnet::new();
    insta::assert_snapshot!(
        "no_daemon",
        refused(&devnet, 3, &["up", "--engine", "docker"])
    );
}

#[test]
fn no_binary() {
    let devnet = Devnet::new();
    insta::assert_snapshot!(
        "no_such_binary",
        refused(&devnet, 2, &["up", "--binary", "/nonexistent/m"])
    );
    let mut command = devnet.command(&["up"]);
    let output = command
        .env("MINICHAIN_BIN", "/nonexistent/m")
        .output()
        .expect("devnet runs");
    let outcome = Outcome::from(output);
    assert_eq!(outcome.code, 3);
    assert!(
        outcome.stderr.contains("from MINICHAIN_BIN"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("cargo build"), "{}", outcome.stderr);
}

#[test]
fn networks_that_are_not_there() {
    let devnet = Devnet::new();
    insta::assert_snapshot!("status_of_nothing", refused(&devnet, 1, &["status"]));
    insta::assert_snapshot!("logs_of_nothing", refused(&devnet, 1, &["logs"]));
    assert!(
        devnet
            .ok(&["down"])
            .stdout
            .contains("Nothing to do: there is no network")
    );
}

#[test]
fn an_image_on_the_process_engine() {
    let devnet = Devnet::new();
    insta::assert_snapshot!(
        "image_without_containers",
        refused(&devnet, 2, &["up", "--image", "x:1"])
    );
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let devnet = Devnet::new();
    let file = devnet.write("state", "a file in the way");
    let outcome = devnet.run(&["up"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&file.display().to_string()),
        "{}",
        outcome.stderr
    );
    std::fs::remove_file(file).expect("own file");
}

#[test]
fn a_full_disk_says_so_and_down_cleans_up() {
    // /dev/full refuses every byte like a full disk does.
    let devnet = Devnet::new();
    std::fs::create_dir_all(devnet.folder()).expect("a writable disk");
    std::os::unix::fs::symlink("/dev/full", devnet.folder().join("wish.json.partial"))
        .expect("a writable disk");
    let outcome = devnet.run(&["up"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("No space left on device"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("DEVNET_STATE"),
        "{}",
        outcome.stderr
    );
    devnet.ok(&["down"]);
    assert!(!devnet.folder().exists());
}

#[test]
fn failures_are_data_where_json_is_asked_for() {
    let outcome = Devnet::new().run(&["status", "--json"]);
    assert_eq!(outcome.code, 1);
    let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(answer["error"]["exit_code"], 1);
    assert!(
        answer["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("no network"))
    );
}
