//! Forms of what only the simulator must be told.

use super::{Field, Form, Shape};
use crate::parse::limits::{SIM_LAZY_MAX, SIM_NODES_MAX};

pub(crate) static SIM: Form = Form::new(
    "Sim",
    "What only the simulator must be told; other worlds have it by nature and pass over it.",
    &[
        Field::optional(
            "latency",
            Shape::Micros,
            "One-way delay of every link by nature, at most 1s; faults and zones come on top. \
             Where unsaid, 250us.",
        ),
        Field::optional(
            "start_jitter",
            Shape::Micros,
            "Each node starts late by up to this, drawn by the seed; at most 10m.",
        ),
        Field::optional(
            "cpu",
            Shape::Form(&CPU),
            "What validation takes a node, one thing after the other; nothing where unsaid.",
        ),
        Field::optional("upload", Shape::Rate, UPLOAD),
        Field::optional("download", Shape::Rate, DOWNLOAD),
        Field::optional(
            "loss",
            Shape::Share,
            "Share of packets that every link loses by nature, at least 0.1%, at most 30%; a \
             fault's loss takes its place.",
        ),
        Field::optional(
            "block_ballast",
            Shape::Size,
            "Size that every block is larger by while it travels, at most 100MB.",
        ),
        Field::optional(
            "gossip",
            Shape::Form(&GOSSIP),
            "How gossip spreads; gossipsub's names and defaults.",
        ),
        Field::optional(
            "outbound",
            Shape::Count(1, SIM_NODES_MAX),
            "Connections that each node makes, to others drawn by the seed. Where unsaid, all \
             connect with all; in networks of more than 64 nodes, 8.",
        ),
        Field::optional(
            "nodes",
            Shape::List(&Shape::Form(&NODE)),
            "Nodes that differ from the others; a later entry wins over those before.",
        ),
    ],
);

const UPLOAD: &str = "What a node's line out carries, one thing after the other, at least 1kB/s; \
                      anything at once where unsaid.";
const DOWNLOAD: &str = "What a node's line in carries, one thing after the other, at least 1kB/s; \
                        anything at once where unsaid.";

pub(crate) static CPU: Form = Form::new(
    "Cpu",
    "What validation takes.",
    &[
        Field::optional("block", Shape::Micros, "For every block, at most 10s."),
        Field::optional(
            "input",
            Shape::Micros,
            "For every signed input, in a block or in a transaction by itself; at most 1s.",
        ),
        Field::optional(
            "kilobyte",
            Shape::Micros,
            "For every 1,000 bytes, at most 1s.",
        ),
    ],
);

pub(crate) static GOSSIP: Form = Form::new(
    "Gossip",
    "How gossip spreads: degree_low <= degree <= degree_high.",
    &[
        Field::optional(
            "degree",
            Shape::Count(1, SIM_NODES_MAX),
            "Neighbours that a node wants in the mesh of a topic; 6 where unsaid.",
        ),
        Field::optional(
            "degree_low",
            Shape::Count(1, SIM_NODES_MAX),
            "With fewer it takes some in; where unsaid 5, or `degree` if that is less.",
        ),
        Field::optional(
            "degree_high",
            Shape::Count(1, SIM_NODES_MAX),
            "With more it lets some go; where unsaid 12, or `degree` if that is more.",
        ),
        Field::optional(
            "lazy",
            Shape::Count(0, SIM_LAZY_MAX),
            "Neighbours outside the mesh that are told at a heartbeat what there is; 6 where \
             unsaid.",
        ),
        Field::optional(
            "heartbeat",
            Shape::Micros,
            "Time between two looks at the mesh, at least 10ms, at most 1m; 1s where unsaid.",
        ),
    ],
);

pub(crate) static NODE: Form = Form::new(
    "SimNodes",
    "How some nodes differ from the others.",
    &[
        Field::needed("on", Shape::Nodes, "Which nodes; none are drawn."),
        Field::optional("upload", Shape::Rate, UPLOAD),
        Field::optional("download", Shape::Rate, DOWNLOAD),
        Field::optional(
            "clock_skew",
            Shape::Offset,
            "How far their clocks are ahead, such as 5s or -5s; healing returns to it.",
        ),
    ],
);
