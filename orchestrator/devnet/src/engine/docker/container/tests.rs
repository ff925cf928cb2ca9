//! Removals that an engine refuses at first, by a stand-in for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::*;

const VERSION: &str = r#"{"ApiVersion": "1.49", "MinAPIVersion": "1.24", "Version": "28.2.2", "Os": "linux", "Arch": "amd64"}"#;
/// What Docker says of a killed process that still stands in the table.
const ZOMBIE: &str = r#"{"message": "Could not kill running container c0ffee, cannot remove - container c0ffee PID 30018 is zombie and can not be killed."}"#;
const BUSY: &str =
    r#"{"message": "driver failed to remove root filesystem: device or resource busy"}"#;

/// Answers everything, and refuses the first `refusals` removals with `why`.
/// Counts the removals it is asked for.
fn serve(path: &Path, refusals: usize, why: &'static str) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(path).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let (status, body) = if !request[..read].starts_with(b"DELETE ") {
                ("200 OK", VERSION)
            } else if count.fetch_add(1, Ordering::Relaxed) < refusals {
                ("500 Internal Server Error", why)
            } else {
                ("204 No Content", "")
            };
            let head = "Content-Type: application/json\r\nConnection: close";
            let len = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {len}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    asked
}

/// What removing a container came to, and how often the engine was asked.
async fn removed(refusals: usize, why: &'static str) -> (Result<(), EngineError>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let asked = serve(&path, refusals, why);
    let host = format!("unix://{}", path.display());
    let engine =
        DockerEngine::connect_by(|name| (name == "DOCKER_HOST").then(|| host.clone().into()));
    let engine = engine.await.unwrap();
    let outcome = engine
        .remove_container("c0ffee", "miner-0", Removal::Unwanted)
        .await;
    (outcome, asked.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_killed_process_that_was_not_taken_note_of_yet_is_waited_for() {
    let (outcome, asked) = removed(3, ZOMBIE).await;
    outcome.unwrap();
    assert_eq!(asked, 4);
}

#[tokio::test]
async fn what_the_engine_cannot_do_is_told_at_once() {
    let (outcome, asked) = removed(usize::MAX, BUSY).await;
    let error = outcome.unwrap_err();
    assert!(error.detail.contains("resource busy"), "{error}");
    assert_eq!(asked, 1);
}
