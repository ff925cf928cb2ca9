//! Makes a failing case small: many nodes at once while there are many, then delta
//! debugging (Zeller and Hildebrandt 2002) over its faults, then fewer nodes, a
//! shorter storm, less load.

use std::sync::atomic::{AtomicBool, Ordering};

use devnet_scenario::model::{CpuWish, Micros, SimWish};
use minichain_sim::setup::Planted;

use super::case::{Case, Shape, Timed};
use super::{Came, Failed, run};

/// Runs at most; what is small by then must do.
pub const RUNS_MAX: u32 = 300;
/// Networks up to this size run fast enough to leave out one node at a time.
const FEW: u32 = 6;

/// The smallest case found that fails in the same way, with its failure, and
/// the runs it took; `told` hears of each. Once `stop` is set, the smallest so
/// far.
pub fn shrink(
    case: &Case,
    failed: &Failed,
    planted: Option<Planted>,
    stop: &AtomicBool,
    told: &dyn Fn(),
) -> (Case, Failed, u32) {
    let mut shrinker = Shrinker {
        case: case.clone(),
        failed: failed.clone(),
        planted,
        runs: 0,
        stop,
        told,
    };
    loop {
        let before = shrinker.case.clone();
        shrinker.far_fewer_nodes();
        shrinker.fewer_faults();
        shrinker.simpler();
        if shrinker.case == before || shrinker.is_over() {
            return (shrinker.case, shrinker.failed, shrinker.runs);
        }
    }
}

struct Shrinker<'a> {
    case: Case,
    failed: Failed,
    planted: Option<Planted>,
    runs: u32,
    stop: &'a AtomicBool,
    told: &'a dyn Fn(),
}

impl Shrinker<'_> {
    /// Whether there shall be no further runs.
    fn is_over(&self) -> bool {
        self.runs >= RUNS_MAX || self.stop.load(Ordering::Relaxed)
    }

    /// Takes a smaller case if it fails in the same way.
    fn try_case(&mut self, case: Case) -> bool {
        if case == self.case || !case.is_sound() || self.is_over() {
            return false;
        }
        self.runs += 1;
        (self.told)();
        match run(&case, self.planted, self.stop) {
            Ok(Came::Badly(failed)) if failed.kind == self.failed.kind => {
                self.case = case;
                self.failed = failed;
                true
            }
            _ => false,
        }
    }

    /// Delta debugging over both tracks of faults together.
    fn fewer_faults(&mut self) {
        let mut parts = 2;
        loop {
            let all = tagged(&self.case);
            if all.is_empty() {
                return;
            }
            let size = all.len().div_ceil(parts);
            let chunks = all.chunks(size).count();
            let is_smaller = (0..chunks).any(|left_out| {
                let kept = all.chunks(size).enumerate();
                let kept = kept.filter(|(at, _)| *at != left_out);
                let kept: Vec<(bool, Timed)> = kept.flat_map(|(_, chunk)| chunk.to_vec()).collect();
                let case = with(&self.case, &kept);
                self.try_case(case)
            });
            if is_smaller {
                parts = 2.max(parts - 1);
            } else if size == 1 {
                return;
            } else {
                parts = (parts * 2).min(all.len());
            }
            if self.is_over() {
                return;
            }
        }
    }

    /// Leaves out half of the nodes at once, then ever fewer, as long as there are
    /// many.
    fn far_fewer_nodes(&mut self) {
        let mut many = self.case.count() / 2;
        while many > 1 && self.case.count() > FEW && !self.is_over() {
            if !self.without_some(many) {
                many /= 2;
            }
            many = many.min(self.case.count() / 2);
        }
    }

    /// Leaves out so many neighbours, wherever they stand; tells whether any
    /// could be.
    fn without_some(&mut self, many: u32) -> bool {
        let mut is_smaller = false;
        let mut end = self.case.count();
        while end > 0 {
            let first = end.saturating_sub(many);
            let case = (first..end).rev();
            let case = case.fold(self.case.clone(), |case, node| case.without(node));
            is_smaller |= self.try_case(case);
            end = first;
        }
        is_smaller
    }

    /// Leaves out one node after the other, wherever it stands.
    fn fewer_nodes(&mut self) {
        let mut node = self.case.count();
        while node > 0 {
            node = (node - 1).min(self.case.count() - 1);
            let case = self.case.without(node);
            self.try_case(case);
        }
    }

    /// Fewer nodes, everybody connected, less load, no latency, shorter faults.
    fn simpler(&mut self) {
        self.fewer_nodes();
        let steps: [fn(&mut Case); 7] = [
            |case| case.shape = Shape::Mesh,
            |case| case.sim = SimWish::default(),
            |case| case.sim.cpu = CpuWish::default(),
            |case| case.sim.start_jitter = Micros::default(),
            |case| case.rate = 0,
            |case| case.latency_ms = 0,
            |case| case.latency_ms /= 2,
        ];
        for step in steps {
            loop {
                let mut case = self.case.clone();
                step(&mut case);
                if !self.try_case(case) {
                    break;
                }
            }
        }
        for at in 0..tagged(&self.case).len() {
            for step in [
                |timed: &mut Timed| timed.after_s = 0,
                |timed: &mut Timed| timed.lasts_s = (timed.lasts_s / 2).max(1),
                |timed: &mut Timed| timed.lasts_s = (timed.lasts_s - 1).max(1),
            ] {
                let mut all = tagged(&self.case);
                if let Some((_, timed)) = all.get_mut(at) {
                    step(timed);
                }
                let case = with(&self.case, &all);
                self.try_case(case);
            }
        }
    }
}

/// All faults; whether each is of links.
fn tagged(case: &Case) -> Vec<(bool, Timed)> {
    let links = case.links.iter().map(|timed| (true, *timed));
    let nodes = case.nodes.iter().map(|timed| (false, *timed));
    links.chain(nodes).collect()
}

fn with(case: &Case, faults: &[(bool, Timed)]) -> Case {
    let track = |of_links: bool| {
        let wanted = faults.iter().filter(move |(is, _)| *is == of_links);
        wanted.map(|(_, timed)| *timed).collect()
    };
    Case {
        links: track(true),
        nodes: track(false),
        ..case.clone()
    }
}
