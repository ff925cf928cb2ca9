//! What the user sees of runs: progress, the verdict with its story, and what
//! many runs say.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::report::{StepReport, Verdict};
use devnet_scenario::world::{Act, ActId, NodeView, Outcome, Snapshot};
use serde_json::{Value, json};

use super::Args;
use super::scenario::Loaded;
use crate::clock::spell_duration;
use crate::console::{Colour, Stage};
use crate::exit::Failure;
use crate::run::chronicle::{Chronicle, Seconds};
use crate::run::describe;
use crate::run::drive::Witness;
use crate::run::flakes::{median, share};
use crate::run::record::RunRecord;
use crate::run::report::screen;
use crate::run::runner::News;
use crate::serve::view::{ScenarioView, StepView};
use crate::state::NetworkFolder;
use crate::world::World;

/// Oddities of a run that are shown; all stand in the data and the bundle.
const ODDITIES_MAX: usize = 5;
/// Letters of a line of progress that can move.
const MOVING_LETTERS: usize = 100;

/// Says what is about to run.
pub fn announce(world: &World, title: &str, loaded: &Loaded) {
    let description = loaded.file.scenario.description.trim();
    let first = description.lines().next().unwrap_or_default();
    world.console.remark(&match first {
        "" => format!("▶ {title}"),
        first => format!("▶ {title}: {first}"),
    });
}

/// Shows a run as it goes, and writes it down.
pub struct Printer<'a> {
    world: &'a World,
    start_ms: u64,
    chronicle: Chronicle,
    stage: Stage,
    network: String,
    news: News,
    progress: Option<Progress>,
}

/// Where the steps of a live run are written down while it goes on, for whoever
/// watches its network.
pub struct Progress {
    folder: NetworkFolder,
    told: ScenarioView,
}

impl Progress {
    /// Written into the folder of the run's network.
    pub fn new(folder: NetworkFolder, loaded: &Loaded) -> Self {
        let told = ScenarioView {
            name: loaded.name().to_owned(),
            description: loaded.file.scenario.description.trim().to_owned(),
            ..ScenarioView::default()
        };
        Self { folder, told }
    }

    fn tell(&mut self, steps: &[StepReport]) {
        let steps: Vec<StepView> = steps.iter().map(StepView::of).collect();
        if steps != self.told.steps {
            self.told.steps = steps;
            self.write();
        }
    }

    fn conclude(&mut self, verdict: Verdict) {
        self.told.verdict = Some(verdict.word().to_owned());
        self.write();
    }

    /// Who watches sees less if it fails; the run goes on.
    fn write(&self) {
        let _unseen = self.folder.write_run(&self.told);
    }
}

impl<'a> Printer<'a> {
    /// Shows a run that began at `start_ms`; the runner's own words come by
    /// `news`.
    pub fn new(world: &'a World, start_ms: u64, news: News) -> Self {
        Self {
            world,
            start_ms,
            chronicle: Chronicle::default(),
            stage: world.console.stage("steps", "looking at the network"),
            network: String::new(),
            news,
            progress: None,
        }
    }

    /// Also writes down how far the run is.
    #[must_use]
    pub fn telling(self, progress: Progress) -> Self {
        self.news.keep_steps();
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// Writes down how the run ended.
    pub fn conclude(&mut self, verdict: Verdict) {
        if let Some(progress) = &mut self.progress {
            progress.tell(&self.news.steps());
            progress.conclude(verdict);
        }
    }

    /// What was written down.
    pub fn finish(self) -> Chronicle {
        self.chronicle
    }

    fn line(&self, at_ms: u64, mark: &str, text: &str) {
        let time = Seconds(at_ms.saturating_sub(self.start_ms)).to_string();
        self.stage.line(&format!("  {time:>8}  {mark} {text}"));
    }

    fn show(&self, at_ms: u64) {
        let doing = self.news.doing();
        let time = Seconds(at_ms.saturating_sub(self.start_ms));
        let text = format!("{time} · {} · {doing}", self.network);
        let text: String = text.chars().take(MOVING_LETTERS).collect();
        self.stage.waiting(&text);
    }
}

impl Witness for Printer<'_> {
    fn began(&mut self, at_ms: u64, id: ActId, act: &Act) {
        self.chronicle.began(at_ms, id, act);
        if self.world.console.verbose {
            self.line(at_ms, "·", &describe::act(act));
        }
    }

    fn ended(&mut self, at_ms: u64, id: ActId, outcome: &Outcome) {
        self.chronicle.ended(at_ms, id, outcome);
        if self.world.console.verbose {
            self.line(at_ms, "·", &describe::outcome(outcome));
        }
    }

    fn saw(&mut self, snapshot: &Snapshot) {
        self.chronicle.saw(snapshot);
        self.network = summary(snapshot);
        self.show(snapshot.at_ms);
    }

    fn interrupted(&mut self, at_ms: u64) {
        self.chronicle.interrupted(at_ms);
        self.line(
            at_ms,
            "!",
            "Interrupted: going to the scenario's end. Once more to leave at once.",
        );
    }

    fn turned(&mut self, at_ms: u64) {
        if let Some(progress) = &mut self.progress {
            progress.tell(&self.news.steps());
        }
        for step in self.news.take() {
            let (mark, colour) = match step.is_well {
                true => ("✓", Colour::Green),
                false => ("✗", Colour::Red),
            };
            let mark = self.world.console.paint_remark(colour, mark);
            self.line(step.began_ms.unwrap_or(at_ms), &mark, &step.text);
        }
    }
}

/// Heights and tips in a few words.
fn summary(snapshot: &Snapshot) -> String {
    let up = snapshot.nodes.values().filter_map(|view| match view {
        NodeView::Up(facts) => Some((facts.height, facts.tip.as_str())),
        NodeView::Down { .. } => None,
    });
    let up: Vec<(u32, &str)> = up.collect();
    let heights = up.iter().map(|(height, _)| *height);
    let (Some(low), Some(high)) = (heights.clone().min(), heights.max()) else {
        return "no node answers".to_owned();
    };
    let mut tips: Vec<&str> = up.iter().map(|(_, tip)| *tip).collect();
    tips.sort_unstable();
    tips.dedup();
    let height = match low == high {
        true => format!("height {high}"),
        false => format!("heights {low} to {high}"),
    };
    let tips = match tips.len() {
        1 => "one tip".to_owned(),
        count => format!("{count} tips"),
    };
    let down = snapshot.nodes.len() - up.len();
    match down {
        0 => format!("{height}, {tips}"),
        down => format!("{height}, {tips}, {down} down"),
    }
}

/// Tells how a run ended; on a failure its story.
pub fn verdict(world: &World, record: &RunRecord) {
    let console = &world.console;
    if !record.story.is_empty() {
        console.remark(&format!("\n{}", screen(&record.story)));
    } else if !record.reason.is_empty() {
        console.remark(&format!("  {}", record.reason));
    }
    let colour = match record.verdict {
        Verdict::Pass => Colour::Green,
        Verdict::Interrupted => Colour::Yellow,
        Verdict::Fail | Verdict::Invalid | Verdict::Broken => Colour::Red,
    };
    let word = console.paint_remark(colour, record.verdict.word());
    let elapsed = spell_duration(Duration::from_millis(record.elapsed_ms));
    let engine = match record.engine.as_str() {
        "" => String::new(),
        engine => format!(" on {engine}"),
    };
    console.remark(&format!(
        "{word} {}{engine} after {elapsed}, seed {}",
        record.scenario, record.seed
    ));
    for odd in record.oddities.iter().take(ODDITIES_MAX) {
        console.remark(&format!("  odd:    {odd}"));
    }
    if let Some(bundle) = &record.bundle {
        console.remark(&format!("  bundle: {}", bundle.display()));
    }
    if record.verdict != Verdict::Pass {
        console.remark(&format!("  again:  {}", record.replay));
    }
}

/// The answer: one line or JSON for all runs, and what repeated ones say.
pub fn conclude(world: &World, args: &Args, ran: &[RunRecord]) -> Result<(), Failure> {
    let scenarios = by_scenario(ran);
    let answer: Vec<Value> = scenarios.iter().map(|runs| statistics(runs)).collect();
    world.console.answer(&json!({
        "verdict": ran.iter().map(|run| run.verdict).max(),
        "runs": ran,
        "scenarios": answer,
    }))?;
    if args.repeat > 1 {
        for runs in &scenarios {
            world.console.say(&repeated(runs));
        }
    }
    world.console.say(&counts(ran));
    Ok(())
}

/// Runs of each scenario file, in the order they were first run.
fn by_scenario(ran: &[RunRecord]) -> Vec<Vec<&RunRecord>> {
    let mut groups: Vec<Vec<&RunRecord>> = Vec::new();
    for run in ran {
        match groups.iter_mut().find(|group| group[0].file == run.file) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

/// `2 of 3 runs passed: 1 FAIL`.
fn counts(ran: &[RunRecord]) -> String {
    let passed = ran
        .iter()
        .filter(|run| run.verdict == Verdict::Pass)
        .count();
    let mut others: BTreeMap<Verdict, usize> = BTreeMap::new();
    for run in ran.iter().filter(|run| run.verdict != Verdict::Pass) {
        *others.entry(run.verdict).or_default() += 1;
    }
    let others: Vec<String> = others
        .iter()
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    let runs = match ran.len() {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    match others.is_empty() {
        true => format!("{passed} of {runs} passed."),
        false => format!("{passed} of {runs} passed: {}.", others.join(", ")),
    }
}

fn repeated(runs: &[&RunRecord]) -> String {
    let (failed, count) = flaked(runs);
    let name = &runs[0].scenario;
    let Some(share) = share(failed, count) else {
        return format!("{name}: nothing was run.");
    };
    let mut text = format!("{name}: {failed} of {count} runs did not pass: {share}");
    if let Some(ms) = median(&heals(runs)) {
        let number = heals(runs).len();
        text.push_str(&format!(
            "; heal to converged: median {} of {number}",
            Seconds(ms)
        ));
    }
    let bad: Vec<String> = runs
        .iter()
        .filter(|run| run.verdict != Verdict::Pass)
        .map(|run| format!("\n  {} with seed {}: {}", run.verdict, run.seed, run.reason))
        .collect();
    text + &bad.concat()
}

fn statistics(runs: &[&RunRecord]) -> Value {
    let (failed, count) = flaked(runs);
    json!({
        "scenario": runs[0].scenario,
        "file": runs[0].file,
        "runs": count,
        "not_passed": failed,
        "flake_rate": share(failed, count),
        "heal_to_converged_median_ms": median(&heals(runs)),
    })
}

/// Runs that did not pass, of all that were not interrupted.
fn flaked(runs: &[&RunRecord]) -> (u32, u32) {
    let ended = runs
        .iter()
        .filter(|run| run.verdict != Verdict::Interrupted);
    let failed = ended.clone().filter(|run| run.verdict != Verdict::Pass);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(failed.count()), number(ended.count()))
}

fn heals(runs: &[&RunRecord]) -> Vec<u64> {
    let times = runs.iter().flat_map(|run| &run.heal_to_converged_ms);
    times.copied().collect()
}

#[cfg(test)]
mod tests;
