//! Ctrl-C in the middle of simulated work: it ends with what there is, exit code
//! 1, and nothing behind it. Without it none of this would end for hours.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{devnet, program, words};

const PATIENCE: Duration = Duration::from_secs(120);

/// Goes on for years of virtual time.
const ENDLESS: &str = "\
name: endless
topology: { nodes: 3, miners: 2, block_time: 1s }
steps:
  - wait: { height: 1 }
  - repeat: { count: 1000, steps: [{ wait: 24h }] }
finally:
  - wait: 1s
";

/// Its end is as long.
const ENDLESS_END: &str = "\
name: endless-end
topology: { nodes: 3, miners: 2, block_time: 1s }
steps:
  - wait: { height: 1 }
  - repeat: { count: 1000, steps: [{ wait: 24h }] }
finally:
  - repeat: { count: 1000, steps: [{ wait: 24h }] }
";

/// A command under way, whose words go to a file each.
struct Running {
    child: Child,
    folder: TempDir,
}

impl Running {
    fn new(arguments: &[&str], scenario: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("scenario.yaml"), scenario).expect("a writable disk");
        let words =
            |name: &str| -> Stdio { File::create(path(name)).expect("a writable disk").into() };
        let child = Command::new(program())
            .args(arguments)
            .current_dir(folder.path())
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null())
            .stdout(words("stdout"))
            .stderr(words("stderr"))
            .spawn()
            .expect("devnet runs");
        Self { child, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// All it said.
    fn story(&self) -> String {
        ["stdout", "stderr"].map(|name| self.said(name)).join("\n")
    }

    /// Looks until something is there.
    fn until<T>(&mut self, wanted: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let story = self.story();
            assert!(Instant::now() < deadline, "not {wanted}:\n{story}");
            sleep(Duration::from_millis(20));
        }
    }

    fn until_said(&mut self, words: &str) {
        self.until(words, |running| {
            let ended = running.child.try_wait().expect("a child");
            let has_said = running.story().contains(words);
            assert!(has_said || ended.is_none(), "{}", running.story());
            has_said.then_some(())
        });
    }

    fn interrupt(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), Signal::INT).expect("it runs");
    }

    /// Its exit code.
    fn ended(&mut self) -> Option<i32> {
        self.until("an end", |running| {
            running.child.try_wait().expect("a child")
        })
        .code()
    }

    /// What it answered as JSON.
    fn answer(&self) -> Value {
        let text = self.said("stdout");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", self.story()))
    }

    /// Files beside its scenario and its words.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let names = entries.map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        });
        let mut left: Vec<String> = names
            .filter(|name| !["scenario.yaml", "stdout", "stderr"].contains(&name.as_str()))
            .collect();
        left.sort();
        left
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless the test failed before.
        let _has_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

#[test]
fn exploring_tells_how_far_it_came() {
    let arguments = ["sim", "explore", "--seeds", "0..1000000000", "--json"];
    let mut running = Running::new(&arguments, "");
    running.until_said("exploring seeds 0 to 999999999");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let told = running.answer();
    assert_eq!(told["interrupted"], true, "{told}");
    assert_eq!(told["failed"], Value::Null);
    assert!(
        told["runs"]
            .as_u64()
            .is_some_and(|runs| runs < 1_000_000_000)
    );
    assert_eq!(running.left(), Vec::<String>::new());
}

#[test]
fn shrinking_leaves_a_scenario_that_still_failed() {
    let plant = ["--plant", "last-seen-wins", "--seeds", "0..60"];
    let arguments = [&["sim", "explore", "--json"][..], &plant].concat();
    let mut running = Running::new(&arguments, "");
    running.until_said("shrinking it");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let told = running.answer();
    assert_eq!(told["failed"]["kind"], "unsafe: Work", "{told}");
    assert_eq!(running.left(), ["explored.yaml"]);
    let path = running.path("explored.yaml").display().to_string();
    let out = devnet(program(), &["check", &path]);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}

#[test]
fn an_experiment_tells_the_figures_it_knows() {
    let mut running = Running::new(&["sim", "experiment", "propagation", "--json"], "");
    running.until_said("measuring propagation");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let told = running.answer();
    assert_eq!(told["interrupted"], true, "{told}");
    assert_eq!(told["holds"], false, "what is not finished proves nothing");
    assert_eq!(running.left(), Vec::<String>::new());
}

#[test]
fn a_run_to_be_played_ends_before_its_page_opens() {
    let mut running = Running::new(&["sim", "play", "scenario.yaml"], ENDLESS);
    running.until_said("simulating endless");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let story = running.story();
    assert!(
        story.contains("interrupted before the page opened"),
        "{story}"
    );
    assert!(!story.contains("Play it"), "{story}");
    assert_eq!(running.left(), Vec::<String>::new());
}

#[test]
fn a_page_that_plays_a_run_ends_well() {
    let short = "name: short\ntopology: { nodes: 2 }\nsteps:\n  - wait: { height: 1 }\n";
    let arguments = ["sim", "play", "scenario.yaml", "--listen", "127.0.0.1:0"];
    let mut running = Running::new(&arguments, short);
    running.until_said("Ctrl-C ends the page");
    running.interrupt();
    assert_eq!(running.ended(), Some(0), "{}", running.story());
    assert_eq!(running.left(), Vec::<String>::new());
}

#[test]
fn a_simulated_run_goes_to_its_end_and_is_no_pass() {
    let arguments = [
        "run",
        "scenario.yaml",
        "--world",
        "sim",
        "--junit",
        "out.xml",
    ];
    let mut running = Running::new(&arguments, ENDLESS);
    running.until_said("✓ 1 ");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let story = running.story();
    for part in ["Interrupted: going", "INTERRUPTED endless"] {
        assert!(story.contains(part), "{part} is missing:\n{story}");
    }
    assert_eq!(running.left(), ["devnet-bundle", "out.xml"]);
    assert!(running.said("out.xml").contains("<error"), "CI reads it");
}

#[test]
fn a_simulated_run_is_left_at_once_at_the_second_time() {
    let arguments = [
        "run",
        "scenario.yaml",
        "--world",
        "sim",
        "--junit",
        "out.xml",
    ];
    let mut running = Running::new(&arguments, ENDLESS_END);
    running.until_said("✓ 1 ");
    running.interrupt();
    running.until_said("Interrupted: going");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let story = running.story();
    assert!(story.contains("interrupted twice"), "{story}");
    assert_eq!(running.left(), ["out.xml"]);
    assert!(running.said("out.xml").contains("interrupted twice"));
}

#[test]
fn the_second_process_of_a_comparison_ends_with_the_first() {
    let long = ENDLESS.replace(
        "count: 1000, steps: [{ wait: 24h }]",
        "count: 1, steps: [{ wait: 600s }]",
    );
    let arguments = [
        "run",
        "scenario.yaml",
        "--world",
        "sim",
        "--check-determinism",
    ];
    let mut running = Running::new(&arguments, &long);
    running.until_said("in a second process");
    running.interrupt();
    assert_eq!(running.ended(), Some(1), "{}", running.story());
    let story = running.story();
    assert!(story.contains("INTERRUPTED endless"), "{story}");
    let folder = running.folder.path().to_owned();
    let own = running.child.id().to_string();
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let others = processes.filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_there = fs::read_link(path.join("cwd")).ok()? == folder;
        let number = path.file_name()?.to_string_lossy().into_owned();
        (is_there && number != own).then_some(number)
    });
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}
