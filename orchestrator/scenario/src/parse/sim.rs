//! What only the simulator must be told.

use std::fmt::Display;
use std::str::FromStr;

use super::limits::{
    SIM_BALLAST_MAX, SIM_BLOCK_MAX, SIM_HEARTBEATS, SIM_JITTER_MAX, SIM_LATENCY_MAX, SIM_LAZY_MAX,
    SIM_LOSSES, SIM_NODES_MAX, SIM_PART_MAX, SIM_RATES,
};
use super::reader::{Fields, Reader};
use super::tree::Tree;
use crate::form;
use crate::model::{Bytes, CpuWish, GossipWish, LineWish, Micros, NodeWish, Share, SimWish};

impl Reader {
    pub(super) fn sim(&mut self, tree: &Tree) -> Option<SimWish> {
        let fields = self.fields(tree, &form::SIM)?;
        let latency = self.micros(fields.get("latency"), SIM_LATENCY_MAX);
        let loss = self.optional(fields.get("loss"), Self::natural_loss);
        let start_jitter = self.micros(fields.get("start_jitter"), SIM_JITTER_MAX);
        let outbound = self.neighbours(fields.get("outbound"), (1, SIM_NODES_MAX));
        let line = self.line(&fields);
        let ballast = (Bytes(0), SIM_BALLAST_MAX);
        let block_ballast = self.within(fields.get("block_ballast"), ballast);
        let cpu = self.optional(fields.get("cpu"), Self::cpu);
        let gossip = self.optional(fields.get("gossip"), Self::gossip);
        let nodes = self.optional(fields.get("nodes"), |reader, tree| {
            reader.list(tree, Self::sim_node)
        });
        Some(SimWish {
            latency: latency?,
            loss: loss?,
            start_jitter: start_jitter?.unwrap_or_default(),
            outbound: outbound?,
            line: line?,
            block_ballast: block_ballast?,
            cpu: cpu?.unwrap_or_default(),
            gossip: gossip?.unwrap_or_default(),
            nodes: nodes?.unwrap_or_default(),
        })
    }

    fn cpu(&mut self, tree: &Tree) -> Option<CpuWish> {
        let fields = self.fields(tree, &form::CPU)?;
        let block = self.micros(fields.get("block"), SIM_BLOCK_MAX);
        let input = self.micros(fields.get("input"), SIM_PART_MAX);
        let kilobyte = self.micros(fields.get("kilobyte"), SIM_PART_MAX);
        Some(CpuWish {
            block: block?.unwrap_or_default(),
            input: input?.unwrap_or_default(),
            kilobyte: kilobyte?.unwrap_or_default(),
        })
    }

    fn gossip(&mut self, tree: &Tree) -> Option<GossipWish> {
        const BOUNDS: (u32, u32) = (1, SIM_NODES_MAX);
        let fields = self.fields(tree, &form::GOSSIP)?;
        let degree = self.neighbours(fields.get("degree"), BOUNDS);
        let degree_low = self.neighbours(fields.get("degree_low"), BOUNDS);
        let degree_high = self.neighbours(fields.get("degree_high"), BOUNDS);
        let lazy = self.neighbours(fields.get("lazy"), (0, SIM_LAZY_MAX));
        let heartbeat = self.within(fields.get("heartbeat"), SIM_HEARTBEATS);
        let wish = GossipWish {
            degree: degree?,
            degree_low: degree_low?,
            degree_high: degree_high?,
            lazy: lazy?,
            heartbeat: heartbeat?,
        };
        match wish.disorder() {
            Some(what) => self.refuse(tree.place, what),
            None => Some(wish),
        }
    }

    fn sim_node(&mut self, tree: &Tree) -> Option<NodeWish> {
        let fields = self.fields(tree, &form::SIM_NODE)?;
        let on = self.nodes(fields.get("on")?);
        let line = self.line(&fields);
        let clock_skew = self.optional(fields.get("clock_skew"), Self::quantity);
        let wish = NodeWish {
            on: on?,
            line: line?,
            clock_skew: clock_skew?,
        };
        if wish.on.is_random() || wish.on.has_rest() {
            let what = "nothing is drawn before a run: write a name, a group, `all` or a zone";
            return self.refuse(fields.get("on")?.place, what);
        }
        if wish.line == LineWish::default() && wish.clock_skew.is_none() {
            let what = "these nodes would be like all others: give upload, download or clock_skew";
            return self.refuse(tree.place, what);
        }
        Some(wish)
    }

    fn line(&mut self, fields: &Fields<'_>) -> Option<LineWish> {
        let upload = self.within(fields.get("upload"), SIM_RATES);
        let download = self.within(fields.get("download"), SIM_RATES);
        Some(LineWish {
            upload: upload?,
            download: download?,
        })
    }

    fn natural_loss(&mut self, tree: &Tree) -> Option<Share> {
        let loss: Share = self.quantity(tree)?;
        let (least, most) = SIM_LOSSES;
        if (least..=most).contains(&loss.get()) {
            return Some(loss);
        }
        let bounds = [least, most].map(|bound| format!("{}%", bound * 100.0));
        let what = format!(
            "{loss} is out of range; choose from {}",
            bounds.join(" to ")
        );
        self.refuse(tree.place, what)
    }

    fn neighbours(&mut self, tree: Option<&Tree>, (min, max): (u32, u32)) -> Option<Option<u32>> {
        self.optional(tree, |reader, tree| reader.count(tree, min, max))
    }

    /// A time that may be left out, within a bound.
    fn micros(&mut self, tree: Option<&Tree>, max: Micros) -> Option<Option<Micros>> {
        self.within(tree, (Micros::default(), max))
    }

    /// A quantity that may be left out, within bounds.
    fn within<T>(&mut self, tree: Option<&Tree>, (min, max): (T, T)) -> Option<Option<T>>
    where
        T: FromStr<Err: Display> + Display + PartialOrd,
    {
        self.optional(tree, |reader, tree| {
            let value: T = reader.quantity(tree)?;
            if min <= value && value <= max {
                return Some(value);
            }
            let what = format!("{value} is out of range; choose from {min} to {max}");
            reader.refuse(tree.place, what)
        })
    }
}
