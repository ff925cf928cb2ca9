//! What only the simulator must be told: nodes elsewhere run on machines that
//! have it by nature.

use std::fmt;

use super::quantity::Micros;

/// What a simulated network is like, beyond its topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimWish {
    /// One-way delay of every link by nature; faults and zones come on top.
    /// Unset: the simulator's own.
    pub latency: Option<Micros>,
    /// Each node starts later than the first could by up to this, drawn by the
    /// run's seed.
    pub start_jitter: Micros,
    /// What validation takes; nothing, where nothing is said.
    pub cpu: CpuWish,
}

/// What validating takes a node, one thing after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuWish {
    /// For every block.
    pub block: Micros,
    /// For every signed input, in a block or in a transaction by itself.
    pub input: Micros,
    /// For every 1,000 bytes.
    pub kilobyte: Micros,
}

impl fmt::Display for SimWish {
    /// What it says, with commas; nothing where it says nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuWish {
            block,
            input,
            kilobyte,
        } = self.cpu;
        let mut parts = Vec::new();
        if let Some(latency) = self.latency {
            parts.push(format!("{latency} from node to node"));
        }
        if self.start_jitter > Micros::default() {
            parts.push(format!("nodes start up to {} late", self.start_jitter));
        }
        let costs = [(block, "a block"), (input, "an input"), (kilobyte, "1 kB")];
        for (cost, of) in costs {
            if cost > Micros::default() {
                parts.push(format!("{of} takes {cost} to validate"));
            }
        }
        f.write_str(&parts.join(", "))
    }
}
