//! Who may come in: the page of this server, and nobody else.
//!
//! Three dangers are met here. A site that points its own name at 127.0.0.1
//! (DNS rebinding) shows that name in `Host`. A foreign page in the same browser
//! shows itself in `Sec-Fetch-Site` and `Origin`. And who may look need not be
//! allowed to act: whatever changes the network wants the token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::exit::Failure;

/// Scripts, styles and connections of this server only; nothing inline, no
/// frame around it.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'";
/// Bytes of a token, drawn by the system.
const TOKEN_BYTES: usize = 16;

/// What lets in, and how far.
pub struct Door {
    token: String,
    is_loopback: bool,
}

impl Door {
    /// A door with a fresh token, for a server that is reached from this
    /// machine only, or not.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(is_loopback: bool) -> Result<Self, Failure> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| Failure::world(format!("cannot draw a token: {error}")))?;
        Ok(Self {
            token: minichain_chain::hex::encode(&bytes),
            is_loopback,
        })
    }

    /// What whoever may act shows.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether the request shows the token.
    pub fn may_act(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer "));
        // Digests take as long to compare however much of them is right.
        given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(&self.token))
    }

    fn refuses(&self, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
        if !is_own_name(headers, self.is_loopback) {
            return Some("the Host header must be localhost or an address of this machine\n");
        }
        if is_foreign(method, headers) {
            return Some("other sites may not ask here\n");
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        (!is_read && !self.may_act(headers))
            .then_some("this needs the token; open the address that devnet printed\n")
    }
}

/// Lets in who may, and tells the browser what the page may do.
pub async fn enter(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = match door.refuses(request.method(), request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Names that nobody else can point at this machine.
fn is_own_name(headers: &HeaderMap, is_loopback: bool) -> bool {
    let host = headers.get(header::HOST);
    let Some(host) = host.and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| !is_loopback || address.is_loopback())
}

/// Whether a page of another site asks. A link that leads here is none.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_visit = *method == Method::GET
        && text("sec-fetch-mode") == Some("navigate")
        && text("sec-fetch-dest") == Some("document");
    let is_elsewhere =
        text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if is_elsewhere && !is_visit {
        return true;
    }
    let host = text("host").unwrap_or_default();
    text("origin").is_some_and(|origin| origin.strip_prefix("http://") != Some(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a plain value");
            (header::HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    fn door() -> Door {
        Door {
            token: "secret".into(),
            is_loopback: true,
        }
    }

    fn lets_in(method: &Method, pairs: &[(&'static str, &str)]) -> bool {
        door().refuses(method, &headers(pairs)).is_none()
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:7080");

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in [
            "localhost",
            "LOCALHOST:7080",
            "127.0.0.1:7080",
            "[::1]:7080",
        ] {
            assert!(lets_in(&Method::GET, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1:7080",
            "",
        ] {
            assert!(!lets_in(&Method::GET, &[("host", host)]), "{host}");
        }
        assert!(!lets_in(&Method::GET, &[]), "no name at all");
    }

    #[test]
    fn a_server_for_others_is_called_by_its_address() {
        let open = Door {
            is_loopback: false,
            ..door()
        };
        let refuses = |host| open.refuses(&Method::GET, &headers(&[("host", host)]));
        assert_eq!(refuses("192.0.2.7:7080"), None);
        assert!(refuses("evil.example:7080").is_some());
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        for site in ["cross-site", "same-site"] {
            let pairs = [HOST, ("sec-fetch-site", site), ("sec-fetch-mode", "cors")];
            assert!(!lets_in(&Method::GET, &pairs), "{site}");
        }
        let origin = [HOST, ("origin", "http://evil.example")];
        assert!(!lets_in(&Method::GET, &origin));
        let other_port = [HOST, ("origin", "http://127.0.0.1:9")];
        assert!(!lets_in(&Method::GET, &other_port));
        let own = [HOST, ("origin", "http://127.0.0.1:7080")];
        assert!(lets_in(&Method::GET, &own));
    }

    #[test]
    fn a_link_from_elsewhere_may_lead_here() {
        let visit = [
            HOST,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(lets_in(&Method::GET, &visit));
        assert!(!lets_in(&Method::POST, &visit));
        let mut frame = visit;
        frame[3].1 = "iframe";
        assert!(!lets_in(&Method::GET, &frame));
    }

    #[test]
    fn who_acts_shows_the_token() {
        assert!(lets_in(&Method::GET, &[HOST]));
        assert!(!lets_in(&Method::POST, &[HOST]));
        for wrong in [
            "secret",
            "Bearer",
            "Bearer x",
            "Bearer secretx",
            "Basic secret",
        ] {
            let pairs = [HOST, ("authorization", wrong)];
            assert!(!lets_in(&Method::POST, &pairs), "{wrong}");
        }
        let right = [HOST, ("authorization", "Bearer secret")];
        assert!(lets_in(&Method::POST, &right));
    }
}
