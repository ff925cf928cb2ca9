//! A Podman of one test, which serves Docker's API: its own networks and disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::namespace::{Namespace, as_root};
use crate::network::Place;
use crate::tools::{missing, must, runs, tool};

/// The service takes so long at most to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service in namespaces of its own. It ends with this.
pub struct Podman {
    namespace: Namespace,
    folder: TempDir,
    service: Child,
}

impl Podman {
    /// A service that answers. Says SKIPPED loudly at a desk where none can be
    /// had; in CI that is a failure.
    pub fn start(test: &str) -> Option<Self> {
        tool("podman", "podman", test)?;
        let namespace = Namespace::new(test)?;
        let folder = TempDir::new().expect("a folder for the engine");
        let service = spawn(&namespace, folder.path());
        let mut podman = Self {
            namespace,
            folder,
            service,
        };
        if let Err(why) = podman.until_it_answers() {
            missing(&format!("{test} needs a Podman of its own: {why}"));
            return None;
        }
        Some(podman)
    }

    /// Runs `docker` on it and returns what it prints.
    pub fn docker(&self, arguments: &[&str]) -> String {
        must(self.client().args(arguments))
    }

    /// Ids of all containers and volumes, and of networks that are not its own.
    pub fn holds(&self) -> Vec<String> {
        let containers = self.docker(&["ps", "-aq"]);
        let volumes = self.docker(&["volume", "ls", "-q"]);
        let networks = self.docker(&["network", "ls", "--format", "{{.Name}}"]);
        let own = |name: &&str| !["bridge", "podman", "none", "host"].contains(name);
        let others = networks.lines().filter(own);
        let all = containers.lines().chain(volumes.lines()).chain(others);
        all.map(str::to_owned).collect()
    }

    fn until_it_answers(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while !runs(self.client().arg("info")) {
            let own = geteuid().as_raw().to_string();
            if !geteuid().is_root() && self.path("podman.sock").exists() {
                let _ours = as_root("chown")
                    .arg(own)
                    .arg(self.path("podman.sock"))
                    .status();
            }
            let has_ended = self.service.try_wait().expect("a child").is_some();
            if has_ended || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(self.path("log")).unwrap_or_default();
                return Err(format!("its service does not answer:\n{said}"));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn client(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.env("DOCKER_HOST", self.host());
        docker
    }

    fn host(&self) -> String {
        format!("unix://{}", self.path("podman.sock").display())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}

fn spawn(namespace: &Namespace, folder: &Path) -> Child {
    let path = |file: &str| folder.join(file);
    let log = File::create(path("log")).expect("a writable disk");
    let mut command = namespace.root("podman");
    for (option, file) in [
        ("--root", "root"),
        ("--runroot", "run"),
        ("--tmpdir", "tmp"),
        ("--network-config-dir", "networks"),
    ] {
        command.arg(option).arg(path(file));
    }
    command
        .args(["--cgroup-manager", "cgroupfs"])
        .args(["--events-backend", "file"])
        .args(["system", "service", "--time", "0"])
        .arg(format!("unix://{}", path("podman.sock").display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file"))
        .stderr(log)
        .spawn()
        .expect("podman starts")
}

impl Place for Podman {
    fn command(&self, program: &Path) -> Command {
        let mut command = self.namespace.user(program);
        command
            .env("DOCKER_HOST", self.host())
            .env_remove("DOCKER_API_VERSION");
        command
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let all = ["-c", "kill -KILL -1"];
        let _killed = self.namespace.root("sh").args(all).status();
        let _ended = self.service.wait();
        let folder = self.folder.path();
        // Some of it is root's.
        for name in ["root", "run", "tmp", "networks"] {
            let _removed = as_root("rm").arg("-rf").arg(folder.join(name)).status();
        }
    }
}
