//! Forms of faults, and of nodes that are drawn.

use super::{Field, Form, Shape};

const NODES_MAX: u32 = 1_000;

pub(crate) static PARTITION: Form = Form::choice(
    "Partition",
    "A partition in one of its shapes.",
    &[],
    &[
        Field::optional(
            "groups",
            Shape::List(&Shape::Nodes),
            "Groups that cannot reach each other; unnamed nodes form one more.",
        ),
        Field::optional(
            "isolate",
            Shape::Nodes,
            "Each of these alone, the others together.",
        ),
        Field::optional(
            "bridge",
            Shape::Form(&BRIDGE),
            "Sides, and nodes that reach all.",
        ),
        Field::optional(
            "one_way",
            Shape::Form(&ONE_WAY),
            "Silence in one direction.",
        ),
        Field::optional(
            "links",
            Shape::List(&Shape::Pair(&Shape::Text)),
            "Single pairs of nodes, both directions.",
        ),
    ],
);

pub(crate) static BRIDGE: Form = Form::new(
    "Bridge",
    "Sides joined only by bridge nodes.",
    &[
        Field::needed("sides", Shape::List(&Shape::Nodes), "The sides."),
        Field::needed("over", Shape::Nodes, "Nodes that reach every side."),
    ],
);

pub(crate) static ONE_WAY: Form = Form::new(
    "OneWay",
    "What the first send does not arrive at the second.",
    &[
        Field::needed("from", Shape::Nodes, "Senders."),
        Field::needed("to", Shape::Nodes, "Receivers that hear nothing from them."),
    ],
);

pub(crate) static HEAL: Form = Form::new(
    "Heal",
    "Heals nodes.",
    &[Field::needed(
        "nodes",
        Shape::Nodes,
        "Nodes whose own faults are taken out.",
    )],
);

pub(crate) static LINK: Form = Form::new(
    "Link",
    "Conditions of links. Without a place: all links.",
    &[
        Field::optional("latency", Shape::Time, "One-way delay."),
        Field::optional("jitter", Shape::Time, "Spread of the delay."),
        Field::optional("loss", Shape::Share, "Share of packets lost."),
        Field::optional("bandwidth", Shape::Rate, "Bytes a second at most."),
        Field::optional("on", Shape::Nodes, "All links of these nodes."),
        Field::optional(
            "between",
            Shape::Pair(&Shape::Nodes),
            "Links between two sets of nodes.",
        ),
        Field::optional("from", Shape::Nodes, "One direction: senders."),
        Field::optional("to", Shape::Nodes, "One direction: receivers."),
        Field::optional(
            "zones",
            Shape::Pair(&Shape::Text),
            "Links between two zones.",
        ),
    ],
);

pub(crate) static CONDITION_OF: Form = Form::new(
    "Condition",
    "One condition of links. Without a place: all links.",
    &[
        Field::needed(
            "is",
            Shape::Any(&[Shape::Time, Shape::Share, Shape::Rate]),
            "A time for latency and jitter, a share for loss, a rate for bandwidth.",
        ),
        Field::optional("on", Shape::Nodes, "All links of these nodes."),
        Field::optional(
            "between",
            Shape::Pair(&Shape::Nodes),
            "Links between two sets of nodes.",
        ),
        Field::optional("from", Shape::Nodes, "One direction: senders."),
        Field::optional("to", Shape::Nodes, "One direction: receivers."),
        Field::optional(
            "zones",
            Shape::Pair(&Shape::Text),
            "Links between two zones.",
        ),
    ],
);

pub(crate) static CLOCK_SKEW: Form = Form::new(
    "ClockSkew",
    "Clocks set off.",
    &[
        Field::needed("on", Shape::Nodes, "Whose clocks."),
        Field::needed("by", Shape::Offset, "By how much, such as 5s or -5s."),
    ],
);

pub(crate) static HASH_RATE: Form = Form::new(
    "HashRate",
    "Hash rates changed.",
    &[
        Field::needed("on", Shape::Nodes, "Which miners."),
        Field::needed("to", Shape::Number, "Hashes a second of each; 0 idles."),
    ],
);

pub(crate) static ADD: Form = Form::new(
    "Add",
    "Fresh nodes.",
    &[
        Field::needed("group", Shape::Text, "An existing group."),
        Field::optional(
            "count",
            Shape::Count(1, NODES_MAX),
            "How many; 1 where nothing is said.",
        ),
    ],
);

pub(crate) static UPGRADE: Form = Form::new(
    "Upgrade",
    "Another program.",
    &[
        Field::needed("on", Shape::Nodes, "Which nodes."),
        Field::needed("to", Shape::Text, "Image reference or path of a binary."),
    ],
);

pub(crate) static RANDOM: Form = Form::choice(
    "Draw",
    "Nodes that are drawn, or those of a zone.",
    &["of"],
    &[
        Field::optional(
            "random",
            Shape::Count(1, NODES_MAX),
            "So many, drawn by the seed.",
        ),
        Field::optional(
            "of",
            Shape::Nodes,
            "Among these; all where nothing is said.",
        ),
        Field::optional("zone", Shape::Text, "All nodes of a zone."),
    ],
);
