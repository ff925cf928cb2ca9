//! A network's life on Podman, which serves Docker's API in its own way.

use std::sync::Arc;
use std::time::Duration;

use minichain_tests::network::{Network, Place};
use minichain_tests::podman::Podman;
use minichain_tests::runs::{Runs, assert_exit, shipped};

const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn a_network_lives_is_hurt_and_judged_on_podman() {
    let Some(podman) = Podman::start("a_network_lives_is_hurt_and_judged_on_podman") else {
        return;
    };
    let podman = Arc::new(podman);
    let place: Arc<dyn Place> = podman.clone();
    let network = Network::at(place.clone());
    let up = ["up", "--nodes", "3", "--miners", "2", "--block-time", "1s"];
    network.must(&up);
    network.wait_until_well(PATIENCE);
    for call in [
        &["partition", "miner-1"][..],
        &["heal"],
        &["kill", "miner-1"],
        &["start", "miner-1"],
        &["pause", "miner-0"],
        &["unpause", "miner-0"],
        &["logs", "--tail", "2"],
    ] {
        network.must(call);
    }
    let again = network.devnet(&up);
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(said.contains("Nothing to do"), "{said}");
    let doctor = network.devnet(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        said.contains("Podman 4") || said.contains("Podman 5"),
        "{said}"
    );
    network.must(&["down"]);
    assert_eq!(podman.holds(), Vec::<String>::new());
    let runs = Runs::at(place);
    assert_exit(&runs.run(&shipped("smoke.yaml"), &[]), 0);
    assert_eq!(podman.holds(), Vec::<String>::new());
}
