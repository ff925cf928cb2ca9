//! Finds the node's binary on this machine, and that of the helper which goes
//! into images beside it.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::engine::{EngineError, ErrorKind};

/// Environment variable that names the node's binary.
pub const BINARY_ENV: &str = "MINICHAIN_BIN";
/// File name of the node's binary.
pub const BINARY_NAME: &str = "minichain";

/// Environment variable that names the helper which filters packets.
pub const NETFAULT_ENV: &str = "DEVNET_NETFAULT";
/// How to come by the helper, as a fragment of a sentence.
pub const NETFAULT_REMEDY: &str = "build it with `cargo build --release -p devnet-netfault`, or \
                                   name it with DEVNET_NETFAULT, then run `devnet up` again";

const REMEDY: &str = "Build it with `cargo build --release -p minichain-node`, or name one with \
                      `--binary PATH`.";

/// A binary, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBinary {
    /// Absolute path.
    pub path: PathBuf,
    /// For people: `given`, `from MINICHAIN_BIN`, `beside devnet`, `in PATH`.
    pub origin: String,
}

/// The binary given, else the one `$MINICHAIN_BIN` names, else the one beside
/// this program, else the first in `$PATH`.
///
/// # Errors
/// None is there, or the one named cannot be run; the remedy says how to build.
pub fn find_binary(given: Option<&Path>) -> Result<FoundBinary, EngineError> {
    let own = env::current_exe().ok();
    search(given, own.as_deref(), |name| env::var_os(name))
}

/// The helper's binary, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHelper {
    /// Absolute path.
    pub path: PathBuf,
    /// Whether the user named it, rather than that it was come upon.
    pub is_named: bool,
}

/// The helper that `$DEVNET_NETFAULT` names, else the one beside this program
/// or beside the node's binary `node`, else the first in `$PATH`.
///
/// # Errors
/// The one named is not there or cannot be run.
pub fn find_netfault(node: &Path) -> Result<Option<FoundHelper>, EngineError> {
    let own = env::current_exe().ok();
    search_netfault(node, own.as_deref(), |name| env::var_os(name))
}

fn search_netfault(
    node: &Path,
    own: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<FoundHelper>, EngineError> {
    if let Some(path) = variable(NETFAULT_ENV).filter(|value| !value.is_empty()) {
        let origin = format!("from {NETFAULT_ENV}");
        let found = named(Path::new(&path), &origin)
            .map_err(|error| error.remedy(format!("To have one, {NETFAULT_REMEDY}.")))?;
        return Ok(Some(FoundHelper {
            path: found.path,
            is_named: true,
        }));
    }
    let paths = variable("PATH").unwrap_or_default();
    let found = own
        .into_iter()
        .flat_map(beside)
        .chain(beside(node))
        .chain(env::split_paths(&paths))
        .map(|folder| folder.join(devnet_netfault::BINARY_NAME))
        .find(|path| is_program(path));
    let helper = |path: PathBuf| {
        absolute(&path, "").map(|found| FoundHelper {
            path: found.path,
            is_named: false,
        })
    };
    found.map(helper).transpose()
}

fn search(
    given: Option<&Path>,
    own: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<FoundBinary, EngineError> {
    if let Some(path) = given {
        return named(path, "given");
    }
    if let Some(path) = variable(BINARY_ENV).filter(|value| !value.is_empty()) {
        return named(Path::new(&path), &format!("from {BINARY_ENV}"));
    }
    let paths = variable("PATH").unwrap_or_default();
    let in_path = env::split_paths(&paths).map(|folder| (folder, "in PATH"));
    let found = own
        .into_iter()
        .flat_map(beside)
        .map(|folder| (folder, "beside devnet"))
        .chain(in_path)
        .map(|(folder, origin)| (folder.join(BINARY_NAME), origin))
        .find(|(path, _)| is_program(path));
    match found {
        Some((path, origin)) => absolute(&path, origin),
        None => Err(EngineError::new(
            ErrorKind::Program,
            format!("cannot find the node's binary `{BINARY_NAME}`"),
            "it is neither beside devnet nor in PATH",
        )
        .remedy(REMEDY)),
    }
}

/// The program's folder; of a test or example also the one above, where Cargo
/// puts binaries.
fn beside(own: &Path) -> Vec<PathBuf> {
    let Some(folder) = own.parent() else {
        return Vec::new();
    };
    let is_inner = folder.ends_with("deps") || folder.ends_with("examples");
    let above = folder.parent().filter(|_| is_inner);
    std::iter::once(folder)
        .chain(above)
        .map(Path::to_owned)
        .collect()
}

fn named(path: &Path, origin: &str) -> Result<FoundBinary, EngineError> {
    let problem = match path.metadata() {
        Err(error) => Some(error.to_string()),
        Ok(metadata) if !metadata.is_file() => Some("it is not a file".into()),
        Ok(_) if !is_program(path) => Some("it is not executable".into()),
        Ok(_) => None,
    };
    match problem {
        None => absolute(path, origin),
        Some(problem) => {
            let action = format!("cannot use the binary {} ({origin})", path.display());
            Err(EngineError::new(ErrorKind::Program, action, problem).remedy(REMEDY))
        }
    }
}

fn absolute(path: &Path, origin: &str) -> Result<FoundBinary, EngineError> {
    let path = std::path::absolute(path).map_err(|error| {
        let action = format!("cannot resolve {}", path.display());
        EngineError::new(ErrorKind::Program, action, error)
    })?;
    Ok(FoundBinary {
        path,
        origin: origin.to_owned(),
    })
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Disk {
        root: tempfile::TempDir,
    }

    impl Disk {
        fn new() -> Self {
            Self {
                root: tempfile::tempdir().expect("a temporary folder"),
            }
        }

        fn file(&self, name: &str, mode: u32) -> PathBuf {
            let path = self.root.path().join(name);
            fs::create_dir_all(path.parent().expect("it has a parent")).expect("a writable disk");
            fs::write(&path, b"").expect("a writable disk");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
            path
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }
    }

    fn origin(found: Result<FoundBinary, EngineError>) -> String {
        found.expect("a binary").origin
    }

    #[test]
    fn given_wins_over_variable_over_neighbour_over_path() {
        let disk = Disk::new();
        let given = disk.file("given", 0o755);
        let named = disk.file("named", 0o755);
        disk.file("bin/minichain", 0o755);
        disk.file("path/minichain", 0o755);
        let own = disk.path("bin/devnet");
        let both = |name: &str| match name {
            BINARY_ENV => Some(named.clone().into_os_string()),
            "PATH" => Some(disk.path("path").into_os_string()),
            _ => None,
        };
        let path_only = |name: &str| both(name).filter(|_| name == "PATH");
        assert_eq!(origin(search(Some(&given), Some(&own), both)), "given");
        assert_eq!(origin(search(None, Some(&own), both)), "from MINICHAIN_BIN");
        assert_eq!(origin(search(None, Some(&own), path_only)), "beside devnet");
        assert_eq!(origin(search(None, None, path_only)), "in PATH");
    }

    #[test]
    fn a_test_finds_the_binary_above_its_folder() {
        let disk = Disk::new();
        let binary = disk.file("debug/minichain", 0o755);
        let found = search(None, Some(&disk.path("debug/deps/e2e-123")), |_| None);
        assert_eq!(found.expect("a binary").path, binary);
    }

    #[test]
    fn none_at_all_says_how_to_build_one() {
        let error = search(None, None, |_| None).expect_err("there is none");
        assert_eq!(error.kind, ErrorKind::Program);
        assert!(error.remedy.contains("cargo build"), "{error}");
    }

    #[test]
    fn a_named_binary_that_cannot_run_is_refused_and_not_replaced() {
        let disk = Disk::new();
        disk.file("bin/minichain", 0o755);
        let own = disk.path("bin/devnet");
        let refused = |path: &Path| {
            search(Some(path), Some(&own), |_| None)
                .expect_err("unusable")
                .to_string()
        };
        assert!(refused(&disk.path("missing")).contains("missing"));
        assert!(refused(disk.root.path()).contains("not a file"));
        assert!(refused(&disk.file("plain", 0o644)).contains("not executable"));
    }
    #[test]
    fn the_helper_stands_beside_devnet_or_beside_the_node() {
        let disk = Disk::new();
        let node = disk.path("other/minichain");
        let own = disk.path("bin/devnet");
        let found = || search_netfault(&node, Some(&own), |_| None).expect("no bad name");
        assert_eq!(found(), None);
        let beside_node = disk.file("other/devnet-netfault", 0o755);
        assert_eq!(found().map(|found| found.path), Some(beside_node));
        let beside_own = disk.file("bin/devnet-netfault", 0o755);
        assert_eq!(found().map(|found| found.path), Some(beside_own));
    }

    #[test]
    fn a_named_helper_that_is_not_there_is_refused() {
        let disk = Disk::new();
        disk.file("bin/devnet-netfault", 0o755);
        let missing = disk.path("missing");
        let variable =
            |name: &str| (name == NETFAULT_ENV).then(|| missing.clone().into_os_string());
        let own = disk.path("bin/devnet");
        let error = search_netfault(&own, Some(&own), variable).expect_err("there is none");
        assert!(error.to_string().contains("DEVNET_NETFAULT"), "{error}");
        assert!(error.remedy.contains("devnet-netfault"), "{error}");
    }
}
