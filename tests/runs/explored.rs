//! What `devnet sim explore` has found and shrunk is a scenario for real networks
//! too.

use std::path::Path;

use libtest_mimic::Trial;
use minichain_tests::docker;
use minichain_tests::runs::{Runs, answer, assert_exit};

/// Seeds of which the first that fails is not the first.
const SEEDS: &str = "15..60";

pub fn trials() -> Vec<Trial> {
    let name = "explored::what_was_shrunk_runs_and_passes_without_the_mistake";
    crate::on_engines(name, what_was_shrunk_runs_and_passes_without_the_mistake).into()
}

fn what_was_shrunk_runs_and_passes_without_the_mistake(engine: &'static str) {
    let runs = Runs::on(engine);
    let file = runs.scenario("explored.yaml", "");
    let told = explore(&runs, &file);
    let seed = told["failed"]["seed"].as_u64().expect("a seed").to_string();
    // No program makes the mistake that was planted.
    let out = runs.run(&file, &["--json", "--seed", &seed]);
    assert_exit(&out, 0);
    let said = answer(&out);
    assert_eq!(said["verdict"], "pass", "{said}");
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.processes(), Vec::<String>::new());
    if engine == "docker" {
        let network = said["runs"][0]["network"].as_str().expect("a name");
        assert_eq!(docker::left_behind(network), Vec::<String>::new());
    }
}

/// Has the simulator find a mistake that is made on purpose, and shrink it.
fn explore(runs: &Runs, file: &Path) -> serde_json::Value {
    let mut command = runs.network.command();
    command
        .args(["sim", "explore", "--seeds", SEEDS, "--json", "--out"])
        .arg(file)
        .args(["--plant", "last-seen-wins"]);
    let out = command.output().expect("devnet runs");
    assert_exit(&out, 1);
    answer(&out)
}
