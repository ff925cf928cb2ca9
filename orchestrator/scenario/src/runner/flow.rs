//! Steps that hold steps: sequences, parallel ones, repetitions.

use super::core::Core;
use super::draws::{dice, keys};
use super::task::Task;
use crate::model::{RepeatWish, Step};
use crate::report::StepOutcome;
use crate::resolve;
use crate::world::Wants;

/// Whether something is over, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Running,
    Over(StepOutcome),
}

/// Steps under way.
#[derive(Clone, Debug)]
pub(super) enum Flow {
    Sequence(Sequence),
    Parallel(Parallel),
    Repeat(Repeat),
}

/// One after another.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    steps: Vec<Step>,
    keys: Vec<String>,
    /// Stands before each step's number.
    prefix: String,
    key: String,
    next: usize,
    task: Option<Box<Task>>,
    /// Whether a step that fails ends the sequence.
    keeps_going: bool,
    worst: StepOutcome,
}

/// All at once.
#[derive(Clone, Debug)]
pub(super) struct Parallel {
    steps: Vec<Step>,
    path: String,
    key: String,
    tasks: Option<Vec<(Task, Progress)>>,
}

/// Several times.
#[derive(Clone, Debug)]
pub(super) struct Repeat {
    wish: RepeatWish,
    path: String,
    key: String,
    rounds: u32,
    round: Option<Sequence>,
}

impl Flow {
    /// One after another; `prefix` stands before each step's number.
    pub fn sequence(steps: Vec<Step>, prefix: &str, key: &str, keeps_going: bool) -> Self {
        Self::Sequence(Sequence::new(steps, prefix, key, keeps_going))
    }

    /// All at once.
    pub fn parallel(steps: Vec<Step>, path: &str, key: &str) -> Self {
        Self::Parallel(Parallel {
            steps,
            path: path.into(),
            key: key.into(),
            tasks: None,
        })
    }

    /// Several times.
    pub fn repeat(wish: RepeatWish, path: &str, key: &str) -> Self {
        Self::Repeat(Repeat {
            wish,
            path: path.into(),
            key: key.into(),
            rounds: 0,
            round: None,
        })
    }

    /// Goes on as far as it can.
    pub fn advance(&mut self, core: &mut Core) -> Progress {
        match self {
            Self::Sequence(sequence) => sequence.advance(core),
            Self::Parallel(parallel) => parallel.advance(core),
            Self::Repeat(repeat) => repeat.advance(core),
        }
    }

    pub fn wants(&self, core: &Core, into: &mut Wants) {
        for task in self.tasks() {
            task.wants(core, into);
        }
    }

    pub fn wake_ms(&self) -> Option<u64> {
        self.tasks().into_iter().filter_map(Task::wake_ms).min()
    }

    pub fn abandon(&mut self, core: &mut Core) {
        match self {
            Self::Sequence(sequence) => sequence.abandon(core),
            Self::Parallel(parallel) => parallel.abandon(core),
            Self::Repeat(repeat) => {
                if let Some(round) = &mut repeat.round {
                    round.abandon(core);
                }
            }
        }
    }

    /// Steps that run now.
    fn tasks(&self) -> Vec<&Task> {
        match self {
            Self::Sequence(sequence) => sequence.task.iter().map(AsRef::as_ref).collect(),
            Self::Parallel(parallel) => {
                let tasks = parallel.tasks.iter().flatten();
                let running = tasks.filter(|(_, progress)| *progress == Progress::Running);
                running.map(|(task, _)| task).collect()
            }
            Self::Repeat(repeat) => {
                let round = repeat.round.iter();
                round
                    .flat_map(|round| &round.task)
                    .map(AsRef::as_ref)
                    .collect()
            }
        }
    }
}

impl Sequence {
    fn new(steps: Vec<Step>, prefix: &str, key: &str, keeps_going: bool) -> Self {
        Self {
            keys: keys(&steps),
            steps,
            prefix: prefix.into(),
            key: key.into(),
            next: 0,
            task: None,
            keeps_going,
            worst: StepOutcome::Passed,
        }
    }

    fn advance(&mut self, core: &mut Core) -> Progress {
        loop {
            if let Some(task) = &mut self.task {
                let Progress::Over(outcome) = task.advance(core) else {
                    return Progress::Running;
                };
                self.task = None;
                if outcome != StepOutcome::Passed {
                    self.worst = outcome;
                    if !self.keeps_going {
                        return Progress::Over(outcome);
                    }
                }
            }
            let Some(step) = self.steps.get(self.next) else {
                return Progress::Over(self.worst);
            };
            let path = format!("{}{}", self.prefix, self.next + 1);
            let key = format!("{}/{}", self.key, self.keys[self.next]);
            self.next += 1;
            self.task = Some(Box::new(Task::begin(core, step.clone(), &path, &key)));
        }
    }

    fn abandon(&mut self, core: &mut Core) {
        if let Some(mut task) = self.task.take() {
            task.abandon(core);
        }
        self.next = self.steps.len();
    }
}

impl Parallel {
    fn advance(&mut self, core: &mut Core) -> Progress {
        if self.tasks.is_none() {
            self.tasks = Some(self.begin(core));
        }
        let tasks = self.tasks.get_or_insert_default();
        let mut failed = None;
        for (task, progress) in tasks.iter_mut() {
            if *progress == Progress::Running {
                *progress = task.advance(core);
            }
            match progress {
                Progress::Over(outcome) if *outcome != StepOutcome::Passed => {
                    failed = Some(*outcome);
                    break;
                }
                _ => {}
            }
        }
        if let Some(outcome) = failed {
            self.abandon(core);
            return Progress::Over(outcome);
        }
        let is_running = tasks.iter().any(|(_, x)| *x == Progress::Running);
        if is_running {
            Progress::Running
        } else {
            Progress::Over(StepOutcome::Passed)
        }
    }

    fn begin(&self, core: &mut Core) -> Vec<(Task, Progress)> {
        let mut tasks = Vec::with_capacity(self.steps.len());
        for ((step, own), number) in self.steps.iter().zip(keys(&self.steps)).zip(1_usize..) {
            let path = format!("{}.{number}", self.path);
            let key = format!("{}/{own}", self.key);
            let task = Task::begin(core, step.clone(), &path, &key);
            tasks.push((task, Progress::Running));
        }
        tasks
    }

    fn abandon(&mut self, core: &mut Core) {
        for (task, progress) in self.tasks.iter_mut().flatten() {
            if *progress == Progress::Running {
                task.abandon(core);
                *progress = Progress::Over(StepOutcome::Abandoned);
            }
        }
    }
}

impl Repeat {
    fn advance(&mut self, core: &mut Core) -> Progress {
        loop {
            if let Some(round) = &mut self.round {
                let Progress::Over(outcome) = round.advance(core) else {
                    return Progress::Running;
                };
                self.round = None;
                if outcome != StepOutcome::Passed {
                    return Progress::Over(outcome);
                }
            }
            if self.rounds >= self.wish.count {
                return Progress::Over(StepOutcome::Passed);
            }
            self.rounds += 1;
            let number = self.rounds;
            let key = format!("{}#{number}", self.key);
            let steps = if self.wish.choose.is_empty() {
                self.wish.steps.clone()
            } else {
                let mut dice = dice(core.seed, "choice", &key);
                let choice = resolve::choose(&self.wish.choose, &mut dice);
                choice.map_or_else(Vec::new, |choice| choice.steps.clone())
            };
            let prefix = format!("{}#{number}.", self.path);
            self.round = Some(Sequence::new(steps, &prefix, &key, false));
        }
    }
}
