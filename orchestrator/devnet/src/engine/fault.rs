//! What can be done to running nodes, beyond making and removing them: acts on
//! single nodes, packet filters in their network namespaces, and vital signs.
//!
//! As with all of an engine: it performs and reports, it decides nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use devnet_blueprint::nearest::nearest;
use devnet_blueprint::{Blueprint, NodePlan, NodeState};
use serde::{Deserialize, Serialize};

use super::{EngineError, ErrorKind};

/// Done to one node. Every act is idempotent: killing a dead node, freezing a
/// frozen one and the like succeed and change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeAct {
    /// SIGKILL; returns when the process is gone.
    Kill,
    /// SIGTERM, then SIGKILL after the planned time; returns when it is gone.
    Stop,
    /// Starts what does not run; returns when the process exists.
    Start,
    /// Freezes the process.
    Pause,
    /// Thaws it.
    Unpause,
    /// Empties the data folder of a node that does not run.
    Wipe,
    /// Overwrites parts of the store of a node that does not run, at places
    /// that follow from the seed.
    CorruptStore {
        /// Where from.
        seed: u64,
    },
}

/// How a node's process fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Name of the node.
    pub node: String,
    /// What it does.
    pub state: NodeState,
    /// When the present process started, in milliseconds since 1970; `None` if
    /// none runs.
    pub started_at_ms: Option<u64>,
    /// What tells the present process from those before it, and stays the same
    /// while it runs, whatever becomes of the host's clock; `None` if none runs.
    pub life: Option<u64>,
    /// Process id on this host, where the engine tells.
    pub pid: Option<u32>,
    /// Exit code of the last process, where none runs and the engine tells.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended the last process for want of memory, where none
    /// runs and the engine tells.
    pub was_out_of_memory: bool,
    /// Memory it holds now, where the engine tells.
    pub memory_bytes: Option<u64>,
    /// Memory it may hold at most, where it is bounded and the engine tells.
    pub memory_max_bytes: Option<u64>,
    /// Processor time that the present process has taken so far, in
    /// milliseconds, where it runs on this host.
    pub cpu_ms: Option<u64>,
}

impl Vitals {
    /// Why none runs, where the engine tells.
    pub fn why_ended(&self) -> Option<String> {
        if self.was_out_of_memory {
            return Some(out_of_memory(self.memory_max_bytes));
        }
        self.exit_code.map(|code| format!("exit code {code}"))
    }
}

/// That the kernel ended a node, and what to do about it.
fn out_of_memory(max_bytes: Option<u64>) -> String {
    match max_bytes {
        Some(bytes) => format!(
            "out of memory, limit {} MiB; raise it with `devnet up --memory SIZE`, or `memory` \
             in the topology",
            bytes >> 20
        ),
        None => "out of memory, and the host has no more; run fewer nodes, or less beside \
                 them"
            .to_owned(),
    }
}

/// All that is filtered in one node's namespace. Whole state: what is not
/// named passes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FilterRules {
    /// Share of arriving packets dropped, by sender's address: 1 is a cut.
    pub drops: BTreeMap<Ipv4Addr, f64>,
    /// Senders whose arriving packets are counted, dropped or not.
    pub counted: Vec<Ipv4Addr>,
}

/// What is wanted of one node's namespace. Of several orders given at once,
/// all rules are in force before the first probe goes out.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterOrder {
    /// Name of the node.
    pub node: String,
    /// Rules to put in force; `None` leaves them as they are.
    pub rules: Option<FilterRules>,
    /// Addresses to open a TCP connection to, from inside.
    pub probes: Vec<SocketAddrV4>,
    /// How long each may take; they go out side by side.
    pub probe_timeout: Duration,
}

/// What a node's namespace answers.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterAnswer {
    /// Name of the node.
    pub node: String,
    /// Rules in force, read back from the kernel; `None` where there is no
    /// table of ours.
    pub rules: Option<FilterRules>,
    /// Packets that arrived, by sender, after the rules were set: passed and
    /// dropped. Read when the probes of all nodes are done.
    pub packets: BTreeMap<Ipv4Addr, Packets>,
    /// What became of the probes, in their order.
    pub probes: Vec<ProbeResult>,
}

/// Packets from one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packets {
    /// Let through.
    pub passed: u64,
    /// Dropped.
    pub dropped: u64,
}

/// What became of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeResult {
    /// A connection came about, after so many microseconds.
    Connected {
        /// Time from SYN to its answer.
        rtt_us: u64,
    },
    /// The other end said no, which proves that it is reached.
    Refused {
        /// Time from SYN to its answer.
        rtt_us: u64,
    },
    /// Nothing came back.
    TimedOut,
    /// The system refused to send at all.
    Failed,
}

impl fmt::Display for NodeAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Wipe => "wipe",
            Self::CorruptStore { .. } => "corrupt",
        })
    }
}

/// The planned node that `act` is for, or a failure that names the nearest.
pub(super) fn node_to<'a>(
    act: &NodeAct,
    blueprint: &'a Blueprint,
    name: &str,
) -> Result<&'a NodePlan, EngineError> {
    blueprint.node(name).ok_or_else(|| {
        let names = || blueprint.nodes.iter().map(|node| node.name.as_str());
        let remedy = match nearest(name, names()) {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => format!("Nodes are: {}.", names().collect::<Vec<_>>().join(", ")),
        };
        let detail = format!("network `{}` has no such node", blueprint.name);
        EngineError::new(ErrorKind::NotFound, cannot(act, name), detail).remedy(remedy)
    })
}

/// `cannot kill miner-0`.
pub(super) fn cannot(act: &NodeAct, node: &str) -> String {
    format!("cannot {act} {node}")
}

/// The failure of an act that a node of this state does not bear.
pub(super) fn wrong_state(act: &NodeAct, node: &str, network: &str, is: &str) -> EngineError {
    let verb = match act {
        NodeAct::Pause => "start",
        _ => "kill",
    };
    EngineError::new(ErrorKind::Refused, cannot(act, node), format!("it {is}"))
        .remedy(format!("`devnet {verb} {node} --name {network}` first."))
}
