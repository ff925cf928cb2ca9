//! Branches, and how they end.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{Dashboard, HEATMAP, LINES, Panel, Row, STAT, Unit, View, query};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-forks",
    title: "minichain · Forks and reorganisations",
    about: "Every node's tip, how far tips are apart, how deep reorganisations go, how fast a healed network agrees.",
    rows: &[
        Row {
            title: "Now",
            panels: &[
                SPREAD_NOW,
                TIPS_NOW,
                DEPTH_NOW,
                REORGS_NOW,
                DEEPEST,
                CONVERGENCE_NOW,
            ],
        },
        Row {
            title: "Tips",
            panels: &[BEHIND, WORK_BEHIND, SPREAD, TIPS],
        },
        Row {
            title: "Reorganisations",
            panels: &[DEPTHS, REORGS, LOST, STALE],
        },
        Row {
            title: "After faults",
            panels: &[CONVERGENCE, REJECTED],
        },
    ],
};

const SPREAD_NOW: Panel = Panel {
    title: "Tip spread",
    question: "How many blocks lie between the highest and the lowest tip now?",
    unit: Unit::Of("blocks"),
    steps: &[(2.0, Yellow), (4.0, Red)],
    queries: &[query(
        "max(network:minichain_chain_height_blocks:spread{@net})",
        "Spread",
    )],
    ..STAT
};

const TIPS_NOW: Panel = Panel {
    title: "Tips",
    question: "How many different tips do the nodes have now?",
    steps: &[(2.0, Yellow)],
    empty: "No exporter",
    queries: &[query("max(devnet_tips{@net})", "Tips")],
    ..STAT
};

const DEPTH_NOW: Panel = Panel {
    title: "Fork depth",
    question: "How far above the last block that all nodes share is the highest tip?",
    unit: Unit::Of("blocks"),
    steps: &[(2.0, Yellow), (6.0, Red)],
    empty: "No exporter",
    queries: &[query("max(devnet_fork_depth_blocks{@net})", "Depth")],
    ..STAT
};

const REORGS_NOW: Panel = Panel {
    title: "Reorganisations",
    question: "How many reorganisations did the node see that had most?",
    queries: &[query(
        "max(increase(minichain_reorgs_total{@node}[$__range]))",
        "Reorganisations",
    )],
    ..STAT
};

const DEEPEST: Panel = Panel {
    title: "Lost blocks",
    question: "How many blocks did the node give up that lost most?",
    unit: Unit::Of("blocks"),
    steps: &[(6.0, Orange)],
    queries: &[query(
        "max(increase(minichain_blocks_disconnected_total{@node}[$__range]))",
        "Lost",
    )],
    ..STAT
};

const CONVERGENCE_NOW: Panel = Panel {
    title: "Mean convergence",
    question: "How long after a heal had all nodes one chain again, on average?",
    unit: Unit::Seconds,
    empty: "Nothing was healed",
    queries: &[query(
        "sum(increase(devnet_convergence_seconds_sum{@net}[$__range])) / (sum(increase(devnet_convergence_seconds_count{@net}[$__range])) > 0)",
        "Convergence",
    )],
    ..STAT
};

const BEHIND: Panel = Panel {
    title: "Blocks behind",
    question: "Which nodes' tips are behind the highest, and how far?",
    unit: Unit::Of("blocks"),
    queries: &[query(
        "scalar(max(minichain_chain_height_blocks{@node})) - max by (node) (minichain_chain_height_blocks{@node})",
        "{{node}}",
    )],
    ..LINES
};

const WORK_BEHIND: Panel = Panel {
    title: "Work behind",
    question: "Which nodes follow a chain with less work than the best?",
    unit: Unit::Hashes,
    queries: &[query(
        "scalar(max(minichain_chainwork_hashes{@node})) - max by (node) (minichain_chainwork_hashes{@node})",
        "{{node}}",
    )],
    ..LINES
};

const SPREAD: Panel = Panel {
    title: "Tip spread",
    question: "When were the nodes' tips apart, and by how many blocks?",
    unit: Unit::Of("blocks"),
    steps: &[(4.0, Red)],
    queries: &[
        query(
            "network:minichain_chain_height_blocks:spread{@net}",
            "as scraped",
        ),
        query(
            "max(devnet_tip_spread_blocks{@net})",
            "as the orchestrator saw it",
        ),
    ],
    ..LINES
};

const TIPS: Panel = Panel {
    title: "Tips and fork depth",
    question: "When was there more than one tip, and how deep did the branches go?",
    empty: "No exporter",
    queries: &[
        query("max(devnet_tips{@net})", "different tips"),
        query(
            "max(devnet_fork_depth_blocks{@net})",
            "blocks since all shared one",
        ),
    ],
    ..LINES
};

const DEPTHS: Panel = Panel {
    title: "Depth of reorganisations",
    question: "How deep do reorganisations go, and when?",
    unit: Unit::Of("blocks"),
    empty: "No reorganisation yet",
    queries: &[query(
        "sum by (le) (increase(minichain_reorg_depth_blocks_bucket{@node}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const REORGS: Panel = Panel {
    title: "Reorganisations",
    question: "Which nodes change their mind, and when?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "60 * sum by (node) (rate(minichain_reorgs_total{@node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const LOST: Panel = Panel {
    title: "Blocks given up",
    question: "How many blocks does each node take out of its chain?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "60 * sum by (node) (rate(minichain_blocks_disconnected_total{@node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const STALE: Panel = Panel {
    title: "Blocks on side branches",
    question: "How many valid blocks does each node see beside its chain?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "60 * sum by (node) (rate(minichain_blocks_stale_total{@node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const CONVERGENCE: Panel = Panel {
    title: "Convergence",
    question: "How long did the network take to agree after each heal?",
    unit: Unit::Seconds,
    empty: "No exporter",
    queries: &[query(
        "sum by (le) (increase(devnet_convergence_seconds_bucket{@net}[$__rate_interval]))",
        "{{le}}",
    )],
    ..HEATMAP
};

const REJECTED: Panel = Panel {
    title: "Refused blocks",
    question: "Which rules do refused blocks break?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "topk(8, 60 * sum by (rule) (rate(minichain_blocks_rejected_total{@node}[$__rate_interval])))",
        "{{rule}}",
    )],
    ..LINES
};
