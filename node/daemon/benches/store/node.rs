//! The program itself.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::timing::status_mib;
use crate::{median, timing};

const STARTS: usize = 5;
/// Time a node has for whatever it does after its start.
const CALM: Duration = Duration::from_secs(5);

/// Ticks of a second; the same on every Linux that a program can see.
const TICKS: f64 = 100.0;

/// How long `minichain db import` takes, and how much of it is processor time.
pub fn import(file: &Path, data: &Path, genesis: &Path) -> (Duration, Duration) {
    let ticks = timing::ticks_of_children();
    let begin = Instant::now();
    let mut command = minichain(data, genesis, &["db", "import"]);
    let output = command.arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let took = begin.elapsed();
    let ticks = timing::ticks_of_children() - ticks;
    (took, Duration::from_secs_f64(ticks as f64 / TICKS))
}

/// Starts a node some times; prints how long until it answers, and its memory.
pub fn measure(data: &Path, genesis: &Path) {
    let (mut starts, mut memory, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let begin = Instant::now();
        let mut child = start(data, genesis);
        starts.push(begin.elapsed().as_secs_f64());
        std::thread::sleep(CALM);
        memory.push(status_mib(child.id(), "VmRSS:").unwrap());
        peaks.push(status_mib(child.id(), "VmHWM:").unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!(
        "a node on it: RPC answers after {:.2} s, VmRSS {:.0} MiB, highest {:.0} MiB, medians \
         of {STARTS}",
        median(starts),
        median(memory),
        median(peaks)
    );
}

/// Starts a node alone and waits until it answers.
pub fn start(data: &Path, genesis: &Path) -> Child {
    let ports = [
        "--port",
        "28998",
        "--rpc-port",
        "28999",
        "--metrics-port",
        "28997",
    ];
    let mut child = minichain(data, genesis, &[])
        .args(ports)
        .args(["--no-discovery", "--listen", "127.0.0.1"])
        .spawn()
        .unwrap();
    while height(data).is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the node ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn minichain(data: &Path, genesis: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minichain"));
    command.args(args).env_remove("MINICHAIN_CONFIG");
    command.arg("--data-dir").arg(data);
    command.arg("--genesis").arg(genesis);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(if args.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    });
    command
}

fn height(data: &Path) -> Option<u64> {
    height_at(data, 28_999)
}

fn height_at(data: &Path, port: u16) -> Option<u64> {
    let cookie = std::fs::read_to_string(data.join(".cookie")).ok()?;
    let mut answer = ureq::post(format!("http://127.0.0.1:{port}/"))
        .header(
            "authorization",
            format!("Basic {}", STANDARD.encode(cookie)),
        )
        .send(r#"{"jsonrpc": "2.0", "id": 1, "method": "getblockcount"}"#)
        .ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    let answer: serde_json::Value = serde_json::from_str(&text).ok()?;
    answer["result"].as_u64()
}

/// Lets a new node fetch the chain from one that has it; prints how long it
/// takes and the memory it needs.
pub fn follow(data: &Path, genesis: &Path, blocks: u32) {
    let mut server = start(data, genesis);
    fetch(data, genesis, blocks);
    server.kill().unwrap();
    server.wait().unwrap();
}

fn fetch(data: &Path, genesis: &Path, blocks: u32) {
    let late = data.with_file_name("late");
    let begin = Instant::now();
    let own = [
        "--port",
        "28996",
        "--rpc-port",
        "28995",
        "--metrics-port",
        "28994",
    ];
    let mut child = minichain(&late, genesis, &[])
        .args(own)
        .args(["--no-discovery", "--listen", "127.0.0.1"])
        .args(["--bootstrap", "127.0.0.1:28998"])
        .spawn()
        .unwrap();
    while height_at(&late, 28_995).is_none_or(|height| height < u64::from(blocks)) {
        assert!(child.try_wait().unwrap().is_none(), "the node ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "a node {blocks} blocks behind catches up in {:.1} s, at most {:.0} MiB of memory",
        begin.elapsed().as_secs_f64(),
        status_mib(child.id(), "VmHWM:").unwrap()
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
