//! A log that is followed goes on when its node starts again, on both engines.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::Duration;

use minichain_tests::docker;
use minichain_tests::network::{Network, wait_until};
use tempfile::NamedTempFile;

const PATIENCE: Duration = Duration::from_secs(90);
const NODE: &str = "observer-0";
/// How a node's log says that it starts.
const STARTS: &str = "minichain_node::run: starting ";

/// A process that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn no_line_is_lost_or_told_twice(engine: &'static str) {
    let arguments = ["--nodes", "3", "--miners", "1", "--block-time", "1s"];
    let network = Network::up(engine, &arguments);
    let told = NamedTempFile::new().expect("a file");
    let mut follow = network.command();
    follow
        .args(["logs", NODE, "-f", "--tail", "all", "--json"])
        .stdout(Stdio::from(File::create(told.path()).expect("writable")));
    let _follower = Ended(follow.spawn().expect("devnet runs"));
    let text = || fs::read_to_string(told.path()).expect("text");
    let starts = |wanted: usize| {
        wait_until(PATIENCE, || match text().matches(STARTS).count() {
            count if count >= wanted => Ok(()),
            count => Err(format!("{count} starts of {wanted}")),
        });
    };
    starts(1);
    // Twice, so that it is followed on more than once.
    for turn in [2, 3] {
        network.must(&["restart", NODE]);
        starts(turn);
    }
    let whole = network.must(&["logs", NODE, "--tail", "all", "--json"]);
    let whole: Vec<&str> = whole.lines().collect();
    let followed = text();
    let mut lines: Vec<&str> = followed.lines().collect();
    if !followed.ends_with('\n') {
        // The last line is on its way.
        lines.pop();
    }
    let both = lines.len().min(whole.len());
    assert!(both > 10, "{both} lines");
    assert_eq!(lines[..both], whole[..both]);
}

#[test]
fn no_line_of_a_process_that_restarts_is_lost_or_told_twice() {
    no_line_is_lost_or_told_twice("process");
}

#[test]
fn no_line_of_a_container_that_restarts_is_lost_or_told_twice() {
    if docker::available("no_line_of_a_container_that_restarts_is_lost_or_told_twice") {
        no_line_is_lost_or_told_twice("docker");
    }
}
