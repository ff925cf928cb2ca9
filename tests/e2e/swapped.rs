//! Data folders that were put in each other's place while their nodes stood
//! still.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use minichain_tests::docker;
use minichain_tests::network::Network;

const PATIENCE: Duration = Duration::from_secs(120);
/// Calls that have nothing to wait for end long before.
const SOON: Duration = Duration::from_secs(30);

fn up() -> (Network, u32) {
    up_on("process")
}

fn up_on(engine: &'static str) -> (Network, u32) {
    let arguments = ["--nodes", "2", "--miners", "2", "--block-time", "1s"];
    let network = Network::up(engine, &arguments);
    let height = network.wait_until_agreed(3, PATIENCE);
    (network, height)
}

fn data(network: &Network, node: &str) -> PathBuf {
    let status = network.node(node).status;
    Path::new(status["id"].as_str().expect("a folder")).join("data")
}

fn swap(a: &Path, b: &Path) {
    let aside = a.with_extension("aside");
    fs::rename(a, &aside).expect("a move");
    fs::rename(b, a).expect("a move");
    fs::rename(&aside, b).expect("a move");
}

/// Puts the data of two containers that stand still in each other's place.
fn swap_volumes(ids: &[String; 2]) {
    let data = ids.each_ref().map(|id| taken_out(id));
    put_in(&ids[0], &data[1]);
    put_in(&ids[1], &data[0]);
}

/// A container's data as an archive.
fn taken_out(id: &str) -> Vec<u8> {
    let out = Command::new("docker")
        .args(["cp", "--archive", &format!("{id}:/data/."), "-"])
        .output()
        .expect("docker runs");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    out.stdout
}

/// Files keep the owners that the archive tells.
fn put_in(id: &str, archive: &[u8]) {
    let mut copy = Command::new("docker")
        .args(["cp", "-", &format!("{id}:/data")])
        .stdin(Stdio::piped())
        .spawn()
        .expect("docker runs");
    let sent = copy.stdin.take().expect("a pipe").write_all(archive);
    sent.expect("it reads all");
    assert!(copy.wait().expect("it ends").success());
}

/// `up` ends in time, fails, and says all this.
fn assert_up_fails(network: &Network, words: &[&str]) {
    let told = network.begin(&["up"]).ended(SOON);
    assert_eq!(told.code, Some(1), "{}", told.said);
    for words in words {
        assert!(told.said.contains(words), "{words}: {}", told.said);
    }
}

/// `status` ends in time and finds these nodes ended.
fn assert_ended(network: &Network, nodes: &[&str]) {
    let told = network.begin(&["status"]).ended(SOON);
    assert_eq!(told.code, Some(1), "{}", told.said);
    for node in nodes {
        assert_eq!(network.node(node).status["state"], "exited", "{node}");
    }
}

/// Both nodes refuse the other's data, by name, and take their own up again once
/// it is put back. `swap` is given what the engine knows the two nodes by.
fn assert_exchange_is_refused(engine: &'static str, swap: impl Fn(&[String; 2])) {
    let (network, height) = up_on(engine);
    let names = [0, 1].map(|node| network.nodes()[node].name.clone());
    network.must(&["stop", &names.join(",")]);
    let ids = names.each_ref().map(|name| {
        let status = network.node(name).status;
        status["id"].as_str().expect("an id").to_owned()
    });
    swap(&ids);
    let told = [
        format!("belongs to node {}", names[1]),
        format!("this is {}", names[0]),
        format!("belongs to node {}", names[0]),
        format!("this is {}", names[1]),
    ];
    assert_up_fails(&network, &told.each_ref().map(String::as_str));
    assert_ended(&network, &names.each_ref().map(String::as_str));
    swap(&ids);
    network.must(&["up"]);
    network.wait_until_agreed(height + 1, PATIENCE);
}

#[test]
fn data_of_two_nodes_that_was_exchanged_is_refused_by_name_and_works_once_put_back() {
    assert_exchange_is_refused("process", |folders| {
        let [first, second] = folders.each_ref().map(|id| Path::new(id).join("data"));
        swap(&first, &second);
    });
}

#[test]
fn volumes_of_two_containers_that_were_exchanged_are_refused_by_name_and_work_once_put_back() {
    let test =
        "volumes_of_two_containers_that_were_exchanged_are_refused_by_name_and_work_once_put_back";
    if docker::available(test) {
        assert_exchange_is_refused("docker", swap_volumes);
    }
}

#[test]
fn data_of_another_network_is_refused_and_neither_network_loses_anything() {
    let (network, height) = up();
    let (other, other_height) = up();
    let node = network.nodes()[0].name.clone();
    network.must(&["stop", &node]);
    other.must(&["stop", &node]);
    let folders = [data(&network, &node), data(&other, &node)];
    swap(&folders[0], &folders[1]);
    let told = ["holds the chain of another network", "own folder back"];
    assert_up_fails(&network, &told);
    assert_ended(&network, &[&node]);
    swap(&folders[0], &folders[1]);
    network.must(&["up"]);
    other.must(&["up"]);
    network.wait_until_agreed(height + 1, PATIENCE);
    other.wait_until_agreed(other_height + 1, PATIENCE);
}

#[test]
fn whole_folders_of_two_nodes_that_were_exchanged_are_told_and_work_once_data_is_put_back() {
    let (network, height) = up();
    let names: Vec<String> = network.nodes().into_iter().map(|node| node.name).collect();
    network.must(&["stop", &names.join(",")]);
    let folders = [0, 1].map(|node| data(&network, &names[node]));
    let whole = [0, 1].map(|node| folders[node].parent().expect("a node's folder"));
    swap(whole[0], whole[1]);
    assert_up_fails(&network, &["belongs to node", &names[0], &names[1]]);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_ended(&network, &all);
    swap(&folders[0], &folders[1]);
    network.must(&["up"]);
    network.wait_until_agreed(height + 1, PATIENCE);
}
