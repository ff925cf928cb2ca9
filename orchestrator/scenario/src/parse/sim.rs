//! What only the simulator must be told.

use super::limits::{SIM_BLOCK_MAX, SIM_JITTER_MAX, SIM_LATENCY_MAX, SIM_PART_MAX};
use super::reader::Reader;
use super::tree::Tree;
use crate::form;
use crate::model::{CpuWish, Micros, SimWish};

impl Reader {
    pub(super) fn sim(&mut self, tree: &Tree) -> Option<SimWish> {
        let fields = self.fields(tree, &form::SIM)?;
        let latency = self.micros(fields.get("latency"), SIM_LATENCY_MAX);
        let start_jitter = self.micros(fields.get("start_jitter"), SIM_JITTER_MAX);
        let cpu = self.optional(fields.get("cpu"), Self::cpu);
        Some(SimWish {
            latency: latency?,
            start_jitter: start_jitter?.unwrap_or_default(),
            cpu: cpu?.unwrap_or_default(),
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

    /// A time that may be left out, within a bound.
    fn micros(&mut self, tree: Option<&Tree>, max: Micros) -> Option<Option<Micros>> {
        self.optional(tree, |reader, tree| {
            let time: Micros = reader.quantity(tree)?;
            if time <= max {
                return Some(time);
            }
            let what = format!("{time} is out of range; choose from 0us to {max}");
            reader.refuse(tree.place, what)
        })
    }
}
