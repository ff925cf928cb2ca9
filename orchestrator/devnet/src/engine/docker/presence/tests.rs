//! Engines of a few lines that come and go.

use std::path::Path;

use bollard::API_DEFAULT_VERSION;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::*;

const PONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
const EVENTS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves a socket; streams of events last for `events`, or are forbidden.
fn engine(path: &Path, events: Option<Duration>) -> JoinHandle<()> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        // Connections end with the engine.
        let mut open = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.spawn(answer(stream, events));
        }
    })
}

async fn answer(mut stream: UnixStream, events: Option<Duration>) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).await.unwrap_or(0);
    let is_events = String::from_utf8_lossy(&request[..read]).contains("/events");
    let answer = match (is_events, events) {
        (false, _) => PONG,
        (true, None) => FORBIDDEN,
        (true, Some(_)) => EVENTS,
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    if let Some(lasts) = events.filter(|_| is_events) {
        sleep(lasts).await;
    }
}

fn client(path: &Path) -> Docker {
    let path = path.to_str().unwrap();
    Docker::connect_with_unix(path, 60, API_DEFAULT_VERSION).unwrap()
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn an_engine_that_dies_and_comes_back_is_told_both_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    for events in [Some(LONG), None] {
        let first = engine(&path, events);
        let mut told = presence(client(&path));
        let nothing = timeout(STEADY * 2, told.next()).await;
        assert!(nothing.is_err(), "it is there: {nothing:?}");
        first.abort();
        assert!(matches!(told.next().await, Some(Presence::Away(_))));
        let _second = engine(&path, events);
        assert_eq!(told.next().await, Some(Presence::Back));
    }
}

#[tokio::test]
async fn a_restart_between_two_questions_is_seen_by_the_stream_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _engine = engine(&path, Some(STEADY * 2));
    let mut told = presence(client(&path));
    assert!(matches!(told.next().await, Some(Presence::Away(_))));
    assert_eq!(told.next().await, Some(Presence::Back));
}

#[tokio::test]
async fn who_ends_streams_of_events_at_once_is_no_engine_that_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _engine = engine(&path, Some(Duration::ZERO));
    let mut told = presence(client(&path));
    let nothing = timeout(STEADY * 3, told.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}
