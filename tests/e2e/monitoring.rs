//! What watches a network, by the programs a user runs: the exporter, and a
//! real Prometheus, as a process and in a container.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use minichain_tests::docker::{available, docker, left_behind};
use minichain_tests::network::{Network, pid, wait_until};
use minichain_tests::programs::program;
use minichain_tests::prometheus::{NO_IMAGE, Prometheus};
use minichain_tests::tools::{self, tool};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Brings a watched network up; what `up --json` says.
fn up(network: &Network, prometheus: &str) -> Value {
    let arguments = ["up", "--nodes", "4", "--miners", "2", "--block-time", "1s"];
    let out = network
        .command()
        .args(arguments)
        .args(["--monitoring", "--json"])
        .env("DEVNET_PROMETHEUS_IMAGE", prometheus)
        .env("DEVNET_GRAFANA_IMAGE", NO_IMAGE)
        .output()
        .expect("devnet runs");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{stderr}");
    assert!(stderr.contains("No Grafana: its image"), "{stderr}");
    serde_json::from_slice(&out.stdout).expect("up --json prints JSON")
}

fn get(url: &str) -> Result<String, String> {
    let mut answer = ureq::get(url).call().map_err(|error| error.to_string())?;
    answer
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())
}

/// Waits until Prometheus scrapes exactly so many targets, and all are up.
fn wait_for_targets(prometheus: &Prometheus, wanted: usize) {
    wait_until(LIMIT, || {
        let answer = prometheus.get("targets", &[("state", "active")])?;
        let targets = answer["activeTargets"].as_array().cloned();
        let targets = targets.unwrap_or_default();
        let up = targets.iter().filter(|target| target["health"] == "up");
        match (targets.len(), up.count()) {
            (all, up) if all == wanted && up == wanted => Ok(()),
            (all, up) => Err(format!("{up} of {all} are up, {wanted} wanted: {answer}")),
        }
    });
}

/// Waits until a query's only value is the wanted one.
fn wait_for_value(prometheus: &Prometheus, query: &str, wanted: f64) {
    wait_until(LIMIT, || {
        let value = prometheus.value(query)?;
        match (value - wanted).abs() < f64::EPSILON {
            true => Ok(()),
            false => Err(format!("{query}: {value} instead of {wanted}")),
        }
    });
}

fn text<'a>(report: &'a Value, part: &str) -> &'a str {
    report["monitoring"][part]
        .as_str()
        .unwrap_or_else(|| panic!("no {part} in {report}"))
}

/// Processes that stem from this state folder and run that program.
fn processes(network: &Network, what: &str) -> Vec<u32> {
    let state = network.state().to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").expect("a list of processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&state) && line.contains(what)
    })
    .collect()
}

#[test]
fn a_real_prometheus_follows_a_network_of_processes() {
    let test = "a_real_prometheus_follows_a_network_of_processes";
    if tool("prometheus", "prometheus", test).is_none() {
        return;
    }
    let network = Network::new("process");
    let report = up(&network, NO_IMAGE);
    let url = text(&report, "prometheus");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let prometheus = &Prometheus::at(url);
    assert_eq!(report["monitoring"]["grafana"], Value::Null);
    wait_for_targets(prometheus, 5);
    check_metrics(&get(text(&report, "exporter")).expect("the exporter serves"));
    follows_faults(&network, prometheus);
    waits_for_the_dead(&network, prometheus);

    network.must(&["add", "observer", "--count", "1"]);
    wait_for_targets(prometheus, 6);
    network.must(&["remove", "observer-1"]);
    wait_for_targets(prometheus, 5);

    // A killed exporter comes back where it was.
    for pid in processes(&network, " exporter ") {
        kill(pid);
    }
    let exporter = text(&report, "exporter");
    assert!(get(exporter).is_err());
    network.must(&["up"]);
    let back = network.status();
    let page = get(text(&back, "exporter")).expect("the exporter is back");
    assert!(page.contains("devnet_fault_events_total{event=\"lifted\",kind=\"cut\"} 2"));
    wait_for_targets(&Prometheus::at(text(&back, "prometheus")), 5);

    network.must(&["down"]);
    assert_eq!(processes(&network, ""), Vec::<u32>::new());
    assert!(get(url).is_err());
}

/// Promtool must have nothing against what is served.
fn check_metrics(page: &str) {
    let Some(promtool) = tool("promtool", "prometheus", "what the exporter serves") else {
        return;
    };
    let mut promtool = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(page.as_bytes()).expect("promtool reads");
    drop(input);
    let out = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.is_empty(), "{said}");
}

/// A partition and its heal are seen as they happen.
fn follows_faults(network: &Network, prometheus: &Prometheus) {
    let nodes: Vec<String> = network.nodes().into_iter().map(|node| node.name).collect();
    network.must(&["isolate", &nodes[1]]);
    wait_for_value(prometheus, "devnet_partition_groups", 2.0);
    wait_for_value(prometheus, "devnet_fault_active{kind=\"cut\"}", 1.0);
    network.must(&["heal"]);
    wait_for_value(prometheus, "devnet_partition_groups", 1.0);
    wait_for_value(prometheus, "devnet_convergence_seconds_count", 1.0);
    wait_for_value(prometheus, "sum(devnet_nodes{state=\"up\"})", 4.0);
}

/// A node that died by itself keeps the network from having converged.
fn waits_for_the_dead(network: &Network, prometheus: &Prometheus) {
    let converged = "devnet_convergence_seconds_count";
    let before = prometheus.value(converged).expect("a value");
    let nodes = network.nodes();
    let mut cut = network
        .command()
        .args(["isolate", &nodes[1].name, "--for", "8s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("devnet runs");
    wait_for_value(prometheus, "devnet_partition_groups", 2.0);
    kill(pid(&nodes[3]).expect("it runs"));
    cut.wait().expect("it ends");
    wait_for_value(prometheus, "devnet_partition_groups", 1.0);
    wait_for_value(prometheus, "devnet_tips", 1.0);
    let looks = prometheus.value("devnet_looks_total").expect("a value");
    wait_until(LIMIT, || {
        let now = prometheus.value("devnet_looks_total")?;
        (now >= looks + 4.0)
            .then_some(())
            .ok_or("no new look".into())
    });
    assert_eq!(prometheus.value(converged), Ok(before), "one is dead");
    network.must(&["up"]);
    wait_for_value(prometheus, converged, before + 1.0);
}

fn kill(pid: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(killed.expect("kill runs").success());
}

#[test]
fn a_prometheus_in_a_container_watches_containers() {
    let test = "a_prometheus_in_a_container_watches_containers";
    let program = tool("prometheus", "prometheus", test);
    let Some(program) = program.filter(|_| available(test)) else {
        return;
    };
    let image = format!("devnet-test-prometheus:{}", std::process::id());
    build_image(&program, &image);
    let network = Network::new("docker");
    // The host's program serves until there is an image, which then takes over.
    let report = up(&network, NO_IMAGE);
    wait_for_targets(&Prometheus::at(text(&report, "prometheus")), 5);
    assert_eq!(processes(&network, "prometheus.yml").len(), 1);
    let report = up(&network, &image);
    assert_eq!(processes(&network, "prometheus.yml"), Vec::<u32>::new());
    let prometheus = &Prometheus::at(text(&report, "prometheus"));
    wait_for_targets(prometheus, 5);
    let name = format!("devnet-{}-prometheus", network.name);
    let shown = docker(&[
        "inspect",
        "--format",
        "{{.Config.Image}} {{.HostConfig.NetworkMode}}",
        &name,
    ]);
    assert_eq!(shown.trim(), format!("{image} host"));
    // It is no node, and stands in nobody's way.
    assert_eq!(network.nodes().len(), 4);
    network.must(&["up"]);
    wait_for_targets(prometheus, 5);
    network.must(&["down"]);
    assert_eq!(left_behind(&network.name), Vec::<String>::new());
    assert_eq!(processes(&network, ""), Vec::<u32>::new());
    docker(&["rmi", &image]);
}

/// An image of the host's own Prometheus, with the libraries it needs.
fn build_image(program: &Path, image: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(program, folder.path().join("prometheus")).expect("room");
    let linked = Command::new("ldd").arg(program).output().expect("ldd runs");
    let linked = String::from_utf8_lossy(&linked.stdout).into_owned();
    let mut recipe = "FROM scratch\nCOPY prometheus /bin/prometheus\n".to_owned();
    for (number, library) in linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .enumerate()
    {
        let name = format!("library-{number}");
        fs::copy(library, folder.path().join(&name)).expect("room");
        recipe.push_str(&format!("COPY {name} {library}\n"));
    }
    recipe.push_str("ENTRYPOINT [\"/bin/prometheus\"]\n");
    fs::write(folder.path().join("Dockerfile"), recipe).expect("room");
    docker(&["build", "-q", "-t", image, &folder.path().to_string_lossy()]);
}

#[test]
fn a_foreign_prometheus_is_told_whom_to_scrape() {
    let network = Network::up(
        "process",
        &["--nodes", "2", "--miners", "1", "--block-time", "1s"],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut exporter = network
        .command()
        .args(["exporter", "--listen", "127.0.0.1:0", "--targets"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("devnet runs");
    let targets = wait_until(LIMIT, || {
        let path = folder.path().join("targets.json");
        fs::read_to_string(path).map_err(|error| error.to_string())
    });
    let targets: Value = serde_json::from_str(&targets).expect("targets are JSON");
    for (node, target) in network
        .nodes()
        .iter()
        .zip(targets.as_array().expect("a list"))
    {
        assert_eq!(target["labels"]["node"], *node.name);
        assert_eq!(target["labels"]["role"], *node.role);
        assert_eq!(target["labels"]["network"], *network.name);
        let address = target["targets"][0].as_str().expect("an address");
        assert_eq!(
            node.status["metrics_url"],
            format!("http://{address}/metrics")
        );
    }
    // It ends by itself with the network.
    network.must(&["down"]);
    let ended = exporter.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
}

#[test]
fn nobody_watches_what_is_not_there() {
    let network = Network::new("process");
    let out = network.devnet(&["exporter"]);
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("there is no network"), "{said}");
}

#[test]
fn the_reference_is_what_the_programs_print() {
    let printed = |name: &str| -> String {
        let out = Command::new(program(name)).arg("metrics").output();
        let out: Output = out.expect("it runs");
        assert!(out.status.success());
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    let printed = format!("{}\n{}", printed("minichain").trim_end(), printed("devnet"));
    let page = fs::read_to_string(root().join("deploy/METRICS.md")).expect("the reference");
    let reference = page.split_once("\n## ");
    let reference = reference.map(|(_, rest)| squeezed(&format!("## {rest}")));
    assert!(
        reference == Some(squeezed(&printed)),
        "deploy/METRICS.md is not current; it says how to write it"
    );
}

/// Without empty lines.
fn squeezed(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_stack_for_nodes_of_ones_own_is_valid() {
    let deploy = root().join("deploy");
    let test = "the_stack_for_nodes_of_ones_own_is_valid";
    if let Some(promtool) = tool("promtool", "prometheus", test) {
        let config = deploy.join("prometheus/prometheus.yml");
        tools::must(Command::new(promtool).args(["check", "config"]).arg(config));
    }
    if let Some(mut compose) = tools::compose(test) {
        let config = ["-f", "compose.yaml", "config"];
        let said = tools::must(compose.args(config).current_dir(&deploy));
        assert!(said.contains("network_mode: host"), "{said}");
    }
}
