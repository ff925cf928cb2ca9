//! A step under way.

use super::act::Acting;
use super::always::Always;
use super::core::Core;
use super::flow::{Flow, Progress};
use super::judging::{Docket, Sentence};
use super::title::title;
use super::wait::{Recording, Waiting};
use crate::model::{Step, Verb};
use crate::report::{StepOutcome, Verdict};
use crate::world::Wants;

/// A step from its begin to its end.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub path: String,
    place: usize,
    deadline_ms: Option<u64>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Acting(Box<Acting>),
    Waiting(Waiting),
    Recording(Recording),
    Judging(Docket),
    Always(Box<Always>),
    Flow(Box<Flow>),
    Over(StepOutcome),
}

impl Task {
    /// Begins a step. `key` is what its draws depend on.
    pub fn begin(core: &mut Core, step: Step, path: &str, key: &str) -> Self {
        let place = core.begin_step(path, title(&step), step.verb.word());
        let interval_ms = core.roster.block_interval_ms;
        let limit = step.timeout.map(|time| time.ms(interval_ms));
        let mut task = Self {
            path: path.into(),
            place,
            deadline_ms: limit.map(|ms| core.now_ms.saturating_add(ms)),
            state: State::Over(StepOutcome::Passed),
        };
        task.state = match begin_state(core, step, limit, path, key) {
            Ok(state) => state,
            Err(why) => {
                core.fail(Verdict::Invalid, path, "the step fits the network", &why);
                core.note(place, why);
                State::Over(StepOutcome::Invalid)
            }
        };
        task
    }

    /// Goes on as far as it can; how it ended once it has.
    pub fn advance(&mut self, core: &mut Core) -> Progress {
        let before = self.outcome(core);
        if let Progress::Over(outcome) = before {
            self.end(core, outcome);
            return before;
        }
        let overdue = self.deadline_ms.filter(|limit| core.now_ms >= *limit);
        if overdue.is_some() {
            self.abandon_inner(core);
            let found = self.last_reason(core);
            core.fail(
                Verdict::Fail,
                &self.path,
                "the step ends within its time limit",
                &found,
            );
            core.note(self.place, found);
            self.end(core, StepOutcome::Failed);
            return Progress::Over(StepOutcome::Failed);
        }
        Progress::Running
    }

    pub fn wants(&self, core: &Core, into: &mut Wants) {
        match &self.state {
            State::Acting(_) | State::Over(_) => {}
            State::Waiting(waiting) => waiting.wants(into),
            State::Recording(recording) => recording.wants(into),
            State::Judging(docket) => docket.wants(core, into),
            State::Always(always) => always.wants(core, into),
            State::Flow(flow) => flow.wants(core, into),
        }
    }

    /// When it has something to do even if nothing is heard.
    pub fn wake_ms(&self) -> Option<u64> {
        let own = match &self.state {
            State::Acting(acting) => acting.wake_ms(),
            State::Waiting(waiting) => waiting.wake_ms(),
            State::Always(always) => always.wake_ms(),
            State::Flow(flow) => flow.wake_ms(),
            State::Recording(_) | State::Judging(_) | State::Over(_) => None,
        };
        own.into_iter().chain(self.deadline_ms).min()
    }

    /// Gives the step up, with all steps in it.
    pub fn abandon(&mut self, core: &mut Core) {
        self.abandon_inner(core);
        self.end(core, StepOutcome::Abandoned);
    }

    fn outcome(&mut self, core: &mut Core) -> Progress {
        match &mut self.state {
            State::Over(outcome) => Progress::Over(*outcome),
            State::Acting(acting) => acting.advance(core, self.place),
            State::Waiting(waiting) => waiting.advance(core, self.place, &self.path),
            State::Recording(recording) => recording.advance(core, self.place, &self.path),
            State::Judging(docket) => judged(docket, core, self.place, &self.path),
            State::Always(always) => always.advance(core, self.place, &self.path),
            State::Flow(flow) => flow.advance(core),
        }
    }

    fn end(&mut self, core: &mut Core, outcome: StepOutcome) {
        core.end_step(self.place, outcome);
        self.state = State::Over(outcome);
    }

    fn abandon_inner(&mut self, core: &mut Core) {
        match &mut self.state {
            State::Waiting(waiting) => waiting.abandon(core),
            State::Recording(recording) => recording.abandon(core),
            State::Judging(docket) => docket.abandon(core),
            State::Always(always) => always.abandon(core),
            State::Flow(flow) => flow.abandon(core),
            State::Acting(_) | State::Over(_) => {}
        }
    }

    /// Why it is not over yet.
    fn last_reason(&self, core: &Core) -> String {
        let took = core.report.steps[self.place].begun_at_ms.unwrap_or(0);
        let took = crate::report::seconds(core.now_ms.saturating_sub(took));
        let why = match &self.state {
            State::Waiting(waiting) => format!(": {}", waiting.why()),
            _ => String::new(),
        };
        format!("it was not over after {took}{why}")
    }
}

fn begin_state(
    core: &mut Core,
    step: Step,
    timeout_ms: Option<u64>,
    path: &str,
    key: &str,
) -> Result<State, String> {
    Ok(match step.verb {
        Verb::Parallel(steps) => State::Flow(Box::new(Flow::parallel(steps, path, key))),
        Verb::Sequence(steps) => {
            let prefix = format!("{path}.");
            State::Flow(Box::new(Flow::sequence(steps, &prefix, key, false)))
        }
        Verb::Repeat(wish) => State::Flow(Box::new(Flow::repeat(wish, path, key))),
        Verb::Expect(claims) => State::Judging(Docket::open(core, &claims, key)?),
        Verb::Always(wish) => State::Always(Box::new(Always::begin(core, wish, path, key)?)),
        Verb::Wait(wait) => State::Waiting(Waiting::begin(core, wait, timeout_ms, key)?),
        Verb::Record(values) => State::Recording(Recording::begin(core, values, timeout_ms, key)?),
        _ => State::Acting(Box::new(Acting::begin(core, &step, path, key)?)),
    })
}

fn judged(docket: &mut Docket, core: &mut Core, place: usize, path: &str) -> Progress {
    for sentence in docket.judge(core) {
        match sentence {
            Sentence::Held(text) => core.note(place, text),
            Sentence::Broken { expected, found } => {
                core.note(place, format!("{expected}: {found}"));
                core.fail(Verdict::Fail, path, &expected, &found);
                docket.abandon(core);
                return Progress::Over(StepOutcome::Failed);
            }
        }
    }
    if docket.open.is_empty() {
        Progress::Over(StepOutcome::Passed)
    } else {
        Progress::Running
    }
}
