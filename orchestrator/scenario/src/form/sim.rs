//! Forms of what only the simulator must be told.

use super::{Field, Form, Shape};

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
    ],
);

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
