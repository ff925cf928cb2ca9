//! One story on engines that speak different versions of the API, pretended
//! before the real one. From 29 on, Docker refuses versions below 1.44.

use std::sync::Arc;

use minichain_tests::docker;
use minichain_tests::engine_proxy::{Api, EngineProxy};
use minichain_tests::network::{Network, Place};

/// Versions that engines speak at least and at most, and what devnet shall speak
/// with them.
const ENGINES: [(Api, Api, Api); 5] = [
    ((1, 12), (1, 41), (1, 41)),
    ((1, 24), (1, 43), (1, 43)),
    ((1, 44), (1, 44), (1, 44)),
    ((1, 44), (1, 52), (1, 52)),
    ((1, 44), (1, 60), (1, 53)),
];

const UP: &[&str] = &["up", "--nodes", "3", "--miners", "2", "--block-time", "1s"];

/// Up, cut, healed, looked at, gone.
fn story(proxy: &Arc<EngineProxy>) {
    let place: Arc<dyn Place> = proxy.clone();
    let network = Network::at(place);
    network.must(UP);
    network.must(&["partition", "miner-1"]);
    network.must(&["heal"]);
    network.must(&["logs", "--tail", "1"]);
    let status = network.status();
    assert_eq!(
        status["nodes"].as_array().map(Vec::len),
        Some(3),
        "{status}"
    );
    network.must(&["down"]);
    assert_eq!(docker::left_behind(&network.name), Vec::<String>::new());
}

#[test]
fn the_newest_version_that_both_know_is_spoken_and_no_other() {
    if !docker::available("the_newest_version_that_both_know_is_spoken_and_no_other") {
        return;
    }
    for (least, most, expected) in ENGINES {
        let proxy = Arc::new(EngineProxy::new(least, most));
        story(&proxy);
        assert_eq!(proxy.spoken(), [expected], "with {least:?} to {most:?}");
    }
}

#[test]
fn an_engine_beyond_what_devnet_knows_is_refused_in_words() {
    if !docker::available("an_engine_beyond_what_devnet_knows_is_refused_in_words") {
        return;
    }
    for (least, most, words) in [
        ((1, 90), (1, 99), "Update devnet"),
        ((1, 12), (1, 40), "Update to Docker 20.10"),
    ] {
        let network = Network::at(Arc::new(EngineProxy::new(least, most)));
        let out = network.devnet(UP);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_version_that_the_environment_demands_is_spoken_or_refused() {
    if !docker::available("a_version_that_the_environment_demands_is_spoken_or_refused") {
        return;
    }
    let proxy = Arc::new(EngineProxy::new((1, 24), (1, 47)));
    let network = Network::at(proxy.clone());
    let doctor = |version: &str| {
        let mut command = network.command();
        command.arg("doctor").env("DOCKER_API_VERSION", version);
        let out = command.output().expect("devnet runs");
        String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
    };
    let said = doctor("1.43");
    assert!(said.contains("API 1.43"), "{said}");
    assert_eq!(proxy.spoken(), [(1, 43)]);
    let said = doctor("1.48");
    assert!(
        said.contains("DOCKER_API_VERSION=1.48 cannot be spoken"),
        "{said}"
    );
    assert!(said.contains("1.41 to 1.47"), "{said}");
}
