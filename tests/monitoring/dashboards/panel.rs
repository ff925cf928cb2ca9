//! What a dashboard is made of, as plain tables.

/// A dashboard: its place in the set, and its rows from top to bottom.
pub struct Dashboard {
    /// Stable for ever: links and provisioning name it. Also the file's name,
    /// without the prefix.
    pub uid: &'static str,
    pub title: &'static str,
    /// One sentence.
    pub about: &'static str,
    pub rows: &'static [Row],
}

/// A headed row; its panels flow from left to right and fill all 24 columns.
pub struct Row {
    pub title: &'static str,
    pub panels: &'static [Panel],
}

/// One question and the picture that answers it.
#[derive(Clone, Copy)]
pub struct Panel {
    pub title: &'static str,
    pub question: &'static str,
    pub view: View,
    /// Columns of 24.
    pub width: u32,
    /// In Grafana's units of about 30 pixels.
    pub height: u32,
    pub unit: Unit,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Colours from these values on; green below the first.
    pub steps: &'static [(f64, Colour)],
    /// Said where there is no data.
    pub empty: &'static str,
    pub queries: &'static [Query],
}

/// How an answer is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Lines over time.
    Lines,
    /// Areas over time, one on the other.
    Areas,
    /// Bars over time, one on the other: how often something happens.
    Rates,
    /// A histogram over time.
    Heatmap,
    /// What is in force over time.
    Bands,
    /// Last values in large print.
    Stat,
    /// Groups of bars, one for each value of the label `of`.
    Bars { of: &'static str },
    /// A row for each combination of labels.
    Table,
}

impl View {
    /// Whether the panel's horizontal axis is time.
    pub const fn is_over_time(self) -> bool {
        !matches!(self, Self::Stat | Self::Bars { .. } | Self::Table)
    }
}

/// A unit as Grafana calls it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Bytes,
    BytesPerSecond,
    Hashes,
    HashesPerSecond,
    PerSecond,
    PerMinute,
    Share,
    Number,
    /// A noun after the number.
    Of(&'static str),
}

impl Unit {
    pub fn id(self) -> String {
        match self {
            Self::Seconds => "s".into(),
            Self::Bytes => "bytes".into(),
            Self::BytesPerSecond => "binBps".into(),
            Self::Hashes => "suffix:H".into(),
            Self::HashesPerSecond => "Hs".into(),
            Self::PerSecond => "suffix:/s".into(),
            Self::PerMinute => "suffix:/min".into(),
            Self::Share => "percentunit".into(),
            Self::Number => "short".into(),
            Self::Of(noun) => format!("suffix:{noun}"),
        }
    }
}

/// Colours above a threshold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Yellow,
    Orange,
    Red,
}

impl Colour {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }
}

/// An expression. `@node` in it stands for the matchers of the chosen network
/// and nodes, `@net` for those of the network alone.
#[derive(Clone, Copy)]
pub struct Query {
    pub expr: &'static str,
    /// A series' name, a column's title in tables and bars.
    pub legend: &'static str,
    /// Drawn dashed and grey: what is compared with, not measured.
    pub is_reference: bool,
    /// In tables, where a column's unit is not the panel's.
    pub unit: Option<Unit>,
}

/// A measured series.
pub const fn query(expr: &'static str, legend: &'static str) -> Query {
    Query {
        expr,
        legend,
        is_reference: false,
        unit: None,
    }
}

/// A series to compare with.
pub const fn reference(expr: &'static str, legend: &'static str) -> Query {
    Query {
        is_reference: true,
        ..query(expr, legend)
    }
}

/// A column of a table, in its own unit.
pub const fn column(expr: &'static str, legend: &'static str, unit: Unit) -> Query {
    Query {
        unit: Some(unit),
        ..query(expr, legend)
    }
}

/// The usual panel over time: half the width, from zero upwards.
pub const LINES: Panel = Panel {
    title: "",
    question: "",
    view: View::Lines,
    width: 12,
    height: 8,
    unit: Unit::Number,
    min: Some(0.0),
    max: None,
    steps: &[],
    empty: "No samples yet",
    queries: &[],
};

/// One number in large print.
pub const STAT: Panel = Panel {
    view: View::Stat,
    width: 4,
    height: 4,
    ..LINES
};

/// A histogram over time.
pub const HEATMAP: Panel = Panel {
    view: View::Heatmap,
    ..LINES
};
