//! Starts a node's process so that it outlives us.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use devnet_blueprint::blueprint::ProcessPlan;

use super::layout::write_pid_file;
use super::procfs::{self, MARKER};
use super::{log, running};
use crate::engine::{EngineError, ErrorKind};

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
    // A node that ends at once is seen by whoever waits for its health.
    let _still_running = child.try_wait();
    match life {
        Some(life) => write_pid_file(&plan.pid_file, life),
        None => Ok(()),
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
