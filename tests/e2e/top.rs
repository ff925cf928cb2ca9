//! `devnet top` on a pseudo-terminal, over a real network of processes.

use std::env;
use std::process::Command;

use devnet::top::screen::Screen;
use minichain_tests::network::Network;
use minichain_tests::pty::Pty;
use serde_json::Value;

const DOWN: &str = "\x1b[B";
const CTRL_C: &str = "\x03";

fn network() -> Network {
    Network::up(
        "process",
        &["--nodes", "3", "--miners", "2", "--block-time", "1s"],
    )
}

fn top(network: &Network, rows: u16, columns: u16) -> Pty {
    let mut command = network.command();
    command.args(["top", "--every", "500ms"]);
    Pty::start(&command, rows, columns)
}

/// The faults that are meant to be in force, as another call tells them.
fn faults(network: &Network) -> Vec<Value> {
    let out = network.devnet(&["faults", "--json"]);
    let told: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    told["intended"].as_array().expect("a list").clone()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn a_network_is_cut_killed_and_healed_by_keys() {
    let network = network();
    let mut top = top(&network, 30, 110);
    top.wait_for("3/3 answer");
    top.wait_for("one chain to");
    top.press(DOWN);
    top.press(DOWN);
    top.wait_for("› miner-1");
    top.press(" ");
    top.wait_for("›*miner-1");
    top.press("p");
    top.wait_for("partition miner-1 | rest?");
    // Whatever is no yes leaves it alone.
    top.press("n");
    top.wait_for("left alone");
    assert_eq!(faults(&network), Vec::<Value>::new());
    top.press("py");
    top.wait_for("✓ partition miner-1 | rest: 4 of 4 probes across the cut fail");
    top.wait_until("the fault in force", |text| {
        let faults = text.split("FAULTS").nth(1).unwrap_or_default();
        faults.contains("partition miner-1 | ")
    });
    assert_eq!(faults(&network).len(), 1);
    top.wait_for("2 branches");
    top.resize(24, 80);
    top.wait_until("a smaller picture", |text| {
        text.contains("2 branches") && text.lines().count() <= 24
    });
    top.press("h");
    top.wait_for("✓ heal: ");
    top.wait_for("one chain to");
    assert_eq!(faults(&network), Vec::<Value>::new());
    top.press("ky");
    top.wait_for("✓ kill miner-1: ");
    top.wait_for("2/3 answer");
    top.wait_until("a dead node", |text| {
        text.lines()
            .any(|line| line.contains("miner-1") && line.contains("down"))
    });
    top.press("k");
    top.wait_for("✓ start miner-1: ");
    top.wait_for("3/3 answer");
    top.press("l");
    top.wait_for("LOG of miner-1");
    top.press("?");
    top.wait_for("take every fault out");
    top.press("?q");
    assert_eq!(top.wait(), 0);
    top.assert_restored();
}

#[test]
fn a_frozen_node_is_told_and_thawed_and_faults_outlive_the_view() {
    let network = network();
    let mut view = top(&network, 24, 80);
    view.wait_for("3/3 answer");
    view.press("zy");
    view.wait_for("✓ pause bootstrap-0: ");
    view.wait_until("a frozen node", |text| {
        text.lines()
            .any(|line| line.contains("bootstrap-0") && line.contains("paused"))
    });
    view.press("q");
    assert_eq!(view.wait(), 0);
    view.assert_restored();
    view.wait_for("pause bootstrap-0");
    view.wait_for("devnet heal");
    let mut view = top(&network, 24, 80);
    view.wait_for("paused");
    view.press("z");
    view.wait_for("✓ unpause bootstrap-0: ");
    view.wait_for("3/3 answer");
    view.press(CTRL_C);
    assert_eq!(view.wait(), 0);
    view.assert_restored();
}

#[test]
fn a_key_in_the_moment_of_a_new_size_is_heard() {
    let network = network();
    let mut view = top(&network, 24, 80);
    view.wait_for("3/3 answer");
    for round in 0..60 {
        view.resize(24 + round % 2, 80);
        view.press("l");
        view.wait_until("the other log", |text| {
            text.contains("LOG of bootstrap-0") == (round % 2 == 0)
        });
    }
    view.press("q");
    assert_eq!(view.wait(), 0);
}

#[test]
fn signals_and_lost_networks_leave_the_terminal_as_it_was() {
    let network = network();
    for name in ["-TERM", "-INT", "-HUP"] {
        let mut ended = top(&network, 24, 80);
        ended.wait_for("3/3 answer");
        signal(ended.pid(), name);
        assert_eq!(ended.wait(), 0, "{name}");
        ended.assert_restored();
    }
    // The view goes on when its network is taken down.
    let mut lost = top(&network, 24, 100);
    lost.wait_for("3/3 answer");
    network.must(&["down"]);
    lost.wait_for("The network is gone");
    lost.wait_for("0/3 answer");
    lost.press("h");
    lost.wait_for("✗ heal: ");
    lost.press("q");
    assert_eq!(lost.wait(), 0);
    lost.assert_restored();
    let mut none = top(&network, 24, 80);
    assert_eq!(none.wait(), 1);
    none.wait_for("there is no network");
    none.assert_restored();
}

#[test]
fn what_is_no_terminal_is_told_what_to_use_instead() {
    let out = Network::new("process").devnet(&["top"]);
    assert_eq!(out.status.code(), Some(2));
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(told.contains("no terminal"), "{told}");
    assert!(told.contains("devnet status --watch"), "{told}");
}

/// Set where a test runs itself to see how it dies.
const PANICS: &str = "MINICHAIN_TEST_PANICS";

#[test]
fn a_panic_leaves_the_terminal_as_it_was() {
    if env::var_os(PANICS).is_some() {
        panic_on_the_terminal();
    }
    let mut command = Command::new(env::current_exe().expect("a path"));
    command.args(["--exact", "top::a_panic_leaves_the_terminal_as_it_was"]);
    command.env(PANICS, "1");
    // The whole story does not fit the screen.
    command.env("RUST_BACKTRACE", "0");
    let mut child = Pty::start(&command, 24, 80);
    assert_eq!(child.wait(), 101, "{}", child.text());
    child.wait_for("a panic on purpose");
    child.assert_restored();
}

/// What a test does in the process that it starts on a terminal.
fn panic_on_the_terminal() -> ! {
    let (mut screen, _keys) = Screen::enter().expect("a terminal");
    screen
        .draw(|frame| frame.render_widget("drawn", frame.area()))
        .expect("it draws");
    panic!("a panic on purpose");
}
