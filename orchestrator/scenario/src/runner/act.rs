//! Steps that do something to the network, and take it back.

use std::collections::{BTreeSet, VecDeque};

use super::core::Core;
use super::draws::dice;
use super::flow::Progress;
use crate::fault::{Fault, Heal, NodeFault};
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
        until_ms: u64,
    },
    /// Takes it back, act by act; each after a look of its own.
    Undoing {
        looks: u64,
        rest: VecDeque<(String, Act)>,
    },
    Undo {
        id: ActId,
        rest: VecDeque<(String, Act)>,
    },
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
                            until_ms: core.now_ms.saturating_add(ms),
                        },
                        _ => return Progress::Over(ended.outcome),
                    }
                }
                Stage::Lasting { until_ms } if core.now_ms < *until_ms => {
                    return Progress::Running;
                }
                Stage::Lasting { .. } => {
                    let rest = undo(core, &self.act, &self.path);
                    Self::next_undo(core, rest)
                }
                Stage::Undoing { rest, .. } if rest.is_empty() => {
                    return Progress::Over(StepOutcome::Passed);
                }
                Stage::Undoing { looks, .. } if !core.has_looked_since(*looks) => {
                    return Progress::Running;
                }
                Stage::Undoing { rest, .. } => {
                    let mut rest = std::mem::take(rest);
                    let Some((path, act)) = rest.pop_front() else {
                        return Progress::Over(StepOutcome::Passed);
                    };
                    let id = core.ask(&path, act, None, ACT_TIMEOUT_MS);
                    Stage::Undo { id, rest }
                }
                Stage::Undo { id, rest } => {
                    let Some(ended) = core.ended.remove(id) else {
                        return Progress::Running;
                    };
                    core.note(place, ended.note);
                    if ended.outcome != StepOutcome::Passed {
                        return Progress::Over(ended.outcome);
                    }
                    Self::next_undo(core, std::mem::take(rest))
                }
            };
            self.stage = next;
        }
    }

    pub fn wake_ms(&self) -> Option<u64> {
        match self.stage {
            Stage::Lasting { until_ms } => Some(until_ms),
            _ => None,
        }
    }

    fn next_undo(core: &mut Core, rest: VecDeque<(String, Act)>) -> Stage {
        core.look_now();
        let looks = core.history.looks();
        Stage::Undoing { looks, rest }
    }
}

/// What takes an act back, each with the path of the step it is done for: the
/// act itself, then what that heals of other steps' doing. Nothing where
/// something else took it back before.
fn undo(core: &Core, act: &Act, path: &str) -> VecDeque<(String, Act)> {
    let is_gone = match act {
        // Nobody keeps book of these: they are over once they are done.
        Act::Inflict(Fault::Node {
            what:
                NodeFault::Add { .. }
                | NodeFault::Remove
                | NodeFault::Upgrade { .. }
                | NodeFault::CorruptStore,
            ..
        }) => false,
        // Its own, or what it became when another step's heal swept it along.
        Act::Inflict(_) => !core.history.faults.in_force().any(|x| x.step == path),
        Act::StartLoad(load) => !core.loads.contains(&load.name),
        _ => true,
    };
    let Some(undoing) = resolve::undo(act).filter(|_| !is_gone) else {
        return VecDeque::new();
    };
    let others = core.history.faults.in_force().filter(|x| x.step != path);
    let again: Vec<(String, Act)> = others
        .filter_map(|entry| {
            let left = swept_along(&undoing, &entry.fault)?;
            Some((entry.step.clone(), Act::Inflict(left)))
        })
        .collect();
    let first = (path.to_owned(), undoing);
    std::iter::once(first).chain(again).collect()
}

/// The part of another step's fault that a heal takes out as well.
fn swept_along(heal: &Act, fault: &Fault) -> Option<Fault> {
    match (heal, fault) {
        (Act::Heal(Heal::Conditions), Fault::Condition { .. }) => Some(fault.clone()),
        (Act::Heal(Heal::Nodes(healed)), Fault::Node { nodes, what }) => {
            let healed: BTreeSet<&String> = healed.iter().collect();
            let nodes: Vec<String> = nodes
                .iter()
                .filter(|x| healed.contains(x))
                .cloned()
                .collect();
            let what = what.clone();
            (!nodes.is_empty()).then_some(Fault::Node { nodes, what })
        }
        _ => None,
    }
}
