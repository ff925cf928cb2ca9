//! Facts about the engine for `devnet doctor`: what could keep a network of
//! containers from working here.

use std::path::Path;

use bollard::models::{ImageSummary, SystemInfo};
use bollard::query_parameters::ListImagesOptionsBuilder;

use super::call::{ASK, bounded};
use super::image::CONTENT_LABEL;
use super::{About, DockerEngine, labelled};
use crate::engine::{Check, CheckStatus, EngineError};
use crate::program::{NETFAULT_REMEDY, find_netfault};

const GIB: u64 = 1 << 30;

/// Free bytes below which nothing can work, and below which it may soon not.
const DISK_FAIL_BYTES: u64 = GIB / 2;
const DISK_WARN_BYTES: u64 = 4 * GIB;

/// Images of old binaries, above which they are worth a word.
const IMAGES_WARN_BYTES: u64 = GIB;

/// Memory of the engine's host below which a default network is cramped.
const MEMORY_WARN_BYTES: u64 = GIB;

impl DockerEngine {
    pub(super) async fn check_all(&self) -> Result<Vec<Check>, EngineError> {
        let info = bounded("asking the engine about itself", ASK, self.docker.info()).await?;
        let mut checks = vec![
            engine(&self.about),
            reach(&self.about),
            disk(&info),
            memory(&info),
            limits(&info),
        ];
        checks.extend(kernel(&info));
        checks.push(helper());
        checks.push(self.node_images().await?);
        Ok(checks)
    }

    /// Every changed binary leaves an image behind; they add up.
    async fn node_images(&self) -> Result<Check, EngineError> {
        let filters = labelled(CONTENT_LABEL, None);
        let options = ListImagesOptionsBuilder::default()
            .filters(&filters)
            .build();
        let call = self.docker.list_images(Some(options));
        Ok(images(&bounded("listing images", ASK, call).await?))
    }
}

fn images(found: &[ImageSummary]) -> Check {
    let bytes: u64 = found
        .iter()
        .filter_map(|image| u64::try_from(image.size).ok())
        .sum();
    let detail = format!("{} of nodes, {}", found.len(), size(bytes));
    if bytes < IMAGES_WARN_BYTES {
        return check("images", CheckStatus::Ok, detail, "");
    }
    let remedy = format!(
        "Remove those without a container: `docker image prune -a --filter label={CONTENT_LABEL}`."
    );
    check("images", CheckStatus::Warn, detail, &remedy)
}

/// New images need the helper that filters packets; networks run without it.
fn helper() -> Check {
    let name = "packet filters";
    // No node's binary is chosen yet; the helper usually stands beside devnet.
    match find_netfault(Path::new("")) {
        Ok(Some(found)) => {
            let detail = format!("{} goes into images", found.path.display());
            check(name, CheckStatus::Ok, detail, "")
        }
        Ok(None) => check(
            name,
            CheckStatus::Warn,
            format!(
                "{} is not there; new networks run, but their packets cannot be cut or lost",
                devnet_netfault::BINARY_NAME
            ),
            &format!("To have it, {NETFAULT_REMEDY}."),
        ),
        Err(error) => check(
            name,
            CheckStatus::Fail,
            format!("{}: {}", error.action, error.detail),
            &error.remedy,
        ),
    }
}

fn check(name: &str, status: CheckStatus, detail: String, remedy: &str) -> Check {
    Check {
        name: name.into(),
        status,
        detail,
        remedy: remedy.into(),
    }
}

fn engine(about: &About) -> Check {
    let detail = format!(
        "{} {} at {}, API {}, {}",
        about.product.name(),
        about.version,
        about.address,
        about.api,
        about.architecture
    );
    check("engine", CheckStatus::Ok, detail, "")
}

/// Nodes publish their ports on 127.0.0.1 of the engine's host.
fn reach(about: &About) -> Check {
    let is_here = match about.address.split_once("://") {
        Some(("unix", _)) => true,
        Some((_, host)) => ["127.", "localhost", "[::1]"]
            .iter()
            .any(|here| host.starts_with(here)),
        None => false,
    };
    if is_here {
        return check("engine's host", CheckStatus::Ok, "this one".into(), "");
    }
    check(
        "engine's host",
        CheckStatus::Fail,
        format!(
            "{} is another host; nodes publish their ports on its 127.0.0.1",
            about.address
        ),
        "Run devnet on that host, or unset DOCKER_HOST to use the local engine.",
    )
}

fn disk(info: &SystemInfo) -> Check {
    let folder = info.docker_root_dir.clone().unwrap_or_default();
    // Inside a virtual machine (macOS, Docker Desktop) the folder is not here.
    let Some(free) = free_bytes(Path::new(&folder)) else {
        let detail = format!("{folder} of the engine cannot be looked at from here");
        return check("engine's disk", CheckStatus::Ok, detail, "");
    };
    let status = match free {
        _ if free < DISK_FAIL_BYTES => CheckStatus::Fail,
        _ if free < DISK_WARN_BYTES => CheckStatus::Warn,
        _ => CheckStatus::Ok,
    };
    let remedy = match status {
        CheckStatus::Ok => "",
        _ => {
            "Free some space: `docker system df` shows what Docker holds, `docker image prune` \
              removes images without a use."
        }
    };
    check(
        "engine's disk",
        status,
        format!("{} free in {folder}", size(free)),
        remedy,
    )
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

fn memory(info: &SystemInfo) -> Check {
    let total = info
        .mem_total
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(0);
    let processors = info.ncpu.unwrap_or(0);
    let detail = format!("{}, {processors} processors", size(total));
    if total < MEMORY_WARN_BYTES {
        let remedy = "Give the engine's machine at least 1 GiB, or run few nodes.";
        return check("engine's memory", CheckStatus::Warn, detail, remedy);
    }
    check("engine's memory", CheckStatus::Ok, detail, "")
}

fn limits(info: &SystemInfo) -> Check {
    let missing: Vec<&str> = [
        ("memory", info.memory_limit),
        ("number of processes", info.pids_limit),
    ]
    .into_iter()
    .filter(|(_, supported)| *supported == Some(false))
    .map(|(name, _)| name)
    .collect();
    if missing.is_empty() {
        let detail = "memory and number of processes can be limited".to_owned();
        return check("container limits", CheckStatus::Ok, detail, "");
    }
    check(
        "container limits",
        CheckStatus::Warn,
        format!("the engine cannot limit: {}", missing.join(", ")),
        "Nodes run without these limits. Enable the cgroup controllers (for rootless engines: \
         delegate them, see the engine's manual).",
    )
}

/// What fault injection will use. It can only be told where the engine shares
/// our kernel.
fn kernel(info: &SystemInfo) -> Option<Check> {
    let ours = rustix::system::uname();
    let ours = ours.release().to_string_lossy();
    let theirs = info.kernel_version.as_deref().unwrap_or_default();
    if ours != theirs {
        return Some(check(
            "kernel",
            CheckStatus::Ok,
            format!("the engine runs its own ({theirs}), which cannot be looked at from here"),
            "",
        ));
    }
    let has_netfilter = netfilter()?;
    Some(if has_netfilter {
        check(
            "kernel",
            CheckStatus::Ok,
            format!("{theirs}, with netfilter"),
            "",
        )
    } else {
        check(
            "kernel",
            CheckStatus::Warn,
            format!("{theirs}, without netfilter"),
            "Networks run, but links cannot be cut: load the module nf_tables.",
        )
    })
}

/// Whether the kernel answers on netfilter's socket; asking for it loads the
/// module where there is one.
#[cfg(target_os = "linux")]
fn netfilter() -> Option<bool> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::NETFILTER),
    );
    Some(socket.is_ok())
}

#[cfg(not(target_os = "linux"))]
fn netfilter() -> Option<bool> {
    None
}

fn size(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / u128::from(GIB);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::Product;
    use super::*;

    fn about(address: &str) -> About {
        About {
            product: Product::Docker,
            version: "20.10.24".into(),
            api: "1.41".into(),
            architecture: "amd64".into(),
            kernel: "6.1".into(),
            address: address.into(),
        }
    }

    #[test]
    fn an_engine_elsewhere_is_reported_because_ports_stay_there() {
        for here in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2375",
            "tcp://localhost:1",
        ] {
            assert_eq!(reach(&about(here)).status, CheckStatus::Ok, "{here}");
        }
        let there = reach(&about("tcp://build-box:2375"));
        assert_eq!(there.status, CheckStatus::Fail);
        assert!(there.detail.contains("build-box") && !there.remedy.is_empty());
    }

    #[test]
    fn missing_limits_are_named() {
        let info = SystemInfo {
            memory_limit: Some(false),
            pids_limit: Some(true),
            ..SystemInfo::default()
        };
        let check = limits(&info);
        assert_eq!(
            (check.status, check.detail.contains("memory")),
            (CheckStatus::Warn, true)
        );
        assert_eq!(limits(&SystemInfo::default()).status, CheckStatus::Ok);
    }

    #[test]
    fn a_disk_that_cannot_be_seen_is_no_failure() {
        let info = SystemInfo {
            docker_root_dir: Some("/nonexistent/docker".into()),
            ..SystemInfo::default()
        };
        assert_eq!(disk(&info).status, CheckStatus::Ok);
    }

    #[test]
    fn images_of_old_binaries_are_mentioned_once_they_add_up() {
        let image = |size| ImageSummary {
            size,
            ..ImageSummary::default()
        };
        assert_eq!(images(&[image(15_000_000)]).status, CheckStatus::Ok);
        let many = images(&vec![image(15_000_000); 80]);
        assert_eq!(many.status, CheckStatus::Warn);
        assert!(many.remedy.contains("label=minichain.content"), "{many:?}");
    }

    #[test]
    fn little_memory_is_a_warning() {
        let info = SystemInfo {
            mem_total: Some(1 << 28),
            ncpu: Some(2),
            ..SystemInfo::default()
        };
        let check = memory(&info);
        assert_eq!(
            (check.status, check.detail.as_str()),
            (CheckStatus::Warn, "0.2 GiB, 2 processors")
        );
    }
}
