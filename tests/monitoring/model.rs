//! The JSON against the model of dashboards that Grafana publishes, a Python
//! package.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use minichain_tests::tools;

use crate::dashboards;

const TEST: &str = "dashboards_fit_the_model_that_grafana_publishes";

#[test]
fn dashboards_fit_the_model_that_grafana_publishes() {
    let Some(python) = python() else { return };
    let mut command = Command::new(&python);
    command.arg(here("model.py"));
    tools::must(command.args(dashboards::ALL.iter().map(dashboards::path)));
}

/// A key, a choice, a type and a unit that no Grafana knows.
#[test]
fn what_does_not_fit_the_model_is_told() {
    let Some(python) = python() else { return };
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("broken.json");
    let mut dashboard = dashboards::committed(&dashboards::ALL[0]);
    let panel = &mut dashboard["panels"][1];
    panel["descripton"] = "typo".into();
    panel["options"]["colorMode"] = "loud".into();
    panel["fieldConfig"]["defaults"]["unit"] = "furlong".into();
    panel["gridPos"]["w"] = "wide".into();
    dashboard["graphTooltip"] = 7.into();
    fs::write(&path, dashboard.to_string()).expect("a writable disk");
    let mut command = Command::new(&python);
    let out = command.arg(here("model.py")).arg(&path).output();
    let out = out.expect("python runs");
    let said = tools::said(&out);
    assert_eq!(out.status.code(), Some(1), "{said}");
    for wrong in [
        "descripton",
        "'loud'",
        "'furlong'",
        "'wide'",
        "graph_tooltip: 7",
    ] {
        assert!(said.contains(wrong), "{wrong} was not told:\n{said}");
    }
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("monitoring")
        .join(name)
}

/// A Python with the model, in the target folder; made once for each list of
/// requirements.
fn python() -> Option<PathBuf> {
    static READY: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    match READY.get_or_init(environment) {
        Ok(python) => Some(python.clone()),
        Err(why) => {
            tools::missing(&format!(
                "{TEST} needs Python 3.11 with venv, and its package: {why}"
            ));
            None
        }
    }
}

fn environment() -> Result<PathBuf, String> {
    let folder = target().join("grafana-model");
    let python = folder.join("bin/python");
    let wanted = fs::read_to_string(here("requirements.txt")).map_err(|e| e.to_string())?;
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]);
    run(pip
        .args(["--require-hashes", "-r"])
        .arg(here("requirements.txt")))?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let out = command.output().map_err(|error| error.to_string())?;
    if out.status.success() {
        return Ok(());
    }
    Err(tools::said(&out))
}

/// The target folder of this build.
fn target() -> PathBuf {
    let test = env::current_exe().expect("the running test has a path");
    let target = test.ancestors().nth(3).expect("target/profile/deps/test");
    target.to_path_buf()
}
