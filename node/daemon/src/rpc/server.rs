//! The HTTP side: limits, Host check, authentication, status codes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use minichain_api::rpc::{RpcError, code, event};
use serde_json::Value;

use super::auth::Access;
use super::envelope::{self, Body};
use super::{Context, error, events, method};

/// Bytes of a request at most.
const BODY_BYTES_MAX: usize = 4 << 20;
/// A request's body, from its first byte to its last.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// All calls of a batch together.
const BATCH_TIMEOUT: Duration = Duration::from_secs(900);
const OVERTIME: &str = "the batch took longer than 900 s; send fewer calls in one";
/// What a wrong password costs, against guessing.
const WRONG_PASSWORD_DELAY: Duration = Duration::from_millis(250);

struct Door {
    access: Arc<Access>,
    is_loopback: bool,
}

/// The whole server.
pub fn router(context: Arc<Context>, access: Arc<Access>, is_loopback: bool) -> Router {
    let door = Arc::new(Door {
        access,
        is_loopback,
    });
    Router::new()
        .route("/", post(call).fallback(only_post))
        .route(event::PATH, get(events::stream))
        .with_state(context)
        .layer(middleware::from_fn_with_state(door, enter))
}

/// Lets in who may.
async fn enter(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if door.is_loopback && !is_local_host(request.headers()) {
        let why = "the Host header must be an IP address or localhost\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .map(header::HeaderValue::as_bytes);
    if !door.access.admits(given) {
        tokio::time::sleep(WRONG_PASSWORD_DELAY).await;
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"jsonrpc\"")];
        let why = "wrong or missing user and password; see rpc.user, or the .cookie file\n";
        return (StatusCode::UNAUTHORIZED, challenge, why).into_response();
    }
    next.run(request).await
}

/// A page of a foreign site may point its own name at 127.0.0.1 to reach this
/// server through a browser; then the Host header shows that name.
fn is_local_host(headers: &HeaderMap) -> bool {
    // HTTP/1.0 clients may leave the header out; browsers never do.
    let Some(host) = headers.get(header::HOST) else {
        return true;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

async fn only_post() -> Response {
    let allow = [(header::ALLOW, "POST")];
    (
        StatusCode::METHOD_NOT_ALLOWED,
        allow,
        "JSON-RPC takes POST requests only\n",
    )
        .into_response()
}

async fn call(State(context): State<Arc<Context>>, request: Request) -> Response {
    let body = match read(&context, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match envelope::parse(&body) {
        Err(invalid) => refused(invalid),
        Ok(Body::Single(Err(invalid))) => refused(invalid),
        Ok(Body::Single(Ok(request))) => {
            let version = request.version;
            let result = method::call(&context, &request.method, request.params.clone()).await;
            let status = envelope::http_status(version, result.as_ref().err());
            match envelope::response(&request, result) {
                Some(answer) => json(status, &answer),
                None => StatusCode::NO_CONTENT.into_response(),
            }
        }
        Ok(Body::Batch(items)) => batch(&context, items).await,
    }
}

/// Reads the body, when there is room for one more.
async fn read(context: &Context, request: Request) -> Result<Bytes, Response> {
    let _place = context.limits.quick().await;
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let why = "the body broke off or is larger than 4 MiB\n";
            Err((StatusCode::PAYLOAD_TOO_LARGE, why).into_response())
        }
        Err(_) => {
            let why = "the body took too long to arrive\n";
            Err((StatusCode::REQUEST_TIMEOUT, why).into_response())
        }
    }
}

async fn batch(
    context: &Arc<Context>,
    items: Vec<Result<envelope::Request, envelope::Invalid>>,
) -> Response {
    let mut answers = Vec::with_capacity(items.len());
    let deadline = tokio::time::Instant::now() + BATCH_TIMEOUT;
    for item in items {
        match item {
            Ok(request) => {
                let work = method::call(context, &request.method, request.params.clone());
                let result = tokio::time::timeout_at(deadline, work).await;
                let result = result.unwrap_or_else(|_| Err(error(code::INTERNAL, OVERTIME)));
                answers.extend(envelope::response(&request, result));
            }
            Err(invalid) => answers.push(envelope::invalid_response(invalid)),
        }
    }
    if answers.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    json(200, &Value::Array(answers))
}

fn refused(invalid: envelope::Invalid) -> Response {
    let status = envelope::http_status(invalid.version, Some(&invalid.error));
    json(status, &envelope::invalid_response(invalid))
}

fn json(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string() + "\n",
    )
        .into_response()
}

/// What a method answers when the node itself failed.
pub fn internal(why: impl std::fmt::Display) -> RpcError {
    error(code::INTERNAL, format!("the node failed: {why}"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_local_names_pass_the_host_check() {
        let passes = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            is_local_host(&headers)
        };
        for host in [
            "localhost",
            "LocalHost:9001",
            "127.0.0.1:9001",
            "[::1]:9001",
            "[::1]",
            "10.0.0.1",
        ] {
            assert!(passes(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:9001",
            "127.0.0.1.evil.example",
            "",
            "[x]",
        ] {
            assert!(!passes(host), "{host}");
        }
        assert!(is_local_host(&HeaderMap::new()));
    }
}
