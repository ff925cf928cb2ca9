//! How long it takes to bring networks up and down on Docker, by size, against
//! others that make the same containers: `cargo bench -p minichain-tests --bench
//! bring_up -- [SIZE…]`; without sizes 3, 10, 20, 50 and 100.
//!
//! In alternation: `devnet up` until healthy and `down`; `docker-compose up -d`
//! and `down -v`; and bare calls to the engine's API. The last two wait for
//! nobody's health. Needs Docker and Docker Compose.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::env;

use minichain_tests::figures::{Containers, format, median, node_image, row, seconds};
use minichain_tests::network::Network;

const SIZES: [u16; 5] = [3, 10, 20, 50, 100];
/// Rounds of small networks, and of those of more than fifty nodes.
const ROUNDS: usize = 5;
const ROUNDS_OF_MANY: usize = 3;

/// Who made the containers, with seconds up and down.
#[derive(Default)]
struct Times {
    up: Vec<f64>,
    down: Vec<f64>,
}

impl Times {
    fn push(&mut self, (up, down): (f64, f64)) {
        self.up.push(up);
        self.down.push(down);
    }
}

fn main() {
    let asked: Vec<u16> = env::args().filter_map(|word| word.parse().ok()).collect();
    let sizes = if asked.is_empty() {
        SIZES.to_vec()
    } else {
        asked
    };
    let image = node_image();
    println!("| figure | value | how |\n|---|---|---|");
    for size in sizes {
        compare(&image, size);
    }
}

fn compare(image: &str, nodes: u16) {
    let rounds = if nodes < 50 { ROUNDS } else { ROUNDS_OF_MANY };
    let others = Containers {
        image,
        count: nodes,
    };
    let (mut ours, mut compose, mut bare) = (Times::default(), Times::default(), Times::default());
    for _ in 0..rounds {
        ours.push(by_devnet(nodes));
        compose.push(others.by_compose());
        bare.push(others.by_api());
    }
    let how = format!("median of {rounds}, alternating");
    let tell = |who: &str, times: &Times| {
        row(
            &format!("{who} up, {nodes} nodes"),
            &format(&times.up, "s"),
            &how,
        );
        row(
            &format!("{who} down, {nodes} nodes"),
            &format(&times.down, "s"),
            &how,
        );
    };
    tell("`devnet`, healthy,", &ours);
    tell("`docker-compose`", &compose);
    tell("bare API", &bare);
    let ratio = |ours: &[f64], theirs: &[f64]| format!("{:.2}", median(ours) / median(theirs));
    let what = format!("`devnet` over compose, {nodes} nodes: up, down");
    let value = format!(
        "{}, {}",
        ratio(&ours.up, &compose.up),
        ratio(&ours.down, &compose.down)
    );
    row(&what, &value, "ratio of the medians");
}

fn by_devnet(nodes: u16) -> (f64, f64) {
    let network = Network::new("docker");
    let count = nodes.to_string();
    let miners = (nodes / 10).max(2).to_string();
    let up = seconds(|| {
        let sizes = ["up", "--nodes", &count, "--miners", &miners];
        network.must(&[&sizes[..], &["--timeout", "300s"]].concat());
    });
    let down = seconds(|| {
        network.must(&["down"]);
    });
    (up, down)
}
