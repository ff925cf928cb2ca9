//! Checks of this host that every engine needs.

use std::path::{Path, PathBuf};

use crate::engine::{Check, CheckStatus, UsedSubnet};
use crate::prepare;
use crate::program::find_binary;
use crate::state::StateFolder;

const MIB: u64 = 1 << 20;
/// Free bytes in the state folder below which nothing works, or soon will not.
const DISK_FAIL_BYTES: u64 = 64 * MIB;
const DISK_WARN_BYTES: u64 = 1024 * MIB;
/// Host ports that a network of usual size publishes.
const PORTS_WANTED: usize = 40;

/// Everything that does not depend on an engine.
pub fn checks(states: &StateFolder) -> Vec<Check> {
    vec![
        user(),
        binary(),
        state_folder(states),
        disk(states),
        ports(),
        cgroup(),
        netem(),
    ]
}

/// Whether a subnet for containers is left.
pub fn subnet(used: &[UsedSubnet]) -> Check {
    match prepare::free_subnet("doctor", 20, used, &[]) {
        Ok(subnet) => {
            let detail = format!("{subnet} is free, beside {} in use", used.len());
            check("free subnet", CheckStatus::Ok, detail, "")
        }
        Err(error) => check(
            "free subnet",
            CheckStatus::Fail,
            error.detail,
            &error.remedy,
        ),
    }
}

fn user() -> Check {
    let uid = rustix::process::getuid();
    check(
        "user",
        CheckStatus::Ok,
        format!("{} (uid {})", prepare::owner(), uid.as_raw()),
        "",
    )
}

fn binary() -> Check {
    match find_binary(None) {
        Ok(found) => {
            let detail = format!("{} ({})", found.path.display(), found.origin);
            check("node binary", CheckStatus::Ok, detail, "")
        }
        // `--image` and `--binary` do without it.
        Err(error) => check(
            "node binary",
            CheckStatus::Warn,
            error.detail,
            &error.remedy,
        ),
    }
}

fn state_folder(states: &StateFolder) -> Check {
    let folder = nearest_existing(states.root());
    let may_write =
        folder.is_dir() && rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_ok();
    let shown = states.root().display().to_string();
    if may_write {
        return check("state folder", CheckStatus::Ok, shown, "");
    }
    let remedy = "Set DEVNET_STATE to a folder you may write to.";
    check(
        "state folder",
        CheckStatus::Fail,
        format!("{shown} cannot be written to"),
        remedy,
    )
}

fn disk(states: &StateFolder) -> Check {
    let folder = nearest_existing(states.root());
    let free = match rustix::fs::statvfs(&folder) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return check(
                "disk",
                CheckStatus::Warn,
                format!("cannot be looked at: {error}"),
                "",
            );
        }
    };
    let status = match free {
        _ if free < DISK_FAIL_BYTES => CheckStatus::Fail,
        _ if free < DISK_WARN_BYTES => CheckStatus::Warn,
        _ => CheckStatus::Ok,
    };
    let remedy = match status {
        CheckStatus::Ok => "",
        _ => "Free some space, or set DEVNET_STATE to a folder on another disk.",
    };
    check(
        "disk",
        status,
        format!("{} MiB free at {}", free / MIB, folder.display()),
        remedy,
    )
}

fn ports() -> Check {
    let free = prepare::free_ports("doctor", PORTS_WANTED, &std::collections::BTreeSet::new());
    if free.len() == PORTS_WANTED {
        let detail = format!("at least {PORTS_WANTED} free on 127.0.0.1");
        return check("ports", CheckStatus::Ok, detail, "");
    }
    let detail = format!(
        "only {} free on 127.0.0.1 between 20000 and 32000",
        free.len()
    );
    check(
        "ports",
        CheckStatus::Warn,
        detail,
        "`ss -ltnp` shows who listens; end what you can.",
    )
}

fn cgroup() -> Check {
    let root = Path::new("/sys/fs/cgroup");
    let detail = if root.join("cgroup.controllers").exists() {
        "version 2"
    } else if root.is_dir() {
        "version 1"
    } else {
        "none to be seen"
    };
    check("cgroup", CheckStatus::Ok, detail.into(), "")
}

/// Nothing here needs it; people who shape traffic by hand do.
fn netem() -> Check {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let modules = Path::new("/lib/modules").join(release);
    let is_listed = |file: &str| {
        std::fs::read_to_string(modules.join(file)).is_ok_and(|text| text.contains("sch_netem"))
    };
    let has_netem = Path::new("/sys/module/sch_netem").exists()
        || ["modules.builtin", "modules.dep"]
            .into_iter()
            .any(is_listed);
    let detail = match has_netem {
        true => "the kernel can delay packets",
        false => "not in this kernel; devnet does not need it, `tc … netem` would",
    };
    check("netem", CheckStatus::Ok, detail.into(), "")
}

fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

fn check(name: &str, status: CheckStatus, detail: String, remedy: &str) -> Check {
    Check {
        name: name.into(),
        status,
        detail,
        remedy: remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_that_is_not_there_yet_is_judged_by_its_parent() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path().join("a/b"));
        assert_eq!(state_folder(&states).status, CheckStatus::Ok);
        assert_eq!(nearest_existing(states.root()), root.path());
    }

    #[test]
    fn a_file_in_the_place_of_the_state_folder_fails() {
        let states = StateFolder::at("/proc/version/devnet");
        let found = state_folder(&states);
        assert_eq!(found.status, CheckStatus::Fail);
        assert!(found.remedy.contains("DEVNET_STATE"));
    }

    #[test]
    fn no_free_subnet_fails_with_advice() {
        let used: Vec<UsedSubnet> = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
            .iter()
            .filter_map(|text| UsedSubnet::parse(text, "route"))
            .collect();
        assert_eq!(subnet(&used).status, CheckStatus::Fail);
        assert_eq!(subnet(&[]).status, CheckStatus::Ok);
    }
}
