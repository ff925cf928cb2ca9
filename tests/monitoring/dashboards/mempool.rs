//! Where transactions wait, what they pay, when they are confirmed.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{Dashboard, HEATMAP, LINES, Panel, Row, STAT, Unit, View, query};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-mempool",
    title: "minichain · Mempool and fees",
    about: "Waiting transactions, what they pay, how long they wait, how full blocks are.",
    rows: &[
        Row {
            title: "Now",
            panels: &[
                WAITING_NOW,
                APART_NOW,
                FILL_NOW,
                BEST_NOW,
                WAIT_NOW,
                REFUSED_NOW,
            ],
        },
        Row {
            title: "Waiting",
            panels: &[WAITING, SIZE, APART, FILL],
        },
        Row {
            title: "In and out",
            panels: &[FLOW, REFUSED, WAITS, WAIT_QUANTILES],
        },
        Row {
            title: "Fees and blocks",
            panels: &[FEE_RATES, BEST, FEES, FULLNESS],
        },
    ],
};

const WAITING_NOW: Panel = Panel {
    title: "Waiting",
    question: "How many transactions wait at the node with most?",
    queries: &[query(
        "max(minichain_mempool_transactions{@node})",
        "Waiting",
    )],
    ..STAT
};

const APART_NOW: Panel = Panel {
    title: "Difference",
    question: "How many more transactions wait at one node than at another?",
    queries: &[query(
        "max(minichain_mempool_transactions{@node}) - min(minichain_mempool_transactions{@node})",
        "Difference",
    )],
    ..STAT
};

const FILL_NOW: Panel = Panel {
    title: "Fill",
    question: "How full is the fullest mempool?",
    unit: Unit::Share,
    max: Some(1.0),
    steps: &[(0.7, Yellow), (0.9, Red)],
    queries: &[query(
        "max(minichain_mempool_memory_bytes{@node} / minichain_mempool_memory_limit_bytes{@node})",
        "Fill",
    )],
    ..STAT
};

const BEST_NOW: Panel = Panel {
    title: "Best offer",
    question: "What does the transaction pay that the next block takes first?",
    unit: Unit::Of("sat/vB"),
    queries: &[query(
        "max(minichain_mempool_best_fee_rate_sats_per_vbyte{@node})",
        "Best",
    )],
    ..STAT
};

const WAIT_NOW: Panel = Panel {
    title: "Median wait",
    question: "Within what time was half of all transactions confirmed?",
    unit: Unit::Seconds,
    empty: "Nothing was confirmed",
    queries: &[query(
        "histogram_quantile(0.5, sum by (le) (increase(minichain_transaction_confirmation_seconds_bucket{@node}[$__range])))",
        "Median",
    )],
    ..STAT
};

const REFUSED_NOW: Panel = Panel {
    title: "Refused",
    question: "How many transactions were refused?",
    steps: &[(1.0, Yellow), (100.0, Orange)],
    queries: &[query(
        "sum(increase(minichain_transactions_rejected_total{@node}[$__range]))",
        "Refused",
    )],
    ..STAT
};

pub const WAITING: Panel = Panel {
    title: "Waiting transactions",
    question: "Where do transactions wait?",
    queries: &[query(
        "max by (node) (minichain_mempool_transactions{@node})",
        "{{node}}",
    )],
    ..LINES
};

const SIZE: Panel = Panel {
    title: "Waiting bytes",
    question: "How much block space do the waiting transactions need?",
    unit: Unit::Of("vB"),
    queries: &[query(
        "max by (node) (minichain_mempool_bytes{@node})",
        "{{node}}",
    )],
    ..LINES
};

const APART: Panel = Panel {
    title: "Difference between nodes",
    question: "When did nodes wait for different transactions?",
    queries: &[query(
        "max(minichain_mempool_transactions{@node}) - min(minichain_mempool_transactions{@node})",
        "most less fewest",
    )],
    ..LINES
};

const FILL: Panel = Panel {
    title: "Fill",
    question: "Which mempools get full?",
    unit: Unit::Share,
    max: Some(1.0),
    steps: &[(0.9, Red)],
    queries: &[query(
        "max by (node) (minichain_mempool_memory_bytes{@node} / minichain_mempool_memory_limit_bytes{@node})",
        "{{node}}",
    )],
    ..LINES
};

pub const FLOW: Panel = Panel {
    title: "Accepted and confirmed",
    question: "Do blocks keep up with what comes in?",
    unit: Unit::PerSecond,
    queries: &[
        query(
            "max(rate(minichain_transactions_accepted_total{@node}[$__rate_interval]))",
            "accepted",
        ),
        query(
            "max(rate(minichain_transactions_confirmed_total{@node}[$__rate_interval]))",
            "confirmed",
        ),
    ],
    ..LINES
};

const REFUSED: Panel = Panel {
    title: "Refused transactions",
    question: "Why are transactions refused?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "topk(8, 60 * sum by (reason) (rate(minichain_transactions_rejected_total{@node}[$__rate_interval])))",
        "{{reason}}",
    )],
    ..LINES
};

const WAITS: Panel = Panel {
    title: "Waits",
    question: "How are the times distributed that transactions wait for their block?",
    unit: Unit::Seconds,
    empty: "Nothing was confirmed",
    queries: &[query(
        "sum by (le) (increase(minichain_transaction_confirmation_seconds_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const WAIT_QUANTILES: Panel = Panel {
    title: "Waits over five minutes",
    question: "Do transactions wait longer than before?",
    unit: Unit::Seconds,
    empty: "Nothing was confirmed",
    queries: &[
        query(
            "network:minichain_transaction_confirmation_seconds:p50_5m{@net}",
            "50 %",
        ),
        query(
            "network:minichain_transaction_confirmation_seconds:p90_5m{@net}",
            "90 %",
        ),
    ],
    ..LINES
};

const FEE_RATES: Panel = Panel {
    title: "Fee rates",
    question: "What do transactions pay for a virtual byte?",
    unit: Unit::Of("sat/vB"),
    empty: "No transaction came in",
    queries: &[query(
        "sum by (le) (increase(minichain_transaction_fee_rate_sats_per_vbyte_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const BEST: Panel = Panel {
    title: "Best offers",
    question: "What must a transaction pay to be first in the next block?",
    unit: Unit::Of("sat/vB"),
    queries: &[query(
        "max by (node) (minichain_mempool_best_fee_rate_sats_per_vbyte{@node})",
        "{{node}}",
    )],
    ..LINES
};

const FEES: Panel = Panel {
    title: "Fees",
    question: "What do blocks collect in fees?",
    unit: Unit::Of("sat/s"),
    queries: &[query(
        "max(rate(minichain_block_fees_sats_total{@node}[$__rate_interval]))",
        "fees",
    )],
    ..LINES
};

const FULLNESS: Panel = Panel {
    title: "Block space",
    question: "What share of the blocks' space is used?",
    unit: Unit::Share,
    max: Some(1.0),
    empty: "No block was connected yet",
    queries: &[query(
        "max(rate(minichain_block_weight_units_total{@node}[5m])) / max(rate(minichain_blocks_connected_total{@node}[5m])) / max(minichain_block_weight_limit_units{@node})",
        "used",
    )],
    ..LINES
};
