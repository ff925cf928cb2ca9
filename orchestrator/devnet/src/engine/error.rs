//! What can go wrong between us and an engine, in words for the user.

use std::fmt;
use std::time::Duration;

/// A failure of an engine: what was being done, what happened, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError {
    /// What sort of failure it is, for callers that can do something about it.
    pub kind: ErrorKind,
    /// What was being done, such as `starting container devnet-a-miner-0`.
    pub action: String,
    /// What happened, in the engine's words where it had some.
    pub detail: String,
    /// What the user can do; empty if nothing better than the detail is known.
    pub remedy: String,
}

/// Sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No engine is there to talk to.
    Unreachable,
    /// The engine is there, but this user may not talk to it.
    PermissionDenied,
    /// The engine is too old, or of a sort that cannot carry us.
    Unsupported,
    /// The engine stopped answering in the midst of an action.
    Lost,
    /// A call took longer than it may.
    TimedOut,
    /// The subnet overlaps another network's; another one may work.
    SubnetOverlap,
    /// A host port is taken; another one may work.
    PortOccupied,
    /// A thing of that name exists that is not ours.
    ForeignName,
    /// The disk is full.
    DiskFull,
    /// The image or binary is missing or unusable.
    Program,
    /// Something named by the caller does not exist.
    NotFound,
    /// Whatever else the engine or system refused.
    Refused,
}

impl EngineError {
    /// A failure of `action`, with what happened.
    pub fn new(kind: ErrorKind, action: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self {
            kind,
            action: action.into(),
            detail: detail.to_string(),
            remedy: String::new(),
        }
    }

    /// The same with what the user can do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// A call that took longer than `limit`.
    pub fn timed_out(action: impl Into<String>, limit: Duration) -> Self {
        Self::new(
            ErrorKind::TimedOut,
            action,
            format!("no answer within {} s", limit.as_secs_f32().ceil()),
        )
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.detail)?;
        if !self.remedy.is_empty() {
            write!(f, "\n{}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for EngineError {}
