//! Runs `devnet` in a world of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::fresh::is_fresh;

/// A state folder of its own, a name nobody else has, and no Docker.
pub struct Devnet {
    root: tempfile::TempDir,
    pub name: String,
}

/// What a call came to.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Devnet {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = tempfile::tempdir().expect("a temporary folder");
        Self {
            root,
            name: format!("t{}-{count}", std::process::id()),
        }
    }

    pub fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// The network's folder.
    pub fn folder(&self) -> PathBuf {
        self.state().join(&self.name)
    }

    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(file);
        std::fs::write(&path, text).expect("a writable disk");
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devnet"));
        command
            .args(arguments)
            .env("DEVNET_STATE", self.state())
            .env("DEVNET_NAME", &self.name)
            .env("DEVNET_ENGINE", "process")
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .env("MINICHAIN_BIN", fake_node())
            .env_remove("COLUMNS")
            .env_remove("FAKE_NODE")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.command(arguments)
            .output()
            .expect("devnet runs")
            .into()
    }

    /// Runs a call that has to succeed.
    pub fn ok(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.run(arguments);
        assert_eq!(
            outcome.code, 0,
            "{arguments:?}: {}{}",
            outcome.stdout, outcome.stderr
        );
        outcome
    }

    /// Runs a call that has to succeed and answers with JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments).stdout).expect("the answer is JSON")
    }

    /// Process ids of this world's nodes, by their environment.
    pub fn nodes(&self) -> Vec<i32> {
        processes_with("DEVNET_NODE_FOLDER", &self.state())
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        // A failing assertion must not leave processes behind.
        let _best_effort = self.command(&["down", "--all"]).output();
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The stand-in for the node. A whole `cargo test` has built it already; with
/// `--test cli` Cargo leaves examples out, so it is built here.
pub fn fake_node() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_fake_node).clone()
}

fn build_fake_node() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_devnet"))
        .parent()
        .expect("binaries lie in a folder");
    let built = folder.join("examples/fake_node");
    if is_fresh(&built) {
        return built;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "devnet",
        "--example",
        "fake_node",
    ]);
    cargo
        .arg("--target-dir")
        .arg(folder.parent().expect("profiles lie in the target folder"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the stand-in for the node is built");
    built
}

pub fn processes_with(variable: &str, below: &Path) -> Vec<i32> {
    let wanted = format!("{variable}={}", below.display());
    let carries = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
            environ
                .split(|byte| *byte == 0)
                .any(|entry| entry.starts_with(wanted.as_bytes()))
        })
    };
    let entries = std::fs::read_dir("/proc").expect("/proc is readable");
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(carries).collect()
}

pub fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("a process of ours");
}
