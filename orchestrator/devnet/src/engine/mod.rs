//! What can carry a network: the trait every engine implements, and the plain
//! data it speaks in.
//!
//! An engine performs the planner's actions and reports what exists; it decides
//! nothing. Everything it creates carries labels, and those labels are the only
//! state of truth: whoever reads them can attach to a network or remove it.
//! This room must never import the node's rooms, nor anything of the command
//! line.

pub mod capacity;
mod damage;
pub mod docker;
mod error;
pub mod fault;
pub mod perform;
pub mod presence;
pub mod process;
pub mod recording;
pub mod routes;

use std::path::PathBuf;

use devnet_blueprint::blueprint::RpcAccess;
use devnet_blueprint::{Action, Blueprint, EngineKind, NodeState, Observed};
use futures::future::BoxFuture;
use futures::stream::BoxStream;

pub use capacity::{Demand, Shortage};
pub use error::{EngineError, ErrorKind};
pub use fault::{FilterAnswer, FilterOrder, NodeAct, Vitals};
pub use perform::perform_plan;
pub use presence::Presence;
pub use routes::UsedSubnet;

/// What every question to an engine answers with.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, EngineError>>;

/// Lines of log as they come, each from one node.
pub type LogStream = BoxStream<'static, Result<LogLine, EngineError>>;

/// Something that can carry networks of nodes.
///
/// Every call is bounded in time, except a log stream that follows. Dropping a
/// future cancels it; what it had begun is found again by [`Engine::observe`].
pub trait Engine: Send + Sync {
    /// Which engine this is.
    fn kind(&self) -> EngineKind;

    /// What exists of the network called `network`; empty if nothing does.
    fn observe<'a>(&'a self, network: &'a str) -> Answer<'a, Observed>;

    /// Every network this engine carries, by name.
    fn list(&self) -> Answer<'_, Vec<NetworkSummary>>;

    /// Performs one action of the way to `blueprint`. An action already done
    /// succeeds and changes nothing, so a plan may be performed again after a
    /// failure. [`Action::SaveState`] and [`Action::RemoveState`] are not an
    /// engine's task and succeed at once; see [`StateKeeper`].
    fn perform<'a>(&'a self, blueprint: &'a Blueprint, action: &'a Action) -> Answer<'a, ()>;

    /// Lines of log of the network's nodes, interleaved as they come; merging
    /// them by time is the reader's task.
    fn logs<'a>(&'a self, network: &'a str, wish: &'a LogWish) -> Answer<'a, LogStream>;

    /// What could keep this engine from working here, with what to do about it.
    fn checks(&self) -> Answer<'_, Vec<Check>>;

    /// Subnets that a new network must not overlap.
    fn used_subnets(&self) -> Answer<'_, Vec<UsedSubnet>>;

    /// What this engine's host has too little of for a network of that size;
    /// empty where it suffices, or cannot be looked at from here.
    fn shortages(&self, _demand: Demand) -> Vec<Shortage> {
        Vec::new()
    }

    /// What this host ran out of since we connected, so that nodes which run are
    /// not reached; `None` where it did not, or cannot be looked at from here.
    fn exhausted(&self) -> Option<Shortage> {
        None
    }

    /// Finds the program the nodes shall run, without building anything; the
    /// answer's reference goes into the plan.
    fn resolve_program<'a>(&'a self, wish: &'a ProgramWish) -> Answer<'a, Program>;

    /// Makes sure that the program can be run: as [`Engine::resolve_program`],
    /// and builds what has yet to be built. Steps that take long are told to
    /// `report`.
    fn prepare_program<'a>(
        &'a self,
        wish: &'a ProgramWish,
        report: &'a dyn Report,
    ) -> Answer<'a, Program>;

    /// How to reach the network's nodes, read back from what exists; for
    /// attaching where the state folder is lost.
    fn endpoints<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Endpoint>>;

    /// Does something to one planned node. An act whose end is so already
    /// succeeds and changes nothing.
    fn act<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        node: &'a str,
        act: &'a NodeAct,
    ) -> Answer<'a, ()>;

    /// A client for containers beside the nodes; `None`: it has none.
    fn containers(&self) -> Option<bollard::Docker> {
        None
    }

    /// Tells when the engine goes away and when it is back, for as long as it is
    /// listened to; it is there at first. `None`: it cannot go away.
    fn presence(&self) -> Option<BoxStream<'static, Presence>> {
        None
    }

    /// How the processes of the network's nodes fare, by name.
    fn vitals<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Vitals>>;

    /// Sets, reads and proves packet filters inside the nodes' network
    /// namespaces; one answer for each order, in their order. `None`: nodes of
    /// this engine have no namespaces of their own, and links are faulted by
    /// the nodes' own conditioner alone.
    fn filter<'a>(
        &'a self,
        _blueprint: &'a Blueprint,
        _orders: &'a [FilterOrder],
    ) -> Option<Answer<'a, Vec<Result<FilterAnswer, EngineError>>>> {
        None
    }
}

/// Keeps the blueprint between two calls; the folder belongs to the command
/// line, not to an engine.
pub trait StateKeeper: Send + Sync {
    /// Writes the blueprint, atomically, making the folder.
    ///
    /// # Errors
    /// Says which path could not be written and why.
    fn save(&self, blueprint: &Blueprint) -> Result<(), EngineError>;

    /// Removes the network's folder with all that is left in it; no folder is
    /// no failure.
    ///
    /// # Errors
    /// Says which path could not be removed and why.
    fn remove(&self, network: &str) -> Result<(), EngineError>;
}

/// Where an engine tells of steps that take long.
pub trait Report: Send + Sync {
    /// One line saying what is being done, such as `building image …`.
    fn step(&self, line: &str);

    /// One line that is to be seen even by who does not follow the steps: a
    /// lack that will matter later.
    fn warn(&self, line: &str) {
        self.step(line);
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Report for Silent {
    fn step(&self, _line: &str) {}
}

/// How to reach a node, read back from labels and configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the node.
    pub node: String,
    /// Role, as its label says.
    pub role: String,
    /// What it does.
    pub state: NodeState,
    /// Address inside the network; empty if its label is missing.
    pub ip: String,
    /// `ip:port` where the host reaches its JSON-RPC; empty if unknown.
    pub rpc: String,
    /// `ip:port` where the host reaches its metrics; empty if unknown.
    pub metrics: String,
    /// How to sign in at its JSON-RPC; `None` if its configuration says nothing.
    pub access: Option<RpcAccess>,
}

/// One network, as the engine's labels or folders tell it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NetworkSummary {
    /// Name of the network.
    pub name: String,
    /// Engine that carries it.
    pub engine: EngineKind,
    /// Id of the run that created it; of several the newest.
    pub run_id: String,
    /// When it was created, in seconds since 1970; 0 if its labels are damaged.
    pub created_at_s: u64,
    /// Who created it (`user@host`).
    pub owner: String,
    /// Nodes that exist, running or not.
    pub nodes: u32,
    /// Nodes that run.
    pub running: u32,
}

/// Which lines of log are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogWish {
    /// Names of nodes, such as `miner-0`; empty: all.
    pub nodes: Vec<String>,
    /// Only lines at or after this time, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// At most this many of the last lines of each node.
    pub tail: Option<usize>,
    /// Go on as new lines come, until the stream is dropped.
    pub follow: bool,
}

/// One line of a node's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Name of the node.
    pub node: String,
    /// When the engine received it, in milliseconds since 1970.
    pub time_ms: u64,
    /// Where the node wrote it.
    pub source: LogSource,
    /// The line without its end; control characters are replaced.
    pub text: String,
}

/// Where a node wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One thing looked at before work begins.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was looked at, such as `Docker engine`.
    pub name: String,
    /// How it stands.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// What to do about it; empty if all is well.
    pub remedy: String,
}

/// How a [`Check`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// All is well.
    Ok,
    /// Works, with a restriction.
    Warn,
    /// Keeps the engine from working.
    Fail,
}

/// The program the nodes shall run, as wished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramWish {
    /// An image that exists already, by reference; excludes building one.
    pub image: Option<String>,
    /// The node's binary; unset: looked for beside this program and in `PATH`.
    pub binary: Option<PathBuf>,
}

/// The program the nodes shall run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Image reference or path of the binary; goes into the plan.
    pub reference: String,
    /// Where it comes from, for people: `built from …`, `image as given`.
    pub origin: String,
    /// Whether it has yet to be built.
    pub to_build: bool,
}
