//! One case: a network, a load and a schedule of faults.

use devnet_scenario::model::SimWish;

/// A network, a load and a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it was drawn from, and its run draws from.
    pub seed: u64,
    /// Nodes that mine, from the first on.
    pub miners: u32,
    /// Nodes that do not.
    pub observers: u32,
    /// Who is connected with whom.
    pub shape: Shape,
    /// Seconds between blocks.
    pub block_s: u32,
    /// One-way latency between all nodes.
    pub latency_ms: u32,
    /// Payments a second.
    pub rate: u32,
    /// What the simulator is told of lines and machines.
    pub sim: SimWish,
    /// Faults of links, one after the other; then those of nodes as well, where
    /// one would take a fault of links its effect.
    pub links: Vec<Timed>,
    /// Faults of nodes, one after the other, beside those of links.
    pub nodes: Vec<Timed>,
}

/// Who is connected with whom, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everybody with everybody.
    Mesh,
    /// Each with the next.
    Line,
    /// The last with the first as well.
    Ring,
}

/// A fault, how long after the one before it begins, and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Seconds to wait before.
    pub after_s: u32,
    /// Seconds it lasts.
    pub lasts_s: u32,
    /// What is done.
    pub what: What,
}

/// What is done; nodes by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Nodes below the number against the others.
    Split(u32),
    /// One against all others.
    Isolate(u32),
    /// Nobody hears the node.
    Mute(u32),
    /// Its links are slow.
    Slow(u32, u32),
    /// Its links lose so many percent.
    Lossy(u32, u32),
    /// Killed, then started.
    Kill(u32),
    /// Frozen, then thawed.
    Pause(u32),
    /// Stopped and started.
    Restart(u32),
    /// Emptied.
    Wipe(u32),
    /// Its disk takes nothing more, so it ends at its next block.
    Fill(u32),
    /// Killed in the middle of a write.
    Tear(u32),
    /// Its clock is off by so many milliseconds.
    Skew(u32, i32),
    /// Gone with its data, then there anew.
    Leave(u32),
    /// One more of the last group, for a while.
    Join,
}

impl Case {
    /// Puts all faults one after the other if two of them would prove nothing
    /// at the same time: a link can only be measured between nodes that run.
    pub(super) fn part(&mut self) {
        let count = self.count();
        let links = &self.links;
        let hides = |node: &Timed| links.iter().any(|link| node.what.hides(link.what, count));
        if self.nodes.iter().any(hides) {
            self.links.append(&mut self.nodes);
        }
    }

    /// Nodes in all.
    pub const fn count(&self) -> u32 {
        self.miners + self.observers
    }

    /// Accounts that pay.
    pub fn payers(&self) -> Vec<String> {
        match self.rate {
            0 => Vec::new(),
            _ => vec!["alice".to_owned()],
        }
    }

    /// The same with a node less. What concerned it concerns its neighbour.
    pub fn without(&self, gone: u32) -> Self {
        let is_miner = gone < self.miners;
        let track = |track: &[Timed]| {
            let moved = track.iter().map(|timed| Timed {
                what: timed.what.without(gone),
                ..*timed
            });
            moved.collect()
        };
        Self {
            miners: self.miners - u32::from(is_miner),
            observers: self.observers.saturating_sub(u32::from(!is_miner)),
            links: track(&self.links),
            nodes: track(&self.nodes),
            ..self.clone()
        }
    }

    /// Whether every fault concerns nodes that are there.
    pub fn is_sound(&self) -> bool {
        let count = self.count();
        let fits = |timed: &Timed| match timed.what {
            What::Split(first) => (1..count).contains(&first),
            What::Isolate(node) | What::Mute(node) | What::Slow(node, _) | What::Lossy(node, _) => {
                node < count && count > 1
            }
            What::Kill(node)
            | What::Pause(node)
            | What::Restart(node)
            | What::Wipe(node)
            | What::Fill(node)
            | What::Tear(node)
            | What::Skew(node, _) => node < count,
            What::Leave(node) => node < count && count > 1,
            What::Join => true,
        };
        self.miners > 0 && self.links.iter().chain(&self.nodes).all(fits)
    }
}

impl Shape {
    /// Hops between the two nodes that are farthest apart.
    pub(super) const fn hops(self, count: u32) -> u32 {
        let hops = match self {
            Self::Mesh => 1,
            Self::Line => count.saturating_sub(1),
            Self::Ring => count / 2,
        };
        if hops == 0 { 1 } else { hops }
    }
}

impl What {
    /// The same where the nodes behind `gone` have moved up.
    fn without(self, gone: u32) -> Self {
        let moved = |node: u32| match node {
            0 => 0,
            node if node >= gone => node - 1,
            node => node,
        };
        match self {
            Self::Split(first) => Self::Split(first - u32::from(gone < first)),
            Self::Isolate(node) => Self::Isolate(moved(node)),
            Self::Mute(node) => Self::Mute(moved(node)),
            Self::Slow(node, ms) => Self::Slow(moved(node), ms),
            Self::Lossy(node, percent) => Self::Lossy(moved(node), percent),
            Self::Kill(node) => Self::Kill(moved(node)),
            Self::Pause(node) => Self::Pause(moved(node)),
            Self::Restart(node) => Self::Restart(moved(node)),
            Self::Wipe(node) => Self::Wipe(moved(node)),
            Self::Fill(node) => Self::Fill(moved(node)),
            Self::Tear(node) => Self::Tear(moved(node)),
            Self::Skew(node, ms) => Self::Skew(moved(node), ms),
            Self::Leave(node) => Self::Leave(moved(node)),
            Self::Join => Self::Join,
        }
    }

    /// The word by which a scenario asks for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Split(_) | Self::Isolate(_) | Self::Mute(_) => "partition",
            Self::Slow(..) => "latency",
            Self::Lossy(..) => "loss",
            Self::Kill(_) => "kill",
            Self::Pause(_) => "pause",
            Self::Restart(_) => "restart",
            Self::Wipe(_) => "wipe",
            Self::Fill(_) => "fill_disk",
            Self::Tear(_) => "corrupt_store",
            Self::Skew(..) => "clock_skew",
            Self::Leave(_) => "remove",
            Self::Join => "add",
        }
    }

    pub(super) const fn is_of_links(self) -> bool {
        matches!(
            self,
            Self::Split(_) | Self::Isolate(_) | Self::Mute(_) | Self::Slow(..) | Self::Lossy(..)
        )
    }

    /// Whether, while this keeps a node down, none of the links of that fault
    /// joins two nodes that run, or the fault names a node that is not there.
    fn hides(self, link: Self, count: u32) -> bool {
        if let Self::Leave(_) = self {
            return true;
        }
        let (Self::Kill(down) | Self::Pause(down) | Self::Fill(down) | Self::Tear(down)) = self
        else {
            return false;
        };
        match link {
            Self::Split(first) => {
                let left = first - u32::from(down < first);
                let right = count - first - u32::from(down >= first);
                left == 0 || right == 0
            }
            Self::Isolate(node) | Self::Mute(node) | Self::Slow(node, _) | Self::Lossy(node, _) => {
                node == down || count < 3
            }
            _ => false,
        }
    }

    pub const fn lasts(self) -> bool {
        !matches!(self, Self::Restart(_) | Self::Wipe(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ranges;
    use super::*;

    #[test]
    fn a_node_less_moves_up_whoever_stands_behind_it() {
        let case = Case {
            miners: 2,
            observers: 2,
            links: vec![timed(What::Split(2))],
            nodes: [What::Kill(0), What::Pause(1), What::Skew(3, -5)]
                .map(timed)
                .to_vec(),
            ..Case::draw(0, Ranges::default())
        };
        let whats = |track: &[Timed]| track.iter().map(|timed| timed.what).collect::<Vec<_>>();
        let small = case.without(1);
        assert_eq!((small.miners, small.observers), (1, 2));
        assert_eq!(whats(&small.links), [What::Split(1)]);
        let moved = [What::Kill(0), What::Pause(0), What::Skew(2, -5)];
        assert_eq!(whats(&small.nodes), moved);
        assert!(small.is_sound());
        let small = case.without(3);
        assert_eq!((small.miners, small.observers), (2, 1));
        assert_eq!(whats(&small.links), [What::Split(2)]);
        assert_eq!(whats(&small.nodes)[2], What::Skew(2, -5));
    }

    fn timed(what: What) -> Timed {
        Timed {
            after_s: 1,
            lasts_s: 1,
            what,
        }
    }
}
