//! The machine that carries a scenario out: it is told what happened and says
//! what to do next. No input or output; worlds do what it orders.
//!
//! What it keeps to:
//! - It looks all the time, every quarter of a block interval (at least every
//!   second), and asks in a look only for what open claims need.
//! - A step with `for:` lasts that long, then what it did is taken back; other
//!   steps go on meanwhile only in `parallel`. Where taking back heals more
//!   than the step did, what other steps did is inflicted anew.
//! - A fault without evidence that it bit makes the run INVALID; so does
//!   evidence that contradicts itself, whatever the world made of it.
//! - `finally` always runs, all of it; then loads are stopped and, if anything
//!   may still be in force, everything is healed; then there is a last look.
//! - What is seen while the engine is away fails nothing: if it comes back with
//!   all nodes in time the run goes on, else it is BROKEN.
//! - A node that ends without the run's doing is told, whatever the verdict.
//! - Where several things go wrong the worst verdict counts: BROKEN before
//!   INVALID before FAIL before INTERRUPTED before PASS.
//! - Every draw depends on the seed and the step alone: taking a step out
//!   leaves the draws of all others as they were.

mod absence;
mod act;
mod always;
mod core;
mod draws;
mod evidence;
mod filing;
mod flow;
mod judging;
mod losses;
mod settle;
mod task;
mod title;
mod wait;

use self::core::Core;
use self::flow::{Flow, Progress};
use crate::fault::Heal;
use crate::model::{Roster, Scenario, Step, Verb};
use crate::report::{Report, Verdict};
use crate::world::{Heard, Order, Wants};

/// Looks in a row that a world may leave unanswered.
const UNANSWERED_MAX: u32 = 100;

/// A run of a scenario.
#[derive(Clone, Debug)]
pub struct Runner {
    core: Core,
    scenario: Scenario,
    phase: Phase,
    flow: Option<Flow>,
    interrupted: bool,
    unanswered: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Until the first look.
    First,
    /// The scenario's steps.
    Steps,
    /// The scenario's `finally`.
    Finally,
    /// Stops loads, heals.
    Clean,
    /// The last look, taken after so many.
    Last { looks: u64 },
    /// Over.
    Done,
}

impl Runner {
    /// A run of a checked scenario on that network, with that seed for all
    /// draws.
    pub fn new(scenario: Scenario, roster: Roster, seed: u64) -> Self {
        Self {
            core: Core::new(&scenario, roster, seed),
            scenario,
            phase: Phase::First,
            flow: None,
            interrupted: false,
            unanswered: 0,
        }
    }

    /// Takes in what happened by `now_ms` (milliseconds on the world's clock)
    /// and says what to do next. After [`Order::Done`] the answer stays `Done`.
    pub fn next(&mut self, now_ms: u64, heard: Heard) -> Order {
        if self.phase == Phase::Done {
            return Order::Done;
        }
        self.hear(now_ms, heard);
        self.advance();
        if let Some(order) = self.core.start_next() {
            return order;
        }
        if self.phase == Phase::Done {
            self.core.file();
            return Order::Done;
        }
        if self.core.look_is_due() {
            self.unanswered = self.unanswered.saturating_add(1);
            return Order::Look(self.wants());
        }
        Order::WaitUntil(self.wake_ms())
    }

    /// The report: whole once the run is done, before that as far as it came
    /// (steps, verdict and faults; the rest is filed at the end).
    pub fn report(&self) -> &Report {
        &self.core.report
    }

    fn hear(&mut self, now_ms: u64, heard: Heard) {
        self.core.tick(now_ms);
        match heard {
            Heard::Nothing => {}
            Heard::Acted { id, outcome } => self.core.settle(id, outcome),
            Heard::Saw(snapshot) => {
                self.unanswered = 0;
                self.core.saw(&snapshot);
            }
            Heard::Interrupted => self.interrupted = true,
        }
        self.core.settle_overdue();
    }

    /// Goes on until nothing more can be done without hearing something.
    fn advance(&mut self) {
        if self.unanswered > UNANSWERED_MAX && !self.core.is_blind {
            let found = format!("{UNANSWERED_MAX} looks in a row were not answered");
            self.core
                .fail(Verdict::Broken, "", "the world tells what it sees", &found);
            self.stop();
            // Nothing can be judged any more, but what was done is taken back.
            self.core.is_blind = true;
            self.phase = Phase::Finally;
        }
        if self.core.carrier.is_lost() && self.phase == Phase::Steps {
            self.stop();
        }
        loop {
            let before = self.phase;
            self.step();
            if self.phase == before || self.phase == Phase::Done {
                return;
            }
        }
    }

    fn step(&mut self) {
        match self.phase {
            Phase::First if self.core.history.looks() == 0 => {
                if self.interrupted {
                    self.interrupt();
                }
            }
            Phase::First => {
                let steps = self.scenario.steps.clone();
                self.flow = Some(Flow::sequence(steps, "", "steps", false));
                self.phase = Phase::Steps;
            }
            Phase::Steps | Phase::Finally | Phase::Clean => {
                if self.interrupted && self.phase != Phase::Clean {
                    self.interrupt();
                }
                self.run_flow();
            }
            Phase::Last { looks } => {
                let has_looked = self.core.history.looks() > looks;
                // An engine that is away may take the nodes with it.
                if self.core.is_blind || has_looked && !self.core.carrier.is_in_doubt() {
                    self.phase = Phase::Done;
                }
            }
            Phase::Done => {}
        }
    }

    /// Runs the steps of this phase; when they are over and no act is under
    /// way, the next phase begins.
    fn run_flow(&mut self) {
        if let Some(flow) = &mut self.flow {
            match flow.advance(&mut self.core) {
                Progress::Running => return,
                Progress::Over(_) => self.stop(),
            }
        }
        if self.core.is_acting() {
            return;
        }
        self.phase = match self.phase {
            Phase::Steps => {
                let steps = self.scenario.finally.clone();
                self.flow = Some(Flow::sequence(steps, "finally.", "finally", true));
                Phase::Finally
            }
            Phase::Finally => {
                let steps = self.cleaning();
                self.flow = Some(Flow::sequence(steps, "end.", "end", true));
                Phase::Clean
            }
            _ => {
                self.core.look_now();
                Phase::Last {
                    looks: self.core.history.looks(),
                }
            }
        };
    }

    /// What is to be done after everything else.
    fn cleaning(&self) -> Vec<Step> {
        let step = |title: &str, verb: Verb| Step {
            title: Some(title.into()),
            timeout: None,
            lasts: None,
            verb,
        };
        let loads = self.core.loads.iter();
        let mut steps: Vec<Step> = loads
            .map(|name| step("stop the load", Verb::StopLoad(name.clone())))
            .collect();
        if self.core.may_be_faulty() {
            steps.push(step("heal everything", Verb::Heal(Heal::All, None)));
        }
        steps
    }

    fn interrupt(&mut self) {
        self.interrupted = false;
        let step = self.core.running_step();
        let expected = "the run goes to its end";
        self.core
            .fail(Verdict::Interrupted, &step, expected, "it was interrupted");
        self.stop();
        if self.phase == Phase::First {
            self.phase = Phase::Steps;
        }
    }

    /// Gives up the steps of this phase. Acts under way go on to their end.
    fn stop(&mut self) {
        if let Some(mut flow) = self.flow.take() {
            flow.abandon(&mut self.core);
        }
        self.core.drop_unstarted();
    }

    fn wants(&self) -> Wants {
        let mut wants = self.core.standing_wants();
        if let Some(flow) = &self.flow {
            flow.wants(&self.core, &mut wants);
        }
        if matches!(self.phase, Phase::Last { .. }) {
            wants.logs = true;
        }
        wants
    }

    fn wake_ms(&self) -> u64 {
        let next = self.core.next_look_ms();
        let steps = self.flow.as_ref().and_then(Flow::wake_ms);
        let soonest = steps.map_or(next, |at| at.min(next));
        soonest.max(self.core.now_ms + 1)
    }
}
