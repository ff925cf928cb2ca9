//! The source tree is read whole, bounded, and named by its content.

use super::*;

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(DOCKERFILE, "FROM scratch\n");
    write(LOCK_FILE, "version = 4\n");
    write("node/daemon/src/main.rs", "fn main() {}\n");
    write("target/release/minichain", "binary");
    write("node/target/x", "binary");
    write(".git/HEAD", "ref");
    folder
}

#[test]
fn the_root_is_found_from_below_and_output_stays_out() {
    let folder = tree();
    let binary = folder.path().join("target/release/minichain");
    assert_eq!(root_above(&binary).as_deref(), Some(folder.path()));
    let tree = read(folder.path()).unwrap();
    let paths: Vec<&str> = tree.files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        ["Cargo.lock", "deploy/Dockerfile", "node/daemon/src/main.rs"]
    );
    let archive = tree.archive().unwrap();
    assert_eq!(
        tar::Archive::new(archive.as_slice())
            .entries()
            .unwrap()
            .count(),
        3
    );
}

#[test]
fn the_tag_follows_the_sources() {
    let folder = tree();
    let before = read(folder.path()).unwrap().reference();
    assert!(before.starts_with("minichain:source-"), "{before}");
    fs::write(folder.path().join("target/release/minichain"), "other").unwrap();
    assert_eq!(read(folder.path()).unwrap().reference(), before);
    fs::write(
        folder.path().join("node/daemon/src/main.rs"),
        "fn main() { }\n",
    )
    .unwrap();
    assert_ne!(read(folder.path()).unwrap().reference(), before);
}

#[test]
fn a_place_without_sources_has_no_root() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(root_above(folder.path()), None);
}

#[test]
fn a_failed_build_shows_its_last_words_and_the_way_on() {
    let error = EngineError::new(ErrorKind::Refused, "building", "exit code 101");
    let error = explain(error, &["error[E0432]: unresolved import".to_owned()]);
    assert_eq!(error.kind, ErrorKind::Program);
    assert!(
        error.detail.contains("E0432") && error.remedy.contains("--image"),
        "{error}"
    );
}
