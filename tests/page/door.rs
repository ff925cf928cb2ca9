//! Who is let in.

use std::time::Duration;

use minichain_tests::network::wait_until;
use minichain_tests::served::Served;
use serde_json::Value;

/// A server, its network, and the token.
fn served() -> (Served, String) {
    let served = Served::up(&["--nodes", "1", "--miners", "1", "--block-time", "2s"]);
    let token = served
        .url
        .split_once("token=")
        .expect("a token")
        .1
        .to_owned();
    (served, token)
}

#[test]
fn other_sites_names_and_strangers_are_refused() {
    let (served, token) = served();
    let port = served.port();
    let status = |headers: &[(&str, &str)]| {
        served
            .get("/api/stream-of-nothing", headers)
            .map(|(status, _)| status)
    };
    assert_eq!(status(&[]), Ok(404), "let in, and not found");
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1.evil.example",
    ] {
        assert_eq!(status(&[("Host", host)]), Ok(403), "{host}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(
            status(&[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "cors")]),
            Ok(403)
        );
    }
    assert_eq!(status(&[("Origin", "http://evil.example")]), Ok(403));

    let heal = r#"{"do":"heal","nodes":[]}"#;
    let act = |headers: &[(&str, &str)]| {
        served
            .post("/api/act", headers, heal)
            .map(|(status, _)| status)
    };
    let bearer = format!("Bearer {token}");
    assert_eq!(act(&[]), Ok(403));
    assert_eq!(act(&[("Authorization", "Bearer 00")]), Ok(403));
    assert_eq!(
        act(&[
            ("Authorization", &bearer),
            ("Origin", "http://evil.example")
        ]),
        Ok(403)
    );
    assert_eq!(act(&[("Authorization", &bearer)]), Ok(200));
    let pay = served
        .post("/api/send", &[], "{}")
        .map(|(status, _)| status);
    assert_eq!(pay, Ok(403));
}

#[test]
fn odd_wishes_are_refused_with_a_reason() {
    let (served, token) = served();
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    for (wish, part) in [
        ("", "cannot be read"),
        (r#"{"do":"explode"}"#, "explode"),
        (
            r#"{"do":"cut","shape":{"groups":["nobody"]}}"#,
            "there is no node, group or zone `nobody`",
        ),
        (
            r#"{"do":"node","nodes":["nobody"],"act":"kill"}"#,
            "there is no node, group or zone `nobody`",
        ),
        (
            r#"{"do":"node","nodes":[],"act":"kill"}"#,
            "no node is named",
        ),
        (
            r#"{"do":"links","links":[],"latency":"-5ms"}"#,
            "`-5ms` is not a time",
        ),
        (
            r#"{"do":"upgrade","nodes":["miner-0"],"image":"minichain:next"}"#,
            "this network runs plain processes",
        ),
        (r#"{"do":"lift","id":77}"#, "over already"),
    ] {
        let (status, body) = served.post("/api/act", &headers, wish).expect("an answer");
        assert_eq!(status, 400, "{wish}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains(part), "{wish}: {message}");
    }
    let large = format!(r#"{{"do":"heal","nodes":["{}"]}}"#, "x".repeat(300_000));
    let refused = served.post("/api/act", &headers, &large);
    assert_eq!(refused.map(|(status, _)| status), Ok(413));
}

#[test]
fn no_password_of_a_node_reaches_the_page() {
    let (served, _) = served();
    let status = served.network.status();
    let auth = status["nodes"][0]["rpc_auth"]
        .as_str()
        .expect("credentials")
        .to_owned();
    let password = auth
        .split_once(':')
        .expect("user and password")
        .1
        .to_owned();
    for path in [
        "/api/node/miner-0",
        "/api/accounts",
        "/api/mempool",
        "/api/find/0",
    ] {
        let body = wait_until(Duration::from_secs(30), || match served.get(path, &[])? {
            (200, body) => Ok(body),
            other => Err(format!("{path}: {other:?}")),
        });
        assert!(!body.contains(&password), "{path}");
    }
    let stream = served.first_event();
    assert!(
        stream.contains("miner-0") && !stream.contains(&password),
        "{stream}"
    );
}

#[test]
fn every_answer_bears_a_strict_policy() {
    let (served, _) = served();
    for path in [
        "/",
        "/js/main.js",
        "/api/accounts",
        "/no-such-page",
        "/learn/index.js",
    ] {
        let policy = served.header(path, "content-security-policy");
        assert!(policy.contains("default-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            served.header(path, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
    }
}
