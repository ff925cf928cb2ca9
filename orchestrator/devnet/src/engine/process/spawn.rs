//! Starts a node's process so that it outlives us.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use devnet_blueprint::blueprint::ProcessPlan;

use super::layout::write_pid_file;
use super::procfs::{self, MARKER};
use super::{log, running};
use crate::engine::{EngineError, ErrorKind};

/// A process shows its environment within a millisecond of its birth; the rest
/// is for a busy host.
const BIRTH_TIMEOUT: Duration = Duration::from_millis(500);
const BIRTH_POLL: Duration = Duration::from_micros(200);

/// Starts the process and writes its pid file. One that runs already is left
/// alone.
pub fn start(plan: &ProcessPlan) -> Result<(), EngineError> {
    if let Some(process) = running(&plan.folder)?.first() {
        return write_pid_file(&plan.pid_file, process.life);
    }
    log::rotate(&plan.log_file);
    let output = open_log(&plan.log_file)?;
    let errors = output
        .try_clone()
        .map_err(|error| EngineError::of_file("write", &plan.log_file, &error))?;
    let Some((program, arguments)) = plan.command.split_first() else {
        return Err(EngineError::new(
            ErrorKind::Program,
            "cannot start a node",
            "no command",
        ));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .envs(&plan.env)
        .env(MARKER, &plan.folder)
        .current_dir(&plan.folder)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| spawn_error(program, &error))?;
    let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
    // Not yet waited for, so the number still belongs to our child, dead or not.
    let life = procfs::life(pid);
    wait_until_found(&mut child, pid);
    match life {
        Some(life) => write_pid_file(&plan.pid_file, life),
        None => Ok(()),
    }
}

/// A process that is only just born shows no environment yet, and by that it is
/// found; whoever looks in between would take it for ended. A node that ends at
/// once is seen by whoever waits for its health.
fn wait_until_found(child: &mut Child, pid: i32) {
    let born = Instant::now();
    while procfs::node_process(pid).is_none()
        && matches!(child.try_wait(), Ok(None))
        && born.elapsed() < BIRTH_TIMEOUT
    {
        std::thread::sleep(BIRTH_POLL);
    }
}

fn open_log(path: &Path) -> Result<File, EngineError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| EngineError::of_file("write", path, &error))
}

fn spawn_error(program: &str, error: &io::Error) -> EngineError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => {
            "Build it again with `cargo build --release -p minichain-node`, or name another with \
             `--binary`."
        }
        io::ErrorKind::PermissionDenied => "Make it executable with `chmod +x`.",
        _ => "Check that it is a program for this machine.",
    };
    EngineError::new(ErrorKind::Program, format!("cannot start {program}"), error).remedy(remedy)
}
