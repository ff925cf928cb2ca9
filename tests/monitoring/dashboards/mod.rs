//! The dashboards that ship, as typed tables, and how they become the JSON that
//! Grafana imports.

mod block_times;
mod forks;
mod mempool;
mod network;
mod overview;
pub mod panel;
mod picture;
mod propagation;
mod render;
mod resources;

use std::env;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use self::panel::Dashboard;

/// All of them, in the order of the links on top of each.
pub const ALL: &[Dashboard] = &[
    overview::DASHBOARD,
    block_times::DASHBOARD,
    propagation::DASHBOARD,
    forks::DASHBOARD,
    mempool::DASHBOARD,
    network::DASHBOARD,
    resources::DASHBOARD,
];

/// Set to write what the tables say instead of comparing with it.
const UPDATE: &str = "DASHBOARDS_UPDATE";

/// Where the JSON stands.
pub fn folder() -> PathBuf {
    crate::root().join("dashboards")
}

/// The file of one dashboard.
pub fn path(dashboard: &Dashboard) -> PathBuf {
    let stem = dashboard.uid.strip_prefix("minichain-");
    let stem = stem.expect("every uid begins with the prefix");
    folder().join(format!("{stem}.json"))
}

/// What the tables say, as it should stand in the file.
pub fn rendered(dashboard: &Dashboard) -> Value {
    render::dashboard(dashboard)
}

/// What stands in the file, as Grafana would read it.
pub fn committed(dashboard: &Dashboard) -> Value {
    let path = path(dashboard);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Compares `current` with the file, or writes it if that is asked for.
pub fn check_file(path: &std::path::Path, current: &str) -> Result<(), String> {
    let is_current = fs::read_to_string(path).is_ok_and(|text| text == current);
    if is_current {
        return Ok(());
    }
    if env::var_os(UPDATE).is_none() {
        return Err(format!(
            "{} is not what the tables say. Look at them, then write it again: \
             {UPDATE}=1 cargo test -p minichain-tests --test monitoring",
            path.display()
        ));
    }
    fs::write(path, current).map_err(|error| format!("{}: {error}", path.display()))
}

#[test]
fn the_json_is_what_the_tables_say() {
    for dashboard in ALL {
        let mut text =
            serde_json::to_string_pretty(&rendered(dashboard)).expect("a dashboard is JSON");
        text.push('\n');
        if let Err(why) = check_file(&path(dashboard), &text) {
            panic!("{why}");
        }
    }
}

#[test]
fn no_file_stands_there_without_a_table() {
    let expected: Vec<PathBuf> = ALL.iter().map(path).collect();
    for entry in fs::read_dir(folder()).expect("there are dashboards") {
        let path = entry.expect("a readable folder").path();
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        assert!(
            !is_json || expected.contains(&path),
            "{} has no table",
            path.display()
        );
    }
}
