//! Faults of the network.

use super::reader::{Fields, Reader};
use super::tree::{Tree, Value};
use crate::fault::Heal;
use crate::form;
use crate::model::{ConditionWish, LinkSet, PartitionWish, Selector, Verb};

impl Reader {
    pub(super) fn partition(&mut self, tree: &Tree) -> Option<PartitionWish> {
        match &tree.value {
            Value::List(_) => return self.list(tree, Self::nodes).map(PartitionWish::Groups),
            Value::Text(_) => {
                let word = self.word(tree, &[("halves", true), ("majorities_ring", false)])?;
                return Some(if word {
                    PartitionWish::Halves
                } else {
                    PartitionWish::MajoritiesRing
                });
            }
            _ => {}
        }
        let (_, key, value) = self.choice(tree, &form::PARTITION)?;
        Some(match key.text.as_str() {
            "groups" => PartitionWish::Groups(self.list(value, Self::nodes)?),
            "isolate" => PartitionWish::Isolate(self.nodes(value)?),
            "bridge" => {
                let fields = self.fields(value, &form::BRIDGE)?;
                let sides = self.list(fields.get("sides")?, Self::nodes);
                let bridge = self.nodes(fields.get("over")?);
                PartitionWish::Bridge {
                    sides: sides?,
                    bridge: bridge?,
                }
            }
            "one_way" => {
                let fields = self.fields(value, &form::ONE_WAY)?;
                let from = self.nodes(fields.get("from")?);
                let to = self.nodes(fields.get("to")?);
                PartitionWish::OneWay {
                    from: from?,
                    to: to?,
                }
            }
            _ => {
                let pair = |r: &mut Self, item: &Tree| r.pair(item, Self::text);
                PartitionWish::Links(self.list(value, pair)?)
            }
        })
    }

    pub(super) fn heal(&mut self, tree: &Tree) -> Option<Verb> {
        match &tree.value {
            Value::Null => Some(Verb::Heal(Heal::All, None)),
            Value::Text(_) => {
                let words = [("all", 0), ("cuts", 1), ("conditions", 2)];
                let heal = match self.word(tree, &words)? {
                    0 => Heal::All,
                    1 => Heal::Cuts,
                    _ => Heal::Conditions,
                };
                Some(Verb::Heal(heal, None))
            }
            _ => {
                let fields = self.fields(tree, &form::HEAL)?;
                let nodes = self.nodes(fields.get("nodes")?)?;
                Some(Verb::Heal(Heal::Nodes(Vec::new()), Some(nodes)))
            }
        }
    }

    /// `link`: several conditions at once.
    pub(super) fn link(&mut self, tree: &Tree) -> Option<ConditionWish> {
        let fields = self.fields(tree, &form::LINK)?;
        let links = self.links(tree, &fields);
        let latency = self.optional(fields.get("latency"), Self::quantity);
        let jitter = self.optional(fields.get("jitter"), Self::quantity);
        let loss = self.optional(fields.get("loss"), Self::quantity);
        let bandwidth = self.optional(fields.get("bandwidth"), Self::quantity);
        let wish = ConditionWish {
            links: links?,
            latency: latency?,
            jitter: jitter?,
            loss: loss?,
            bandwidth: bandwidth?,
        };
        let says_nothing = wish.latency.is_none()
            && wish.jitter.is_none()
            && wish.loss.is_none()
            && wish.bandwidth.is_none();
        if says_nothing {
            let what = "nothing would happen: give latency, jitter, loss or bandwidth";
            return self.refuse(tree.place, what);
        }
        Some(wish)
    }

    /// One condition: a bare value for all links, or `is:` with a place.
    pub(super) fn condition(&mut self, word: &str, tree: &Tree) -> Option<ConditionWish> {
        let (is, links) = if matches!(tree.value, Value::Map(_)) {
            let fields = self.fields(tree, &form::CONDITION_OF)?;
            let links = self.links(tree, &fields)?;
            (fields.get("is")?, links)
        } else {
            (tree, LinkSet::All)
        };
        let mut wish = ConditionWish {
            links,
            latency: None,
            jitter: None,
            loss: None,
            bandwidth: None,
        };
        match word {
            "latency" => wish.latency = Some(self.quantity(is)?),
            "jitter" => wish.jitter = Some(self.quantity(is)?),
            "loss" => wish.loss = Some(self.quantity(is)?),
            _ => wish.bandwidth = Some(self.quantity(is)?),
        }
        Some(wish)
    }

    fn links(&mut self, tree: &Tree, fields: &Fields<'_>) -> Option<LinkSet> {
        let on = fields.get("on");
        let between = fields.get("between");
        let (from, to) = (fields.get("from"), fields.get("to"));
        let zones = fields.get("zones");
        match (on, between, from, to, zones) {
            (None, None, None, None, None) => Some(LinkSet::All),
            (Some(on), None, None, None, None) => self.nodes(on).map(LinkSet::Of),
            (None, Some(between), None, None, None) => {
                let (a, b): (Selector, Selector) = self.pair(between, Self::nodes)?;
                Some(LinkSet::Between(a, b))
            }
            (None, None, Some(from), Some(to), None) => {
                let (from, to) = (self.nodes(from), self.nodes(to));
                Some(LinkSet::OneWay {
                    from: from?,
                    to: to?,
                })
            }
            (None, None, None, None, Some(zones)) => {
                let (a, b) = self.pair(zones, Self::text)?;
                Some(LinkSet::Zones(a, b))
            }
            _ => self.refuse(
                tree.place,
                "these links are named twice: choose `on`, `between`, `zones`, or `from` with `to`",
            ),
        }
    }
}
