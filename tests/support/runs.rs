//! `devnet run` of one test: a state folder of its own, and what it left there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::call::{Call, until_said};
use crate::network::{Network, Place};

/// Runs of scenarios, with their bundles and reports below one folder.
pub struct Runs {
    /// The name that networks get if they are named, and their state folder.
    pub network: Network,
    engine: &'static str,
}

/// A scenario that ships, such as `smoke.yaml`.
pub fn shipped(name: &str) -> PathBuf {
    shipped_folder().join(name)
}

/// Where scenarios stand that ship.
pub fn shipped_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

impl Runs {
    /// Runs on `process` or `docker`.
    pub fn on(engine: &'static str) -> Self {
        Self {
            network: Network::new(engine),
            engine,
        }
    }

    /// Runs on an engine of the test's own.
    pub fn at(place: Arc<dyn Place>) -> Self {
        Self {
            network: Network::at(place),
            engine: "docker",
        }
    }

    /// `devnet run FILE… ARGUMENTS…`, with bundle and JUnit XML asked for.
    pub fn command(&self, files: &[&Path], arguments: &[&str]) -> Command {
        let mut command = self.network.command();
        command
            .arg("run")
            .args(files)
            .args(arguments)
            .args(["--bundle", &self.path("bundles")])
            .args(["--junit", &self.path("out.xml")])
            // A machine that is busy with tests brings networks up slowly.
            .args(["--timeout", "120s"])
            .env("DEVNET_ENGINE", self.engine)
            .env_remove("DEVNET_NAME")
            .env_remove("GITHUB_ACTIONS");
        command
    }

    /// Runs one file to its end.
    pub fn run(&self, file: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(&[file], arguments);
        command.output().expect("devnet runs")
    }

    /// Begins a run.
    pub fn begin(&self, file: &Path, arguments: &[&str]) -> Call {
        Call::begin(&mut self.command(&[file], arguments))
    }

    /// Begins a run whose words go to a file each.
    pub fn spawn(&self, file: &Path, arguments: &[&str]) -> Child {
        fs::create_dir_all(self.path("")).expect("a writable disk");
        let words = |name: &str| -> Stdio {
            let file = fs::File::create(self.path(name)).expect("a writable disk");
            file.into()
        };
        self.command(&[file], arguments)
            .stdin(Stdio::null())
            .stdout(words("stdout"))
            .stderr(words("stderr"))
            .spawn()
            .expect("devnet runs")
    }

    /// What a spawned run said so far, progress and story.
    pub fn said(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// Waits until a spawned run says so.
    pub fn wait_until_said(&self, words: &str, limit: Duration) {
        until_said(|| self.said(), words, limit);
    }

    /// Writes a scenario of the test's own.
    pub fn scenario(&self, name: &str, text: &str) -> PathBuf {
        fs::create_dir_all(self.path("")).expect("a writable disk");
        let path = PathBuf::from(self.path(name));
        fs::write(&path, text).expect("a writable disk");
        path
    }

    /// A path beside the networks' folders, where no network can be.
    pub fn path(&self, name: &str) -> String {
        let path = self.network.state().join(".test").join(name);
        path.to_str().expect("a plain path").to_owned()
    }

    /// All bundles.
    pub fn bundles(&self) -> Vec<PathBuf> {
        let Ok(found) = fs::read_dir(self.path("bundles")) else {
            return Vec::new();
        };
        found.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// The only bundle.
    pub fn bundle(&self) -> PathBuf {
        let folders = self.bundles();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }

    /// Folders of networks that are still there.
    pub fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.network.state()).expect("a state folder");
        let names = entries.map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        });
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// Processes whose command lines name this state folder.
    pub fn processes(&self) -> Vec<String> {
        let folder = self.network.state().to_string_lossy().into_owned();
        let processes = fs::read_dir("/proc").expect("a list of processes");
        let lines = processes.filter_map(|entry| {
            let bytes = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
        });
        lines.filter(|line| line.contains(&folder)).collect()
    }
}

/// The one JSON document that a run printed.
#[track_caller]
pub fn answer(out: &Output) -> Value {
    let parsed = serde_json::from_slice(&out.stdout);
    parsed.unwrap_or_else(|error| panic!("{error}\n{}", words(out)))
}

/// Fails with all that was said, the story included, if the code is another.
#[track_caller]
pub fn assert_exit(out: &Output, code: i32) {
    assert_eq!(out.status.code(), Some(code), "{}", words(out));
}

/// What a program said on both its outputs.
pub fn words(out: &Output) -> String {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    format!("{stdout}\n{stderr}")
}
