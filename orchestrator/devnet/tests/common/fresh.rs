//! Whether a built program is newer than all it is made of.
//!
//! A whole `cargo test` builds programs with the features that tests ask of
//! their dependencies; asking cargo for the programs alone then builds all of
//! them again without these, which takes minutes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Whether `program` exists and no file it was made of has changed since,
/// according to the list that cargo writes beside it.
pub fn is_fresh(program: &Path) -> bool {
    changed_since(program).is_ok_and(|changed| changed.is_none())
}

/// A file that is as new as the program, if there is one.
fn changed_since(program: &Path) -> io::Result<Option<PathBuf>> {
    let built = modified(program)?;
    let list = fs::read_to_string(program.with_extension("d"))?;
    let mut files = sources(&list);
    if files.is_empty() {
        return Err(io::Error::other("the list of sources is empty"));
    }
    let manifests: BTreeSet<_> = files.iter().flat_map(|file| manifests_of(file)).collect();
    files.extend(manifests);
    for file in files {
        if modified(&file)? >= built {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The files in a list in make's form, in which a blank inside a name is
/// written with a backslash.
fn sources(list: &str) -> Vec<PathBuf> {
    let first = list.lines().next().unwrap_or_default();
    let (_, names) = first.split_once(": ").unwrap_or_default();
    let names = names.replace("\\ ", "\0");
    names
        .split_whitespace()
        .map(|name| PathBuf::from(name.replace('\0', " ")))
        .collect()
}

/// `Cargo.toml` and `Cargo.lock` of all folders above a source.
fn manifests_of(source: &Path) -> Vec<PathBuf> {
    let folders = source.ancestors().skip(1);
    folders
        .flat_map(|folder| ["Cargo.toml", "Cargo.lock"].map(|name| folder.join(name)))
        .filter(|file| file.is_file())
        .collect()
}

fn modified(file: &Path) -> io::Result<SystemTime> {
    fs::metadata(file)?.modified()
}

#[test]
fn a_program_is_fresh_until_something_it_is_made_of_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    let at = |name: &str, second| {
        let made = fs::File::options()
            .append(true)
            .create(true)
            .open(file(name));
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        made.and_then(|file| file.set_modified(time))
            .expect("a file");
    };
    let program = file("program");
    at("program", 20);
    assert!(!is_fresh(&program), "nobody knows what it is made of");
    let list = format!(
        "{}: {} {}\n",
        program.display(),
        file("one\\ part.rs").display(),
        file("other.rs").display()
    );
    fs::write(file("program.d"), list).expect("a list");
    at("one part.rs", 10);
    assert!(!is_fresh(&program), "a source is gone");
    at("other.rs", 10);
    assert!(is_fresh(&program));
    for changed in ["one part.rs", "other.rs", "Cargo.lock"] {
        at(changed, 20);
        assert!(!is_fresh(&program), "{changed} has changed");
        at(changed, 10);
        assert!(is_fresh(&program));
    }
}
