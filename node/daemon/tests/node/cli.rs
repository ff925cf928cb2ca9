//! Help, configuration and genesis commands.

use std::io::Write;

use crate::support::{EASY_GENESIS, minichain, run, shown};

fn stdout(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        shown(&output)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{args:?}: {}",
        shown(&output)
    );
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("room");
    file
}

#[test]
fn help_is_the_reviewed_text() {
    assert_eq!(stdout(&["--help"]), include_str!("help.txt"));
}

#[test]
fn every_command_explains_itself() {
    for args in [
        &["help"][..],
        &["run", "--help"],
        &["config", "--help"],
        &["config", "check", "--help"],
        &["genesis", "--help"],
        &["genesis", "hash", "--help"],
        &["metrics", "--help"],
    ] {
        assert!(stdout(args).contains("Usage: minichain"), "{args:?}");
    }
    assert_eq!(
        stdout(&["--version"]),
        format!("minichain {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn example_configuration_checks() {
    let example = stdout(&["config", "example"]);
    let file = file(&example);
    let path = file.path().to_str().expect("UTF-8");
    let checked = stdout(&["config", "check", path]);
    assert!(
        checked.contains("valid; network minichain-local, genesis "),
        "{checked}"
    );
    assert!(
        checked.contains(stdout(&["genesis", "hash"]).trim_end()),
        "{checked}"
    );
}

#[test]
fn wrong_configuration_is_refused_with_its_place() {
    for (text, words) in [
        ("name: a\np2p:\n  prot: 1\n", ["line 3, column 3", "prot"]),
        (
            "mining: {enabled: maybe}\n",
            ["line 1, column 19", "true or false"],
        ),
        (
            "mining: {hash_rate: -1}\n",
            ["mining.hash_rate", "from 0.001"],
        ),
        (
            "genesis_file: /nonexistent.yaml\n",
            ["/nonexistent.yaml", "genesis file"],
        ),
        ("mining: {account: mallory}\n", ["mining.account", "alice"]),
        ("mining: {address: mini1x}\n", ["mining.address", "mini1x"]),
    ] {
        let file = file(text);
        let path = file.path().to_str().expect("UTF-8");
        let message = refused(&["config", "check", path]);
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{text}: {message}"
        );
        let again = refused(&["--config", path]);
        assert!(
            words.iter().all(|word| again.contains(word)),
            "{text}: {again}"
        );
    }
    assert!(refused(&["config", "check", "/nonexistent.yaml"]).contains("/nonexistent.yaml"));
}

#[test]
fn wrong_arguments_are_refused_with_a_hint() {
    for (args, word) in [
        (&["--prot", "1"][..], "--port"),
        (&["--port", "70000"], "70000"),
        (&["--listen", "here"], "here"),
        (&["--rpc-user", "a"], "--rpc-password"),
        (&["--log-format", "xml"], "json"),
        (&["--hash-rate", "0"], "mining.hash_rate"),
        (&["--hash-rate", "fast"], "fast"),
        (&["--bootstrap", "127.0.0.1"], "p2p.bootstrap[0]"),
        (&["--log-filter", "a=b=c"], "log.filter"),
        (&["--port", "60000"], "--rpc-port"),
        (&["--mine", "config", "example"], "config"),
    ] {
        let message = refused(args);
        assert!(message.contains(word), "{args:?}: {message}");
    }
}

#[test]
fn environment_holds_a_whole_configuration() {
    let output = minichain(&[])
        .env("MINICHAIN_CONFIG", "nmae: x\n")
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("MINICHAIN_CONFIG, line 1, column 1"),
        "{message}"
    );
}

#[test]
fn genesis_shown_has_the_same_hash() {
    let shown = stdout(&["genesis", "show"]);
    let copy = file(&shown);
    let path = copy.path().to_str().expect("UTF-8");
    let hash = stdout(&["genesis", "hash"]);
    assert_eq!(hash.trim_end().len(), 64);
    assert_eq!(stdout(&["genesis", "hash", path]), hash);
    assert_eq!(stdout(&["genesis", "show", path]), shown);
    let other: String = EASY_GENESIS
        .lines()
        .skip(2)
        .map(|line| format!("{}\n", &line[2..]))
        .collect();
    let other = file(&other);
    assert_ne!(
        stdout(&["genesis", "hash", other.path().to_str().expect("UTF-8")]),
        hash
    );
}

#[test]
fn wrong_genesis_file_is_refused_with_its_field() {
    for (text, word) in [
        ("network: a\ntime_s: 1\n", "initial_hash_rate"),
        (
            "network: a\ntime_s: 1\ninitial_hash_rate: 1\nspacing: 1\n",
            "line 4, column 1",
        ),
        (
            "network: a\ntime_s: 1\ninitial_hash_rate: 0\n",
            "initial_hash_rate",
        ),
        (
            "network: \"a b\"\ntime_s: 1\ninitial_hash_rate: 1\n",
            "network",
        ),
        ("", "line 1, column 1"),
    ] {
        let file = file(text);
        let path = file.path().to_str().expect("UTF-8");
        for args in [
            &["genesis", "hash", path][..],
            &["genesis", "show", path],
            &["--genesis", path],
        ] {
            let message = refused(args);
            assert!(message.contains(word), "{args:?} with {text:?}: {message}");
        }
    }
}
