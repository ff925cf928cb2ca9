//! Ends, freezes and resumes a node's process.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::layout::NodeFolder;
use super::procfs::{self, Life};
use super::running;
use crate::engine::{EngineError, ErrorKind};

/// Given to a process that was killed outright to leave the process table.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);
/// Given to a process to stand still.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(5);
/// Rounds of killing before giving up.
const KILL_ROUNDS: usize = 3;
const POLL: Duration = Duration::from_millis(10);
/// Of a node whose labels are lost.
const STOP_TIMEOUT_DEFAULT_S: u32 = 5;

/// Ends every process of the node: SIGTERM, then SIGKILL after the node's own
/// time limit. None running is fine.
pub async fn stop(folder: &NodeFolder) -> Result<(), EngineError> {
    let file = folder.read_node();
    let timeout_s = file.map_or(STOP_TIMEOUT_DEFAULT_S, |file| file.stop_timeout_s);
    let lives = lives(folder)?;
    for life in &lives {
        // A stopped process cannot act on SIGTERM until it goes on.
        signal(*life, Signal::TERM)?;
        signal(*life, Signal::CONT)?;
    }
    all_end(&lives, Duration::from_secs(timeout_s.into())).await;
    // What did not end in time, and children that outlive their parent.
    kill(folder).await
}

/// Kills every process of the node and waits until all are gone. None running
/// is fine.
pub async fn kill(folder: &NodeFolder) -> Result<(), EngineError> {
    let mut lives = Vec::new();
    for _ in 0..KILL_ROUNDS {
        lives = self::lives(folder)?;
        if lives.is_empty() {
            return Ok(());
        }
        for life in &lives {
            signal(*life, Signal::KILL)?;
        }
        all_end(&lives, KILL_TIMEOUT).await;
    }
    if lives.iter().all(|life| !procfs::is_alive(*life)) && self::lives(folder)?.is_empty() {
        return Ok(());
    }
    Err(stubborn(
        "stop",
        folder,
        &lives,
        "did not end after SIGKILL",
    ))
}

/// Stops every process of the node by a signal, and waits until all stand still.
pub async fn freeze(folder: &NodeFolder) -> Result<(), EngineError> {
    let lives = self::lives(folder)?;
    for life in &lives {
        signal(*life, Signal::STOP)?;
    }
    let deadline = Instant::now() + FREEZE_TIMEOUT;
    while !lives.iter().all(|life| procfs::is_stopped(*life)) {
        if Instant::now() >= deadline {
            return Err(stubborn("freeze", folder, &lives, "goes on after SIGSTOP"));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn stubborn(verb: &str, folder: &NodeFolder, lives: &[Life], what: &str) -> EngineError {
    let pids: Vec<String> = lives.iter().map(|life| life.pid.to_string()).collect();
    EngineError::new(
        ErrorKind::TimedOut,
        format!("cannot {verb} {}", folder.node()),
        format!("process {} {what}", pids.join(", ")),
    )
    .remedy("It hangs in the system, perhaps on a disk or network mount that does not answer.")
}

/// Lets a stopped process go on.
pub fn resume(folder: &Path) -> Result<(), EngineError> {
    running(folder)?
        .iter()
        .try_for_each(|process| signal(process.life, Signal::CONT))
}

/// Every process of the node. The pid file is not asked: whatever it names
/// either carries the marker or is not ours.
fn lives(folder: &NodeFolder) -> Result<Vec<Life>, EngineError> {
    Ok(running(folder.path())?
        .into_iter()
        .map(|process| process.life)
        .collect())
}

/// Signals the process unless its number now belongs to another.
fn signal(life: Life, signal: Signal) -> Result<(), EngineError> {
    if !procfs::is_alive(life) {
        return Ok(());
    }
    let Some(pid) = Pid::from_raw(life.pid) else {
        return Ok(());
    };
    match kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(EngineError::new(
            ErrorKind::PermissionDenied,
            format!("cannot signal process {}", life.pid),
            error,
        )
        .remedy("Run devnet as the user who brought the network up.")),
    }
}

/// Waits until all have ended, but no longer than `timeout`.
async fn all_end(lives: &[Life], timeout: Duration) {
    let deadline = Instant::now() + timeout;
    while lives.iter().any(|life| procfs::is_alive(*life)) && Instant::now() < deadline {
        tokio::time::sleep(POLL).await;
    }
}
