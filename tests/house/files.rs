//! How long a file may be, how it begins, and what stands at the root.

use std::fs;
use std::path::Path;

const LINES_MAX: usize = 400;

/// What may stand at the root, beside dot-files.
const ROOT: &[&str] = &[
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "dashboards",
    "deploy",
    "node",
    "orchestrator",
    "rustfmt.toml",
    "tests",
];

#[test]
fn no_source_file_is_longer_than_400_lines_without_its_tests() {
    let mut broken = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("sources are UTF-8");
        let lines = text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .count();
        if lines > LINES_MAX {
            broken.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut broken = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("sources are UTF-8");
        if !text.starts_with("//!") && !text.starts_with("#![") {
            broken.push(path.display().to_string());
        }
    }
    assert!(
        broken.is_empty(),
        "without a //! line on top:\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_root_holds_only_what_belongs_there() {
    let root = crate::root();
    let mut strangers = Vec::new();
    for path in crate::tracked(".") {
        let inside = path
            .strip_prefix(&root)
            .expect("tracked files are below the root");
        let first = inside.components().next().expect("a file has a name");
        let name = first.as_os_str().to_string_lossy().into_owned();
        if !name.starts_with('.') && !ROOT.contains(&name.as_str()) {
            strangers.push(name);
        }
    }
    strangers.dedup();
    assert!(
        strangers.is_empty(),
        "strangers at the root: {}",
        strangers.join(", ")
    );
}

/// A room is a folder with a package, or one of the data beside them.
#[test]
fn the_readme_has_one_row_for_every_room() {
    let root = crate::root();
    let packages = crate::tracked("node")
        .into_iter()
        .chain(crate::tracked("orchestrator"));
    let mut rooms: Vec<String> = packages
        .filter(|path| path.ends_with("Cargo.toml"))
        .filter_map(|path| {
            let folder = path.parent()?.strip_prefix(&root).ok()?;
            Some(folder.to_string_lossy().into_owned())
        })
        .chain(["deploy", "dashboards", "tests"].map(str::to_owned))
        .collect();
    rooms.sort();
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let mut rows = rows_of_rooms(&readme);
    rows.sort();
    assert_eq!(
        rows, rooms,
        "rows of the README's table of rooms, and the rooms"
    );
}

/// What the rows of the table headed `room` link to.
fn rows_of_rooms(readme: &str) -> Vec<String> {
    let table = readme
        .lines()
        .skip_while(|line| !line.starts_with("| room |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let link = |row: &str| Some(row.split_once("](")?.1.split_once(')')?.0.to_owned());
    table
        .map(|row| link(row).expect("every row links to its room"))
        .collect()
}

/// Rust sources that ship: no tests, benches or fuzz targets.
fn sources() -> Vec<std::path::PathBuf> {
    let all = ["node", "orchestrator"]
        .into_iter()
        .flat_map(crate::tracked);
    all.filter(|path| is_shipped_source(path)).collect()
}

fn is_shipped_source(path: &Path) -> bool {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let inside = path
        .strip_prefix(crate::root())
        .expect("tracked files are below the root");
    let is_test = inside.components().any(|part| {
        ["tests", "benches", "tests.rs"].contains(&part.as_os_str().to_string_lossy().as_ref())
    });
    is_rust && !is_test
}
