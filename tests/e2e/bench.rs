//! `devnet bench` with real nodes, at small sizes.

use minichain_tests::network::Network;
use serde_json::Value;

/// A state folder of which nothing is left running, however the test ends.
struct Ground(Network);

impl Ground {
    fn new() -> Self {
        Self(Network::new("process"))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.0.must(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    fn left(&self) -> Vec<String> {
        let listed = self.json(&["ls"]);
        let rows = listed.as_array().expect("a list of networks").iter();
        // Docker's networks are listed too, and belong to other tests.
        rows.filter(|row| row["engine"] == "process" || row["has_state_folder"] == true)
            .filter_map(|row| Some(row["name"].as_str()?.to_owned()))
            .collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for name in self.left() {
            self.0.devnet(&["down", "--name", &name]);
        }
    }
}

#[test]
fn a_network_is_cut_healed_and_comes_to_one_tip() {
    let ground = Ground::new();
    let sizes = ["bench", "--nodes", "3", "--block-time", "1s"];
    let told = ground.json(&[&sizes[..], &["--idle", "1s", "--hold", "2s"]].concat());
    let sample = &told["sizes"][0]["samples"][0];
    for figure in [
        "up_s",
        "status_s",
        "cpu_percent",
        "memory_mib",
        "partition_s",
        "heal_s",
        "converge_s",
        "down_s",
    ] {
        assert!(
            sample[figure].as_f64().is_some_and(|value| value >= 0.0),
            "{figure}: {told}"
        );
    }
    assert!(told["sizes"][0].get("failure").is_none(), "{told}");
    assert_eq!(ground.left(), Vec::<String>::new());
}

#[test]
fn blocks_are_not_faster_than_the_links_allow() {
    let ground = Ground::new();
    let zones = ["--zones", "us-east-1,ap-northeast-1"];
    let size = [
        "bench",
        "propagation",
        "--nodes",
        "4",
        "--blocks",
        "5",
        "--block-time",
        "1s",
    ];
    let told = ground.json(&[&size[..], &zones].concat());
    let figure = |what: &str, which: &str| {
        let found = told[what][which].as_f64();
        found.unwrap_or_else(|| panic!("no {what} {which} in {told}"))
    };
    assert!(
        told["blocks"].as_u64().is_some_and(|blocks| blocks > 0),
        "{told}"
    );
    // 72.5 ms are half of what is known of the way between the two zones.
    assert!((figure("best_ms", "max") - 72.5).abs() < 1e-6, "{told}");
    // Logs tell whole milliseconds, and delays vary by a fiftieth or so.
    assert!(figure("arrival_ms", "max") > 50.0, "{told}");
    assert!(
        figure("arrival_ms", "p99") >= figure("arrival_ms", "median"),
        "{told}"
    );
    assert_eq!(ground.left(), Vec::<String>::new());
}

#[test]
fn payments_are_confirmed_at_the_rate_that_was_wanted() {
    let ground = Ground::new();
    let size = [
        "bench", "load", "--nodes", "2", "--rates", "20", "--time", "6s",
    ];
    let told = ground.json(&size);
    let step = &told["steps"][0];
    assert!(
        step["accepted"].as_f64().is_some_and(|rate| rate > 5.0),
        "{told}"
    );
    assert!(
        step["confirmed"].as_f64().is_some_and(|rate| rate > 0.0),
        "{told}"
    );
    assert!(
        step["full_percent"]
            .as_f64()
            .is_some_and(|share| share > 0.0),
        "{told}"
    );
    assert_eq!(told["sustained"], step["confirmed"], "{told}");
    assert_eq!(ground.left(), Vec::<String>::new());
}
