//! How much a network carries: what was offered, accepted and confirmed, how
//! full blocks were, and where the nodes' time went.

use std::collections::BTreeMap;

use devnet_scenario::metric::parse;
use minichain_api::metric as known;
use serde::Serialize;

/// What a node's metrics say at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Transactions connected, coinbases left out.
    pub confirmed: f64,
    /// Blocks connected.
    pub blocks: f64,
    /// Their bytes.
    pub block_bytes: f64,
    /// Their weight.
    pub weight: f64,
    /// Weight a block may have.
    pub weight_max: f64,
    /// Seconds in which the node's own thread was at work.
    pub busy_s: f64,
    /// Of those: checking and connecting blocks.
    pub connect_s: f64,
    /// Seconds of making the chain durable.
    pub commit_s: f64,
    /// Bytes that came from peers; not among the metrics.
    pub received_bytes: f64,
}

/// What workers count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// Payments that nodes took.
    pub accepted: u64,
    /// Those they would not have, by rule.
    pub refused: BTreeMap<String, u64>,
    /// Those that no node answered to within the time of a call.
    pub unanswered: u64,
    /// Turns in which no coin was left to pay with.
    pub starved: u64,
}

/// One rate, held for a while.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Payments a second that were wanted.
    pub wanted: f64,
    /// How long, in seconds.
    pub seconds: f64,
    /// Counts over that time.
    pub offered: Offered,
    /// Payments accepted a second.
    pub accepted: f64,
    /// Payments confirmed a second, as one node saw it.
    pub confirmed: f64,
    /// Blocks connected meanwhile.
    pub blocks: f64,
    /// Mean weight of those, of what a block may have, in percent.
    pub full_percent: f64,
    /// Processor time of all nodes, of all processors, in percent.
    pub cpu_percent: Option<f64>,
    /// Time in which a node's own thread was at work, in percent; the mean.
    pub busy_percent: f64,
    /// Time in which a node checked and connected blocks, in percent; the mean.
    pub connect_percent: f64,
    /// Time in which a node made its chain durable, in percent; the mean.
    pub commit_percent: f64,
    /// Bytes that came to a node for each byte of block; payments come once by
    /// themselves and once in a block, each in as many copies as gossip makes.
    pub copies: Option<f64>,
}

/// All steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Of the network.
    pub nodes: u32,
    /// Processors of this host.
    pub processors: usize,
    /// In the order they were taken.
    pub steps: Vec<Step>,
    /// The best of the rates confirmed.
    pub sustained: f64,
}

impl Counters {
    /// Reads a node's metrics.
    pub fn read(text: &str) -> Self {
        let mut told = Self::default();
        let sum_of = |metric: &str, name: &str| name.strip_suffix("_sum") == Some(metric);
        for sample in parse(text) {
            let name = sample.name.as_str();
            let place = match name {
                _ if name == known::TRANSACTIONS_CONFIRMED.name => &mut told.confirmed,
                _ if name == known::BLOCKS_CONNECTED.name => &mut told.blocks,
                _ if name == known::BLOCK_BYTES.name => &mut told.block_bytes,
                _ if name == known::BLOCK_WEIGHT.name => &mut told.weight,
                _ if name == known::BLOCK_WEIGHT_LIMIT.name => &mut told.weight_max,
                _ if name == known::DRIVER_BUSY.name => &mut told.busy_s,
                _ if sum_of(known::BLOCK_CONNECT.name, name) => &mut told.connect_s,
                _ if sum_of(known::STORE_COMMIT.name, name) => &mut told.commit_s,
                _ => continue,
            };
            *place += sample.value;
        }
        told
    }
}

impl Step {
    /// A step, from the nodes' counters before and after it. The first node is
    /// the one whose blocks are counted.
    pub fn of(
        (wanted, seconds): (f64, f64),
        offered: Offered,
        (before, after): (&[Counters], &[Counters]),
        cpu_percent: Option<f64>,
    ) -> Self {
        let grown = |of: fn(&Counters) -> f64| {
            let pairs = before.iter().zip(after);
            pairs
                .map(|(before, after)| of(after) - of(before))
                .collect::<Vec<f64>>()
        };
        let first = |of| grown(of).first().copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "nodes are few")]
        let mean = |of| grown(of).iter().sum::<f64>() / before.len().max(1) as f64;
        let share = |of| 100.0 * mean(of) / seconds;
        let blocks = first(|told| told.blocks);
        let weight_max = after.first().map_or(0.0, |told| told.weight_max);
        #[expect(clippy::cast_precision_loss, reason = "payments stay far below 2^53")]
        let accepted = offered.accepted as f64 / seconds;
        let block_bytes = first(|told| told.block_bytes);
        Self {
            wanted,
            seconds,
            accepted,
            offered,
            confirmed: first(|told| told.confirmed) / seconds,
            blocks,
            full_percent: percent(first(|told| told.weight), blocks * weight_max),
            cpu_percent,
            busy_percent: share(|told| told.busy_s),
            connect_percent: share(|told| told.connect_s),
            commit_percent: share(|told| told.commit_s),
            copies: (block_bytes > 0.0).then(|| mean(|told| told.received_bytes) / block_bytes),
        }
    }
}

impl Load {
    /// All steps, with the best of them.
    pub fn of(nodes: u32, processors: usize, steps: Vec<Step>) -> Self {
        let rates = steps.iter().map(|step| step.confirmed);
        Self {
            nodes,
            processors,
            sustained: rates.fold(0.0, f64::max),
            steps,
        }
    }

    /// Rows of the table, its head first.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let head = [
            "WANTED /s",
            "ACCEPTED /s",
            "CONFIRMED /s",
            "BLOCKS",
            "FULL %",
            "REFUSED",
            "SILENT",
            "NO COIN",
            "CPU %",
            "BUSY %",
            "CONNECT %",
            "COMMIT %",
            "BYTES/BLOCK BYTE",
        ];
        let row = |step: &Step| {
            let whole = |value: f64| format!("{value:.0}");
            let tenth = |value: f64| format!("{value:.1}");
            let or_dash = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), tenth);
            vec![
                whole(step.wanted),
                whole(step.accepted),
                whole(step.confirmed),
                whole(step.blocks),
                whole(step.full_percent),
                refusals(&step.offered.refused),
                step.offered.unanswered.to_string(),
                step.offered.starved.to_string(),
                or_dash(step.cpu_percent),
                tenth(step.busy_percent),
                tenth(step.connect_percent),
                tenth(step.commit_percent),
                or_dash(step.copies),
            ]
        };
        let rows = self.steps.iter().map(row);
        std::iter::once(head.map(str::to_owned).to_vec())
            .chain(rows)
            .collect()
    }
}

fn refusals(refused: &BTreeMap<String, u64>) -> String {
    if refused.is_empty() {
        return "0".to_owned();
    }
    let rules = refused
        .iter()
        .map(|(rule, count)| format!("{count} {rule}"));
    rules.collect::<Vec<_>>().join(", ")
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
minichain_transactions_confirmed_total 120
minichain_blocks_connected_total 6
minichain_block_weight_units_total 3000
minichain_block_weight_limit_units 1000
minichain_driver_busy_seconds_total 2.5
minichain_block_connect_seconds_sum 0.5
minichain_block_connect_seconds_count 6
minichain_block_bytes_total 800
";

    #[test]
    fn counters_are_read_from_metrics() {
        let told = Counters::read(PAGE);
        assert_eq!(
            (told.confirmed, told.blocks, told.weight),
            (120.0, 6.0, 3_000.0)
        );
        assert_eq!(
            (told.busy_s, told.connect_s, told.commit_s),
            (2.5, 0.5, 0.0)
        );
    }

    #[test]
    fn a_step_tells_rates_over_its_time() {
        let after = Counters {
            received_bytes: 4_000.0,
            ..Counters::read(PAGE)
        };
        let before = Counters {
            weight_max: 1_000.0,
            ..Counters::default()
        };
        let offered = Offered {
            accepted: 200,
            refused: BTreeMap::from([("mempool_full".to_owned(), 7)]),
            ..Offered::default()
        };
        let nodes = ([before; 2], [after; 2]);
        let step = Step::of((50.0, 10.0), offered, (&nodes.0, &nodes.1), None);
        assert_eq!((step.accepted, step.confirmed), (20.0, 12.0));
        assert_eq!((step.full_percent, step.busy_percent), (50.0, 25.0));
        assert_eq!(step.copies, Some(5.0));
        let load = Load::of(2, 2, vec![step]);
        let rows = load.rows();
        assert_eq!(rows[0].len(), rows[1].len());
        assert_eq!(rows[1][5], "7 mempool_full");
        assert_eq!(load.sustained.to_bits(), 12.0_f64.to_bits());
    }

    #[test]
    fn without_blocks_there_is_nothing_to_divide_by() {
        let idle = [Counters::default()];
        let step = Step::of((1.0, 1.0), Offered::default(), (&idle, &idle), Some(1.0));
        assert_eq!((step.full_percent, step.copies), (0.0, None));
    }
}
