//! A container that is left without memory.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::docker::docker;
use crate::namespace::as_root;
use crate::network::{Node, wait_until};

/// Limit that an idle node keeps to and a busy one does not, in MiB.
pub const STARVED_MIB: u64 = 12;
/// Questions at once, and how long each is: together far more than the limit.
const ASKERS: usize = 16;
const QUESTION_BYTES: usize = 4_000_000;
/// More than any container of a test may hold, in bytes.
const HOARD_BYTES: &str = "1073741824";
/// In the group of process $1: tells its own number, makes $1 the kernel's first
/// choice when memory is short, and holds $2 bytes.
const HOARD: &str = r#"
set -e
echo $$
echo 1000 > "/proc/$1/oom_score_adj"
group=$(sed -n 's/^[0-9]*:memory://p' "/proc/$1/cgroup")
groups=/sys/fs/cgroup/memory
if [ -z "$group" ]; then
    group=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    groups=/sys/fs/cgroup
fi
echo $$ > "$groups$group/cgroup.procs"
exec python3 -c 'import sys, time; hoard = b"x" * int(sys.argv[1]); time.sleep(600)' "$2"
"#;
/// How long a node may resist.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lowers the limit of the node's container and asks the node more than fits,
/// until the kernel has ended it.
pub fn starve(node: &Node) {
    let id = limit(node, STARVED_MIB);
    let is_enough = AtomicBool::new(false);
    let state = thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                let long = "0".repeat(QUESTION_BYTES);
                while !is_enough.load(Ordering::Relaxed) {
                    // Cut off when the node ends; refused before.
                    let _unheard = node.rpc.call::<String>("getblockhash", &json!([long]));
                }
            });
        }
        let began = Instant::now();
        let state = loop {
            let state = state(id);
            if state != "running" || began.elapsed() > PATIENCE {
                break state;
            }
            thread::sleep(Duration::from_millis(100));
        };
        is_enough.store(true, Ordering::Relaxed);
        state
    });
    assert_eq!(state, "exited", "with {STARVED_MIB} MiB");
}

/// Fills the container's memory from outside until the kernel ends its node. A
/// limit that is only lowered may leave the node alive and reading its program
/// from the disk again and again.
pub fn crowd_out(id: &str) {
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", id]);
    let _hoard = Hoard::in_group_of(pid.trim());
    wait_until(PATIENCE, || match state(id).as_str() {
        // Gone: whoever runs it has seen that it ended.
        "exited" | "" => Ok(()),
        state => Err(format!("{id} is {state}")),
    });
}

/// Who holds the memory, while it lives: a group with a process in it cannot be
/// removed.
struct Hoard {
    process: Child,
    /// Of the shell itself, not of `sudo` before it.
    pid: String,
}

impl Hoard {
    fn in_group_of(pid: &str) -> Self {
        let mut process = as_root("sh")
            .args(["-c", HOARD, "hoard", pid, HOARD_BYTES])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut told = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        let read = BufReader::new(stdout).read_line(&mut told);
        read.expect("it tells its number");
        let pid = told.trim().to_owned();
        Self { process, pid }
    }
}

impl Drop for Hoard {
    fn drop(&mut self) {
        // The kernel's next choice, it may have ended by itself.
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        let killed = as_root("kill").args(["-KILL", &self.pid]).status();
        if !killed.is_ok_and(|status| status.success()) {
            eprintln!("LEFT BEHIND: process {}, which hoards memory", self.pid);
        }
        let _ended = self.process.wait();
    }
}

/// What the container does; empty if it is gone.
fn state(id: &str) -> String {
    let out = Command::new("docker")
        .args(["inspect", "--format", "{{.State.Status}}", id])
        .output()
        .expect("docker runs");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// Sets the limit of the node's container, whose id it returns.
pub fn limit(node: &Node, mib: u64) -> &str {
    let id = node.status["id"].as_str().expect("a container's id");
    let limit = format!("{mib}m");
    docker(&["update", "--memory", &limit, "--memory-swap", &limit, id]);
    id
}
