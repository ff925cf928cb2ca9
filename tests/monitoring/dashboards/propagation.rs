//! How blocks and transactions travel.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{Dashboard, HEATMAP, LINES, Panel, Row, STAT, Unit, View, query};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-propagation",
    title: "minichain · Propagation",
    about: "How fast blocks and transactions reach every node, and what is fetched by request.",
    rows: &[
        Row {
            title: "In the chosen time",
            panels: &[
                MEDIAN,
                TAIL,
                TRANSACTION_MEDIAN,
                REFUSED,
                FAILED,
                SYNCING_NOW,
            ],
        },
        Row {
            title: "Blocks",
            panels: &[DELAYS, QUANTILES, BY_NODE, CONNECT],
        },
        Row {
            title: "Transactions",
            panels: &[TRANSACTION_DELAYS, TRANSACTION_BY_NODE],
        },
        Row {
            title: "What nodes do with it",
            panels: &[VERDICTS, REQUESTS],
        },
        Row {
            title: "Catching up",
            panels: &[SYNCING, LEAD],
        },
    ],
};

const MEDIAN: Panel = Panel {
    title: "Blocks, median",
    question: "Within what time had half of all announcements of blocks arrived?",
    unit: Unit::Seconds,
    empty: "No block was gossiped yet",
    queries: &[query(
        "histogram_quantile(0.5, sum by (le) (increase(minichain_block_propagation_seconds_bucket{@node}[$__range])))",
        "Median",
    )],
    ..STAT
};

const TAIL: Panel = Panel {
    title: "Blocks, 99 %",
    question: "Within what time had almost all announcements of blocks arrived?",
    unit: Unit::Seconds,
    steps: &[(0.5, Yellow), (2.0, Orange), (5.0, Red)],
    empty: "No block was gossiped yet",
    queries: &[query(
        "histogram_quantile(0.99, sum by (le) (increase(minichain_block_propagation_seconds_bucket{@node}[$__range])))",
        "99 %",
    )],
    ..STAT
};

const TRANSACTION_MEDIAN: Panel = Panel {
    title: "Transactions, median",
    question: "Within what time had half of all transactions arrived?",
    unit: Unit::Seconds,
    empty: "No transaction was gossiped",
    queries: &[query(
        "histogram_quantile(0.5, sum by (le) (increase(minichain_transaction_propagation_seconds_bucket{@node}[$__range])))",
        "Median",
    )],
    ..STAT
};

const REFUSED: Panel = Panel {
    title: "Refused gossip",
    question: "How many gossip messages were refused?",
    steps: &[(1.0, Red)],
    queries: &[query(
        "sum(increase(minichain_gossip_verdicts_total{verdict=\"reject\", @node}[$__range]))",
        "Refused",
    )],
    ..STAT
};

const FAILED: Panel = Panel {
    title: "Failed requests",
    question: "How many requests to peers failed or timed out?",
    steps: &[(1.0, Yellow), (10.0, Orange)],
    queries: &[query(
        "sum(increase(minichain_request_failures_total{@node}[$__range]))",
        "Failed",
    )],
    ..STAT
};

const SYNCING_NOW: Panel = Panel {
    title: "Catching up",
    question: "How many nodes are fetching blocks they know they lack?",
    steps: &[(1.0, Yellow)],
    queries: &[query("sum(minichain_sync_active{@node})", "Catching up")],
    ..STAT
};

const DELAYS: Panel = Panel {
    title: "Delays of blocks",
    question: "How are the delays of blocks distributed over time?",
    unit: Unit::Seconds,
    empty: "No block was gossiped yet",
    queries: &[query(
        "sum by (le) (increase(minichain_block_propagation_seconds_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

pub const QUANTILES: Panel = Panel {
    title: "Quantiles over five minutes",
    question: "Does the network get slower in passing blocks on?",
    unit: Unit::Seconds,
    empty: "No block was gossiped yet",
    queries: &[
        query(
            "network:minichain_block_propagation_seconds:p50_5m{@net}",
            "50 %",
        ),
        query(
            "network:minichain_block_propagation_seconds:p90_5m{@net}",
            "90 %",
        ),
        query(
            "network:minichain_block_propagation_seconds:p99_5m{@net}",
            "99 %",
        ),
    ],
    ..LINES
};

const BY_NODE: Panel = Panel {
    title: "Mean delay by node",
    question: "Which nodes hear of blocks late?",
    unit: Unit::Seconds,
    empty: "No block was gossiped yet",
    queries: &[query(
        "sum by (node) (rate(minichain_block_propagation_seconds_sum{@node}[5m])) / sum by (node) (rate(minichain_block_propagation_seconds_count{@node}[5m]))",
        "{{node}}",
    )],
    ..LINES
};

const CONNECT: Panel = Panel {
    title: "Mean time to connect",
    question: "How long does a node take to check a block and make it its tip?",
    unit: Unit::Seconds,
    empty: "No block was connected yet",
    queries: &[query(
        "sum by (node) (rate(minichain_block_connect_seconds_sum{@node}[5m])) / sum by (node) (rate(minichain_block_connect_seconds_count{@node}[5m]))",
        "{{node}}",
    )],
    ..LINES
};

const TRANSACTION_DELAYS: Panel = Panel {
    title: "Delays of transactions",
    question: "How are the delays of transactions distributed over time?",
    unit: Unit::Seconds,
    empty: "No transaction was gossiped",
    queries: &[query(
        "sum by (le) (increase(minichain_transaction_propagation_seconds_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const TRANSACTION_BY_NODE: Panel = Panel {
    title: "Mean delay of transactions by node",
    question: "Which nodes hear of transactions late?",
    unit: Unit::Seconds,
    empty: "No transaction was gossiped",
    queries: &[query(
        "sum by (node) (rate(minichain_transaction_propagation_seconds_sum{@node}[5m])) / sum by (node) (rate(minichain_transaction_propagation_seconds_count{@node}[5m]))",
        "{{node}}",
    )],
    ..LINES
};

const VERDICTS: Panel = Panel {
    title: "Verdicts on gossip",
    question: "What do nodes decide about the gossip they receive?",
    view: View::Areas,
    unit: Unit::PerSecond,
    queries: &[query(
        "sum by (topic, verdict) (rate(minichain_gossip_verdicts_total{@node}[$__rate_interval]))",
        "{{topic}}, {{verdict}}",
    )],
    ..LINES
};

const REQUESTS: Panel = Panel {
    title: "Requests",
    question: "How much is asked for instead of heard by gossip?",
    view: View::Areas,
    unit: Unit::PerSecond,
    queries: &[query(
        "sum by (kind) (rate(minichain_requests_total{direction=\"sent\", @node}[$__rate_interval]))",
        "{{kind}}",
    )],
    ..LINES
};

const SYNCING: Panel = Panel {
    title: "Nodes that catch up",
    question: "When does which node fetch blocks it knows it lacks?",
    view: View::Bands,
    steps: &[(1.0, Orange)],
    queries: &[query(
        "max by (node) (minichain_sync_active{@node})",
        "{{node}}",
    )],
    ..LINES
};

const LEAD: Panel = Panel {
    title: "Known but not here",
    question: "How many blocks does a node know only by their headers?",
    unit: Unit::Of("blocks"),
    queries: &[query(
        "max by (node) (minichain_header_height_blocks{@node} - minichain_chain_height_blocks{@node})",
        "{{node}}",
    )],
    ..LINES
};
