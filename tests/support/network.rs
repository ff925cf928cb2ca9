//! A devnet of one test: its own name and state folder, taken down when the
//! test ends, however it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use minichain_api::rpc::BlockchainInfo;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::Call;
use crate::programs::program;
use crate::rpc::Rpc;

/// A network that goes down with the test.
pub struct Network {
    /// Its name, unique on this machine.
    pub name: String,
    engine: &'static str,
    place: Option<Arc<dyn Place>>,
    state: TempDir,
}

/// Where `devnet` runs, if not here: beside an engine of the test's own.
pub trait Place: Send + Sync {
    /// `program` there, told of its engine.
    fn command(&self, program: &Path) -> Command;
}

/// One node of a network, as `devnet status --json --credentials` shows it.
pub struct Node {
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Its RPC.
    pub rpc: Rpc,
    /// All that `status` said.
    pub status: Value,
}

impl Network {
    /// A name and a state folder; nothing runs yet. `engine` is `docker` or
    /// `process`, or `auto` for whatever is there.
    pub fn new(engine: &'static str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}-{number}", std::process::id());
        Self {
            name,
            engine,
            place: None,
            state: TempDir::new().expect("a folder for the state"),
        }
    }

    /// The same on an engine of the test's own.
    pub fn at(place: Arc<dyn Place>) -> Self {
        let mut network = Self::new("docker");
        network.place = Some(place);
        network
    }

    /// A network brought up with `arguments`.
    pub fn up(engine: &'static str, arguments: &[&str]) -> Self {
        let network = Self::new(engine);
        network.must(&[&["up"], arguments].concat());
        network
    }

    /// The folder with the state of this network only.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The command `devnet` with this network's name, engine and state.
    pub fn command(&self) -> Command {
        let devnet = program("devnet");
        let mut command = match &self.place {
            Some(place) => place.command(&devnet),
            None => Command::new(devnet),
        };
        command
            .env("DEVNET_NAME", &self.name)
            .env("DEVNET_ENGINE", self.engine)
            .env("DEVNET_STATE", self.state.path())
            .env("MINICHAIN_BIN", program("minichain"))
            .env("NO_COLOR", "1");
        command
    }

    /// Begins a call of `devnet`.
    pub fn begin(&self, arguments: &[&str]) -> Call {
        Call::begin(self.command().args(arguments))
    }

    /// Runs `devnet` to its end.
    pub fn devnet(&self, arguments: &[&str]) -> Output {
        self.command()
            .args(arguments)
            .output()
            .expect("devnet runs")
    }

    /// Runs `devnet`, which must succeed, and returns what it prints.
    pub fn must(&self, arguments: &[&str]) -> String {
        let out = self.devnet(arguments);
        let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&out.stderr);
        let line = arguments.join(" ");
        assert!(
            out.status.success(),
            "devnet {line}: {}\n{stdout}\n{stderr}",
            out.status
        );
        stdout
    }

    /// What `devnet status --json` prints, credentials included. It may find the
    /// network unwell.
    pub fn status(&self) -> Value {
        let out = self.devnet(&["status", "--json", "--credentials"]);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|error| {
            let stderr = String::from_utf8_lossy(&out.stderr);
            panic!("devnet status --json: {error}\n{stderr}")
        })
    }

    /// Waits until `devnet status` finds nothing wrong; two blocks of one moment
    /// are no fault of a network that mines.
    #[track_caller]
    pub fn wait_until_well(&self, limit: Duration) {
        wait_until(limit, || {
            let out = self.devnet(&["status"]);
            match out.status.success() {
                true => Ok(()),
                false => Err(String::from_utf8_lossy(&out.stdout).into_owned()),
            }
        });
    }

    /// Every node, in the order of the plan.
    pub fn nodes(&self) -> Vec<Node> {
        let status = self.status();
        let nodes = status["nodes"]
            .as_array()
            .unwrap_or_else(|| panic!("no nodes in {status}"));
        nodes.iter().map(node).collect()
    }

    /// The node `name`.
    pub fn node(&self, name: &str) -> Node {
        let found = self.nodes().into_iter().find(|node| node.name == name);
        found.unwrap_or_else(|| panic!("there is no node {name}"))
    }

    /// Waits until all nodes share one tip at `height` or above and one digest
    /// of the coins; returns that height.
    pub fn wait_until_agreed(&self, height: u32, limit: Duration) -> u32 {
        let nodes = self.nodes();
        wait_until(limit, || {
            let tips: Result<Vec<BlockchainInfo>, String> = nodes
                .iter()
                .map(|node| node.rpc.call("getblockchaininfo", &json!([])))
                .collect();
            let tips = tips?;
            let first = &tips[0];
            if tips
                .iter()
                .any(|tip| tip.bestblockhash != first.bestblockhash)
            {
                return Err(format!("tips differ: {:?}", heights(&tips)));
            }
            if first.blocks < height {
                return Err(format!("all at height {}", first.blocks));
            }
            agree_on_coins(&nodes, first.blocks)?;
            Ok(first.blocks)
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let out = self.devnet(&["down"]);
        if !out.status.success() {
            eprintln!(
                "devnet down of {}: {}",
                self.name,
                String::from_utf8_lossy(&out.stderr)
            );
        }
    }
}

/// Asks again and again until `look` finds what it wants.
pub fn wait_until<T>(limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) if started.elapsed() > limit => panic!("not within {limit:?}: {why}"),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The process of a node that runs as a process: the one whose command line
/// names its folder.
pub fn pid(node: &Node) -> Option<u32> {
    let folder = node.status["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id in {}", node.status));
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.find(|pid: &u32| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(folder))
    })
}

fn node(status: &Value) -> Node {
    let text = |key: &str| {
        status[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key} in {status}"))
            .to_owned()
    };
    Node {
        name: text("name"),
        role: text("role"),
        rpc: Rpc::new(&text("rpc_url"), &text("rpc_auth")),
        status: status.clone(),
    }
}

/// Compares every node's digest of the coins at `height`.
fn agree_on_coins(nodes: &[Node], height: u32) -> Result<(), String> {
    let mut digests = Vec::new();
    for node in nodes {
        let info: Value = node
            .rpc
            .call("gettxoutsetinfo", &json!(["muhash", height]))?;
        digests.push(
            info["muhash"]
                .as_str()
                .ok_or("no muhash in gettxoutsetinfo")?
                .to_owned(),
        );
    }
    let first = &digests[0];
    assert!(
        digests.iter().all(|digest| digest == first),
        "one tip, but coins differ: {digests:?}"
    );
    Ok(())
}

fn heights(tips: &[BlockchainInfo]) -> Vec<(u32, &str)> {
    tips.iter()
        .map(|tip| (tip.blocks, tip.bestblockhash.as_str()))
        .collect()
}
