//! Dashboards and rules of the monitoring: what they show exists, is drawn as
//! Grafana's model says, and returns data on a real Prometheus.

#![expect(clippy::panic, reason = "this program is nothing but tests")]

mod dashboards;
mod expression;
mod inventory;
mod layout;
mod live;
mod model;
mod readme;
mod reference;
mod rules;

use std::path::{Path, PathBuf};

/// The root of the workspace.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests stand in the root")
        .to_path_buf()
}
