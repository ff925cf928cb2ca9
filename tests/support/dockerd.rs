//! A Docker engine of one test: its own daemon, networks and disk, so that it
//! can be killed without harm to anybody.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::getegid;
use tempfile::TempDir;

use crate::namespace::{Namespace, as_root};
use crate::network::Place;
use crate::tools::{missing, tool};

/// A daemon takes so long at most to come up, or to end when told to.
const PATIENCE: Duration = Duration::from_secs(60);
/// And so long for its end after a test.
const LAST_PATIENCE: Duration = Duration::from_secs(20);
/// Of its log so much is shown.
const LOG_BYTES_SHOWN: usize = 4_000;

/// A daemon in namespaces of its own. It ends with this.
pub struct Dockerd {
    namespace: Namespace,
    folder: TempDir,
    daemon: Mutex<Option<Child>>,
    containerd: Mutex<Child>,
}

impl Dockerd {
    /// A daemon with these settings (JSON) that answers. Says SKIPPED loudly at a
    /// desk where none can be had; in CI that is a failure.
    pub fn start(test: &str, settings: &str) -> Option<Self> {
        tool("dockerd", "docker.io", test)?;
        tool("containerd", "containerd", test)?;
        let namespace = Namespace::new(test)?;
        let folder = TempDir::new().expect("a folder for the engine");
        fs::write(folder.path().join("daemon.json"), settings).expect("a writable disk");
        let containerd = spawn_containerd(&namespace, folder.path());
        let engine = Self {
            namespace,
            folder,
            daemon: Mutex::default(),
            containerd: Mutex::new(containerd),
        };
        if let Err(why) = engine.launch() {
            missing(&format!("{test} needs a Docker daemon of its own: {why}"));
            return None;
        }
        Some(engine)
    }

    /// Where it listens, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// Runs `docker` on it and returns what it prints.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.host()).args(arguments);
        crate::tools::must(&mut command)
    }

    /// Ids of all containers and volumes, and of networks that are not its own.
    pub fn holds(&self) -> Vec<String> {
        let lists = [
            ("container", &["ps", "-aq"][..]),
            ("volume", &["volume", "ls", "-q"]),
            (
                "network",
                &["network", "ls", "-q", "--filter", "type=custom"],
            ),
        ];
        let of = |(kind, arguments): (&str, &[&str])| -> Vec<String> {
            let ids = self.docker(arguments);
            ids.lines().map(|id| format!("{kind} {id}")).collect()
        };
        lists.into_iter().flat_map(of).collect()
    }

    /// Ends the daemon with `TERM`, upon which it stops its containers, or with
    /// `KILL`, upon which they go on until the next daemon; waits until it has.
    pub fn end(&self, signal: &str) {
        self.signal(signal);
        let mut daemon = self.slot().take().expect("the daemon runs");
        let began = Instant::now();
        while daemon.try_wait().expect("a child").is_none() {
            assert!(began.elapsed() < PATIENCE, "{}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends the daemon a signal, such as `STOP`, with which it hangs until
    /// `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.path("docker.pid");
        let script = format!("kill -{signal} $(cat {})", pid.display());
        let sent = self.namespace.root("sh").args(["-c", &script]).status();
        assert!(sent.expect("sh runs").success(), "{script}");
    }

    /// Starts the daemon anew, and waits until it answers.
    pub fn revive(&self) {
        self.launch().unwrap_or_else(|why| panic!("{why}"));
    }

    fn launch(&self) -> Result<(), String> {
        // The file of one that was killed names a process that is another's now.
        let stale = as_root("rm")
            .arg("-f")
            .arg(self.path("docker.pid"))
            .status();
        assert!(stale.expect("rm runs").success());
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("dockerd.log"))
            .expect("a writable disk");
        let mut command = self.namespace.root("dockerd");
        for (option, file) in [
            ("--config-file", "daemon.json"),
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "docker.pid"),
            ("--containerd", "containerd.sock"),
        ] {
            command.arg(option).arg(self.path(file));
        }
        let daemon = command
            .args(["--host", &self.host()])
            .args(["--group", &getegid().as_raw().to_string()])
            .args(["--exec-opt", "native.cgroupdriver=cgroupfs"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .map_err(|error| error.to_string())?;
        *self.slot() = Some(daemon);
        self.until_it_answers()
    }

    fn until_it_answers(&self) -> Result<(), String> {
        let began = Instant::now();
        let mut docker = Command::new("docker");
        docker.arg("info").env("DOCKER_HOST", self.host());
        while !crate::tools::runs(&mut docker) {
            let ended = match self.slot().as_mut() {
                Some(daemon) => daemon.try_wait().expect("a child"),
                None => None,
            };
            if ended.is_some() || began.elapsed() > PATIENCE {
                return Err(format!("dockerd does not answer:\n{}", self.said()));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The end of its log.
    fn said(&self) -> String {
        let bytes = fs::read(self.path("dockerd.log")).unwrap_or_default();
        let from = bytes.len().saturating_sub(LOG_BYTES_SHOWN);
        String::from_utf8_lossy(&bytes[from..]).into_owned()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place for Dockerd {
    /// Where the ports are that nodes publish.
    fn command(&self, program: &Path) -> Command {
        let mut command = self.namespace.user(program);
        command
            .env("DOCKER_HOST", self.host())
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION");
        command
    }
}

/// A process of its own, as systemd keeps it: it outlives the daemon.
fn spawn_containerd(namespace: &Namespace, folder: &Path) -> Child {
    let path = |file: &str| folder.join(file);
    let config = path("containerd.toml");
    // Nothing here speaks Kubernetes' interface, which opens a port.
    let text = "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";
    fs::write(&config, text).expect("a writable disk");
    let log = File::create(path("containerd.log")).expect("a writable disk");
    namespace
        .root("containerd")
        .arg("--config")
        .arg(config)
        .arg("--root")
        .arg(path("containerd"))
        .arg("--state")
        .arg(path("containerd-state"))
        .arg("--address")
        .arg(path("containerd.sock"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("containerd starts")
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // In peace, so that no empty groups of processes stay in the kernel.
        let script = format!("kill -TERM $(cat {})", self.path("docker.pid").display());
        let told = self.namespace.root("sh").args(["-c", &script]).output();
        let daemon = self.slot().take();
        if let Some(mut daemon) = daemon.filter(|_| told.is_ok_and(|out| out.status.success())) {
            let began = Instant::now();
            while matches!(daemon.try_wait(), Ok(None)) && began.elapsed() < LAST_PATIENCE {
                thread::sleep(Duration::from_millis(20));
            }
        }
        let all = ["-c", "kill -KILL -1"];
        let _killed = self.namespace.root("sh").args(all).status();
        let containerd = self.containerd.get_mut();
        let _ended = containerd.unwrap_or_else(PoisonError::into_inner).wait();
        // Some of it is root's.
        for folder in ["data", "exec", "containerd", "containerd-state"] {
            let _removed = as_root("rm").arg("-rf").arg(self.path(folder)).status();
        }
    }
}
