//! Steps that wait, and steps that keep values.

use std::collections::BTreeMap;

use super::core::Core;
use super::draws::dice;
use super::flow::Progress;
use super::title::describe_wait;
use crate::fault::NodeName;
use crate::history::logs::LineTest;
use crate::history::short;
use crate::metric::{Selector as MetricPick, Watch};
use crate::model::{Quantity, Selector, Wait};
use crate::report::{StepOutcome, Verdict};
use crate::resolve;
use crate::world::Wants;

/// How long something is waited for where nothing is said, at least; to it
/// comes five times what the blocks it needs should take.
const WAIT_MS: u64 = 60_000;
const SLOWNESS: u64 = 5;
/// How long values to record are waited for.
const RECORD_MS: u64 = 10_000;

/// A wait under way.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    wait: Wait,
    nodes: Vec<NodeName>,
    begun_at_ms: u64,
    until_ms: u64,
    looks: u64,
    /// Heights in the first look since the begin.
    baseline: Option<BTreeMap<NodeName, u32>>,
    watch: Option<u64>,
    why: String,
}

impl Waiting {
    /// Begins to wait, as long as is usual or `timeout_ms` where that is longer.
    pub fn begin(
        core: &mut Core,
        wait: Wait,
        timeout_ms: Option<u64>,
        key: &str,
    ) -> Result<Self, String> {
        let on = match &wait {
            Wait::For(_) => None,
            Wait::Height { on, .. }
            | Wait::Blocks { on, .. }
            | Wait::Peers { on, .. }
            | Wait::Log { on, .. } => on.as_ref(),
        };
        let nodes = chosen(core, on, key)?;
        let watch = match &wait {
            Wait::Log { lines, .. } => {
                let number = core.watch_number();
                core.follow_lines(LineTest::new(lines), number);
                Some(number)
            }
            _ => None,
        };
        if !matches!(wait, Wait::For(_)) {
            core.look_now();
        }
        let limit_ms = match (&wait, timeout_ms) {
            // How long it lasts, not how long at most.
            (Wait::For(_), _) | (_, None) => limit_ms(core, &wait),
            (_, Some(timeout_ms)) => limit_ms(core, &wait).max(timeout_ms),
        };
        Ok(Self {
            until_ms: core.now_ms.saturating_add(limit_ms),
            wait,
            nodes,
            begun_at_ms: core.now_ms,
            looks: core.history.looks(),
            baseline: None,
            watch,
            why: String::new(),
        })
    }

    pub fn advance(&mut self, core: &mut Core, place: usize, path: &str) -> Progress {
        let is_over = core.now_ms >= self.until_ms;
        if matches!(self.wait, Wait::For(_)) {
            return if is_over {
                Progress::Over(StepOutcome::Passed)
            } else {
                Progress::Running
            };
        }
        if core.history.looks() > self.looks {
            self.looks = core.history.looks();
            if self.baseline.is_none() {
                let tips = core.history.tips().into_iter();
                self.baseline = Some(tips.map(|(node, mark)| (node, mark.height)).collect());
            }
            match self.missing(core) {
                None => {
                    self.abandon(core);
                    return Progress::Over(StepOutcome::Passed);
                }
                Some(why) => self.why = why,
            }
        }
        if !is_over {
            return Progress::Running;
        }
        let expected = describe_wait(&self.wait);
        core.fail(Verdict::Fail, path, &expected, &self.why);
        core.note(place, self.why.clone());
        self.abandon(core);
        Progress::Over(StepOutcome::Failed)
    }

    pub fn wants(&self, into: &mut Wants) {
        into.logs |= self.watch.is_some();
    }

    pub fn wake_ms(&self) -> Option<u64> {
        Some(self.until_ms)
    }

    /// What is missing still.
    pub fn why(&self) -> &str {
        &self.why
    }

    pub fn abandon(&mut self, core: &mut Core) {
        if let Some(number) = self.watch.take() {
            core.unfollow(number);
        }
    }

    /// The first node that is not as waited for; `None` if all are.
    fn missing(&self, core: &Core) -> Option<String> {
        self.nodes.iter().find_map(|node| {
            if let Some(number) = self.watch {
                let watch = core.history.log_watches.get(&number)?;
                let (hits, _) = watch.hits(std::slice::from_ref(node), self.begun_at_ms);
                return hits
                    .is_empty()
                    .then(|| format!("{node} has logged no such line"));
            }
            let Some(facts) = core.history.facts(node) else {
                let why = core.history.down(node).unwrap_or_default();
                return Some(format!("{node} does not answer ({why})"));
            };
            match &self.wait {
                Wait::Height { height, .. } if facts.height < *height => {
                    Some(format!("{node} is at {}, not at {height}", facts.height))
                }
                Wait::Blocks { blocks, .. } => {
                    let from = self.baseline.as_ref().and_then(|x| x.get(node));
                    let grown = facts.height.saturating_sub(*from.unwrap_or(&facts.height));
                    (grown < *blocks).then(|| format!("{node} has grown by {grown}, not {blocks}"))
                }
                Wait::Peers { peers, .. } if facts.peers.len() < *peers as usize => Some(format!(
                    "{node} has {} peers, not {peers}",
                    facts.peers.len()
                )),
                _ => None,
            }
        })
    }
}

fn limit_ms(core: &Core, wait: &Wait) -> u64 {
    let interval_ms = core.roster.block_interval_ms;
    let best = core.history.tips().values().map(|x| x.height).max();
    let blocks = match wait {
        Wait::For(time) => return time.ms(interval_ms),
        Wait::Height { height, .. } => height.saturating_sub(best.unwrap_or(0)),
        Wait::Blocks { blocks, .. } => *blocks,
        Wait::Peers { .. } | Wait::Log { .. } => 0,
    };
    let mining = interval_ms
        .saturating_mul(SLOWNESS)
        .saturating_mul(u64::from(blocks));
    WAIT_MS.saturating_add(mining)
}

fn chosen(core: &Core, on: Option<&Selector>, key: &str) -> Result<Vec<NodeName>, String> {
    let Some(selector) = on else {
        return Ok(core.roster.names());
    };
    let mut dice = dice(core.seed, "on", key);
    resolve::nodes(selector, &core.roster, &mut dice).map_err(|error| error.to_string())
}

/// Values to be kept, from the next look.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    values: Vec<Value>,
    looks: u64,
    until_ms: u64,
}

#[derive(Clone, Debug)]
struct Value {
    name: String,
    quantity: Quantity,
    nodes: Vec<NodeName>,
    watch: Option<u64>,
}

impl Recording {
    /// Begins to record, as long as is usual or `timeout_ms` where that is longer.
    pub fn begin(
        core: &mut Core,
        wishes: BTreeMap<String, Quantity>,
        timeout_ms: Option<u64>,
        key: &str,
    ) -> Result<Self, String> {
        let mut values = Vec::with_capacity(wishes.len());
        for (name, quantity) in wishes {
            let (on, metric) = match &quantity {
                Quantity::Height(on) | Quantity::Tip { on, .. } | Quantity::Work(on) => (on, None),
                Quantity::Metric { selector, on } => (on, Some(&selector.text)),
            };
            let nodes = chosen(core, Some(on), &format!("{key}/{name}"))?;
            let watch = match metric {
                None => None,
                Some(text) => {
                    let pick = MetricPick::parse(text).map_err(|error| error.to_string())?;
                    let number = core.watch_number();
                    core.history.watches.insert(number, Watch::new(pick));
                    Some(number)
                }
            };
            values.push(Value {
                name,
                quantity,
                nodes,
                watch,
            });
        }
        core.look_now();
        let limit_ms = RECORD_MS.max(timeout_ms.unwrap_or(0));
        Ok(Self {
            values,
            looks: core.history.looks(),
            until_ms: core.now_ms.saturating_add(limit_ms),
        })
    }

    pub fn advance(&mut self, core: &mut Core, place: usize, path: &str) -> Progress {
        if core.history.looks() <= self.looks {
            return Progress::Running;
        }
        self.looks = core.history.looks();
        let mut left = Vec::new();
        for value in std::mem::take(&mut self.values) {
            if !value.keep(core, place) {
                left.push(value);
            }
        }
        self.values = left;
        let Some(first) = self.values.first() else {
            return Progress::Over(StepOutcome::Passed);
        };
        if core.now_ms < self.until_ms {
            return Progress::Running;
        }
        let expected = format!("{} can be recorded", first.name);
        let nodes = first.nodes.join(",");
        core.fail(
            Verdict::Fail,
            path,
            &expected,
            &match first.quantity {
                Quantity::Tip { below, .. } if below > 0 => {
                    format!("{nodes} told no block {below} below its tip")
                }
                _ => format!("{nodes} told no such value"),
            },
        );
        self.abandon(core);
        Progress::Over(StepOutcome::Failed)
    }

    pub fn wants(&self, into: &mut Wants) {
        into.metrics |= self.values.iter().any(|value| value.watch.is_some());
    }

    pub fn abandon(&mut self, core: &mut Core) {
        for value in std::mem::take(&mut self.values) {
            value.close(core);
        }
    }
}

impl Value {
    /// Keeps the value if it can be told; whether it could.
    fn keep(&self, core: &mut Core, place: usize) -> bool {
        let best = core
            .history
            .best(&self.nodes)
            .map(|block| block.fact.clone());
        let shown = match (&self.quantity, best) {
            (Quantity::Height(_), Some(best)) => self.number(core, f64::from(best.height)),
            (Quantity::Work(_), Some(best)) => self.number(core, work(&best.work)),
            (Quantity::Tip { below, .. }, Some(best)) => {
                let height = best.height.checked_sub(*below);
                let block = height.and_then(|at| core.history.tree.at_height(&best.hash, at));
                let Some(hash) = block.map(|block| block.fact.hash.clone()) else {
                    return false;
                };
                let shown = short(&hash);
                core.tips.insert(self.name.clone(), hash);
                shown
            }
            (Quantity::Metric { .. }, _) => match self.sum(core) {
                Some(sum) => self.number(core, sum),
                None => return false,
            },
            (_, None) => return false,
        };
        core.note(place, format!("{} = {shown}", self.name));
        core.report.recorded.insert(self.name.clone(), shown);
        self.close(core);
        true
    }

    fn number(&self, core: &mut Core, value: f64) -> String {
        core.records.insert(self.name.clone(), value);
        value.to_string()
    }

    fn sum(&self, core: &Core) -> Option<f64> {
        let watch = core.history.watches.get(&self.watch?)?;
        let readings = self.nodes.iter().filter_map(|node| watch.reading(node, 0));
        let values: Vec<f64> = readings.map(|reading| reading.value).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    fn close(&self, core: &mut Core) {
        if let Some(number) = self.watch {
            core.unfollow(number);
        }
    }
}

/// A work value as a number, rounded.
fn work(digits: &str) -> f64 {
    let digits = digits.chars().filter_map(|digit| digit.to_digit(16));
    digits.fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::work;

    #[test]
    fn work_is_read_as_a_number() {
        assert_eq!(work(&format!("{:064x}", 0x1_0001)), 65_537.0);
    }
}
