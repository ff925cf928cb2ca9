//! Serves a recorded run: the same page, which plays it by itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::StreamExt as _;

use super::door::{self, Door};
use super::tape::Tape;
use super::{bind, files};
use crate::exit::Failure;

/// A recording that is served.
pub struct Player {
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

impl Player {
    /// Listens, and serves from now on.
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn start(tape: &Tape, listen: Option<SocketAddr>) -> Result<Self, Failure> {
        let told = |error: serde_json::Error| Failure::world(format!("cannot be told: {error}"));
        let first = serde_json::to_string(&tape.patches.first()).map_err(told)?;
        let tape = Bytes::from(serde_json::to_vec(tape).map_err(told)?);
        let listener = bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::world(format!("cannot tell where the page is: {error}")))?;
        let door = Arc::new(Door::new(address.ip().is_loopback())?);
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let router = Router::new()
            .route("/api/tape", get(move || async move { (kind, tape) }))
            .route("/api/stream", get(move || async move { stream(first) }))
            .fallback(|request: Request| async move { files::answer(request.uri().path()) })
            .layer(from_fn_with_state(door, door::enter));
        let serving = tokio::spawn(async move {
            // It fails only where the listener does, and the page tells.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, serving })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Tells that it is a recording, and then nothing more.
fn stream(first: String) -> impl axum::response::IntoResponse {
    let event =
        futures::stream::once(async move { Ok::<_, Infallible>(Event::default().data(first)) });
    let beat = Event::default().event("beat").data("");
    let pause = Duration::from_secs(5);
    Sse::new(event.chain(futures::stream::pending()))
        .keep_alive(KeepAlive::new().interval(pause).event(beat))
}
