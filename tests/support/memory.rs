//! A container that is left without memory.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::docker::docker;
use crate::network::Node;

/// Limit that an idle node keeps to and a busy one does not, in MiB.
pub const STARVED_MIB: u64 = 12;
/// Questions at once, and how long each is: together far more than the limit.
const ASKERS: usize = 16;
const QUESTION_BYTES: usize = 4_000_000;
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
