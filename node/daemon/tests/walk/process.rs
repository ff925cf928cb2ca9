//! A node in a process of its own, asked over JSON-RPC.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running node; killed when dropped.
pub struct Node {
    child: Child,
    port: u16,
    rpc_port: u16,
    metrics_port: u16,
    log: PathBuf,
}

impl Node {
    /// Starts a node inside `dir`, where its data folder follows from `port`.
    pub fn start(dir: &Path, port: u16, args: &[&str]) -> Self {
        let (rpc_port, metrics_port) = (free_port(), free_port());
        let log = dir.join(format!("{port}-{rpc_port}.log"));
        let out = File::create(&log).expect("log file");
        let child = Command::new(env!("CARGO_BIN_EXE_minichain"))
            .args(["--port", &port.to_string()])
            .args(["--rpc-port", &rpc_port.to_string()])
            .args(["--metrics-port", &metrics_port.to_string()])
            .args(["--rpc-user", "walker", "--rpc-password", "secret"])
            .args(["--log-filter", "info,minichain_node::net=debug"])
            .args(args)
            .env_remove("MINICHAIN_CONFIG")
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a second handle"))
            .stderr(out)
            .spawn()
            .expect("the node starts");
        Self {
            child,
            port,
            rpc_port,
            metrics_port,
            log,
        }
    }

    /// Where its peers find it.
    pub fn p2p(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Calls a method; none while it does not answer, or answers an error.
    pub fn call(&self, method: &str, params: &str) -> Option<Value> {
        let params: Value = serde_json::from_str(params).expect("JSON");
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let credentials = base64::engine::general_purpose::STANDARD.encode("walker:secret");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .into();
        let answer = agent
            .post(format!("http://127.0.0.1:{}/", self.rpc_port))
            .header("Authorization", format!("Basic {credentials}"))
            .send_json(&body);
        let answer: Value = answer.ok()?.body_mut().read_json().ok()?;
        answer
            .get("result")
            .filter(|result| !result.is_null())
            .cloned()
    }

    pub fn height(&self) -> Option<u64> {
        self.call("getblockcount", "[]")?.as_u64()
    }

    pub fn peers(&self) -> Option<usize> {
        Some(self.call("getpeerinfo", "[]")?.as_array()?.len())
    }

    /// Blocks it heard of by gossip, repeated ones left out.
    pub fn blocks_heard(&self) -> Option<u64> {
        let address = format!("http://127.0.0.1:{}/metrics", self.metrics_port);
        let text = ureq::get(address)
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()?;
        let heard = r#"minichain_gossip_messages_total{direction="received",topic="block"} "#;
        text.lines()
            .find_map(|line| line.strip_prefix(heard)?.parse().ok())
    }

    /// All it wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("log file")
    }

    /// Asks it to end; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("signal");
        self.wait(PATIENCE).code()
    }

    /// Stops it from moving; its sockets stay open.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("signal");
    }

    /// Lets it move again.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("signal");
    }

    /// Ends it on the spot.
    pub fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Waits until it ends by itself; its exit code and all it wrote.
    pub fn ended(mut self, patience: Duration) -> (Option<i32>, String) {
        let code = self.wait(patience).code();
        (code, self.log())
    }

    fn wait(&mut self, patience: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status;
            }
            assert!(
                start.elapsed() < patience,
                "the node does not end:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Fails when it has ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Waits until `holds`; shows the nodes' logs when it never does.
pub fn until(what: &str, nodes: &[&Node], holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            let logs: Vec<_> = nodes.iter().map(|node| tail(&node.log())).collect();
            panic!("not within {PATIENCE:?}: {what}\n{}", logs.join("\n---\n"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address").port()
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
