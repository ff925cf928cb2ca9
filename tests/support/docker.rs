//! Whether there is a Docker engine, and what it holds.

use std::process::Command;

use crate::tools;

/// Whether Docker tests can run here. Says SKIPPED loudly at a desk without an
/// engine; in CI that is a failure.
pub fn available(test: &str) -> bool {
    let answered = tools::runs(Command::new("docker").arg("info"));
    if !answered {
        tools::missing(&format!(
            "{test} needs a Docker engine, and `docker info` fails here"
        ));
    }
    answered
}

/// Ids of everything that carries the label of the network `name`.
pub fn left_behind(name: &str) -> Vec<String> {
    let filter = format!("label=devnet.name={name}");
    let mut found = Vec::new();
    for (kind, arguments) in [
        ("container", vec!["ps", "-aq"]),
        ("network", vec!["network", "ls", "-q"]),
        ("volume", vec!["volume", "ls", "-q"]),
    ] {
        let ids = docker(&[arguments, vec!["--filter", &filter]].concat());
        found.extend(ids.lines().map(|id| format!("{kind} {id}")));
    }
    found
}

/// Runs `docker` and returns what it prints.
pub fn docker(arguments: &[&str]) -> String {
    let out = Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker runs");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "docker {}: {stderr}",
        arguments.join(" ")
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}
