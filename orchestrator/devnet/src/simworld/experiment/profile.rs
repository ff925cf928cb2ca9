//! Figures of live networks that experiments are made with, each with its source.

use minichain_sim::link::Latency;
use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::setup::NodeSetup;

use super::statistics::real;

/// North America, Europe, South America, Asia and Pacific, Japan, Australia.
pub const REGIONS: usize = 6;

/// Mean latency between regions in milliseconds, 2015 (Verizon's statistics as
/// Gervais et al. 2016 and Aoki et al. 2019 use them).
const LATENCY_MS: [[u64; REGIONS]; REGIONS] = [
    [36, 119, 255, 310, 154, 208],
    [119, 12, 221, 242, 266, 350],
    [255, 221, 137, 347, 256, 269],
    [310, 242, 347, 99, 172, 278],
    [154, 266, 256, 172, 9, 163],
    [208, 350, 269, 278, 163, 22],
];
/// Upload and download of a node by region in kilobits a second, 2015 (Aoki et
/// al. 2019, by testmy.net).
const UPLOAD_KBPS: [u64; REGIONS] = [4_700, 8_100, 1_800, 5_300, 3_400, 5_200];
const DOWNLOAD_KBPS: [u64; REGIONS] = [25_000, 24_000, 6_500, 10_000, 17_500, 14_000];

/// Mean size of a block of Bitcoin in bytes (Gervais et al. 2016, table 1).
pub const BLOCK_BYTES: u64 = 534_800;
/// Share of power and region of the pools, and their bandwidth of 100 megabits a
/// second (Gervais et al. 2016, published simulator).
pub const POOLS: [(f64, usize); 16] = [
    (0.289, 3),
    (0.196, 3),
    (0.159, 3),
    (0.133, 0),
    (0.066, 3),
    (0.054, 0),
    (0.029, 1),
    (0.016, 1),
    (0.012, 0),
    (0.012, 0),
    (0.012, 0),
    (0.009, 1),
    (0.005, 0),
    (0.005, 0),
    (0.002, 0),
    (0.002, 0),
];
pub const POOL_BYTES_PER_S: u64 = 100_000_000 / 8;

/// Factors by which times may differ from published ones.
const SIMULATED: f64 = 2.0;
const MEASURED: f64 = 2.5;

/// What a network of a live chain is like.
#[derive(Debug)]
pub struct Profile {
    /// The chain.
    pub name: &'static str,
    /// Nodes that can be reached.
    pub nodes: usize,
    /// Seconds between blocks.
    pub spacing_s: u32,
    /// Mean size of a block.
    pub block_bytes: u64,
    /// Share of the nodes in each region.
    pub regions: [f64; REGIONS],
    /// Share of the nodes that make at most so many connections, from one on.
    pub degrees: &'static [f64],
    /// Share of the nodes, seconds until they have a block, the factor by which
    /// that may differ here, and who says so. Nodes here validate in no time, so
    /// what was measured on live ones is allowed to differ by more.
    pub published: &'static [(f64, f64, f64, &'static str)],
}

/// Bitcoin in 2015. Regions and degrees are those of Aoki et al. 2019 (SimBlock's
/// code), the latter by Miller et al. 2015.
pub const BITCOIN: Profile = Profile {
    name: "Bitcoin",
    nodes: 6_000,
    spacing_s: 600,
    block_bytes: BLOCK_BYTES,
    regions: [0.3869, 0.5159, 0.0113, 0.0574, 0.0119, 0.0166],
    degrees: &[
        0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.97,
        0.98, 0.99, 0.995, 1.0,
    ],
    published: &[
        (0.5, 8.7, MEASURED, "measured, Gervais et al. 2016"),
        (0.5, 4.063, MEASURED, DAY),
        (0.5, 9.41, SIMULATED, RELAYS),
        (0.9, 18.042, MEASURED, DAY),
        (0.9, 17.8, SIMULATED, RELAYS),
    ],
};
/// A day of the measurements that continued those of Decker and Wattenhofer 2013.
const DAY: &str = "measured 2014-11-17, bitcoinstats.com";
/// The variant of that simulator that its authors hold against the live network.
const RELAYS: &str = "simulated with relays, Gervais et al. 2016";

/// Litecoin at the same time, by the same sources. Nobody published its 90th
/// percentile; that of blocks of 9 kB stands in for blocks of 6 kB.
pub const LITECOIN: Profile = Profile {
    name: "Litecoin",
    nodes: 800,
    spacing_s: 150,
    block_bytes: 6_110,
    regions: [0.3661, 0.4791, 0.0149, 0.1022, 0.0238, 0.0139],
    degrees: &[
        0.01, 0.02, 0.04, 0.07, 0.09, 0.14, 0.2, 0.28, 0.39, 0.5, 0.6, 0.69, 0.76, 0.81, 0.85,
        0.87, 0.89, 0.92, 0.93, 1.0,
    ],
    published: &[
        (0.5, 1.02, MEASURED, "measured, Gervais et al. 2016"),
        (
            0.9,
            1.38,
            SIMULATED,
            "simulated at 9 kB, Gervais et al. 2016",
        ),
    ],
};

impl Profile {
    /// Gives a node its region and bandwidth, by its rank among all.
    pub fn place(&self, node: &mut NodeSetup, rank: usize, nodes: usize) {
        let region = region_of(&self.regions, rank, nodes);
        node.zone = region;
        node.upload = Some(UPLOAD_KBPS[region] * 1_000 / 8);
        node.download = Some(DOWNLOAD_KBPS[region] * 1_000 / 8);
    }
}

/// The region of a rank, when ranks are dealt out by the regions' shares.
pub fn region_of(regions: &[f64; REGIONS], rank: usize, nodes: usize) -> usize {
    let at = (real(rank as u64) + 0.5) / real(nodes as u64);
    let ends = regions.iter().scan(0.0, |end, share| {
        *end += share;
        Some(*end)
    });
    ends.take(REGIONS - 1).filter(|end| *end <= at).count()
}

/// How many links a node makes, for a number from 0 to below 1.
pub fn drawn(degrees: &[f64], at: f64) -> usize {
    1 + degrees.iter().filter(|share| **share <= at).count()
}

/// Hashes a second for a share of a network's power.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a million"
)]
pub fn rate(share: f64) -> u64 {
    (share * 1e6).round() as u64
}

/// Latencies between regions: heavy-tailed around the mean.
pub fn matrix() -> Vec<Vec<Latency>> {
    let row = |means: &[u64; REGIONS]| means.iter().map(|mean| heavy(mean * MILLI)).collect();
    LATENCY_MS.iter().map(row).collect()
}

/// Pareto's distribution with this mean: four fifths of it at least, a shape of
/// five.
fn heavy(mean: Micros) -> Latency {
    Latency::Pareto {
        scale: mean * 4 / 5,
        shape: 5.0,
        max: mean * 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_get_their_share_of_the_nodes() {
        let mut counts = [0; REGIONS];
        for rank in 0..1_000 {
            counts[region_of(&BITCOIN.regions, rank, 1_000)] += 1;
        }
        assert_eq!(counts, [387, 516, 11, 57, 12, 17]);
    }

    #[test]
    fn degrees_follow_the_distribution() {
        assert_eq!(drawn(BITCOIN.degrees, 0.0), 1);
        assert_eq!(drawn(BITCOIN.degrees, 0.45), 8);
        assert_eq!(drawn(BITCOIN.degrees, 0.999), 20);
    }

    #[test]
    fn the_pools_have_nearly_all_power() {
        let power: f64 = POOLS.iter().map(|(share, _)| share).sum();
        assert!((power - 1.0).abs() < 0.002, "{power}");
    }
}
