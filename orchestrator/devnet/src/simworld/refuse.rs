//! What a scenario asks for that the simulator has no notion of: told before
//! anything runs.

use devnet_blueprint::Topology;
use devnet_blueprint::topology::Peers;
use devnet_scenario::model::{
    Claim, Expectation, MetricSelector, Quantity, Scenario, Step, Verb, Wait,
};
use devnet_scenario::parse::{Problem, Tree};

use super::counters::KNOWN;

/// Where it can be had instead.
const INSTEAD: &str = "run this scenario with --world docker or --world process";

/// Everything in a scenario that cannot be simulated, each at its step.
pub fn problems(scenario: &Scenario, topology: &Topology, tree: &Tree) -> Vec<Problem> {
    let mut found = Found {
        tree,
        problems: Vec::new(),
    };
    let draws = scenario
        .sim
        .as_ref()
        .is_some_and(|sim| sim.outbound.is_some());
    if draws && matches!(topology.peers, Peers::Edges(_)) {
        let text = "the topology names every connection by its `edges`, so there is none to draw; \
                    leave out `outbound`, or the edges";
        let place = tree.find("sim.outbound");
        found.problems.push(Problem::at(place, text));
    }
    found.steps(&scenario.steps, "steps");
    found.steps(&scenario.finally, "finally");
    found.problems
}

struct Found<'t> {
    tree: &'t Tree,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn refuse(&mut self, path: &str, what: &str) {
        let text = format!("the simulator {what}; {INSTEAD}");
        let place = self.tree.find(path);
        self.problems.push(Problem::at(place, text));
    }

    fn steps(&mut self, steps: &[Step], path: &str) {
        for (at, step) in steps.iter().enumerate() {
            self.step(step, &format!("{path}[{at}]"));
        }
    }

    fn step(&mut self, step: &Step, path: &str) {
        let word = step.verb.word();
        let at = format!("{path}.{word}");
        match &step.verb {
            Verb::Upgrade(_) => self.refuse(&at, "runs no programs, so none can be exchanged"),
            Verb::Wait(Wait::Log { .. }) => {
                self.refuse(&at, "does not write the daemon's log lines");
            }
            Verb::Parallel(steps) | Verb::Sequence(steps) => self.steps(steps, &at),
            Verb::Repeat(wish) => {
                self.steps(&wish.steps, &format!("{at}.steps"));
                for (index, choice) in wish.choose.iter().enumerate() {
                    self.steps(&choice.steps, &format!("{at}.choose[{index}].steps"));
                }
            }
            Verb::Always(wish) => {
                self.claims(&wish.expect, &format!("{at}.expect"));
                self.steps(&wish.steps, &format!("{at}.steps"));
            }
            Verb::Expect(claims) => self.claims(claims, &at),
            Verb::Record(quantities) => {
                for quantity in quantities.values() {
                    if let Quantity::Metric { selector, .. } = quantity {
                        self.metric(selector, &at);
                    }
                }
            }
            _ => {}
        }
    }

    fn claims(&mut self, claims: &[Expectation], path: &str) {
        for expectation in claims {
            match &expectation.claim {
                Claim::Metric(claim) => self.metric(&claim.selector, path),
                Claim::Log(_) => self.refuse(path, "does not write the daemon's log lines"),
                Claim::Memory(_) => self.refuse(path, "cannot tell one node's memory"),
                _ => {}
            }
        }
    }

    fn metric(&mut self, selector: &MetricSelector, path: &str) {
        let text = selector.text.trim();
        if !KNOWN.iter().any(|metric| metric.name == text) {
            let names: Vec<&str> = KNOWN.iter().map(|metric| metric.name).collect();
            let what = format!("has no metric `{text}`, only {}", names.join(", "));
            self.refuse(path, &what);
        }
    }
}
