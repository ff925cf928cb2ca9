//! Forms of scenarios and their steps.

use super::faults::{ADD, CLOCK_SKEW, CONDITION_OF, HASH_RATE, HEAL, LINK, PARTITION, UPGRADE};
use super::{Field, Form, LINES, SIM, Shape};
use crate::parse::limits::{BELOW_MAX, REPEAT_MAX, STEPS_MAX};

const NODES_MAX: u32 = 1_000;
const BLOCKS_MAX: u32 = 100_000;

pub(crate) static SCENARIO: Form = Form::new(
    "Scenario",
    "What shall happen to a network, and what must hold.",
    &[
        Field::needed(
            "name",
            Shape::Text,
            "Name: 1 to 60 of a-z, 0-9 and -, a letter first.",
        ),
        Field::optional("description", Shape::Text, "What the scenario is for."),
        Field::needed(
            "topology",
            Shape::Any(&[Shape::Form(&COUNTS), Shape::Text, Shape::Topology]),
            "The network: counts, the path of a topology file (relative to this file), or a topology.",
        ),
        Field::optional(
            "parameters",
            Shape::Named(&Shape::Scalar),
            "Named values with defaults; ${name} puts one in, `--set name=value` changes it.",
        ),
        Field::optional(
            "sim",
            Shape::Form(&SIM),
            "What the simulator must be told of machines and lines; other worlds have their own.",
        ),
        Field::needed("steps", Shape::Steps, "What is done, in order."),
        Field::optional(
            "finally",
            Shape::Steps,
            "What is done in the end, whatever happened.",
        ),
    ],
);

pub(crate) static COUNTS: Form = Form::new(
    "Counts",
    "A network by numbers.",
    &[
        Field::needed("nodes", Shape::Count(1, NODES_MAX), "Nodes in all."),
        Field::optional(
            "miners",
            Shape::Count(0, NODES_MAX),
            "How many of them mine.",
        ),
        Field::optional("block_time", Shape::Time, "Target time between two blocks."),
    ],
);

/// Keys of a step beside its verb.
const STEP_COMMON: &[&str] = &["title", "timeout", "for"];

pub(crate) static STEP: Form = Form::choice(
    "Step",
    "One step: exactly one verb, and perhaps a title and limits.",
    STEP_COMMON,
    &[
        Field::optional("title", Shape::Text, "What the step is called in reports."),
        Field::optional(
            "timeout",
            Shape::Time,
            "The step fails when it takes longer.",
        ),
        Field::optional(
            "for",
            Shape::Time,
            "The step lasts so long; then its fault is taken back, or its load stopped.",
        ),
        Field::optional(
            "partition",
            Shape::Any(&[
                Shape::List(&Shape::Nodes),
                Shape::Words(&["halves", "majorities_ring"]),
                Shape::Form(&PARTITION),
            ]),
            "Cuts the network in parts; states all cuts at once.",
        ),
        Field::optional(
            "heal",
            Shape::Any(&[
                Shape::Nothing,
                Shape::Words(&["all", "cuts", "conditions"]),
                Shape::Form(&HEAL),
            ]),
            "Takes faults out: all of them, the cuts, the link conditions, or those of nodes.",
        ),
        Field::optional(
            "link",
            Shape::Form(&LINK),
            "Several conditions of links at once.",
        ),
        Field::optional("latency", condition(), "One-way delay on links."),
        Field::optional("jitter", condition(), "Spread of the delay on links."),
        Field::optional("loss", condition(), "Share of packets lost on links."),
        Field::optional(
            "bandwidth",
            condition(),
            "Bytes a second that links carry at most.",
        ),
        Field::optional("kill", Shape::Nodes, "Ends nodes by SIGKILL."),
        Field::optional("stop", Shape::Nodes, "Ends nodes by SIGTERM."),
        Field::optional("start", Shape::Nodes, "Starts nodes again."),
        Field::optional(
            "restart",
            Shape::Nodes,
            "Stops nodes and starts them again.",
        ),
        Field::optional("pause", Shape::Nodes, "Freezes nodes."),
        Field::optional("unpause", Shape::Nodes, "Thaws nodes."),
        Field::optional("wipe", Shape::Nodes, "Empties nodes' data folders."),
        Field::optional(
            "corrupt_store",
            Shape::Nodes,
            "Damages nodes' stores on purpose.",
        ),
        Field::optional(
            "fill_disk",
            Shape::Nodes,
            "Lets nodes' disk quotas be full.",
        ),
        Field::optional(
            "clock_skew",
            Shape::Form(&CLOCK_SKEW),
            "Sets nodes' clocks off.",
        ),
        Field::optional(
            "hash_rate",
            Shape::Form(&HASH_RATE),
            "Changes miners' hash rates.",
        ),
        Field::optional("add", Shape::Form(&ADD), "Adds fresh nodes to a group."),
        Field::optional("remove", Shape::Nodes, "Removes nodes with all their data."),
        Field::optional(
            "upgrade",
            Shape::Form(&UPGRADE),
            "Runs another program; data is kept.",
        ),
        Field::optional(
            "wait",
            Shape::Any(&[Shape::Time, Shape::Form(&WAIT)]),
            "Waits for a time, or until something has happened.",
        ),
        Field::optional(
            "load",
            Shape::Form(&LOAD),
            "Sends transactions at a rate: in the background, or `for:` a time.",
        ),
        Field::optional("stop_load", Shape::Form(&STOP_LOAD), "Stops a load."),
        Field::optional("transfer", Shape::Form(&TRANSFER), "Sends one payment."),
        Field::optional("parallel", Shape::Steps, "Runs steps at the same time."),
        Field::optional("steps", Shape::Steps, "Runs steps one after another."),
        Field::optional("repeat", Shape::Form(&REPEAT), "Runs steps several times."),
        Field::optional(
            "record",
            Shape::Named(&Shape::Any(&[
                Shape::Words(&["height", "tip", "work"]),
                Shape::Form(&QUANTITY),
            ])),
            "Keeps values under names; comparisons use them as $name.",
        ),
        Field::optional("expect", Shape::Claims, "What must hold."),
        Field::optional(
            "always",
            Shape::Form(&ALWAYS),
            "What must hold all the while.",
        ),
    ],
);

const fn condition() -> Shape {
    Shape::Form(&CONDITION_OF)
}

pub(crate) static WAIT: Form = Form::choice(
    "Wait",
    "What is waited for.",
    &["on"],
    &[
        Field::optional(
            "on",
            Shape::Nodes,
            "Which nodes; all where nothing is said.",
        ),
        Field::optional(
            "height",
            Shape::Count(1, BLOCKS_MAX),
            "Each is at least so high.",
        ),
        Field::optional(
            "blocks",
            Shape::Count(1, BLOCKS_MAX),
            "Each has grown by so many blocks.",
        ),
        Field::optional(
            "peers",
            Shape::Count(1, NODES_MAX),
            "Each has at least so many peers.",
        ),
        Field::optional(
            "log",
            Shape::Any(&[Shape::Text, Shape::Form(&LINES)]),
            "Each has logged such a line since the step began.",
        ),
    ],
);

pub(crate) static LOAD: Form = Form::new(
    "Load",
    "Transactions at a rate.",
    &[
        Field::optional(
            "name",
            Shape::Text,
            "To stop and judge it by; `load` where unsaid.",
        ),
        Field::needed(
            "rate",
            Shape::Number,
            "Transactions a second, at most 1000.",
        ),
        Field::needed("from", Shape::Text, "Account that pays."),
        Field::needed("to", Shape::Text, "Account that is paid."),
        Field::optional(
            "via",
            Shape::Nodes,
            "Nodes that take them, in turn; all where unsaid.",
        ),
    ],
);

pub(crate) static STOP_LOAD: Form = Form::new(
    "StopLoad",
    "The end of a load.",
    &[Field::needed("name", Shape::Text, "Its name.")],
);

pub(crate) static TRANSFER: Form = Form::new(
    "Transfer",
    "One payment.",
    &[
        Field::optional("name", Shape::Text, "To judge it by."),
        Field::needed("from", Shape::Text, "Account that pays."),
        Field::needed("to", Shape::Text, "Account that is paid."),
        Field::needed("amount", Shape::Coins, "Coins, such as 1 or 0.5."),
        Field::optional(
            "via",
            Shape::Nodes,
            "The node that takes it; the first where unsaid.",
        ),
    ],
);

pub(crate) static REPEAT: Form = Form::new(
    "Repeat",
    "Steps several times: all of `steps`, or one of `choose` drawn by the seed.",
    &[
        Field::needed("count", Shape::Count(1, REPEAT_MAX), "How often."),
        Field::optional("steps", Shape::Steps, "All of them, each time."),
        Field::optional(
            "choose",
            Shape::List(&Shape::Form(&CHOICE)),
            "One of them, each time.",
        ),
    ],
);

pub(crate) static CHOICE: Form = Form::new(
    "Choice",
    "One of several ways to go on.",
    &[
        Field::optional(
            "weight",
            Shape::Count(1, STEPS_MAX),
            "How often, relative to the others.",
        ),
        Field::needed("steps", Shape::Steps, "What is done."),
    ],
);

pub(crate) static QUANTITY: Form = Form::choice(
    "Quantity",
    "Something to be recorded.",
    &["on", "below"],
    &[
        Field::optional(
            "on",
            Shape::Nodes,
            "Of which nodes; all where nothing is said.",
        ),
        Field::optional(
            "height",
            Shape::Nodes,
            "The greatest height of these nodes.",
        ),
        Field::optional("tip", Shape::Nodes, "The best tip of these nodes."),
        Field::optional(
            "below",
            Shape::Count(1, BELOW_MAX),
            "Not the tip, but the block that many below it: nobody replaces it by chance.",
        ),
        Field::optional("work", Shape::Nodes, "The most work of these nodes."),
        Field::optional(
            "metric",
            Shape::Text,
            "Sum of a metric, such as name{label=\"value\"}.",
        ),
    ],
);

pub(crate) static ALWAYS: Form = Form::new(
    "Always",
    "What must hold at every look while steps run.",
    &[
        Field::needed("expect", Shape::Claims, "What must hold."),
        Field::needed("steps", Shape::Steps, "What runs meanwhile."),
    ],
);
