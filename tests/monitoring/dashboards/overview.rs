//! Everything at a glance, for whoever has one minute. What another dashboard
//! shows as well is drawn as it stands there; only its question may differ.

use super::panel::Colour::{Red, Yellow};
use super::panel::{Dashboard, LINES, Panel, Row, STAT, Unit, View, column, query, reference};
use super::{block_times, mempool, network, propagation};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-overview",
    title: "minichain · Overview",
    about: "How a network of minichain nodes is, at a glance.",
    rows: &[
        Row {
            title: "Now",
            panels: &[
                HEIGHT,
                LAST_BLOCK,
                DOWN,
                SPREAD,
                network::FAULTS_NOW,
                ALERTS,
            ],
        },
        Row {
            title: "Chain",
            panels: &[HEIGHTS, INTERVALS, PROPAGATION, STALE],
        },
        Row {
            title: "Load",
            panels: &[WAITING, THROUGHPUT, PEERS, HASH_RATE],
        },
        Row {
            title: "Nodes and alerts",
            panels: &[NODES, FIRING],
        },
    ],
};

const HEIGHT: Panel = Panel {
    title: "Height",
    question: "How high is the highest tip?",
    queries: &[query("max(minichain_chain_height_blocks{@node})", "Height")],
    ..STAT
};

const LAST_BLOCK: Panel = Panel {
    title: "Last block",
    question: "How many target intervals ago did some node's tip change last?",
    unit: Unit::Of("× target"),
    steps: &[(3.0, Yellow), (6.0, Red)],
    queries: &[query(
        "min(minichain_tip_age_seconds{@node}) / max(minichain_block_target_spacing_seconds{@node})",
        "Age",
    )],
    ..STAT
};

const DOWN: Panel = Panel {
    title: "Nodes down",
    question: "How many nodes do not answer?",
    steps: &[(1.0, Red)],
    empty: "No node is scraped",
    queries: &[query(
        "count(up{job=\"minichain\", @node}) - sum(up{job=\"minichain\", @node})",
        "Down",
    )],
    ..STAT
};

const SPREAD: Panel = Panel {
    title: "Tip spread",
    question: "How many blocks lie between the highest and the lowest tip?",
    unit: Unit::Of("blocks"),
    steps: &[(2.0, Yellow), (4.0, Red)],
    queries: &[query(
        "max(minichain_chain_height_blocks{@node}) - min(minichain_chain_height_blocks{@node})",
        "Spread",
    )],
    ..STAT
};

const ALERTS: Panel = Panel {
    title: "Alerts",
    question: "How many warnings or worse are firing?",
    steps: &[(1.0, Red)],
    queries: &[query(
        "count(ALERTS{alertstate=\"firing\", severity!=\"info\", @net}) or vector(0)",
        "Firing",
    )],
    ..STAT
};

const HEIGHTS: Panel = Panel {
    title: "Heights",
    question: "Does every node's chain grow, and do all grow together?",
    unit: Unit::Of("blocks"),
    min: None,
    queries: &[query(
        "max by (node) (minichain_chain_height_blocks{@node})",
        "{{node}}",
    )],
    ..LINES
};

const INTERVALS: Panel = Panel {
    title: "Block intervals",
    question: "How long does a block take, against the target?",
    unit: Unit::Seconds,
    empty: "No second block yet",
    queries: &[
        query(
            "network:minichain_block_interval_seconds:mean5m{@net}",
            "mean",
        ),
        query(
            "network:minichain_block_interval_seconds:p90_5m{@net}",
            "90 %",
        ),
        reference(
            "max(minichain_block_target_spacing_seconds{@node})",
            "target",
        ),
    ],
    ..LINES
};

const PROPAGATION: Panel = Panel {
    title: "Propagation",
    question: "How long does a block travel from its sender to a node?",
    ..propagation::QUANTILES
};

const STALE: Panel = Panel {
    question: "What share of the blocks found is lost to the chain?",
    ..block_times::STALE
};

const WAITING: Panel = Panel {
    question: "How many transactions wait, and at which nodes?",
    ..mempool::WAITING
};

const THROUGHPUT: Panel = Panel {
    title: "Throughput",
    question: "How many transactions a second enter the mempool, and how many are confirmed?",
    ..mempool::FLOW
};

const PEERS: Panel = Panel {
    question: "Who lost peers?",
    ..network::PEERS
};

const HASH_RATE: Panel = Panel {
    title: "Hash rate",
    question: "How much is hashed, against what the miners are set to?",
    unit: Unit::HashesPerSecond,
    empty: "Nobody mines",
    queries: &[
        query(
            "sum(rate(minichain_miner_hashes_total{@node}[$__rate_interval]))",
            "computed",
        ),
        reference("sum(minichain_miner_hash_rate_limit{@node})", "set"),
    ],
    ..LINES
};

const NODES: Panel = Panel {
    title: "Nodes",
    question: "How does each node stand?",
    view: View::Table,
    width: 24,
    height: 9,
    queries: &[
        query("max by (node, role) (up{job=\"minichain\", @node})", "Up"),
        query(
            "max by (node, role) (minichain_chain_height_blocks{@node})",
            "Height",
        ),
        column(
            "max by (node, role) (minichain_tip_age_seconds{@node})",
            "Tip's age",
            Unit::Seconds,
        ),
        query("sum by (node, role) (minichain_peers{@node})", "Peers"),
        query(
            "max by (node, role) (minichain_mempool_transactions{@node})",
            "Waiting",
        ),
        query(
            "sum by (node, role) (minichain_reorgs_total{@node})",
            "Reorganisations",
        ),
        column(
            "sum by (node, role) (minichain_miner_hash_rate_limit{@node})",
            "Hash rate",
            Unit::HashesPerSecond,
        ),
        column(
            "max by (node, role) (process_resident_memory_bytes{job=\"minichain\", @node})",
            "Memory",
            Unit::Bytes,
        ),
    ],
    ..LINES
};

const FIRING: Panel = Panel {
    title: "Alerts",
    question: "Which alerts were firing, and when?",
    view: View::Bands,
    width: 24,
    steps: &[(1.0, Red)],
    empty: "No alert was firing",
    queries: &[query(
        "sum by (alertname) (ALERTS{alertstate=\"firing\", @net})",
        "{{alertname}}",
    )],
    ..LINES
};
