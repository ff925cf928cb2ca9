//! Expectations.

use super::limits::CLAIMS_MAX;
use super::reader::{Fields, Reader};
use super::tree::{Key, Place, Tree, Value};
use crate::form;
use crate::model::{
    Claim, Comparison, Expectation, IntervalBounds, LogClaim, MetricClaim, MetricMode, Share,
    Since, TipRef, TransactionClaim, TransactionState, is_identifier,
};

const BLOCKS_MAX: u32 = 100_000;
const MAX_LAG: u32 = 1;
const FRESH: u32 = 1;

impl Reader {
    /// One expectation, or a list of them.
    pub fn expectations(&mut self, tree: &Tree) -> Option<Vec<Expectation>> {
        match &tree.value {
            Value::List(items) if items.len() > CLAIMS_MAX => {
                let what = format!("more than {CLAIMS_MAX} claims in one step");
                self.refuse(tree.place, what)
            }
            Value::List(_) => self.list(tree, Self::expectation),
            _ => self.expectation(tree).map(|one| vec![one]),
        }
    }

    fn expectation(&mut self, tree: &Tree) -> Option<Expectation> {
        if matches!(tree.value, Value::Text(_)) {
            return self.short(tree);
        }
        let (fields, key, value) = self.choice(tree, &form::EXPECTATION)?;
        let claim = self.claim(key, value);
        let within = self.optional(fields.get("within"), Self::quantity);
        let since = self.since(&fields, &key.text);
        let on = self.optional(fields.get("on"), Self::nodes);
        let except = self.optional(fields.get("except"), Self::names);
        let allow = self.optional(fields.get("allow"), Self::quantity::<Share>);
        Some(Expectation {
            claim: claim?,
            within: within?,
            since: since?,
            on: on?,
            except: except?.unwrap_or_default(),
            allow: allow?.unwrap_or_default(),
        })
    }

    /// A claim that needs no more than its name.
    fn short(&mut self, tree: &Tree) -> Option<Expectation> {
        let word = self.text(tree)?;
        let known = form::EXPECTATION.words();
        let known = known.into_iter().filter(|w| form::EXPECTATION.is_main(w));
        let words: Vec<(&str, ())> = known.map(|word| (word, ())).collect();
        self.word(tree, &words)?;
        let nothing = Tree {
            place: tree.place,
            value: Value::Null,
        };
        let key = Key {
            place: tree.place,
            text: word,
        };
        let claim = self.claim(&key, &nothing)?;
        Some(Expectation {
            claim,
            within: None,
            since: default_since(&key.text),
            on: None,
            except: Vec::new(),
            allow: Share::default(),
        })
    }

    fn since(&mut self, fields: &Fields<'_>, claim: &str) -> Option<Since> {
        const WORDS: [(&str, Since); 3] = [
            ("step", Since::Step),
            ("heal", Since::Heal),
            ("start", Since::Start),
        ];
        let since = self.optional(fields.get("from"), |reader, tree| reader.word(tree, &WORDS))?;
        Some(since.unwrap_or_else(|| default_since(claim)))
    }

    fn claim(&mut self, key: &Key, value: &Tree) -> Option<Claim> {
        let is_bare = value.value == Value::Null;
        Some(match key.text.as_str() {
            "converged" => self.converged(value, is_bare)?,
            "diverged" => Claim::Diverged {
                advance: self.blocks(value, is_bare, &form::DIVERGED, "advance")?,
            },
            "progress" => Claim::Progress {
                blocks: self.blocks(value, is_bare, &form::PROGRESS, "blocks")?,
            },
            "no_progress" => {
                let fields = self.fields(value, &form::NO_PROGRESS)?;
                let during = self.quantity(fields.get("during")?)?;
                Claim::NoProgress { during }
            }
            "height" => Claim::Height(self.comparison(value)?),
            "tip_of" => self.tip_of(value)?,
            "reorg_depth" => Claim::ReorgDepth(self.comparison(value)?),
            "fork_count" => Claim::ForkCount(self.comparison(value)?),
            "stale_rate" => Claim::StaleRate(self.comparison(value)?),
            "block_interval" => self.block_interval(value)?,
            "winner" => self.winner(value, is_bare)?,
            "supply" => self.bare(value, is_bare, Claim::Supply)?,
            "transaction" => self.transaction(value)?,
            "peers" => Claim::Peers(self.comparison(value)?),
            "metric" => self.metric_claim(value)?,
            "log" => self.log(value)?,
            "no_error_logs" => self.no_error_logs(value, is_bare)?,
            "restarts" => Claim::Restarts(self.comparison(value)?),
            "memory" => Claim::Memory(self.comparison(value)?),
            other => return self.refuse(key.place, format!("unknown claim `{other}`")),
        })
    }

    fn comparison(&mut self, tree: &Tree) -> Option<Comparison> {
        if tree.value == Value::Null {
            let what = "a comparison is needed here, such as 3, \">= 3\" or \"< 10%\"";
            return self.refuse(tree.place, what);
        }
        self.quantity(tree)
    }

    fn bare(&mut self, tree: &Tree, is_bare: bool, claim: Claim) -> Option<Claim> {
        if is_bare {
            return Some(claim);
        }
        self.refuse(
            tree.place,
            "nothing may stand here; end the line behind the colon",
        )
    }

    /// The one key of a form that counts blocks, or 1.
    fn blocks(
        &mut self,
        tree: &Tree,
        is_bare: bool,
        form: &'static form::Form,
        key: &str,
    ) -> Option<u32> {
        if is_bare {
            return Some(1);
        }
        let fields = self.fields(tree, form)?;
        let count = self.optional(fields.get(key), |r, tree| r.count(tree, 1, BLOCKS_MAX))?;
        Some(count.unwrap_or(1))
    }

    fn converged(&mut self, tree: &Tree, is_bare: bool) -> Option<Claim> {
        if is_bare {
            return Some(Claim::Converged {
                max_lag: MAX_LAG,
                fresh: FRESH,
            });
        }
        let fields = self.fields(tree, &form::CONVERGED)?;
        let count = |r: &mut Self, tree: &Tree| r.count(tree, 0, BLOCKS_MAX);
        let max_lag = self.optional(fields.get("max_lag"), count);
        let fresh = self.optional(fields.get("fresh"), count);
        Some(Claim::Converged {
            max_lag: max_lag?.unwrap_or(MAX_LAG),
            fresh: fresh?.unwrap_or(FRESH),
        })
    }

    fn tip_of(&mut self, tree: &Tree) -> Option<Claim> {
        let fields = self.fields(tree, &form::TIP_OF)?;
        let is = fields.get("is")?;
        let text = self.text(is)?;
        let of = match text.strip_prefix('$') {
            Some(name) if is_identifier(name) => TipRef::Record(name.into()),
            Some(name) => {
                let what = format!("`{name}` cannot be a record; use a-z, 0-9 and _");
                return self.refuse(is.place, what);
            }
            None => TipRef::Node(text),
        };
        let contains = self.optional(fields.get("contains"), Self::switch)?;
        Some(Claim::TipOf {
            of,
            contains: contains.unwrap_or(false),
        })
    }

    fn block_interval(&mut self, tree: &Tree) -> Option<Claim> {
        let fields = self.fields(tree, &form::BLOCK_INTERVAL)?;
        let mean = self.optional(fields.get("mean"), Self::comparison)?;
        let mut percentiles = Vec::new();
        for (key, percent) in form::PERCENTILES {
            if let Some(bound) = self.optional(fields.get(key), Self::comparison)? {
                percentiles.push((*percent, bound));
            }
        }
        let over = self.optional(fields.get("over"), |r, tree| r.count(tree, 1, BLOCKS_MAX))?;
        if mean.is_none() && percentiles.is_empty() {
            let what = "a bound is missing: mean, median, p90, p95, p99 or max";
            return self.refuse(tree.place, what);
        }
        Some(Claim::BlockInterval(IntervalBounds {
            mean,
            percentiles,
            over,
        }))
    }

    fn winner(&mut self, tree: &Tree, is_bare: bool) -> Option<Claim> {
        if is_bare {
            return Some(Claim::Winner { side: None });
        }
        let fields = self.fields(tree, &form::WINNER)?;
        let side = self.optional(fields.get("side"), Self::nodes)?;
        Some(Claim::Winner { side })
    }

    fn transaction(&mut self, tree: &Tree) -> Option<Claim> {
        const WORDS: [(&str, TransactionState); 2] = [
            ("confirmed", TransactionState::Confirmed),
            ("confirmed_or_waiting", TransactionState::ConfirmedOrWaiting),
        ];
        let fields = self.fields(tree, &form::TRANSACTION)?;
        let name = self.name(fields.get("of")?)?;
        let is = self.optional(fields.get("is"), |r, tree| r.word(tree, &WORDS))?;
        Some(Claim::Transaction(TransactionClaim {
            name,
            is: is.unwrap_or(TransactionState::Confirmed),
        }))
    }

    fn metric_claim(&mut self, tree: &Tree) -> Option<Claim> {
        const MODES: [(&str, MetricMode); 3] = [
            ("value", MetricMode::Value),
            ("delta", MetricMode::Delta),
            ("rate", MetricMode::Rate),
        ];
        let fields = self.fields(tree, &form::METRIC)?;
        let selector = self.metric(fields.get("select")?)?;
        let mut given = MODES
            .iter()
            .filter_map(|(key, mode)| Some((*mode, fields.get(key)?)));
        let (Some((mode, bound)), None) = (given.next(), given.next()) else {
            return self.refuse(tree.place, "exactly one of value, delta and rate is needed");
        };
        let is = self.comparison(bound)?;
        Some(Claim::Metric(MetricClaim { selector, mode, is }))
    }

    fn log(&mut self, tree: &Tree) -> Option<Claim> {
        let (fields, key, value) = self.choice(tree, &form::LOG)?;
        let lines = self.lines_by(&key.text, value);
        let count = self.optional(fields.get("count"), Self::comparison);
        Some(Claim::Log(LogClaim {
            lines: lines?,
            count: count?.unwrap_or(Comparison::at_least(1.0)),
        }))
    }

    fn no_error_logs(&mut self, tree: &Tree, is_bare: bool) -> Option<Claim> {
        if is_bare {
            return Some(Claim::NoErrorLogs { ignore: Vec::new() });
        }
        let fields = self.fields(tree, &form::NO_ERROR_LOGS)?;
        let ignore = self.optional(fields.get("ignore"), |r, tree| r.list(tree, Self::lines))?;
        Some(Claim::NoErrorLogs {
            ignore: ignore.unwrap_or_default(),
        })
    }

    /// Refuses more steps than a run may have; `place` is the step's.
    pub fn too_many<T>(&mut self, place: Place) -> Option<T> {
        let max = super::limits::STEPS_MAX;
        let what = format!("with every repetition counted there are more than {max} steps");
        self.refuse(place, what)
    }
}

/// `converged` counts from the last heal.
fn default_since(claim: &str) -> Since {
    match claim {
        "converged" => Since::Heal,
        _ => Since::Step,
    }
}
