//! The bundle: a folder that explains a run to somebody who was not there.
//!
//! Every file is written for itself: one that cannot be written is told of, and
//! hides neither the others nor the verdict.

mod merged;
mod readme;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use devnet_blueprint::{Blueprint, Runtime, Topology};
use devnet_scenario::fault::NodeName;
use devnet_scenario::report::{Report, fork_svg, fork_tree};
use serde::Serialize;
use serde_json::{Value, json};

use super::chronicle::{Chronicle, Seconds};
use super::junit;
use super::record::RunRecord;
use super::report::last_tips;
use crate::account::{Account, html, read};

/// What a bundle is made from.
pub struct Parts<'a> {
    /// The run.
    pub record: &'a RunRecord,
    /// What happened.
    pub chronicle: &'a Chronicle,
    /// When the run began, in milliseconds since 1970.
    pub start_ms: u64,
    /// The scenario's file.
    pub scenario: &'a str,
    /// The wish the network was planned from, where it is known.
    pub topology: Option<&'a Topology>,
    /// The network's plan at the end.
    pub blueprint: &'a Blueprint,
    /// Logs on disk, by node.
    pub logs: Vec<(NodeName, PathBuf)>,
    /// Folder of metrics samples.
    pub metrics: Option<PathBuf>,
    /// The runner's report.
    pub report: &'a Report,
    /// What ran.
    pub versions: Versions,
}

/// What carried a run, in its own words.
#[derive(Debug, Default)]
pub struct Versions {
    /// What the nodes say they are; empty if none answered.
    pub node: String,
    /// What the engine says it is.
    pub engine: String,
}

/// Writes the bundle into `folder`, replacing one of an earlier run. Returns
/// what could not be written, in words.
pub fn write(folder: &Path, parts: &Parts<'_>) -> Vec<String> {
    let mut writer = Writer {
        folder,
        problems: Vec::new(),
    };
    if let Err(error) = clear(folder) {
        return vec![format!("cannot make {}: {error}", folder.display())];
    }
    writer.text("README.txt", &readme::readme(parts.record));
    writer.text("story.txt", &story(parts.record));
    writer.json("report.json", parts.report);
    let junit = junit::junit(std::slice::from_ref(parts.record));
    writer.text("junit.xml", &junit.unwrap_or_else(|why| why));
    writer.text("scenario.yaml", parts.scenario);
    let contained = readme::self_contained(parts.scenario).filter(|_| parts.topology.is_some());
    let replayed = match &contained {
        Some(text) => {
            writer.text("replay.yaml", text);
            "replay.yaml"
        }
        None => "scenario.yaml",
    };
    writer.text("replay.txt", &readme::replay(parts.record, replayed));
    writer.json(readme::TOPOLOGY, &parts.topology);
    writer.json("genesis.json", &parts.blueprint.genesis);
    writer.json("blueprint.json", &without_password(parts.blueprint));
    writer.json("run.json", &facts(parts));
    writer.text("faults.txt", &timeline(parts));
    writer.json("faults.json", &parts.chronicle.acts());
    writer.text("tips.jsonl", &parts.chronicle.tips_jsonl());
    let tips = last_tips(parts.chronicle);
    let tree = fork_tree(parts.report, &tips).text();
    writer.text("tree.txt", &format!("{}\n", tree.trim_end()));
    writer.text("tree.svg", &fork_svg(parts.report, &tips));
    writer.logs(&parts.logs);
    writer.metrics(parts.metrics.as_deref());
    writer.page();
    writer.problems
}

struct Writer<'a> {
    folder: &'a Path,
    problems: Vec<String>,
}

impl Writer<'_> {
    fn text(&mut self, name: &str, text: &str) {
        let written = fs::write(self.folder.join(name), text);
        self.note(name, written);
    }

    fn json<T: Serialize>(&mut self, name: &str, value: &T) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.text(name, &(text + "\n")),
            Err(error) => self.note(name, Err(error.into())),
        }
    }

    fn logs(&mut self, logs: &[(NodeName, PathBuf)]) {
        let folder = self.folder.join("logs");
        let made = fs::create_dir_all(&folder);
        self.note("logs", made);
        for (node, path) in logs {
            let name = format!("{node}.log");
            let copied = merged::readable(path, &folder.join(&name));
            self.note(&name, copied);
        }
        let all = merged::merge(logs, &self.folder.join("all.log"));
        self.note("all.log", all);
    }

    fn metrics(&mut self, from: Option<&Path>) {
        let Some(from) = from.filter(|from| from.exists()) else {
            return;
        };
        let copied = copy_files(from, &self.folder.join("metrics"));
        self.note("metrics", copied);
    }

    /// The page, from nothing but what was written: so it can be made again
    /// wherever the bundle goes.
    fn page(&mut self) {
        match read::bundle(self.folder) {
            Ok(source) => self.text("report.html", &html::page(&Account::of(&source))),
            Err(failure) => self
                .problems
                .push(format!("report.html: {}", failure.message())),
        }
    }

    fn note(&mut self, name: &str, done: io::Result<()>) {
        if let Err(error) = done {
            self.problems.push(format!("{name}: {error}"));
        }
    }
}

/// An empty folder. Only what looks like a bundle is removed, also one that was
/// broken off: its readme is written first, and names itself.
fn clear(folder: &Path) -> io::Result<()> {
    let readme = fs::read_to_string(folder.join("README.txt")).unwrap_or_default();
    let is_whole = folder.join("run.json").is_file() && !readme.is_empty();
    if is_whole || readme.starts_with(readme::BEGINS) {
        fs::remove_dir_all(folder)?;
    } else if folder.is_dir() && fs::read_dir(folder)?.next().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the folder holds something else; choose another with --bundle",
        ));
    }
    fs::create_dir_all(folder)
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::write(to.join(entry.file_name()), fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Bundles are passed around; the network's password is nobody's business.
fn without_password(blueprint: &Blueprint) -> Blueprint {
    let mut blueprint = blueprint.clone();
    blueprint.rpc.password = String::new();
    for node in &mut blueprint.nodes {
        node.config.rpc.password = None;
        match &mut node.runtime {
            Runtime::Container(container) => {
                container.env.remove(minichain_api::config::CONFIG_ENV);
            }
            Runtime::Process(process) => process.files.clear(),
        }
    }
    blueprint
}

/// The story; a run that passed needs none.
fn story(record: &RunRecord) -> String {
    match record.story.trim_end() {
        "" => format!("{} {}\n", record.verdict.word(), record.scenario),
        story => format!("{story}\n"),
    }
}

fn timeline(parts: &Parts<'_>) -> String {
    match parts.chronicle.timeline(parts.start_ms) {
        text if text.is_empty() => "Nothing was done to the network.\n".to_owned(),
        text => text + &partings(parts),
    }
}

/// What each side of the faults of links had mined when they ended.
fn partings(parts: &Parts<'_>) -> String {
    let told = parts.report.faults.iter().filter_map(|fault| {
        let began = Seconds(fault.ordered_at_ms.saturating_sub(parts.start_ms)).to_string();
        let parting = fault.parting.as_ref()?;
        Some(format!("{began:>9}  {}: {parting}\n", fault.title))
    });
    let told: String = told.collect();
    match told.is_empty() {
        true => told,
        false => format!("\nWhat each side had mined when its fault ended, or the run:\n{told}"),
    }
}

fn facts(parts: &Parts<'_>) -> Value {
    let uname = rustix::system::uname();
    json!({
        "run": parts.record,
        "started_at_ms": parts.start_ms,
        "versions": {
            "devnet": env!("CARGO_PKG_VERSION"),
            "node": parts.versions.node,
            "engine": parts.versions.engine,
            "programs": programs(parts.blueprint),
            "kernel": uname.release().to_string_lossy(),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "machine": uname.machine().to_string_lossy(),
        },
    })
}

/// What the nodes ran: images or binaries, each once.
fn programs(blueprint: &Blueprint) -> Vec<String> {
    let program = |node: &devnet_blueprint::NodePlan| match &node.runtime {
        Runtime::Container(container) => Some(container.image.clone()),
        Runtime::Process(process) => process.command.first().cloned(),
    };
    let mut programs: Vec<String> = blueprint.nodes.iter().filter_map(program).collect();
    programs.sort();
    programs.dedup();
    programs
}

#[cfg(test)]
mod tests;
