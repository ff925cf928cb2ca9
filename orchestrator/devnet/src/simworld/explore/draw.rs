//! What cases are drawn from; see the room's description.

use std::fmt;

use devnet_scenario::model::{CpuWish, Micros, SimWish};
use minichain_sim::queue::MILLI;
use minichain_sim::random::Stream;

use super::case::{Case, Shape, Timed, What};

/// The smallest network in which anything can be cut, and the largest that is
/// drawn.
pub const NODES_MIN: u32 = 2;
/// As [`NODES_MIN`].
pub const NODES_MAX: u32 = 1_000;

const FAULTS_MAX: u64 = 8;
const SECONDS: (u64, u64) = (1, 12);
const GAP_MAX: u64 = 5;
const LATENCY_STEP_MS: u32 = 50;
const LATENCY_STEPS: u64 = 9;

/// Of wide ranges: further faults at most, steps of what validation takes and
/// of how late nodes start, and how often a clock's offset is doubled. A node that
/// is some hundred blocks behind has to catch up with a block a second in time, so
/// a block takes a tenth of that at most.
const MORE_FAULTS_MAX: u64 = 16;
const STEPS: u64 = 4;
const BLOCK_STEP_US: u64 = 25 * MILLI;
const INPUT_STEP_US: u64 = 5 * MILLI / 2;
const KILOBYTE_STEP_US: u64 = MILLI / 2;
const JITTER_STEP_US: u64 = 2_500 * MILLI;
const DOUBLINGS_MAX: u64 = 3;

/// What can be chosen of the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranges {
    /// Nodes of a network, the fewest and the most.
    pub nodes: (u32, u32),
    /// Whether validation takes time, nodes start late, clocks are farther off
    /// and there are more faults. All else of a seed stays as it is.
    pub is_wide: bool,
}

impl Default for Ranges {
    fn default() -> Self {
        Self {
            nodes: (NODES_MIN, 6),
            is_wide: false,
        }
    }
}

impl fmt::Display for Ranges {
    /// The arguments that ask for it, with a space before each; none for what is
    /// drawn from where nothing is said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fewest, most) = self.nodes;
        if self.nodes != Self::default().nodes {
            match most == fewest {
                true => write!(f, " --nodes {most}")?,
                false => write!(f, " --nodes {fewest}..{}", most.saturating_add(1))?,
            }
        }
        f.write_str(if self.is_wide { " --wide" } else { "" })
    }
}

impl Case {
    /// The case of a seed.
    pub fn draw(seed: u64, ranges: Ranges) -> Self {
        let mut dice = Dice(Stream::new(seed, "explore", &[]));
        let (fewest, most) = ranges.nodes;
        let nodes = dice.between((fewest.into(), most.into()));
        let miners = dice.between((1, nodes.into()));
        let block_s = dice.between((1, 2));
        let shape = dice.shape();
        let latency = dice.between((0, LATENCY_STEPS - 1)) * LATENCY_STEP_MS;
        let rate = dice.between((0, 2));
        let faults = dice.between((1, FAULTS_MAX));
        let mut case = Self {
            seed,
            miners,
            observers: nodes - miners,
            shape,
            block_s,
            // From end to end no more than in a mesh.
            latency_ms: latency / shape.hops(nodes),
            rate,
            sim: SimWish::default(),
            links: Vec::new(),
            nodes: Vec::new(),
        };
        case.draw_faults(faults, &mut dice);
        if ranges.is_wide {
            case.widen();
        }
        case.part();
        case
    }

    fn draw_faults(&mut self, faults: u32, dice: &mut Dice) {
        for _ in 0..faults {
            let after_s = dice.between((0, GAP_MAX));
            let lasts_s = dice.between(SECONDS);
            let what = dice.what(self.count());
            let track = match what.is_of_links() {
                true => &mut self.links,
                false => &mut self.nodes,
            };
            track.push(Timed {
                after_s,
                lasts_s,
                what,
            });
        }
    }

    /// Adds what only wide ranges hold, by chance of its own.
    fn widen(&mut self) {
        let mut dice = Dice(Stream::new(self.seed, "explore wide", &[]));
        // From end to end no more than in a mesh.
        let hops = u64::from(self.shape.hops(self.count()));
        let mut steps = |of_us: u64| Micros {
            us: u64::from(dice.between((0, STEPS))) * of_us,
        };
        self.sim = SimWish {
            start_jitter: steps(JITTER_STEP_US),
            cpu: CpuWish {
                block: steps(BLOCK_STEP_US / hops),
                input: steps(INPUT_STEP_US / hops),
                kilobyte: steps(KILOBYTE_STEP_US / hops),
            },
            ..SimWish::default()
        };
        let more = dice.between((0, MORE_FAULTS_MAX));
        self.draw_faults(more, &mut dice);
        for timed in &mut self.nodes {
            if let What::Skew(_, ms) = &mut timed.what {
                *ms <<= dice.between((0, DOUBLINGS_MAX));
            }
        }
    }
}

struct Dice(Stream);

impl Dice {
    fn between(&mut self, (low, high): (u64, u64)) -> u32 {
        let drawn = low + self.0.below(high.saturating_sub(low) + 1);
        u32::try_from(drawn).unwrap_or(u32::MAX)
    }

    fn shape(&mut self) -> Shape {
        match self.between((0, 3)) {
            0 => Shape::Line,
            1 => Shape::Ring,
            _ => Shape::Mesh,
        }
    }

    fn what(&mut self, nodes: u32) -> What {
        let node = self.between((0, u64::from(nodes) - 1));
        match self.between((0, 15)) {
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
            13 => What::Leave(node),
            14 => What::Join,
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

    use minichain_chain::hash::tagged_hash;
    use minichain_chain::hex;

    use super::*;
    use crate::scenario_file::ScenarioFile;

    fn assert_runnable(case: &Case) {
        assert!(case.is_sound(), "{case:?}");
        let text = case.yaml();
        let read = ScenarioFile::simulated(Path::new("a.yaml"), text.clone());
        let file = read.unwrap_or_else(|refusal| panic!("{case:?}\n{text}\n{refusal:?}"));
        let nodes = usize::try_from(case.count()).unwrap();
        assert_eq!(file.roster.nodes.len(), nodes, "{text}");
        assert_eq!(file.scenario.sim.unwrap_or_default(), case.sim, "{text}");
    }

    fn ranges(nodes: (u32, u32), is_wide: bool) -> Ranges {
        Ranges { nodes, is_wide }
    }

    #[test]
    fn every_case_is_a_scenario_that_can_run() {
        for seed in 0..300 {
            assert_runnable(&Case::draw(seed, Ranges::default()));
            assert_runnable(&Case::draw(seed, ranges((2, 6), true)));
        }
        for seed in 0..20 {
            assert_runnable(&Case::draw(seed, ranges((2, 60), true)));
        }
        assert_runnable(&Case::draw(0, ranges((NODES_MAX, NODES_MAX), false)));
    }

    #[test]
    fn all_sizes_that_are_asked_for_are_drawn_and_no_others() {
        let drawn = |nodes| -> Vec<u32> {
            let cases = (0..400).map(|seed| Case::draw(seed, ranges(nodes, false)));
            let mut sizes: Vec<u32> = cases.map(|case| case.count()).collect();
            sizes.sort_unstable();
            sizes.dedup();
            sizes
        };
        assert_eq!(drawn(Ranges::default().nodes), [2, 3, 4, 5, 6]);
        assert_eq!(drawn((40, 44)), [40, 41, 42, 43, 44]);
        assert_eq!(drawn((200, 200)), [200]);
    }

    #[test]
    fn wide_ranges_add_to_a_case_and_move_nothing_else() {
        let mut costly = 0;
        let mut late = 0;
        let mut farthest_ms = 0;
        let mut most = 0;
        for seed in 0..300 {
            let plain = Case::draw(seed, Ranges::default());
            let wide = Case::draw(seed, ranges((2, 6), true));
            assert_eq!(plain.sim, SimWish::default());
            let network = |case: &Case| {
                (
                    (case.miners, case.observers, case.shape),
                    (case.block_s, case.latency_ms, case.rate),
                )
            };
            assert_eq!(network(&wide), network(&plain), "seed {seed}");
            let faults = |case: &Case| case.links.len() + case.nodes.len();
            assert!(faults(&wide) >= faults(&plain), "seed {seed}");
            most = most.max(faults(&wide));
            costly += u32::from(wide.sim.cpu != CpuWish::default());
            late += u32::from(wide.sim.start_jitter > Micros::default());
            let all = wide.links.iter().chain(&wide.nodes);
            let skews = all.filter_map(|timed| match timed.what {
                What::Skew(_, ms) => Some(ms.abs()),
                _ => None,
            });
            farthest_ms = farthest_ms.max(skews.max().unwrap_or_default());
        }
        assert!(costly > 200 && late > 200, "{costly} {late}");
        assert!(farthest_ms > 16_000 && most > 16, "{farthest_ms} {most}");
    }

    #[test]
    fn known_seeds_keep_their_meaning() {
        let cases = (0..200).map(|seed| Case::draw(seed, Ranges::default()).yaml());
        let all: Vec<String> = cases.collect();
        let digest = tagged_hash("explored", &[all.concat().as_bytes()]);
        assert_eq!(
            hex::encode(&digest),
            "511ba2eb2ceb0546711dd2694c879332f3276d3784a9e1cb81aebdc59b6843c6"
        );
    }

    #[test]
    fn ranges_are_told_as_the_arguments_that_ask_for_them() {
        assert_eq!(Ranges::default().to_string(), "");
        assert_eq!(ranges((2, 6), true).to_string(), " --wide");
        assert_eq!(ranges((2, 49), false).to_string(), " --nodes 2..50");
        assert_eq!(ranges((200, 200), true).to_string(), " --nodes 200 --wide");
    }
}
