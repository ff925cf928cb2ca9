//! A piece of machine for one test: networks, mounts and processes of its own.
//! What is started inside reaches nothing outside, and ends with it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{getegid, geteuid};

use crate::tools::{find, missing, runs};

/// Programs that make one, and the Debian packages that have them.
const NEEDED: [(&str, &str); 4] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("setpriv", "util-linux"),
    ("ip", "iproute2"),
];

/// Holds the namespaces until it is dropped.
pub struct Namespace {
    holder: Child,
    /// Process whose namespaces they are.
    pid: u32,
}

impl Namespace {
    /// New namespaces, with a loopback that is up. Says SKIPPED loudly at a desk
    /// where they cannot be had; in CI that is a failure.
    pub fn new(test: &str) -> Option<Self> {
        for (name, package) in NEEDED {
            if find(&[name]).is_none() {
                missing(&format!("{test} needs `{name}` (package {package})"));
                return None;
            }
        }
        let made = make();
        if made.is_none() {
            missing(&format!(
                "{test} needs namespaces of its own, which only root has, or who may `sudo`"
            ));
        }
        made
    }

    /// `program` inside, as root; signals to it go to `nsenter`, which stays
    /// outside.
    pub fn root(&self, program: &str) -> Command {
        let mut command = as_root("nsenter");
        for (kind, name) in [
            ("net", "net"),
            ("mount", "mnt"),
            ("pid", "pid_for_children"),
        ] {
            command.arg(format!("--{kind}=/proc/{}/ns/{name}", self.pid));
        }
        command.arg("--").arg(program);
        command
    }

    /// `program` as the user that runs the tests, with the network of inside
    /// and all else of outside.
    pub fn user(&self, program: &Path) -> Command {
        let mut command = as_root("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid));
        command.arg("--");
        if !geteuid().is_root() {
            command.arg("setpriv");
            command.arg(format!("--reuid={}", geteuid().as_raw()));
            command.arg(format!("--regid={}", getegid().as_raw()));
            command.arg("--init-groups");
        }
        command.arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let pid = self.pid.to_string();
        // Its first process ends with it, and with that one all others.
        let killed = as_root("kill").args(["-KILL", &pid]).status();
        if !killed.is_ok_and(|status| status.success()) {
            eprintln!("LEFT BEHIND: the namespaces of process {pid}");
        }
        let _ended = self.holder.wait();
    }
}

fn make() -> Option<Namespace> {
    // Its own process id first: the one that `unshare` then has.
    let script = "echo $$ && exec unshare --net --mount --pid --fork --kill-child --mount-proc \
                  sh -c 'ip link set lo up && echo ready && exec sleep infinity'";
    let mut holder = as_root("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(holder.stdout.take()?).lines();
    let mut next = || lines.next()?.ok();
    let pid = next().and_then(|line| line.parse().ok());
    match (pid, next().as_deref()) {
        (Some(pid), Some("ready")) => Some(Namespace { holder, pid }),
        _ => {
            let _ended = holder.wait();
            None
        }
    }
}

/// `program` as root, with the caller's environment.
pub fn as_root(program: &str) -> Command {
    if geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "-E", program]);
    command
}

/// Whether [`as_root`] works. Says SKIPPED loudly at a desk where it does not; in
/// CI that is a failure.
pub fn can_be_root(test: &str) -> bool {
    let can = runs(&mut as_root("true"));
    if !can {
        missing(&format!("{test} needs root, or somebody who may `sudo`"));
    }
    can
}
