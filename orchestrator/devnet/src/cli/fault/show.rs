//! What came of a fault or of healing, for people and as data.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Cell, Color};
use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::parting::{Aftermath, Parting};
use devnet_scenario::world::{Evidence, Outcome, ProbeEvidence, Reach};
use serde::Serialize;

use super::super::report::{format_table, plain_table};
use super::sides;
use crate::console::{Colour, Console};
use crate::exit::Failure;
use crate::faults::Layout;
use crate::world::World;

/// A matrix of more nodes does not fit a terminal.
const MATRIX_MAX: usize = 24;

/// An outcome as it is told.
#[derive(Debug, Serialize)]
pub struct Told {
    /// What was done.
    act: String,
    /// `done`, `ineffective` or `failed`.
    outcome: &'static str,
    /// Why not, where it failed.
    why: Option<String>,
    /// What was measured.
    evidence: Option<Evidence>,
    /// What it took, proof included.
    elapsed_ms: u64,
    /// What each side had mined, and where they part, for faults of links; of
    /// healing, as it was just before.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Parting>,
    /// What became of the branches.
    #[serde(skip_serializing_if = "Option::is_none")]
    aftermath: Option<Aftermath>,
    /// The same of the cut that was in force until this one took its place, as
    /// it was just before.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Parting>,
}

impl Told {
    /// The outcome of an act that took so long.
    pub fn new(act: String, outcome: &Outcome, elapsed: Duration) -> Self {
        let (word, why, evidence) = match outcome {
            Outcome::Done(evidence) => ("done", None, Some(evidence.clone())),
            Outcome::Ineffective(evidence) => ("ineffective", None, Some(evidence.clone())),
            Outcome::Failed { why } => ("failed", Some(why.clone()), None),
        };
        Self {
            act,
            outcome: word,
            why,
            evidence,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            progress: None,
            aftermath: None,
            replaced: None,
        }
    }

    /// With what each side had mined.
    #[must_use]
    pub fn with(mut self, progress: Option<Parting>, aftermath: Option<Aftermath>) -> Self {
        (self.progress, self.aftermath) = (progress, aftermath);
        self
    }

    /// In place of a cut whose sides had come that far.
    #[must_use]
    pub fn instead_of(mut self, replaced: Option<Parting>) -> Self {
        self.replaced = replaced;
        self
    }
}

/// Tells the outcome; one of several is one line of JSON each.
pub fn tell(
    world: &World,
    layout: &Layout,
    told: &Told,
    is_one_of_several: bool,
) -> Result<(), Failure> {
    let console = &world.console;
    if is_one_of_several {
        console.answer_line(told)?;
    } else {
        console.answer(told)?;
    }
    let Some(evidence) = &told.evidence else {
        return Ok(());
    };
    if let Some(matrix) = matrix(console, &layout.roster(), &evidence.probes) {
        console.say(&format!("\n{matrix}\n"));
    }
    if let Some(replaced) = &told.replaced {
        let text = sides::text(console, replaced, None);
        console.say(&format!("The cut until now:\n\n{text}\n"));
    }
    if let Some(progress) = &told.progress {
        let text = sides::text(console, progress, told.aftermath.as_ref());
        console.say(&format!("{text}\n"));
    }
    if !evidence.objections.is_empty() {
        let listed: String = evidence
            .objections
            .iter()
            .map(|objection| format!("\n  {objection}"))
            .collect();
        let title = console.paint(Colour::Red, "It did not have the effect it should have:");
        console.say(&format!("{title}{listed}"));
        console.say(&format!("Measured: {}.", evidence.summary));
    }
    Ok(())
}

/// Who reaches whom, rows to columns; `None` where nothing was probed or the
/// network is too large for it.
fn matrix(console: &Console, roster: &[NodeName], probes: &[ProbeEvidence]) -> Option<String> {
    if probes.is_empty() || roster.len() > MATRIX_MAX {
        return None;
    }
    let by_link: BTreeMap<&Link, &ProbeEvidence> =
        probes.iter().map(|probe| (&probe.link, probe)).collect();
    let numbers: Vec<String> = (0..roster.len()).map(|at| at.to_string()).collect();
    let titles: Vec<&str> = ["", "FROM \\ TO"]
        .into_iter()
        .chain(numbers.iter().map(String::as_str))
        .collect();
    let mut table = plain_table(console, &titles);
    for (at, from) in roster.iter().enumerate() {
        let mut row = vec![Cell::new(at), Cell::new(from)];
        for to in roster {
            let link = Link::new(from, to);
            // A round trip is one of both directions.
            let back = || {
                by_link
                    .get(&link.reversed())
                    .filter(|probe| probe.by == "ping")
            };
            let probe = by_link.get(&link).or_else(back);
            row.push(probe.map_or_else(
                || Cell::new(if from == to { "." } else { "" }).fg(Color::DarkGrey),
                |probe| cell(probe),
            ));
        }
        table.add_row(row);
    }
    Some(format_table(table))
}

fn cell(probe: &ProbeEvidence) -> Cell {
    let text = match (probe.by.as_str(), probe.measured) {
        (
            "ping",
            Reach::Open {
                rtt_ms: Some(rtt_ms),
            },
        ) => format!("{rtt_ms:.0} ms"),
        (_, Reach::Open { .. }) => "ok".to_owned(),
        (_, Reach::Cut) => "cut".to_owned(),
        (_, Reach::Unknown) => "?".to_owned(),
    };
    let is_as_expected = matches!(
        (probe.expected, probe.measured),
        (Reach::Cut, Reach::Cut) | (Reach::Open { .. }, Reach::Open { .. })
    );
    let colour = match (is_as_expected, probe.measured) {
        (false, _) => Color::Red,
        (true, Reach::Cut) => Color::Yellow,
        (true, _) => Color::Green,
    };
    let text = if is_as_expected {
        text
    } else {
        format!("{text}!")
    };
    Cell::new(text).fg(colour)
}
