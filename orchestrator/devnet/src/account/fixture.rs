//! A recorded run of three nodes, for tests.

use std::collections::BTreeMap;

use devnet_scenario::history::nodes::{StateChange, TipChange};
use devnet_scenario::report::{BlockReport, NodeReport, Report, RosterEntry, Verdict};
use devnet_scenario::world::BlockFact;

use super::arrivals::Book;
use super::model::RunFacts;
use super::source::{Source, last_tips};

/// When the run began.
pub const BEGIN_MS: u64 = 1_000_000;
/// Its nodes.
pub const NODES: [&str; 3] = ["a", "b", "c"];

/// A report with nodes and nothing else.
pub fn report() -> Report {
    Report {
        name: "fixture".into(),
        description: "What a test needs.".into(),
        verdict: Verdict::Pass,
        seed: 7,
        parameters: BTreeMap::new(),
        roster: NODES
            .map(|name| RosterEntry {
                name: name.into(),
                group: "miner".into(),
                role: "miner".into(),
                zone: None,
            })
            .into(),
        block_interval_ms: 1_000,
        started_at_ms: BEGIN_MS,
        ended_at_ms: Some(BEGIN_MS + 60_000),
        steps: Vec::new(),
        failure: None,
        troubles: Vec::new(),
        faults: Vec::new(),
        heals: Vec::new(),
        nodes: BTreeMap::new(),
        blocks: Vec::new(),
        recorded: BTreeMap::new(),
        transactions: BTreeMap::new(),
        logs: Vec::new(),
        oddities: Vec::new(),
        orders_digest: String::new(),
    }
}

/// The hash of block `number`.
pub fn hash(number: u32) -> String {
    format!("{number:064x}")
}

/// Block `number`, at a height; its work grows with that.
pub fn block(number: u32, parent: Option<u32>, height: u32) -> BlockReport {
    BlockReport {
        seen_at_ms: BEGIN_MS + u64::from(height) * 1_000,
        fact: BlockFact {
            hash: hash(number),
            parent: parent.map(hash),
            height,
            work: format!("{height:064x}"),
            miner: Some(NODES[number as usize % 3].into()),
            time_ms: BEGIN_MS + u64::from(height) * 1_000,
            transactions: 1,
        },
    }
}

/// A run of 40 blocks with one lost beside height 20; node `c` is down for a
/// while. Every node says when it had what.
pub fn source() -> Source {
    let mut report = report();
    report.blocks = vec![block(0, None, 0)];
    let mut book = Book::default();
    for height in 1..=40 {
        report.blocks.push(block(height, Some(height - 1), height));
        for (late_ms, node) in NODES.iter().enumerate() {
            let at_ms = BEGIN_MS + u64::from(height) * 1_000 + 10 * late_ms as u64;
            let time = crate::clock::rfc3339(at_ms / 1_000)
                .replace('Z', &format!(".{:03}Z", at_ms % 1_000));
            let hash = hash(height);
            book.take(node, &format!(
                "{time}  INFO minichain_node::observe::event: tip changed tip={hash} height={height}"
            ));
        }
    }
    report.blocks.insert(21, block(1_000, Some(19), 20));
    for node in NODES {
        let state = |at_ms: u64, up: bool| StateChange {
            at_ms: BEGIN_MS + at_ms,
            up,
            state: if up {
                "up".into()
            } else {
                "exited: killed".into()
            },
        };
        let mut states = vec![state(0, true)];
        if node == "c" {
            states.extend([state(10_000, false), state(14_000, true)]);
        }
        let tip = TipChange {
            at_ms: BEGIN_MS + 40_020,
            tip: hash(40),
            height: 40,
            reorg_depth: 0,
        };
        report.nodes.insert(
            node.into(),
            NodeReport {
                tips: vec![tip],
                states,
                reorg_depth: 0,
                restarts: u32::from(node == "c"),
                memory_peak_bytes: Some(30 << 20),
            },
        );
    }
    Source {
        run: Some(RunFacts {
            seed: 7,
            engine: "process".into(),
            file: "fixture.yaml".into(),
            replay: "devnet run fixture.yaml --seed 7".into(),
            ..RunFacts::default()
        }),
        intended: Vec::new(),
        samples: BTreeMap::new(),
        tips: last_tips(&report),
        environment: vec![("Kernel".into(), "6.18".into())],
        remarks: Vec::new(),
        report,
        book,
    }
}
