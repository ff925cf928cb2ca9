//! Says what each file of a bundle is for.

use crate::run::record::RunRecord;
use crate::run::report::quoted;

const FILES: &[(&str, &str)] = &[
    (
        "report.html",
        "everything on one page, for a browser; needs nothing else",
    ),
    (
        "story.txt",
        "in short: who was on which tip, why, and what was expected",
    ),
    (
        "report.json",
        "every step and expectation with times, verdict and evidence",
    ),
    ("junit.xml", "the same for CI systems"),
    ("replay.txt", "commands that run the same again"),
    ("scenario.yaml", "the scenario as it was run"),
    ("topology.json", "the wished network"),
    ("genesis.json", "the rules of its chain"),
    (
        "blueprint.json",
        "the exact plan: every node, address and command",
    ),
    ("run.json", "seed, engine, versions, verdict"),
    (
        "faults.txt",
        "what was done to the network and when, with what came of it",
    ),
    (
        "faults.json",
        "the same with all that was measured: each probe before and after",
    ),
    ("tips.jsonl", "every node's tip, one line for each change"),
    ("tree.txt", "the tree of blocks with its forks"),
    ("tree.svg", "the same as a picture"),
    ("all.log", "the logs of all nodes, merged by time"),
    ("logs/NODE.log", "the log of one node"),
    ("metrics/NODE.prom", "its metrics, sampled every 5 s"),
];

/// The wished network in a bundle.
pub const TOPOLOGY: &str = "topology.json";

/// How every readme begins; a folder with such a one is a bundle, or was to
/// become one.
pub const BEGINS: &str = "Run of scenario `";

/// The text of replay.txt: the command that was given, and one that needs only
/// the bundle's `scenario`.
pub fn replay(record: &RunRecord, scenario: &str) -> String {
    let file = quoted(&record.file.display().to_string());
    let own = record.replay.replacen(&file, scenario, 1);
    let place = std::env::current_dir().unwrap_or_default();
    format!(
        "# In {}, as it was run:\n{}\n\n# In this folder:\n{own}\n",
        place.display(),
        record.replay
    )
}

/// The scenario with the bundle's topology in the place of a file of its own;
/// `None` where the topology stands in the scenario.
pub fn self_contained(scenario: &str) -> Option<String> {
    let is_file = |line: &&str| {
        let value = line.strip_prefix("topology:").map(str::trim);
        value.is_some_and(|value| !value.is_empty() && !value.starts_with(['{', '#']))
    };
    let line = scenario.lines().find(is_file)?;
    Some(scenario.replacen(line, &format!("topology: {TOPOLOGY}"), 1))
}

/// The text of README.txt.
pub fn readme(record: &RunRecord) -> String {
    let mut text = format!(
        "{BEGINS}{}` on the {} engine, seed {}: {}\n",
        record.scenario,
        record.engine,
        record.seed,
        record.verdict.word()
    );
    if !record.reason.is_empty() {
        text.push_str(&format!("{}\n", record.reason));
    }
    text.push_str("\nTimes are milliseconds since 1970, in UTC where they are written out.\n\n");
    for (file, what) in FILES {
        text.push_str(&format!("{file:<20} {what}\n"));
    }
    text
}
