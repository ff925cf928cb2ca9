//! The loop between the runner and a simulated world: time passes only where
//! the runner waits.

use std::collections::VecDeque;

use devnet_scenario::world::{Act, ActId, Evidence, Heard, Load, Order, Outcome};

use super::net::Net;
use super::pay::Funding;
use crate::run::drive::{Director, Witness};

/// Between two looks at acts under way.
const POLL_MS: u64 = 100;
/// Longest part of a wait that one turn takes, so that whoever drives a large
/// network is heard in between.
const PART_MS: u64 = 1_000;

/// A run under way.
#[derive(Default)]
pub struct Drive {
    doing: Vec<Doing>,
    /// What is to be told as soon as the director listens to it.
    heard: VecDeque<Heard>,
    /// A wait under way.
    waits_until_ms: Option<u64>,
}

/// An act that takes time.
struct Doing {
    id: ActId,
    load: Load,
    /// Coins that are yet to be confirmed; none: the load runs.
    funding: Option<Funding>,
    deadline_ms: u64,
    timeout_ms: u64,
}

impl Drive {
    /// Takes one order and carries it out, or goes on with it; false once the
    /// run is over.
    pub fn turn<D: Director, W: Witness>(
        &mut self,
        director: &mut D,
        net: &mut Net,
        witness: &mut W,
    ) -> bool {
        if let Some(until_ms) = self.waits_until_ms {
            self.wait(until_ms, net, witness);
            return true;
        }
        let heard = self.heard.pop_front().unwrap_or(Heard::Nothing);
        let order = director.next(net.now_ms(), heard);
        witness.turned(net.now_ms());
        match order {
            Order::Done => return false,
            Order::Act {
                id,
                act,
                timeout_ms,
            } => {
                witness.began(net.now_ms(), id, &act);
                if let Some(outcome) = self.begin(id, &act, timeout_ms, net) {
                    self.ended(id, outcome, net, witness);
                }
            }
            Order::Look(wants) => {
                let snapshot = net.look(&wants);
                witness.saw(&snapshot);
                self.heard.push_front(Heard::Saw(Box::new(snapshot)));
            }
            Order::WaitUntil(until_ms) => self.wait(until_ms, net, witness),
        }
        true
    }

    /// The user interrupts.
    pub fn interrupt<W: Witness>(&mut self, net: &Net, witness: &mut W) {
        witness.interrupted(net.now_ms());
        self.heard.push_back(Heard::Interrupted);
    }

    /// Begins an act; what came of it, where that takes no time.
    fn begin(&mut self, id: ActId, act: &Act, timeout_ms: u64, net: &mut Net) -> Option<Outcome> {
        Some(match act {
            Act::Inflict(fault) => net.inflict(id, fault),
            Act::Heal(heal) => net.heal(heal),
            Act::Lift { act, .. } => net.lift(*act),
            Act::Transfer(transfer) => net.transfer(transfer),
            Act::StopLoad { name } => net.stop_load(name),
            Act::StartLoad(load) => match net.prepare_load(load) {
                Err(why) => Outcome::Failed { why },
                Ok(funding) => {
                    if funding.is_none() {
                        net.start_load(load);
                    }
                    self.doing.push(Doing {
                        id,
                        load: load.clone(),
                        funding,
                        deadline_ms: net.now_ms().saturating_add(timeout_ms),
                        timeout_ms,
                    });
                    return None;
                }
            },
        })
    }

    /// Lets time pass, until a moment or until something is heard, but no longer
    /// than a part.
    fn wait<W: Witness>(&mut self, until_ms: u64, net: &mut Net, witness: &mut W) {
        let part_ms = until_ms.min(net.now_ms().saturating_add(PART_MS));
        while self.heard.is_empty() {
            self.poll(net, witness);
            if !self.heard.is_empty() || net.now_ms() >= part_ms {
                break;
            }
            let next_ms = match self.doing.is_empty() {
                true => part_ms,
                false => part_ms.min(net.now_ms() + POLL_MS),
            };
            net.run_until_ms(next_ms);
        }
        let is_over = !self.heard.is_empty() || net.now_ms() >= until_ms;
        self.waits_until_ms = (!is_over).then_some(until_ms);
    }

    /// Looks at acts under way.
    fn poll<W: Witness>(&mut self, net: &mut Net, witness: &mut W) {
        for mut doing in std::mem::take(&mut self.doing) {
            if doing.funding.as_ref().is_some_and(|one| net.is_funded(one)) {
                doing.funding = None;
                net.start_load(&doing.load);
            }
            let began = match doing.funding {
                Some(_) => None,
                None => net.load_began(&doing.load.name),
            };
            let is_late = net.now_ms() >= doing.deadline_ms;
            match began {
                Some(outcome) => self.ended(doing.id, outcome, net, witness),
                None if is_late => {
                    let seconds = doing.timeout_ms / 1_000;
                    let why = format!("it was not done within {seconds} s");
                    self.ended(doing.id, Outcome::Failed { why }, net, witness);
                }
                None => self.doing.push(doing),
            }
        }
    }

    fn ended<W: Witness>(&mut self, id: ActId, outcome: Outcome, net: &Net, witness: &mut W) {
        let outcome = timed(outcome, net.now_ms());
        witness.ended(net.now_ms(), id, &outcome);
        self.heard.push_back(Heard::Acted { id, outcome });
    }
}

/// An outcome that says since when it holds.
fn timed(outcome: Outcome, now_ms: u64) -> Outcome {
    let stamp = |mut evidence: Evidence| {
        evidence.in_force_at_ms.get_or_insert(now_ms);
        evidence
    };
    match outcome {
        Outcome::Done(evidence) => Outcome::Done(stamp(evidence)),
        Outcome::Ineffective(evidence) => Outcome::Ineffective(stamp(evidence)),
        failed @ Outcome::Failed { .. } => failed,
    }
}
