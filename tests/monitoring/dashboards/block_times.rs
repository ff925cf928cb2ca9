//! Whether blocks come as they should.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{
    Dashboard, HEATMAP, LINES, Panel, Row, STAT, Unit, View, column, query, reference,
};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-block-times",
    title: "minichain · Block times",
    about: "Intervals between blocks against the exponential distribution of fair mining, difficulty, hash rate, stale blocks.",
    rows: &[
        Row {
            title: "In the chosen time",
            panels: &[
                TARGET,
                MEAN,
                DEVIATION,
                STALE_NOW,
                DIFFICULTY_NOW,
                EXPECTED_NOW,
            ],
        },
        Row {
            title: "Distribution",
            panels: &[QUANTILES, SPREAD],
        },
        Row {
            title: "Over time",
            panels: &[INTERVALS, AIM, DIFFICULTY, HASH_RATE, STALE, MINED],
        },
        Row {
            title: "Miners",
            panels: &[SHARES],
        },
    ],
};

const TARGET: Panel = Panel {
    title: "Target",
    question: "What interval do the network's rules aim at?",
    unit: Unit::Seconds,
    queries: &[query(
        "max(minichain_block_target_spacing_seconds{@node})",
        "Target",
    )],
    ..STAT
};

const MEAN: Panel = Panel {
    title: "Mean interval",
    question: "How long did a block take on average?",
    unit: Unit::Seconds,
    empty: "No second block yet",
    queries: &[query(
        "sum(increase(minichain_block_interval_seconds_sum{@node}[$__range])) / sum(increase(minichain_block_interval_seconds_count{@node}[$__range]))",
        "Mean",
    )],
    ..STAT
};

const DEVIATION: Panel = Panel {
    title: "Mean to target",
    question: "By what factor were blocks slower than the target?",
    unit: Unit::Of("× target"),
    steps: &[(1.2, Yellow), (1.5, Orange), (2.0, Red)],
    empty: "No second block yet",
    queries: &[query(
        "sum(increase(minichain_block_interval_seconds_sum{@node}[$__range])) / sum(increase(minichain_block_interval_seconds_count{@node}[$__range])) / max(minichain_block_target_spacing_seconds{@node})",
        "Factor",
    )],
    ..STAT
};

const STALE_NOW: Panel = Panel {
    title: "Stale share",
    question: "What share of the blocks found in the last five minutes is lost to the chain?",
    unit: Unit::Share,
    steps: &[(0.05, Yellow), (0.2, Orange), (0.4, Red)],
    empty: "No block was found yet",
    queries: &[query(
        "max(network:minichain_blocks_stale:ratio_rate5m{@net})",
        "Stale",
    )],
    ..STAT
};

const DIFFICULTY_NOW: Panel = Panel {
    title: "Difficulty",
    question: "How many times harder than at the start is a block?",
    unit: Unit::Of("× start"),
    queries: &[query(
        "max(minichain_difficulty_ratio{@node})",
        "Difficulty",
    )],
    ..STAT
};

const EXPECTED_NOW: Panel = Panel {
    title: "Hashes a block",
    question: "How many hashes does the next block take on average?",
    unit: Unit::Hashes,
    queries: &[query(
        "max(minichain_block_expected_hashes{@node})",
        "Hashes",
    )],
    ..STAT
};

/// A quantile of the exponential distribution is −ln(1 − p) times its mean.
const QUANTILES: Panel = Panel {
    title: "Quantiles",
    question: "Do intervals follow the exponential distribution with the target as mean?",
    view: View::Bars { of: "quantile" },
    height: 10,
    unit: Unit::Seconds,
    empty: "No second block yet",
    queries: &[
        query(
            "label_replace(histogram_quantile(0.10, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"10 %\", \"\", \"\")
or label_replace(histogram_quantile(0.25, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"25 %\", \"\", \"\")
or label_replace(histogram_quantile(0.50, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"50 %\", \"\", \"\")
or label_replace(histogram_quantile(0.75, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"75 %\", \"\", \"\")
or label_replace(histogram_quantile(0.90, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"90 %\", \"\", \"\")
or label_replace(histogram_quantile(0.99, sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__range]))), \"quantile\", \"99 %\", \"\", \"\")",
            "observed",
        ),
        reference(
            "label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.90)), \"quantile\", \"10 %\", \"\", \"\")
or label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.75)), \"quantile\", \"25 %\", \"\", \"\")
or label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.50)), \"quantile\", \"50 %\", \"\", \"\")
or label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.25)), \"quantile\", \"75 %\", \"\", \"\")
or label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.10)), \"quantile\", \"90 %\", \"\", \"\")
or label_replace(max(minichain_block_target_spacing_seconds{@node}) * -ln(vector(0.01)), \"quantile\", \"99 %\", \"\", \"\")",
            "exponential",
        ),
    ],
    ..LINES
};

const SPREAD: Panel = Panel {
    title: "Intervals",
    question: "When were intervals short, and when long?",
    height: 10,
    unit: Unit::Seconds,
    empty: "No second block yet",
    queries: &[query(
        "sum by (le) (increase(minichain_block_interval_seconds_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const INTERVALS: Panel = Panel {
    title: "Quantiles over five minutes",
    question: "Do median and ninth decile stay where the exponential distribution has them?",
    unit: Unit::Seconds,
    empty: "No second block yet",
    queries: &[
        query(
            "network:minichain_block_interval_seconds:p50_5m{@net}",
            "median",
        ),
        query(
            "network:minichain_block_interval_seconds:p90_5m{@net}",
            "90 %",
        ),
        reference(
            "max(minichain_block_target_spacing_seconds{@node}) * ln(vector(2))",
            "exponential median",
        ),
        reference(
            "max(minichain_block_target_spacing_seconds{@node}) * ln(vector(10))",
            "exponential 90 %",
        ),
    ],
    ..LINES
};

const AIM: Panel = Panel {
    title: "Aim of the difficulty",
    question: "What interval follows from the difficulty and the hash rate in force?",
    unit: Unit::Seconds,
    empty: "Nobody mines",
    queries: &[
        query(
            "max(minichain_block_expected_hashes{@node}) / sum(rate(minichain_miner_hashes_total{@node}[$__rate_interval]))",
            "expected interval",
        ),
        reference(
            "max(minichain_block_target_spacing_seconds{@node})",
            "target",
        ),
    ],
    ..LINES
};

const DIFFICULTY: Panel = Panel {
    title: "Difficulty",
    question: "How does the difficulty change, and do branches differ in it?",
    unit: Unit::Of("× start"),
    queries: &[
        query("max(minichain_difficulty_ratio{@node})", "highest"),
        query("min(minichain_difficulty_ratio{@node})", "lowest"),
    ],
    ..LINES
};

const HASH_RATE: Panel = Panel {
    title: "Hash rate",
    question: "Does the chain show the work that the miners do?",
    unit: Unit::HashesPerSecond,
    empty: "Nobody mines",
    queries: &[
        query(
            "sum(rate(minichain_miner_hashes_total{@node}[$__rate_interval]))",
            "computed",
        ),
        query(
            "network:minichain_chainwork_hashes:deriv5m{@net}",
            "shown by the best chain",
        ),
        reference("sum(minichain_miner_hash_rate_limit{@node})", "set"),
    ],
    ..LINES
};

pub const STALE: Panel = Panel {
    title: "Stale share",
    question: "When were blocks found that the chain lost?",
    unit: Unit::Share,
    max: Some(1.0),
    empty: "No block was found yet",
    queries: &[query(
        "network:minichain_blocks_stale:ratio_rate5m{@net}",
        "stale",
    )],
    ..LINES
};

const MINED: Panel = Panel {
    title: "Blocks found",
    question: "Who finds blocks, and when?",
    view: View::Rates,
    unit: Unit::PerMinute,
    empty: "No block was found yet",
    queries: &[query(
        "60 * sum by (node) (rate(minichain_blocks_mined_total{role=\"miner\", @node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const SHARES: Panel = Panel {
    title: "Shares",
    question: "Does each miner find its share of the blocks?",
    view: View::Table,
    width: 24,
    unit: Unit::Share,
    empty: "No block was found yet",
    queries: &[
        column(
            "sum by (node) (minichain_miner_hash_rate_limit{role=\"miner\", @node})",
            "Hash rate",
            Unit::HashesPerSecond,
        ),
        query(
            "sum by (node) (minichain_miner_hash_rate_limit{role=\"miner\", @node}) / scalar(sum(minichain_miner_hash_rate_limit{@node}))",
            "Share of hash rate",
        ),
        column(
            "sum by (node) (increase(minichain_blocks_mined_total{role=\"miner\", @node}[$__range]))",
            "Blocks",
            Unit::Number,
        ),
        query(
            "sum by (node) (increase(minichain_blocks_mined_total{role=\"miner\", @node}[$__range])) / scalar(sum(increase(minichain_blocks_mined_total{@node}[$__range])))",
            "Share of blocks",
        ),
    ],
    ..LINES
};
