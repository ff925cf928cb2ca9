//! Programs that a desk may lack and CI must have.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The first of these programs that stands in PATH.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}

/// Where `program` of the Debian package `package` is, if it runs here. Says
/// SKIPPED loudly at a desk without it; in CI that is a failure.
pub fn tool(program: &str, package: &str, test: &str) -> Option<PathBuf> {
    let found = find(&[program]).filter(|path| runs(Command::new(path).arg("--version")));
    if found.is_none() {
        missing(&format!(
            "{test} needs `{program}` (package {package}), which does not run here"
        ));
    }
    found
}

/// Docker Compose: the plugin of `docker`, or the program it was before. Says
/// SKIPPED loudly at a desk without either; in CI that is a failure.
pub fn compose(test: &str) -> Option<Command> {
    let found = [&["docker", "compose"][..], &["docker-compose"]]
        .into_iter()
        .find(|words| runs(command(words).arg("version")));
    if found.is_none() {
        missing(&format!(
            "{test} needs `docker compose` or `docker-compose`, and neither runs here"
        ));
    }
    found.map(command)
}

/// Says why a test is skipped; in CI it fails instead.
pub fn missing(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}, and CI must have it");
    eprintln!("\n*** SKIPPED: {why} ***\n");
}

/// Runs a command that must succeed, and returns all it said.
pub fn must(command: &mut Command) -> String {
    let out = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(out.status.success(), "{command:?}: {}", said(&out));
    said(&out)
}

/// Both streams of a program that has ended.
pub fn said(out: &Output) -> String {
    let stdout = String::from_utf8_lossy(&out.stdout);
    let stderr = String::from_utf8_lossy(&out.stderr);
    format!("{stdout}{stderr}")
}

/// Whether a command ends well; what it says is nobody's business.
pub fn runs(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}
