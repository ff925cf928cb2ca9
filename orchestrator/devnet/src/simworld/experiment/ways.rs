//! Shortest ways through a graph, reckoned without the simulator.

use std::collections::BTreeSet;

use minichain_sim::link::{Drawn, Latency, Path};
use minichain_sim::queue::Micros;
use minichain_sim::random::Stream;

/// Latency between two nodes as the world draws it.
pub fn latency(latency: &Latency, seed: u64, (a, b): (usize, usize)) -> Micros {
    let pair = [a.min(b) as u64, a.max(b) as u64];
    let path = Path::new(latency, Drawn::OncePerLink, seed, pair);
    let mut unused = Stream::new(seed, "unused", &[]);
    path.latency(|| &mut unused)
}

/// Shortest ways from one node (Dijkstra 1959).
pub fn shortest(from: usize, nodes: usize, edges: &[(usize, usize, Micros)]) -> Vec<Micros> {
    let mut best = vec![Micros::MAX; nodes];
    let mut open: BTreeSet<(Micros, usize)> = [(0, from)].into();
    best[from] = 0;
    while let Some((at, node)) = open.pop_first() {
        for (a, b, takes) in edges {
            let other = match (*a == node, *b == node) {
                (true, _) => *b,
                (_, true) => *a,
                _ => continue,
            };
            if at + takes < best[other] {
                open.remove(&(best[other], other));
                best[other] = at + takes;
                open.insert((best[other], other));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detour_that_is_faster_is_taken() {
        let edges = [(0, 1, 10), (1, 2, 10), (0, 2, 50), (2, 3, 1)];
        assert_eq!(shortest(0, 4, &edges), [0, 10, 20, 21]);
        assert_eq!(shortest(3, 4, &edges), [21, 11, 1, 0]);
    }
}
