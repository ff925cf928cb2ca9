//! Every command the README shows to a stranger is run here, or by the CI script
//! itself. Names, state folders and ports are this test's own, so that it can
//! run beside another devnet.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use minichain_tests::network::{Network, wait_until};
use minichain_tests::programs::program;
use minichain_tests::rpc::Rpc;
use serde_json::json;
use tempfile::TempDir;

const DEVNET: &str = "./target/release/devnet ";
const NODE: &str = "./target/release/minichain ";
/// Commands of a program that ends by itself.
const WALLET: &str = "wallet ";

#[test]
fn the_ci_script_runs_the_build_and_the_tests_of_the_readme() {
    let script = read(".ci/run");
    let by_cargo: Vec<String> = commands()
        .into_iter()
        .filter(|command| command.starts_with("cargo "))
        .collect();
    assert_eq!(
        by_cargo,
        ["cargo build --release", "cargo test --workspace"]
    );
    for command in by_cargo {
        assert!(
            script.contains(&command),
            ".ci/run does not run `{command}`"
        );
    }
}

#[test]
fn every_devnet_command_of_the_readme_succeeds_in_order() {
    let commands: Vec<String> = commands_of(DEVNET);
    assert!(
        commands
            .iter()
            .any(|command| command == "up --nodes 3 --miners 2"),
        "{commands:?}"
    );
    // Whatever engine this machine has, as for a stranger.
    let network = Network::new("auto");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let out = network
            .command()
            .args(&words)
            .current_dir(root())
            .output()
            .expect("devnet runs");
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert!(
            out.status.success(),
            "devnet {command}: {}\n{stdout}\n{stderr}",
            out.status
        );
    }
}

#[test]
fn every_scenario_of_the_readme_can_be_run() {
    let readme = read("README.md");
    let folder = TempDir::new().expect("a folder for scenarios");
    let scenarios: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!scenarios.is_empty());
    for (number, text) in scenarios.iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml"));
        fs::write(&file, text).expect("a scenario file");
        let out = Command::new(program("devnet"))
            .arg("check")
            .arg(&file)
            .output()
            .expect("devnet runs");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{said}");
    }
}

#[test]
fn three_terminals_of_the_readme_come_to_one_chain() {
    let mut commands = commands_of(NODE);
    commands.retain(|command| !command.starts_with(WALLET));
    assert_eq!(commands.len(), 3, "{commands:?}");
    let folder = TempDir::new().expect("a folder for three nodes");
    let ports = free_ports();
    let mut nodes = Vec::new();
    for (command, port) in commands.iter().zip(ports) {
        let own = ["8999", "9000", "9001"]
            .iter()
            .zip(ports)
            .fold(command.clone(), |text, (shown, own)| {
                text.replace(shown, &own.to_string())
            });
        nodes.push(Terminal::open(&own, port, &folder));
    }
    wait_until(Duration::from_secs(120), || {
        let tips: Result<Vec<(u32, String)>, String> = nodes.iter().map(Terminal::tip).collect();
        let tips = tips?;
        let agreed = tips.iter().all(|tip| *tip == tips[0]) && tips[0].0 >= 2;
        if agreed {
            Ok(())
        } else {
            Err(format!("{tips:?}"))
        }
    });
}

#[test]
fn wallet_of_the_readme_is_made_and_read() {
    let commands = commands_of(NODE);
    let folder = TempDir::new().expect("a folder for a node and a wallet");
    let [port, ..] = free_ports();
    let own = |command: &str| command.replace("8999", &port.to_string());
    let first = commands.iter().find(|command| !command.starts_with(WALLET));
    let node = Terminal::open(&own(first.expect("a node")), port, &folder);
    wait_until(Duration::from_secs(60), || node.tip().map(|_| ()));
    let wallets = commands
        .iter()
        .filter(|command| command.starts_with(WALLET));
    let mut count = 0;
    for command in wallets {
        count += 1;
        let out = Command::new(program("minichain"))
            .args(own(command).split_whitespace())
            .current_dir(folder.path())
            .env_remove("MINICHAIN_CONFIG")
            .env("MINICHAIN_WALLET_PASSWORD", "asked for on a terminal")
            .output()
            .expect("minichain runs");
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert!(
            out.status.success() && !stdout.is_empty(),
            "minichain {command}: {}\n{stdout}\n{stderr}",
            out.status
        );
    }
    assert!(count >= 5, "{commands:?}");
}

/// A node started as in a terminal of its own.
struct Terminal {
    node: Child,
    port: u16,
    cookie: std::path::PathBuf,
}

impl Terminal {
    fn open(arguments: &str, port: u16, folder: &TempDir) -> Self {
        let node = Command::new(program("minichain"))
            .args(arguments.split_whitespace())
            .current_dir(folder.path())
            .env_remove("MINICHAIN_CONFIG")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("minichain runs");
        let cookie = folder.path().join(format!("minichain-data-{port}/.cookie"));
        Self { node, port, cookie }
    }

    fn tip(&self) -> Result<(u32, String), String> {
        let cookie = fs::read_to_string(&self.cookie).map_err(|error| error.to_string())?;
        let rpc = Rpc::new(
            &format!("http://127.0.0.1:{}/", self.port + 10_000),
            cookie.trim(),
        );
        let hash: String = rpc.call("getbestblockhash", &json!([]))?;
        Ok((rpc.call("getblockcount", &json!([]))?, hash))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// Three ports that are free now, and free again 10,000 and 20,000 above. No two
/// tests of this process are offered the same ones.
fn free_ports() -> [u16; 3] {
    static OFFERED: AtomicU16 = AtomicU16::new(0);
    let start = 12_000 + u16::try_from(std::process::id() % 8_000).expect("below 8,000");
    let is_free = |port: &u16| {
        [*port, port + 10_000, port + 20_000]
            .iter()
            .all(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
    };
    let offers = std::iter::repeat_with(|| start + OFFERED.fetch_add(1, Ordering::Relaxed));
    let mut free = offers.take(1_000).filter(is_free);
    std::array::from_fn(|_| free.next().expect("three of a thousand ports are free"))
}

/// The single commands of every `sh` block, in order.
fn commands() -> Vec<String> {
    let readme = read("README.md");
    let blocks = readme.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| {
        block
            .split("```")
            .next()
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    lines
        .flat_map(|line| line.split(" && ").map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn commands_of(program: &str) -> Vec<String> {
    let all = commands();
    for command in &all {
        let known = ["cargo ", DEVNET, NODE]
            .iter()
            .any(|start| command.starts_with(start));
        assert!(known, "no test knows how to run `{command}`");
    }
    all.iter()
        .filter_map(|command| command.strip_prefix(program))
        .map(str::to_owned)
        .collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
