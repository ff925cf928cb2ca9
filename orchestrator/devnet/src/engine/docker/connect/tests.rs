//! Every way of not finding an engine, each with its own words.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::*;

/// An environment of these variables only.
fn environment(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + use<> {
    let pairs: BTreeMap<String, OsString> = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).into()))
        .collect();
    move |name| pairs.get(name).cloned()
}

async fn failure(host: &str) -> EngineError {
    match connect(environment(&[("DOCKER_HOST", host)])).await {
        Ok(_) => panic!("nobody should answer at {host}"),
        Err(error) => error,
    }
}

/// A socket that answers every request with `answer`, or never.
fn serve(path: &Path, answer: Option<&'static str>) -> tokio::task::JoinHandle<()> {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(answer) = answer else {
                kept.push(stream);
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
}

fn version_answer(body: &str) -> &'static str {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).leak()
}

async fn failure_of_server(answer: Option<&'static str>) -> EngineError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let server = serve(&path, answer);
    let error = failure(&format!("unix://{}", path.display())).await;
    server.abort();
    error
}

#[tokio::test]
async fn a_missing_socket_says_how_to_start_an_engine() {
    let error = failure("unix:///nonexistent/docker.sock").await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(
        error.to_string().contains("/nonexistent/docker.sock"),
        "{error}"
    );
    assert!(error.remedy.contains("systemctl start docker"), "{error}");
    assert!(error.remedy.contains("--engine process"), "{error}");
}

#[tokio::test]
async fn a_socket_without_a_listener_is_an_engine_that_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    drop(UnixListener::bind(&path).unwrap());
    let error = failure(&format!("unix://{}", path.display())).await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.detail.contains("does not run"), "{error}");
}

#[test]
fn a_forbidden_socket_says_which_group_to_join() {
    let error = absent(
        "connecting",
        &io::Error::from(io::ErrorKind::PermissionDenied),
    );
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
    assert!(error.remedy.contains("usermod -aG docker"), "{error}");
}

#[tokio::test]
async fn a_host_that_does_not_exist_points_to_the_variable() {
    let error = failure("tcp://no-such-host.invalid:2375").await;
    assert!(
        matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut),
        "{error}"
    );
    assert!(error.action.contains("no-such-host.invalid"), "{error}");
    assert!(!error.remedy.is_empty());
}

#[tokio::test]
async fn addresses_we_cannot_use_are_refused_with_a_way_round() {
    for host in [
        "ssh://user@host",
        "npipe:////./pipe/docker_engine",
        "nonsense",
    ] {
        let error = failure(host).await;
        assert_eq!(error.kind, ErrorKind::Unsupported, "{host}");
        assert!(error.remedy.contains("ssh -nNT -L"), "{error}");
    }
    let tls = [
        ("DOCKER_HOST", "tcp://127.0.0.1:2376"),
        ("DOCKER_TLS_VERIFY", "1"),
    ];
    let error = connect(environment(&tls)).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_given_up_on() {
    let error = failure_of_server(None).await;
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(error.remedy.contains("docker info"), "{error}");
}

#[tokio::test]
async fn an_old_engine_is_refused_with_both_versions() {
    let body = r#"{"Version":"18.09","ApiVersion":"1.39","Os":"linux","Arch":"amd64"}"#;
    let error = failure_of_server(Some(version_answer(body))).await;
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(
        error.detail.contains("1.39") && error.detail.contains("1.41"),
        "{error}"
    );
}

#[tokio::test]
async fn an_engine_of_windows_containers_is_refused() {
    let body = r#"{"Version":"27.0","ApiVersion":"1.46","Os":"windows","Arch":"amd64"}"#;
    let error = failure_of_server(Some(version_answer(body))).await;
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.remedy.contains("Linux containers"), "{error}");
}

#[tokio::test]
async fn what_does_not_speak_the_api_is_no_engine() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        version_answer("[]"),
        version_answer("{}"),
    ] {
        let error = failure_of_server(Some(answer)).await;
        assert!(
            matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Unsupported),
            "{answer}: {error:?}"
        );
    }
}

#[test]
fn the_environment_names_one_place_else_the_usual_ones_are_tried() {
    let named = places(&environment(&[("DOCKER_HOST", "tcp://box:1")])).unwrap();
    assert_eq!(named, ["tcp://box:1"]);
    let usual = places(&environment(&[
        ("HOME", "/h"),
        ("XDG_RUNTIME_DIR", "/run/user/1"),
    ]));
    assert_eq!(
        usual.unwrap(),
        [
            "unix:///var/run/docker.sock",
            "unix:///run/user/1/docker.sock",
            "unix:///h/.docker/run/docker.sock",
            "unix:///h/.docker/desktop/docker.sock",
            "unix:///run/user/1/podman/podman.sock",
            "unix:///run/podman/podman.sock",
        ]
    );
}

#[test]
fn the_chosen_context_of_the_docker_client_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().to_str().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let meta = format!(
        "contexts/meta/{}/meta.json",
        super::super::hex(&Sha256::digest("colima"))
    );
    write("config.json", r#"{"currentContext":"colima"}"#);
    let here = environment(&[("DOCKER_CONFIG", settings)]);
    let error = places(&here).unwrap_err();
    assert!(error.detail.contains("`colima`"), "{error}");
    write(
        &meta,
        r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///c.sock"}}}"#,
    );
    assert_eq!(places(&here).unwrap(), ["unix:///c.sock"]);
    let default = environment(&[("DOCKER_CONFIG", settings), ("DOCKER_CONTEXT", "default")]);
    assert_eq!(places(&default).unwrap()[0], "unix:///var/run/docker.sock");
}

#[test]
fn of_several_failures_the_one_with_the_nearest_cure_is_told() {
    let missing = || absent("a", &io::Error::from(io::ErrorKind::NotFound));
    let forbidden = absent("b", &io::Error::from(io::ErrorKind::PermissionDenied));
    let places = ["unix:///a".to_owned(), "unix:///b".to_owned()];
    let told = most_telling(vec![missing(), forbidden, missing()], &places);
    assert_eq!(told.kind, ErrorKind::PermissionDenied);
    let told = most_telling(vec![missing(), missing()], &places);
    assert!(told.detail.contains("unix:///a, unix:///b"), "{told}");
}
