//! The network that a scenario is held against, without knowing its planner.

/// A network's nodes and what else a scenario may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Nodes in order.
    pub nodes: Vec<Member>,
    /// Target time between two blocks in milliseconds.
    pub block_interval_ms: u64,
    /// Names of accounts that own coins.
    pub accounts: Vec<String>,
}

/// A node of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: `miner-1`.
    pub name: String,
    /// Its group: `miner`.
    pub group: String,
    /// What it does: `bootstrap`, `miner`, `observer`.
    pub role: String,
    /// Where it stands, in a network with zones.
    pub zone: Option<String>,
}

impl Roster {
    /// Names of all nodes, in order.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Whether there is a node of that name.
    pub fn has(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| node.name == name)
    }

    /// Nodes of a group, in order.
    pub fn of_group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Member> {
        self.nodes.iter().filter(move |node| node.group == group)
    }

    /// Nodes of a zone, in order.
    pub fn of_zone<'a>(&'a self, zone: &'a str) -> impl Iterator<Item = &'a Member> {
        let stands = move |node: &&Member| node.zone.as_deref() == Some(zone);
        self.nodes.iter().filter(stands)
    }
}
