//! What an act's end means for the run.

use super::core::{Core, Ended, OpenAct};
use super::evidence::refuted;
use super::title::describe_act;
use crate::fault::{Fault, Heal, NodeFault};
use crate::model::Member;
use crate::report::{HealReport, StepOutcome, Verdict};
use crate::world::{Act, ActId, Evidence, Outcome};

impl Core {
    /// Takes in how an act ended. One that is not under way is ignored.
    pub fn settle(&mut self, id: ActId, outcome: Outcome) {
        let is_begun = |open: &OpenAct| open.ordered_at_ms.is_some();
        if !self.open.get(&id).is_some_and(is_begun) {
            return;
        }
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        let ended = match outcome {
            Outcome::Done(evidence) => match refuted(&open.act, &evidence) {
                None => self.done(id, &open, evidence),
                Some(why) => self.ineffective(id, &open, &evidence, &why),
            },
            Outcome::Ineffective(evidence) => {
                let first = evidence.objections.first().cloned();
                let why = first.unwrap_or_else(|| evidence.summary.clone());
                self.ineffective(id, &open, &evidence, &why)
            }
            Outcome::Failed { why } => self.broken(&open, &why),
        };
        self.ended.insert(id, ended);
        self.look_now();
    }

    /// Gives up acts whose end was never told.
    pub fn settle_overdue(&mut self) {
        for id in self.overdue() {
            let why = "its end was not told in time".to_owned();
            self.settle(id, Outcome::Failed { why });
        }
    }

    fn done(&mut self, id: ActId, open: &OpenAct, evidence: Evidence) -> Ended {
        let summary = evidence.summary.clone();
        match &open.act {
            Act::Inflict(fault) => {
                self.history
                    .faults
                    .came_in_force(id, &evidence, self.now_ms);
                self.change_roster(fault);
            }
            Act::Heal(heal) => self.healed(open, heal, &evidence),
            Act::Lift { act, fault } => self.lifted(open, *act, fault, &evidence),
            Act::StartLoad(load) => {
                self.loads.insert(load.name.clone());
                self.sent(&load.name, evidence.transactions);
            }
            Act::StopLoad { name } => {
                self.loads.remove(name);
                self.sent(name, evidence.transactions);
            }
            Act::Transfer(_) => {
                let name = open.name.clone().unwrap_or_else(|| open.step.clone());
                self.sent(&name, evidence.transactions);
            }
        }
        Ended {
            outcome: StepOutcome::Passed,
            note: summary,
        }
    }

    fn ineffective(&mut self, id: ActId, open: &OpenAct, evidence: &Evidence, why: &str) -> Ended {
        self.history.faults.missed(id, evidence);
        self.is_uncertain |= is_of_faults(&open.act);
        let expected = format!("{} takes effect", describe_act(&open.act));
        let found = if evidence.summary.is_empty() || why == evidence.summary {
            why.to_owned()
        } else {
            format!("{why} ({})", evidence.summary)
        };
        self.fail(Verdict::Invalid, &open.step, &expected, &found);
        Ended {
            outcome: StepOutcome::Invalid,
            note: found,
        }
    }

    fn broken(&mut self, open: &OpenAct, why: &str) -> Ended {
        self.is_uncertain |= is_of_faults(&open.act);
        if let Act::StopLoad { name } = &open.act {
            // Stopping it again would fail again.
            self.loads.remove(name);
        }
        let expected = format!("{} can be carried out", describe_act(&open.act));
        self.fail(Verdict::Broken, &open.step, &expected, why);
        Ended {
            outcome: StepOutcome::Broken,
            note: why.into(),
        }
    }

    fn lifted(&mut self, open: &OpenAct, act: ActId, fault: &Fault, evidence: &Evidence) {
        let at_ms = self.at_ms(evidence);
        self.history.faults.lifted(act, at_ms, &open.before);
        if let Fault::Node {
            nodes,
            what: NodeFault::Add { .. } | NodeFault::Remove,
        } = fault
        {
            self.restore_roster(&Heal::Nodes(nodes.clone()));
        }
        self.report_heal(open, at_ms, evidence);
    }

    fn at_ms(&self, evidence: &Evidence) -> u64 {
        let at_ms = evidence.in_force_at_ms.unwrap_or(self.now_ms);
        at_ms.min(self.now_ms)
    }

    fn healed(&mut self, open: &OpenAct, heal: &Heal, evidence: &Evidence) {
        let at_ms = self.at_ms(evidence);
        self.history.faults.healed(heal, at_ms, &open.before);
        self.restore_roster(heal);
        if *heal == Heal::All {
            self.is_uncertain = false;
        }
        self.report_heal(open, at_ms, evidence);
    }

    fn report_heal(&mut self, open: &OpenAct, at_ms: u64, evidence: &Evidence) {
        self.report.heals.push(HealReport {
            step: open.step.clone(),
            title: describe_act(&open.act),
            ordered_at_ms: open.ordered_at_ms.unwrap_or(at_ms),
            done_at_ms: at_ms,
            evidence: evidence.summary.clone(),
            before: open.before.clone(),
        });
    }

    fn change_roster(&mut self, fault: &Fault) {
        let Fault::Node { nodes, what } = fault else {
            return;
        };
        match what {
            NodeFault::Add { group } => {
                let model = self.roster.of_group(group).next().cloned();
                for name in nodes {
                    if !self.roster.has(name) {
                        self.roster.nodes.push(Member {
                            name: name.clone(),
                            group: group.clone(),
                            role: model.as_ref().map_or(String::new(), |x| x.role.clone()),
                            zone: model.as_ref().and_then(|x| x.zone.clone()),
                        });
                    }
                }
            }
            NodeFault::Remove => self.roster.nodes.retain(|x| !nodes.contains(&x.name)),
            _ => {}
        }
    }

    /// A world heals nodes to how the network came up: removed ones are back,
    /// added ones are gone.
    fn restore_roster(&mut self, heal: &Heal) {
        let is_healed = |member: &Member| match heal {
            Heal::All => true,
            Heal::Nodes(nodes) => nodes.contains(&member.name),
            Heal::Cuts | Heal::Conditions => false,
        };
        let now = std::mem::take(&mut self.roster.nodes);
        let first = self.brought_up.iter();
        let first = first.filter(|x| is_healed(x) || now.iter().any(|y| y.name == x.name));
        let mut nodes: Vec<Member> = first.cloned().collect();
        let is_added = |x: &Member| !self.brought_up.iter().any(|y| y.name == x.name);
        nodes.extend(now.into_iter().filter(|x| is_added(x) && !is_healed(x)));
        self.roster.nodes = nodes;
    }

    fn sent(&mut self, name: &str, ids: Vec<String>) {
        let known = self.report.transactions.entry(name.into()).or_default();
        for id in ids {
            if !known.contains(&id) {
                known.push(id);
            }
        }
    }
}

const fn is_of_faults(act: &Act) -> bool {
    matches!(act, Act::Inflict(_) | Act::Heal(_) | Act::Lift { .. })
}
