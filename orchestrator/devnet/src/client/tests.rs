//! The client against a canned server on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Client, ClientError, Credentials, metrics};

const PATIENT: Duration = Duration::from_secs(5);

/// Serves one connection with `answer` and hands back what it was asked.
async fn canned(answer: String) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let task = tokio::spawn(async move {
        let (mut stream, _peer) = listener.accept().await.expect("a client");
        let mut asked = Vec::new();
        let mut chunk = [0; 4096];
        // Requests of these tests end in a JSON body or in an empty line.
        loop {
            let count = stream.read(&mut chunk).await.expect("a readable request");
            asked.extend_from_slice(&chunk[..count]);
            if count == 0 || asked.ends_with(b"}") || asked.starts_with(b"GET") {
                break;
            }
        }
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("a writable client");
        String::from_utf8(asked).expect("requests are text")
    });
    (address, task)
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn client(address: SocketAddr, timeout: Duration) -> Client {
    let credentials = Credentials {
        user: "devnet".into(),
        password: "secret".into(),
    };
    Client::new(address, Some(credentials), timeout)
}

#[tokio::test]
async fn a_call_carries_method_parameters_and_password() {
    let (address, server) = canned(http("200 OK", r#"{"id":1,"result":7,"error":null}"#)).await;
    let height: u32 = client(address, PATIENT)
        .call("getblockcount", json!([3]))
        .await
        .expect("an answer");
    assert_eq!(height, 7);
    let asked = server.await.expect("the server ends");
    assert!(
        asked.contains("authorization: Basic ZGV2bmV0OnNlY3JldA=="),
        "{asked}"
    );
    assert!(asked.contains(r#""method":"getblockcount""#), "{asked}");
    assert!(asked.contains(r#""params":[3]"#), "{asked}");
}

#[tokio::test]
async fn an_rpc_error_keeps_code_and_message() {
    let body = r#"{"id":1,"result":null,"error":{"code":-8,"message":"out of range"}}"#;
    let (address, _server) = canned(http("500 Internal Server Error", body)).await;
    let error = client(address, PATIENT)
        .call::<u32>("getblockhash", json!([9]))
        .await;
    let error = error.expect_err("the node refused");
    assert_eq!(
        error.to_string(),
        "answered getblockhash with error -8: out of range"
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_apart() {
    let (address, _server) = canned(http("401 Unauthorized", "")).await;
    let error = client(address, PATIENT)
        .call::<u32>("uptime", json!([]))
        .await;
    assert!(
        matches!(error, Err(ClientError::Unauthorized { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_foreign_server_is_told_apart() {
    let (address, _server) = canned(http("200 OK", "<html>")).await;
    let error = client(address, PATIENT)
        .call::<u32>("uptime", json!([]))
        .await;
    assert!(
        matches!(error, Err(ClientError::NotOurs { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_time_limit() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let error = client(address, Duration::from_millis(50))
        .call::<u32>("uptime", json!([]))
        .await;
    assert!(
        matches!(error, Err(ClientError::TimedOut { timeout_ms: 50, .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    drop(listener);
    let error = client(address, PATIENT)
        .call::<u32>("uptime", json!([]))
        .await;
    assert!(
        matches!(error, Err(ClientError::Unreachable { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn metrics_come_back_as_text() {
    let (address, _server) = canned(http("200 OK", "minichain_reorgs_total 0\n")).await;
    let text = metrics(address, PATIENT).await.expect("an answer");
    assert_eq!(text, "minichain_reorgs_total 0\n");
}

#[test]
fn debug_output_hides_the_password() {
    let credentials = Credentials {
        user: "devnet".into(),
        password: "secret".into(),
    };
    assert!(!format!("{credentials:?}").contains("secret"));
}

#[tokio::test]
async fn a_connection_that_is_dropped_is_told_in_plain_words() {
    let (address, _server) = canned(String::new()).await;
    let error = client(address, PATIENT)
        .call::<u32>("uptime", json!([]))
        .await;
    let error = error.expect_err("no answer").to_string();
    assert!(error.ends_with("the connection was closed"), "{error}");
}
