//! Forms of expectations.

use super::{Field, Form, Shape};

const BLOCKS_MAX: u32 = 100_000;

/// Claims that need no more than their name.
pub(crate) const BARE: &[&str] = &[
    "converged",
    "diverged",
    "progress",
    "winner",
    "supply",
    "no_error_logs",
];

/// Keys of an expectation beside its claim.
const EXPECTATION_COMMON: &[&str] = &["within", "from", "on", "except", "allow"];

pub(crate) static EXPECTATION: Form = Form::choice(
    "Expectation",
    "Exactly one claim, and perhaps its limits and excuses.",
    EXPECTATION_COMMON,
    &[
        Field::optional("within", Shape::Time, "It must hold until then."),
        Field::optional(
            "from",
            Shape::Words(&["step", "heal", "start"]),
            "From when it counts: the step's begin, the last heal, or the run's start.",
        ),
        Field::optional(
            "on",
            Shape::Nodes,
            "Which nodes; all where nothing is said.",
        ),
        Field::optional(
            "except",
            Shape::Any(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Nodes that are excused.",
        ),
        Field::optional("allow", Shape::Share, "Share of nodes that may break it."),
        Field::optional(
            "converged",
            Shape::Any(&[Shape::Nothing, Shape::Form(&CONVERGED)]),
            "All on one chain, equal coins, fresh blocks since the last heal.",
        ),
        Field::optional(
            "diverged",
            Shape::Any(&[Shape::Nothing, Shape::Form(&DIVERGED)]),
            "The sides of the cut have parted since it was made.",
        ),
        Field::optional(
            "progress",
            Shape::Any(&[Shape::Nothing, Shape::Form(&PROGRESS)]),
            "Every node's height grows.",
        ),
        Field::optional(
            "no_progress",
            Shape::Form(&NO_PROGRESS),
            "No node's height grows.",
        ),
        Field::optional("height", Shape::Comparison, "Every node's height."),
        Field::optional(
            "tip_of",
            Shape::Form(&TIP_OF),
            "Every node's tip is that of another.",
        ),
        Field::optional(
            "reorg_depth",
            Shape::Comparison,
            "Deepest reorganisation of any node.",
        ),
        Field::optional(
            "fork_count",
            Shape::Comparison,
            "Branches beside the best chain.",
        ),
        Field::optional(
            "stale_rate",
            Shape::Comparison,
            "Share of blocks off the best chain.",
        ),
        Field::optional(
            "block_interval",
            Shape::Form(&BLOCK_INTERVAL),
            "Times between blocks.",
        ),
        Field::optional(
            "winner",
            Shape::Any(&[Shape::Nothing, Shape::Form(&WINNER)]),
            "The branch with most work at the heal has won.",
        ),
        Field::optional(
            "supply",
            Shape::Nothing,
            "The coins sum up to what was issued.",
        ),
        Field::optional(
            "transaction",
            Shape::Form(&TRANSACTION),
            "Where transactions are.",
        ),
        Field::optional("peers", Shape::Comparison, "Every node's number of peers."),
        Field::optional("metric", Shape::Form(&METRIC), "A metric of every node."),
        Field::optional("log", Shape::Form(&LOG), "Lines in the logs."),
        Field::optional(
            "no_error_logs",
            Shape::Any(&[Shape::Nothing, Shape::Form(&NO_ERROR_LOGS)]),
            "No line of level ERROR.",
        ),
        Field::optional("restarts", Shape::Comparison, "Every node's restarts."),
        Field::optional(
            "memory",
            Shape::Comparison,
            "Every node's memory, such as \"< 200MiB\".",
        ),
    ],
);

pub(crate) static CONVERGED: Form = Form::new(
    "Converged",
    "One chain.",
    &[
        Field::optional(
            "max_lag",
            Shape::Count(0, BLOCKS_MAX),
            "Blocks between nodes at most; 0: one tip (default 1).",
        ),
        Field::optional(
            "fresh",
            Shape::Count(0, BLOCKS_MAX),
            "Blocks mined since the last heal at least (default 1).",
        ),
    ],
);

pub(crate) static DIVERGED: Form = Form::new(
    "Diverged",
    "Sides that have parted.",
    &[Field::optional(
        "advance",
        Shape::Count(1, BLOCKS_MAX),
        "Blocks each side mined at least (default 1).",
    )],
);

pub(crate) static PROGRESS: Form = Form::new(
    "Progress",
    "Growth.",
    &[Field::optional(
        "blocks",
        Shape::Count(1, BLOCKS_MAX),
        "By so many blocks at least (default 1).",
    )],
);

pub(crate) static NO_PROGRESS: Form = Form::new(
    "NoProgress",
    "Standstill.",
    &[Field::needed("during", Shape::Time, "How long to watch.")],
);

pub(crate) static TIP_OF: Form = Form::new(
    "TipOf",
    "A tip to compare with.",
    &[
        Field::needed("is", Shape::Text, "A node, or $name of a recorded tip."),
        Field::optional("contains", Shape::Switch, "The chain need only contain it."),
    ],
);

/// Keys of percentiles with their percent.
pub(crate) const PERCENTILES: &[(&str, f64)] = &[
    ("median", 50.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("max", 100.0),
];

pub(crate) static BLOCK_INTERVAL: Form = Form::new(
    "BlockInterval",
    "Bounds on times between blocks, such as \"< 3s\" or \"< 2 blocks\".",
    &[
        Field::optional("mean", Shape::Comparison, "The mean."),
        Field::optional("median", Shape::Comparison, "The median."),
        Field::optional("p90", Shape::Comparison, "The 90th percentile."),
        Field::optional("p95", Shape::Comparison, "The 95th percentile."),
        Field::optional("p99", Shape::Comparison, "The 99th percentile."),
        Field::optional("max", Shape::Comparison, "The longest."),
        Field::optional(
            "over",
            Shape::Count(1, BLOCKS_MAX),
            "Over so many last intervals.",
        ),
    ],
);

pub(crate) static WINNER: Form = Form::new(
    "Winner",
    "Who won.",
    &[Field::optional(
        "side",
        Shape::Nodes,
        "Nodes of the side that must have won.",
    )],
);

pub(crate) static TRANSACTION: Form = Form::new(
    "Transaction",
    "Where the transactions of a transfer or load are, on every node.",
    &[
        Field::needed("of", Shape::Text, "Name of the transfer or load."),
        Field::optional(
            "is",
            Shape::Words(&["confirmed", "confirmed_or_waiting"]),
            "Where (default confirmed).",
        ),
    ],
);

pub(crate) static METRIC: Form = Form::new(
    "Metric",
    "A claim about a metric: its value, its growth, or its growth a second.",
    &[
        Field::needed("select", Shape::Text, "Such as name{label=\"value\"}."),
        Field::optional("value", Shape::Comparison, "Its value."),
        Field::optional("delta", Shape::Comparison, "Its growth over the window."),
        Field::optional("rate", Shape::Comparison, "Its growth a second."),
    ],
);

pub(crate) static LINES: Form = Form::choice(
    "Lines",
    "Lines of a log.",
    &[],
    &[
        Field::optional("contains", Shape::Text, "That contain this text."),
        Field::optional(
            "matches",
            Shape::Text,
            "That match this regular expression.",
        ),
    ],
);

pub(crate) static LOG: Form = Form::choice(
    "Log",
    "A claim about log lines.",
    &["count"],
    &[
        Field::optional("contains", Shape::Text, "Lines that contain this text."),
        Field::optional(
            "matches",
            Shape::Text,
            "Lines that match this regular expression.",
        ),
        Field::optional(
            "count",
            Shape::Comparison,
            "How many; 0: absence (default \">= 1\").",
        ),
    ],
);

pub(crate) static NO_ERROR_LOGS: Form = Form::new(
    "NoErrorLogs",
    "No line of level ERROR.",
    &[Field::optional(
        "ignore",
        Shape::List(&Shape::Any(&[Shape::Text, Shape::Form(&LINES)])),
        "Except such lines.",
    )],
);
