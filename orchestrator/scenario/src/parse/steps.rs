//! Steps.

use super::limits::{BELOW_MAX, NESTING_MAX, REPEAT_MAX, STEPS_MAX};
use super::reader::Reader;
use super::tree::{Key, Place, Tree, Value};
use crate::form;
use crate::model::{
    AddWish, AlwaysWish, Choice, LoadWish, Quantity, RateWish, RepeatWish, Selector, SkewWish,
    Step, TransferWish, UpgradeWish, Verb, Wait, is_identifier,
};

const NODES_MAX: u32 = 1_000;
const BLOCKS_MAX: u32 = 100_000;
/// Transactions a second that a load may ask for.
const LOAD_RATE_MAX: f64 = 1_000.0;
/// Hashes a second that a miner may be set to.
const HASH_RATE_MAX: f64 = 1e9;

/// Makes a quantity of nodes.
type OfNodes = fn(Selector) -> Quantity;

/// Where a list of steps stands: how deep, and how often it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    depth: u32,
    times: u32,
}

impl Level {
    /// The steps of the file itself.
    pub const TOP: Self = Self { depth: 1, times: 1 };

    const fn inner(self, times: u32) -> Self {
        Self {
            depth: self.depth + 1,
            times: self.times.saturating_mul(times),
        }
    }
}

impl Reader {
    /// A list of steps.
    pub fn steps(&mut self, tree: &Tree, level: Level) -> Option<Vec<Step>> {
        if level.depth > NESTING_MAX {
            let what = format!("steps stand within steps more than {NESTING_MAX} times");
            return self.refuse(tree.place, what);
        }
        self.list(tree, |reader, item| reader.step(item, level))
    }

    fn step(&mut self, tree: &Tree, level: Level) -> Option<Step> {
        self.count_step(tree.place, level)?;
        if let Value::Text(word) = &tree.value {
            return self.bare_step(tree, word);
        }
        let (fields, key, value) = self.choice(tree, &form::STEP)?;
        let title = self.optional(fields.get("title"), Self::text);
        let timeout = self.optional(fields.get("timeout"), Self::quantity);
        let lasts = self.optional(fields.get("for"), Self::quantity);
        let verb = self.verb(key, value, level);
        Some(Step {
            title: title?,
            timeout: timeout?,
            lasts: lasts?,
            verb: verb?,
        })
    }

    fn count_step(&mut self, place: Place, level: Level) -> Option<()> {
        let total = self.steps_seen.saturating_add(level.times);
        if total <= STEPS_MAX {
            self.steps_seen = total;
            return Some(());
        }
        // Told once, not for every further step.
        if self.steps_seen <= STEPS_MAX {
            self.steps_seen = STEPS_MAX.saturating_add(1);
            return self.too_many(place);
        }
        None
    }

    /// A step that is a verb alone: `- heal`.
    fn bare_step(&mut self, tree: &Tree, word: &str) -> Option<Step> {
        if word != "heal" {
            let what =
                format!("a step is a mapping, such as `- {word}: …`; only `heal` may stand alone");
            return self.refuse(tree.place, what);
        }
        Some(Step {
            title: None,
            timeout: None,
            lasts: None,
            verb: Verb::Heal(crate::fault::Heal::All, None),
        })
    }

    fn verb(&mut self, key: &Key, value: &Tree, level: Level) -> Option<Verb> {
        if let Some(make) = node_verb(&key.text) {
            return self.nodes(value).map(make);
        }
        Some(match key.text.as_str() {
            "partition" => Verb::Partition(self.partition(value)?),
            "heal" => self.heal(value)?,
            "link" => Verb::Condition(self.link(value)?),
            "latency" | "jitter" | "loss" | "bandwidth" => {
                Verb::Condition(self.condition(&key.text, value)?)
            }
            "clock_skew" => {
                let fields = self.fields(value, &form::CLOCK_SKEW)?;
                let on = self.nodes(fields.get("on")?);
                let by = self.quantity(fields.get("by")?);
                Verb::ClockSkew(SkewWish { on: on?, by: by? })
            }
            "hash_rate" => {
                let fields = self.fields(value, &form::HASH_RATE)?;
                let on = self.nodes(fields.get("on")?);
                let to = self.number(fields.get("to")?, HASH_RATE_MAX);
                Verb::HashRate(RateWish { on: on?, to: to? })
            }
            "add" => self.add(value)?,
            "upgrade" => {
                let fields = self.fields(value, &form::UPGRADE)?;
                let on = self.nodes(fields.get("on")?);
                let to = self.text(fields.get("to")?);
                Verb::Upgrade(UpgradeWish { on: on?, to: to? })
            }
            "wait" => Verb::Wait(self.wait(value)?),
            "load" => self.load(value)?,
            "stop_load" => {
                let fields = self.fields(value, &form::STOP_LOAD)?;
                Verb::StopLoad(self.name(fields.get("name")?)?)
            }
            "transfer" => self.transfer(value)?,
            "parallel" => Verb::Parallel(self.steps(value, level.inner(1))?),
            "steps" => Verb::Sequence(self.steps(value, level.inner(1))?),
            "repeat" => self.repeat(value, level)?,
            "record" => self.record(value)?,
            "expect" => Verb::Expect(self.expectations(value)?),
            "always" => {
                let fields = self.fields(value, &form::ALWAYS)?;
                let expect = self.expectations(fields.get("expect")?);
                let steps = self.steps(fields.get("steps")?, level.inner(1));
                Verb::Always(AlwaysWish {
                    expect: expect?,
                    steps: steps?,
                })
            }
            other => return self.refuse(key.place, format!("unknown verb `{other}`")),
        })
    }

    fn add(&mut self, tree: &Tree) -> Option<Verb> {
        let fields = self.fields(tree, &form::ADD)?;
        let group = self.text(fields.get("group")?);
        let count = self.optional(fields.get("count"), |r, tree| r.count(tree, 1, NODES_MAX));
        Some(Verb::Add(AddWish {
            group: group?,
            count: count?.unwrap_or(1),
        }))
    }

    fn wait(&mut self, tree: &Tree) -> Option<Wait> {
        if !matches!(tree.value, Value::Map(_)) {
            return self.quantity(tree).map(Wait::For);
        }
        let (fields, key, value) = self.choice(tree, &form::WAIT)?;
        let on = self.optional(fields.get("on"), Self::nodes)?;
        Some(match key.text.as_str() {
            "height" => Wait::Height {
                height: self.count(value, 1, BLOCKS_MAX)?,
                on,
            },
            "blocks" => Wait::Blocks {
                blocks: self.count(value, 1, BLOCKS_MAX)?,
                on,
            },
            "peers" => Wait::Peers {
                peers: self.count(value, 1, NODES_MAX)?,
                on,
            },
            _ => Wait::Log {
                lines: self.lines(value)?,
                on,
            },
        })
    }

    fn load(&mut self, tree: &Tree) -> Option<Verb> {
        let fields = self.fields(tree, &form::LOAD)?;
        let name = self.optional(fields.get("name"), Self::name);
        let rate_tree = fields.get("rate")?;
        let rate = self.number(rate_tree, LOAD_RATE_MAX);
        let from = self.text(fields.get("from")?);
        let to = self.text(fields.get("to")?);
        let via = self.optional(fields.get("via"), Self::nodes);
        if rate.is_some_and(|rate| rate <= 0.0) {
            return self.refuse(
                rate_tree.place,
                "a load of nothing is none; choose a rate above 0",
            );
        }
        Some(Verb::Load(LoadWish {
            name: name?.unwrap_or_else(|| "load".into()),
            rate: rate?,
            from: from?,
            to: to?,
            via: via?.unwrap_or_else(Selector::all),
        }))
    }

    fn transfer(&mut self, tree: &Tree) -> Option<Verb> {
        let fields = self.fields(tree, &form::TRANSFER)?;
        let name = self.optional(fields.get("name"), Self::name);
        let from = self.text(fields.get("from")?);
        let to = self.text(fields.get("to")?);
        let amount = self.quantity(fields.get("amount")?);
        let via = self.optional(fields.get("via"), Self::nodes);
        Some(Verb::Transfer(TransferWish {
            name: name?,
            from: from?,
            to: to?,
            amount: amount?,
            via: via?.unwrap_or_else(Selector::all),
        }))
    }

    fn repeat(&mut self, tree: &Tree, level: Level) -> Option<Verb> {
        let fields = self.fields(tree, &form::REPEAT)?;
        let count = self.count(fields.get("count")?, 1, REPEAT_MAX)?;
        let inner = level.inner(count);
        let (steps, choose) = match (fields.get("steps"), fields.get("choose")) {
            (Some(steps), None) => (self.steps(steps, inner)?, Vec::new()),
            (None, Some(choose)) => {
                let choice = |r: &mut Self, item: &Tree| r.a_choice(item, inner);
                (Vec::new(), self.list(choose, choice)?)
            }
            _ => {
                let what = "exactly one of `steps` and `choose` is needed";
                return self.refuse(tree.place, what);
            }
        };
        Some(Verb::Repeat(RepeatWish {
            count,
            steps,
            choose,
        }))
    }

    fn a_choice(&mut self, tree: &Tree, level: Level) -> Option<Choice> {
        let fields = self.fields(tree, &form::CHOICE)?;
        let weight = self.optional(fields.get("weight"), |r, t| r.count(t, 1, STEPS_MAX));
        let steps = self.steps(fields.get("steps")?, level);
        Some(Choice {
            weight: weight?.unwrap_or(1),
            steps: steps?,
        })
    }

    fn record(&mut self, tree: &Tree) -> Option<Verb> {
        let Value::Map(entries) = &tree.value else {
            let what = "a mapping of names is needed here, such as `before: height`";
            return self.refuse(tree.place, what);
        };
        if entries.is_empty() {
            return self.refuse(tree.place, "nothing is recorded");
        }
        let read = entries.iter().map(|(key, value)| {
            if !is_identifier(&key.text) {
                let what = format!(
                    "`{}` cannot name a record; use 1 to 40 of a-z, 0-9 and _, a letter first",
                    key.text
                );
                return self.refuse(key.place, what);
            }
            Some((key.text.clone(), self.what_to_record(value)?))
        });
        let read: Vec<Option<(String, Quantity)>> = read.collect();
        read.into_iter().collect::<Option<_>>().map(Verb::Record)
    }

    fn what_to_record(&mut self, tree: &Tree) -> Option<Quantity> {
        if matches!(tree.value, Value::Text(_)) {
            const WORDS: [(&str, OfNodes); 3] = [
                ("height", Quantity::Height),
                ("tip", |on| Quantity::Tip { on, below: 0 }),
                ("work", Quantity::Work),
            ];
            let make = self.word(tree, &WORDS)?;
            return Some(make(Selector::all()));
        }
        let (fields, key, value) = self.choice(tree, &form::QUANTITY)?;
        if key.text != "metric"
            && let Some(on) = fields.key("on")
        {
            let what = format!(
                "`on` only stands beside `metric`; write `{}: nodes`",
                key.text
            );
            return self.refuse(on.place, what);
        }
        if key.text != "tip"
            && let Some(below) = fields.key("below")
        {
            return self.refuse(below.place, "`below` only stands beside `tip`");
        }
        Some(match key.text.as_str() {
            "height" => Quantity::Height(self.nodes(value)?),
            "tip" => {
                let on = self.nodes(value);
                let below =
                    self.optional(fields.get("below"), |r, tree| r.count(tree, 1, BELOW_MAX));
                Quantity::Tip {
                    on: on?,
                    below: below?.unwrap_or(0),
                }
            }
            "work" => Quantity::Work(self.nodes(value)?),
            _ => {
                let selector = self.metric(value);
                let on = self.optional(fields.get("on"), Self::nodes);
                Quantity::Metric {
                    selector: selector?,
                    on: on?.unwrap_or_else(Selector::all),
                }
            }
        })
    }
}

fn node_verb(word: &str) -> Option<fn(Selector) -> Verb> {
    Some(match word {
        "kill" => Verb::Kill,
        "stop" => Verb::Stop,
        "start" => Verb::Start,
        "restart" => Verb::Restart,
        "pause" => Verb::Pause,
        "unpause" => Verb::Unpause,
        "wipe" => Verb::Wipe,
        "corrupt_store" => Verb::CorruptStore,
        "fill_disk" => Verb::FillDisk,
        "remove" => Verb::Remove,
        _ => return None,
    })
}
