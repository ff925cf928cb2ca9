//! Where the built programs are.

#[path = "../../orchestrator/devnet/tests/common/fresh.rs"]
mod fresh;

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The program `name` of this build: beside the running test, in the target
/// folder's profile. Built first if it is not there or stale, so that one test
/// command is enough.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

/// Both programs, and the helper that goes into images.
const PROGRAMS: [&str; 3] = ["minichain", "devnet", "devnet-netfault"];

/// Asks cargo for the programs if one of them is not fresh.
fn build() -> PathBuf {
    let folder = profile_folder();
    if PROGRAMS
        .iter()
        .all(|name| fresh::is_fresh(&folder.join(name)))
    {
        return folder;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet"]);
    for package in ["minichain-node", "devnet", "devnet-netfault"] {
        cargo.args(["-p", package]);
    }
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let target = folder
        .parent()
        .expect("a profile folder stands in a target folder");
    cargo
        .env("CARGO_TARGET_DIR", target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = cargo.status().expect("cargo runs");
    assert!(
        status.success(),
        "cargo could not build minichain, devnet and devnet-netfault"
    );
    folder
}

fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("the running test has a path");
    let deps = test.parent().expect("a test stands in a folder");
    deps.parent()
        .expect("which stands in the profile's folder")
        .to_path_buf()
}
