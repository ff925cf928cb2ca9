//! Steps that do something to the network, and take it back.

use super::core::Core;
use super::draws::dice;
use super::flow::Progress;
use crate::model::{Step, Verb};
use crate::report::StepOutcome;
use crate::resolve;
use crate::world::{Act, ActId};

/// How long an act of a step without a time limit may take.
const ACT_TIMEOUT_MS: u64 = 120_000;

/// An act under way.
#[derive(Clone, Debug)]
pub(super) struct Acting {
    path: String,
    act: Act,
    name: Option<String>,
    lasts_ms: Option<u64>,
    timeout_ms: u64,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Waits for a look after so many, so that it is known how things stood.
    Look(u64),
    Doing(ActId),
    Lasting {
        id: ActId,
        until_ms: u64,
    },
    /// Takes it back after a look, so that it is known how things stood.
    Undoing {
        looks: u64,
        undo: Act,
    },
    Undo(ActId),
}

impl Acting {
    pub fn begin(core: &mut Core, step: &Step, path: &str, key: &str) -> Result<Self, String> {
        let mut dice = dice(core.seed, "act", key);
        let act = resolve::act(&step.verb, &core.roster, &mut dice)
            .map_err(|error| error.to_string())?
            .ok_or("this step does nothing")?;
        let interval_ms = core.roster.block_interval_ms;
        let name = match &step.verb {
            Verb::Transfer(wish) => wish.name.clone(),
            _ => None,
        };
        core.look_now();
        Ok(Self {
            path: path.into(),
            act,
            name,
            lasts_ms: step.lasts.map(|time| time.ms(interval_ms)),
            timeout_ms: step.timeout.map_or(ACT_TIMEOUT_MS, |x| x.ms(interval_ms)),
            stage: Stage::Look(core.history.looks()),
        })
    }

    pub fn advance(&mut self, core: &mut Core, place: usize) -> Progress {
        loop {
            let next = match &mut self.stage {
                Stage::Look(looks) if !core.has_looked_since(*looks) => return Progress::Running,
                Stage::Look(_) => {
                    let act = self.act.clone();
                    let id = core.ask(&self.path, act, self.name.clone(), self.timeout_ms);
                    Stage::Doing(id)
                }
                Stage::Doing(id) => {
                    let Some(ended) = core.ended.remove(id) else {
                        return Progress::Running;
                    };
                    core.note(place, ended.note);
                    match self.lasts_ms {
                        Some(ms) if ended.outcome == StepOutcome::Passed => Stage::Lasting {
                            id: *id,
                            until_ms: core.now_ms.saturating_add(ms),
                        },
                        _ => return Progress::Over(ended.outcome),
                    }
                }
                Stage::Lasting { until_ms, .. } if core.now_ms < *until_ms => {
                    return Progress::Running;
                }
                Stage::Lasting { id, .. } => {
                    let Some(undo) = undo(core, *id, &self.act) else {
                        return Progress::Over(StepOutcome::Passed);
                    };
                    core.look_now();
                    let looks = core.history.looks();
                    Stage::Undoing { looks, undo }
                }
                Stage::Undoing { looks, .. } if !core.has_looked_since(*looks) => {
                    return Progress::Running;
                }
                Stage::Undoing { undo, .. } => {
                    let undo = undo.clone();
                    Stage::Undo(core.ask(&self.path, undo, None, ACT_TIMEOUT_MS))
                }
                Stage::Undo(id) => {
                    let Some(ended) = core.ended.remove(id) else {
                        return Progress::Running;
                    };
                    core.note(place, ended.note);
                    return Progress::Over(ended.outcome);
                }
            };
            self.stage = next;
        }
    }

    pub fn wake_ms(&self) -> Option<u64> {
        match self.stage {
            Stage::Lasting { until_ms, .. } => Some(until_ms),
            _ => None,
        }
    }
}

/// What takes an act back; `None` where nothing does, or something else took it
/// back before.
fn undo(core: &Core, id: ActId, act: &Act) -> Option<Act> {
    let is_gone = match act {
        Act::Inflict(_) => !core.history.faults.in_force().any(|x| x.act == id),
        Act::StartLoad(load) => !core.loads.contains(&load.name),
        _ => true,
    };
    resolve::undo(id, act).filter(|_| !is_gone)
}
