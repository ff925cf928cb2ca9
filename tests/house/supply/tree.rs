//! The crates that are built, as cargo chooses them with the features in use.

use std::collections::BTreeSet;
use std::process::Command;

/// What our programs run on.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
];

/// What a node's image is made for here.
const IMAGE_TARGET: &str = "x86_64-unknown-linux-gnu";

/// The packages whose programs are given to users.
const PROGRAMS: &[&str] = &["minichain-node", "devnet", "devnet-netfault"];

/// A crate of somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    pub name: String,
    pub version: String,
    /// As its manifest has it; empty without one.
    pub licence: String,
}

/// All that is needed to build the programs.
pub fn of_programs() -> BTreeSet<Crate> {
    let mut arguments = vec!["--edges", "normal,build"];
    for program in PROGRAMS {
        arguments.extend(["--package", program]);
    }
    foreign(&arguments)
}

/// All that is needed to build and test the whole workspace.
pub fn of_everything() -> BTreeSet<Crate> {
    foreign(&["--edges", "normal,build,dev", "--workspace"])
}

/// The crates that are linked into a package's program by a build of all
/// programs, which share the features of what they share; itself among them.
pub fn linked(package: &str) -> BTreeSet<Crate> {
    let mut arguments = vec!["--edges", "normal,no-proc-macro", "--no-dedupe"];
    arguments.extend(["--prefix", "depth", "--target", IMAGE_TARGET]);
    for program in PROGRAMS {
        arguments.extend(["--package", program]);
    }
    let mut found = BTreeSet::new();
    let mut is_wanted = false;
    for line in tree(&arguments).lines().filter(|line| !line.is_empty()) {
        let digits = line.find(|letter: char| !letter.is_ascii_digit());
        let (depth, line) = line.split_at(digits.expect("a name follows"));
        let one = read(line);
        if depth == "0" {
            is_wanted = one.name == package;
        }
        if is_wanted {
            found.insert(one);
        }
    }
    assert!(found.len() > 5, "{package}: {found:?}");
    found
}

fn foreign(arguments: &[&str]) -> BTreeSet<Crate> {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--prefix", "none"]);
    for target in TARGETS {
        arguments.extend(["--target", target]);
    }
    let text = tree(&arguments);
    let lines = text.lines().filter(|line| !line.is_empty());
    let found: BTreeSet<Crate> = lines.filter(|line| !is_ours(line)).map(read).collect();
    assert!(found.len() > 100, "{} crates only", found.len());
    found
}

fn tree(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["tree", "--locked", "--format", "{p}|{l}"])
        .args(arguments);
    let out = command
        .current_dir(crate::root())
        .output()
        .expect("cargo tells the tree");
    assert!(
        out.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).expect("cargo writes UTF-8")
}

/// Our own packages have their folder in their line.
fn is_ours(line: &str) -> bool {
    line.contains(" (/")
}

/// A line like `name v1.2.3 (proc-macro)|MIT (*)`.
fn read(line: &str) -> Crate {
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let (package, licence) = line.split_once('|').expect("the format has a bar");
    let mut words = package.split(' ');
    let name = words.next().expect("a name").to_owned();
    let version = words.next().and_then(|word| word.strip_prefix('v'));
    Crate {
        name,
        version: version.expect("a version").to_owned(),
        licence: licence.to_owned(),
    }
}

#[test]
fn lines_of_the_tree_are_read() {
    let line = "serde_derive v1.0.229 (proc-macro)|MIT OR Apache-2.0 (*)";
    let wanted = Crate {
        name: "serde_derive".into(),
        version: "1.0.229".into(),
        licence: "MIT OR Apache-2.0".into(),
    };
    assert_eq!(read(line), wanted);
    assert!(is_ours("devnet v0.1.0 (/home/me/devnet)|MIT") && !is_ours(line));
}
