//! One case: a network, a load and a schedule of faults, and its scenario file.

use std::fmt::Write as _;

use minichain_sim::random::Stream;

/// Ranges that cases are drawn from; see the room's description.
const NODES: (u64, u64) = (2, 6);
const FAULTS_MAX: u64 = 8;
const SECONDS: (u64, u64) = (1, 12);
const GAP_MAX: u64 = 5;
const LATENCY_STEP_MS: u32 = 50;
const LATENCY_STEPS: u64 = 9;

/// A network, a load and a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it was drawn from, and its run draws from.
    pub seed: u64,
    /// Nodes that mine, from the first on.
    pub miners: u32,
    /// Nodes that do not.
    pub observers: u32,
    /// Seconds between blocks.
    pub block_s: u32,
    /// One-way latency between all nodes.
    pub latency_ms: u32,
    /// Payments a second.
    pub rate: u32,
    /// Faults of links, one after the other; then those of nodes as well, where
    /// one would take a fault of links its effect.
    pub links: Vec<Timed>,
    /// Faults of nodes, one after the other, beside those of links.
    pub nodes: Vec<Timed>,
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
}

impl Case {
    /// The case of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice(Stream::new(seed, "explore", &[]));
        let nodes = dice.between(NODES);
        let miners = dice.between((1, nodes.into()));
        let block_s = dice.between((1, 2));
        let latency = dice.between((0, LATENCY_STEPS - 1));
        let rate = dice.between((0, 2));
        let faults = dice.between((1, FAULTS_MAX));
        let mut case = Self {
            seed,
            miners,
            observers: nodes - miners,
            block_s,
            latency_ms: latency * LATENCY_STEP_MS,
            rate,
            links: Vec::new(),
            nodes: Vec::new(),
        };
        for _ in 0..faults {
            let after_s = dice.between((0, GAP_MAX));
            let lasts_s = dice.between(SECONDS);
            let what = dice.what(nodes);
            let track = match what.is_of_links() {
                true => &mut case.links,
                false => &mut case.nodes,
            };
            track.push(Timed {
                after_s,
                lasts_s,
                what,
            });
        }
        case.part();
        case
    }

    /// Puts all faults one after the other if two of them would prove nothing
    /// at the same time: a link can only be measured between nodes that run.
    fn part(&mut self) {
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
        };
        self.miners > 0 && self.links.iter().chain(&self.nodes).all(fits)
    }

    fn name(&self, node: u32) -> String {
        match node.checked_sub(self.miners) {
            None => format!("miner-{node}"),
            Some(index) => format!("observer-{index}"),
        }
    }

    fn names(&self, nodes: impl Iterator<Item = u32>) -> String {
        let names: Vec<String> = nodes.map(|node| self.name(node)).collect();
        names.join(", ")
    }

    /// The scenario file, which runs in every world.
    pub fn yaml(&self) -> String {
        let seed = self.seed;
        let mut text = format!(
            "name: explored\n\
             description: Found by devnet sim explore; run it with --seed {seed}.\n\
             topology:\n  groups:\n    - {{ name: miner, count: {} }}\n",
            self.miners
        );
        if self.observers > 0 {
            let count = self.observers;
            line(
                &mut text,
                &format!("    - {{ name: observer, count: {count} }}"),
            );
        }
        line(
            &mut text,
            &format!("  genesis: {{ block_time: {}s }}", self.block_s),
        );
        line(&mut text, "\nsteps:");
        line(&mut text, "  - wait: { height: 2 }\n    timeout: 80 blocks");
        if self.latency_ms > 0 && self.count() > 1 {
            let ms = self.latency_ms;
            line(
                &mut text,
                &format!("  - latency: {{ is: {ms}ms, on: all }}"),
            );
        }
        if self.rate > 0 {
            let rate = self.rate;
            line(
                &mut text,
                &format!(
                    "  - load: {{ name: payments, rate: {rate}, from: alice, to: bob, via: all }}"
                ),
            );
        }
        self.storm(&mut text);
        if self.rate > 0 {
            line(&mut text, "  - stop_load: { name: payments }");
        }
        text.push_str(
            "  - heal: all\n\
             \x20 - title: In the end all is well\n\
             \x20   expect:\n\
             \x20     - converged: { max_lag: 1, fresh: 2 }\n\
             \x20       within: 80 blocks\n\
             \x20     - supply:\n\
             \x20       within: 20 blocks\n\
             \nfinally:\n  - heal\n",
        );
        text
    }

    /// The faults: both tracks at once, where there are two.
    fn storm(&self, text: &mut String) {
        let tracks = [&self.links, &self.nodes];
        let tracks: Vec<&Vec<Timed>> = tracks.into_iter().filter(|one| !one.is_empty()).collect();
        if let [only] = tracks.as_slice() {
            self.track(text, only, "  ");
        } else if !tracks.is_empty() {
            line(text, "  - parallel:");
            for track in tracks {
                line(text, "      - steps:");
                self.track(text, track, "          ");
            }
        }
    }

    fn track(&self, text: &mut String, track: &[Timed], indent: &str) {
        for timed in track {
            if timed.after_s > 0 {
                line(text, &format!("{indent}- wait: {}s", timed.after_s));
            }
            line(text, &format!("{indent}- {}", self.verb(timed.what)));
            if timed.what.lasts() {
                line(text, &format!("{indent}  for: {}s", timed.lasts_s));
            }
        }
    }

    fn verb(&self, what: What) -> String {
        match what {
            What::Split(first) => {
                let (left, right) = (self.names(0..first), self.names(first..self.count()));
                format!("partition: [[{left}], [{right}]]")
            }
            What::Isolate(node) => format!("partition: {{ isolate: {} }}", self.name(node)),
            What::Mute(node) => {
                let others = self.names((0..self.count()).filter(|other| *other != node));
                let from = self.name(node);
                format!("partition: {{ one_way: {{ from: {from}, to: [{others}] }} }}")
            }
            What::Slow(node, ms) => format!("latency: {{ is: {ms}ms, on: {} }}", self.name(node)),
            What::Lossy(node, percent) => {
                format!("loss: {{ is: {percent}%, on: {} }}", self.name(node))
            }
            What::Kill(node) => format!("kill: {}", self.name(node)),
            What::Pause(node) => format!("pause: {}", self.name(node)),
            What::Restart(node) => format!("restart: {}", self.name(node)),
            What::Wipe(node) => format!("wipe: {}", self.name(node)),
            What::Fill(node) => format!("fill_disk: {}", self.name(node)),
            What::Tear(node) => format!("corrupt_store: {}", self.name(node)),
            What::Skew(node, ms) => {
                format!("clock_skew: {{ on: {}, by: {ms}ms }}", self.name(node))
            }
        }
    }
}

impl What {
    const fn is_of_links(self) -> bool {
        matches!(
            self,
            Self::Split(_) | Self::Isolate(_) | Self::Mute(_) | Self::Slow(..) | Self::Lossy(..)
        )
    }

    /// Whether, while this keeps a node down, none of the links of that fault
    /// joins two nodes that run.
    fn hides(self, link: Self, count: u32) -> bool {
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

    const fn lasts(self) -> bool {
        !matches!(self, Self::Restart(_) | Self::Wipe(_))
    }
}

fn line(text: &mut String, what: &str) {
    // Writing into a text cannot fail.
    let _always = writeln!(text, "{what}");
}

struct Dice(Stream);

impl Dice {
    fn between(&mut self, (low, high): (u64, u64)) -> u32 {
        let drawn = low + self.0.below(high.saturating_sub(low) + 1);
        u32::try_from(drawn).unwrap_or(u32::MAX)
    }

    fn what(&mut self, nodes: u32) -> What {
        let node = self.between((0, u64::from(nodes) - 1));
        match self.between((0, 13)) {
            0..=2 => What::Split(self.between((1, u64::from(nodes) - 1))),
            3 => What::Isolate(node),
            4 => What::Mute(node),
            5 => What::Slow(node, 100 * self.between((1, 8))),
            6 => What::Lossy(node, 10 * self.between((1, 4))),
            7 => What::Kill(node),
            8 => What::Pause(node),
            9 => What::Restart(node),
            10 => What::Wipe(node),
            11 => What::Fill(node),
            12 => What::Tear(node),
            _ => {
                let ms = 500 * self.between((1, 8)).cast_signed();
                let is_late = self.between((0, 1)) == 1;
                What::Skew(node, if is_late { -ms } else { ms })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario_file::ScenarioFile;

    #[test]
    fn every_case_is_a_scenario_that_can_run() {
        for seed in 0..300 {
            let case = Case::draw(seed);
            assert!(case.is_sound(), "{case:?}");
            let text = case.yaml();
            let read = ScenarioFile::simulated(Path::new("a.yaml"), text.clone());
            assert!(read.is_ok(), "seed {seed}:\n{text}\n{:?}", read.err());
        }
    }
}
