//! The state folder on a real disk.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn folder() -> (tempfile::TempDir, StateFolder) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let state = StateFolder::at(root.path().join("state"));
    (root, state)
}

fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    |wanted| {
        pairs
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.into())
    }
}

#[test]
fn the_first_variable_that_is_set_wins() {
    let at = |pairs| {
        StateFolder::locate(environment(pairs))
            .expect("a place")
            .root
    };
    assert_eq!(
        at(&[
            ("DEVNET_STATE", "/s"),
            ("XDG_STATE_HOME", "/x"),
            ("HOME", "/h")
        ]),
        Path::new("/s")
    );
    assert_eq!(
        at(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]),
        Path::new("/x/devnet")
    );
    assert_eq!(
        at(&[("DEVNET_STATE", ""), ("HOME", "/h")]),
        Path::new("/h/.local/state/devnet")
    );
}

#[test]
fn without_any_variable_there_is_no_place() {
    let error = StateFolder::locate(environment(&[])).expect_err("nowhere to go");
    assert!(error.to_string().contains("DEVNET_STATE"), "{error}");
}

#[test]
fn a_relative_folder_becomes_absolute() {
    let state = StateFolder::locate(environment(&[("DEVNET_STATE", "here")])).expect("a place");
    assert!(state.root().is_absolute());
}

#[test]
fn a_record_survives_and_is_private() {
    let (_root, state) = folder();
    let network = state.network("alpha");
    assert_eq!(
        network.read_record::<Vec<u8>>().expect("no record is fine"),
        None
    );
    network
        .write_record(&vec![1_u8, 2])
        .expect("a writable disk");
    assert_eq!(
        network.read_record::<Vec<u8>>().expect("a record"),
        Some(vec![1, 2])
    );
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(network.path()), 0o700);
    assert_eq!(mode(&network.path().join(RECORD_FILE)), 0o600);
    assert_eq!(mode(state.root()), 0o700);
}

#[test]
fn a_broken_record_names_its_file_and_line() {
    let (_root, state) = folder();
    let network = state.network("alpha");
    create_private_folder(network.path()).expect("a writable disk");
    fs::write(network.path().join(RECORD_FILE), b"[1,\n oops").expect("a writable disk");
    let error = network
        .read_record::<Vec<u8>>()
        .expect_err("not JSON")
        .to_string();
    assert!(
        error.contains("network.json") && error.contains("line 2"),
        "{error}"
    );
}

#[test]
fn a_second_call_cannot_lock_and_learns_who_holds() {
    let (_root, state) = folder();
    let network = state.network("alpha");
    let held = network.lock().expect("nobody holds it");
    let error = network.lock().expect_err("it is held").to_string();
    assert!(error.contains("alpha"), "{error}");
    assert!(
        error.contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    state
        .network("beta")
        .lock()
        .expect("another network is free");
    drop(held);
    network.lock().expect("it was given back");
}

#[test]
fn locks_and_removed_networks_leave_no_name_behind() {
    let (_root, state) = folder();
    let network = state.network("alpha");
    let lock = network.lock().expect("nobody holds it");
    network.write_record(&1).expect("a writable disk");
    assert_eq!(state.names().expect("a readable folder"), ["alpha"]);
    network.remove().expect("a removable folder");
    network.remove().expect("removing twice is fine");
    drop(lock);
    assert_eq!(
        state.names().expect("a readable folder"),
        Vec::<String>::new()
    );
    let locks = state.root().join(LOCK_FOLDER);
    assert_eq!(fs::read_dir(locks).expect("a readable folder").count(), 0);
}

#[test]
fn an_unwritable_place_names_the_file() {
    let (root, _state) = folder();
    let file = root.path().join("file");
    fs::write(&file, b"").expect("a writable disk");
    let network = StateFolder::at(&file).network("alpha");
    let error = network
        .write_record(&1)
        .expect_err("a file is no folder")
        .to_string();
    assert!(error.contains("file/alpha"), "{error}");
}

#[test]
fn a_lock_whose_holder_was_killed_is_free_and_known_as_abandoned() {
    let (_root, state) = folder();
    let network = state.network("alpha");
    assert!(!network.lock().expect("nobody holds it").was_abandoned());
    assert!(!network.lock().expect("it was given back").was_abandoned());
    // What a killed process leaves: the file, and no lock on it.
    fs::write(&network.lock, b"12345").expect("a writable disk");
    assert!(network.lock().expect("nobody holds it").was_abandoned());
}
