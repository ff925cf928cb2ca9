//! The runner as the loop's director, and its steps as news for people.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devnet_scenario::model::{Roster, Scenario};
use devnet_scenario::report::{Report, StepOutcome, StepReport};
use devnet_scenario::runner::Runner;
use devnet_scenario::world::{Heard, Order};

use super::chronicle::Seconds;
use super::drive::Director;

/// Directs a run by its scenario.
pub struct Directing {
    runner: Runner,
    /// Steps, in the report's order, whose end was told.
    told: Vec<bool>,
    news: News,
}

/// Steps that ended, and what is being done; shared by whoever shows them.
#[derive(Clone, Default)]
pub struct News(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    ended: Vec<StepNews>,
    /// All steps as they stand, where somebody wants them.
    steps: Option<Vec<StepReport>>,
    doing: String,
}

/// A step that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepNews {
    /// When it began, milliseconds on the world's clock.
    pub began_ms: Option<u64>,
    /// Whether it went as it should.
    pub is_well: bool,
    /// What it was, how long it took, and what came of it.
    pub text: String,
}

impl Directing {
    /// A run of that scenario with that seed.
    pub fn new(scenario: Scenario, roster: Roster, seed: u64) -> Self {
        Self {
            runner: Runner::new(scenario, roster, seed),
            told: Vec::new(),
            news: News::default(),
        }
    }

    /// Where its news can be had.
    pub fn news(&self) -> News {
        self.news.clone()
    }

    /// The report so far.
    pub fn report(&self) -> &Report {
        self.runner.report()
    }

    fn spread(&mut self) {
        let steps = &self.runner.report().steps;
        self.told.resize(steps.len(), false);
        let mut news = self.news.lock();
        let running = steps
            .iter()
            .rev()
            .find(|step| step.outcome == StepOutcome::Running);
        news.doing =
            running.map_or_else(String::new, |step| format!("{} {}", step.path, step.title));
        if let Some(kept) = &mut news.steps
            && kept != steps
        {
            kept.clone_from(steps);
        }
        for (step, told) in steps.iter().zip(&mut self.told) {
            if !*told && has_ended(step) {
                *told = true;
                news.ended.push(StepNews::of(step));
            }
        }
    }
}

impl Director for Directing {
    fn next(&mut self, now_ms: u64, heard: Heard) -> Order {
        let order = self.runner.next(now_ms, heard);
        self.spread();
        order
    }
}

impl News {
    /// What is being done.
    pub fn doing(&self) -> String {
        self.lock().doing.clone()
    }

    /// Steps that ended since the last call.
    pub fn take(&self) -> Vec<StepNews> {
        std::mem::take(&mut self.lock().ended)
    }

    /// Keeps all steps from now on.
    pub fn keep_steps(&self) {
        self.lock().steps.get_or_insert_default();
    }

    /// All steps as they stand; none where they are not kept.
    pub fn steps(&self) -> Vec<StepReport> {
        self.lock().steps.clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StepNews {
    fn of(step: &StepReport) -> Self {
        let took = step
            .took_ms()
            .map_or_else(String::new, |ms| format!(" ({})", Seconds(ms)));
        let notes = match step.notes.as_slice() {
            [] => String::new(),
            [one] => format!(": {one}"),
            many => many
                .iter()
                .map(|note| format!("\n{:14} {note}", ""))
                .collect(),
        };
        Self {
            began_ms: step.begun_at_ms,
            is_well: step.outcome == StepOutcome::Passed,
            text: format!("{} {}{took}{notes}", step.path, step.title),
        }
    }
}

/// Whether a step ended in a way worth a line: one that was given up because
/// another failed is not.
const fn has_ended(step: &StepReport) -> bool {
    matches!(
        step.outcome,
        StepOutcome::Passed | StepOutcome::Failed | StepOutcome::Invalid | StepOutcome::Broken
    )
}
