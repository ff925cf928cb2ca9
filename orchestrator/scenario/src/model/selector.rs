//! Which nodes: by name, group, zone, all, the rest, or drawn.

use std::fmt;

/// A choice of nodes, in the order given; a node chosen twice counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(pub Vec<Pick>);

/// One part of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A node, or all nodes of a group.
    Named(String),
    /// Every node.
    All,
    /// Every node that the sibling selectors do not name; in partitions only.
    Rest,
    /// All nodes of a zone.
    Zone(String),
    /// So many nodes, drawn at run time from the run's seed.
    Random {
        /// How many.
        count: u32,
        /// Among which; all where nothing is said.
        of: Box<Selector>,
    },
}

impl Selector {
    /// Every node.
    pub fn all() -> Self {
        Self(vec![Pick::All])
    }

    /// One node or group.
    pub fn named(name: &str) -> Self {
        Self(vec![Pick::Named(name.into())])
    }

    /// Whether it draws.
    pub fn is_random(&self) -> bool {
        self.0
            .iter()
            .any(|pick| matches!(pick, Pick::Random { .. }))
    }

    /// Whether it means a node of that name, group and zone; what it draws and
    /// what it leaves to others is not known before a run.
    pub fn means(&self, name: &str, group: &str, zone: Option<&str>) -> bool {
        self.0.iter().any(|pick| match pick {
            Pick::All => true,
            Pick::Named(named) => named == name || named == group,
            Pick::Zone(named) => zone == Some(named.as_str()),
            Pick::Rest | Pick::Random { .. } => false,
        })
    }

    /// Whether it asks for the rest.
    pub fn has_rest(&self) -> bool {
        self.0.contains(&Pick::Rest)
    }
}

impl Pick {
    /// Reads one word: `all`, `rest`, a node or a group.
    pub fn of_word(word: &str) -> Self {
        match word {
            "all" => Self::All,
            "rest" => Self::Rest,
            name => Self::Named(name.into()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pick) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{pick}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::All => f.write_str("all"),
            Self::Rest => f.write_str("rest"),
            Self::Zone(zone) => write!(f, "zone {zone}"),
            Self::Random { count, of } if **of == Selector::all() => write!(f, "{count} at random"),
            Self::Random { count, of } => write!(f, "{count} at random of {of}"),
        }
    }
}
