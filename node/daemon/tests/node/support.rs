//! A node as a child process, on ports the system chooses.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// A network whose blocks take about 20 hashes each.
pub const EASY_GENESIS: &str = "
genesis:
  network: easy
  time_s: 1767225600
  spacing_s: 1
  difficulty: {rule: fixed}
  initial_hash_rate: 20
  coinbase_maturity: 3
  allocations:
  - account: alice
    amount: \"1000\"
    owner: {public_seed: \"0101010101010101010101010101010101010101010101010101010101010101\"}
";

/// The program with these arguments and a clean environment.
pub fn minichain(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minichain"));
    command
        .args(args)
        .env_remove("MINICHAIN_CONFIG")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end, which must come by itself.
pub fn run(args: &[&str]) -> Output {
    minichain(args).output().expect("the program starts")
}

/// What a finished program wrote, for messages.
pub fn shown(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until `look` finds something.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A node at work; killed when dropped.
pub struct Node {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    /// Its data folder.
    pub data_dir: PathBuf,
    /// `http://ip:port` of JSON-RPC.
    pub rpc_url: String,
    /// `http://ip:port` of metrics and health.
    pub metrics_url: String,
}

impl Node {
    /// Starts a node on the easy network with `more` configuration, and waits
    /// until it serves.
    pub fn start(data_dir: &Path, more: &str) -> Self {
        Self::start_command(minichain(&[]), data_dir, &format!("{EASY_GENESIS}{more}"))
    }

    /// A miner of a few blocks a second.
    pub fn start_miner(data_dir: &Path) -> Self {
        Self::start(data_dir, "mining: {enabled: true, hash_rate: 60}\n")
    }

    /// Starts whatever `command` is, with a whole configuration.
    pub fn start_command(mut command: Command, data_dir: &Path, config: &str) -> Self {
        let config = format!(
            "{config}data_dir: {}\nlog: {{format: json, filter: debug}}\n{}{}",
            data_dir.display(),
            if config.contains("p2p:") {
                ""
            } else {
                "p2p: {port: 0, discovery: false}\n"
            },
            if config.contains("rpc:") {
                "metrics: {port: 0}\n"
            } else {
                "rpc: {port: 0}\nmetrics: {port: 0}\n"
            },
        );
        let mut child = command
            .env("MINICHAIN_CONFIG", config)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let sink = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().expect("no panic there").push(line);
            }
        });
        let mut node = Self {
            child,
            log,
            reader: Some(reader),
            data_dir: data_dir.to_owned(),
            rpc_url: String::new(),
            metrics_url: String::new(),
        };
        let line = node.wait_for_log("starting");
        line["rpc"]
            .as_str()
            .expect("an address")
            .clone_into(&mut node.rpc_url);
        line["metrics"]
            .as_str()
            .expect("an address")
            .clone_into(&mut node.metrics_url);
        node
    }

    /// Waits for a log line with this message; its fields.
    pub fn wait_for_log(&mut self, message: &str) -> Value {
        wait_for(&format!("the log line {message:?}"), || {
            let found = self
                .log_lines()
                .into_iter()
                .find(|line| line["message"] == message);
            if found.is_none() && self.child.try_wait().expect("a child").is_some() {
                panic!("the node ended:\n{}", self.log_text());
            }
            found
        })
    }

    /// Every log line so far that is JSON.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = self.log.lock().expect("no panic there");
        log.iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The log so far, for messages.
    pub fn log_text(&self) -> String {
        self.log.lock().expect("no panic there").join("\n")
    }

    /// The header that opens the door, from the cookie file.
    pub fn cookie_header(&self) -> String {
        let cookie = std::fs::read_to_string(self.data_dir.join(".cookie")).expect("a cookie");
        basic(&cookie)
    }

    /// Posts a body with the cookie; status and answer.
    pub fn post(&self, body: &str) -> (u16, String) {
        post(
            &self.rpc_url,
            &[("authorization", &self.cookie_header())],
            body,
        )
    }

    /// Calls a method; the result.
    pub fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, params.clone()) {
            Ok(result) => result,
            Err((code, message)) => {
                panic!("{method} {params}: {code} {message}\n{}", self.log_text())
            }
        }
    }

    /// Calls a method; the result, or the error's code and message.
    pub fn try_call(&self, method: &str, params: Value) -> Result<Value, (i64, String)> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (status, text) = self.post(&body.to_string());
        assert_eq!(status, 200, "{text}");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["id"], 1);
        match answer.get_mut("error") {
            None => Ok(answer["result"].take()),
            Some(error) => Err((
                error["code"].as_i64().expect("a number"),
                error["message"].as_str().expect("a text").to_owned(),
            )),
        }
    }

    /// Height of the tip.
    pub fn height(&self) -> u64 {
        self.call("getblockcount", json!([]))
            .as_u64()
            .expect("a number")
    }

    /// Waits until the tip has at least this height.
    pub fn wait_for_height(&self, height: u64) -> u64 {
        wait_for(&format!("height {height}"), || {
            Some(self.height()).filter(|&now| now >= height)
        })
    }

    /// Gets a page of the metrics server.
    pub fn page(&self, path: &str) -> (u16, String) {
        get(&format!("{}{path}", self.metrics_url))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the node is there");
    }

    /// Waits until the node ends; how, and the whole log.
    pub fn wait_for_end(mut self) -> (ExitStatus, String) {
        let status = wait_for("the node's end", || self.child.try_wait().expect("a child"));
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with the log");
        }
        (status, self.log_text())
    }

    /// Ends the node by SIGTERM; it must end well.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, log) = self.wait_for_end();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of an `Authorization` header.
pub fn basic(user_and_password: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_and_password))
}

/// Posts a body; status and answer.
pub fn post(url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = agent().post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.send(body))
}

/// Gets a page; status and answer.
pub fn get(url: &str) -> (u16, String) {
    answer(agent().get(url).call())
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(PATIENCE)).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut response = result.expect("an answer");
    let status = response.status().as_u16();
    (status, response.body_mut().read_to_string().expect("text"))
}
