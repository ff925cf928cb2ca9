//! The stream to the page: everything first, then what changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Shop;

/// How often a quiet stream shows that it is there; the page takes one that is
/// silent for three times as long for broken.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

struct Reader {
    shop: Arc<Shop>,
    changes: Receiver<Arc<str>>,
    first: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// Answers with the stream.
pub async fn stream(State(shop): State<Arc<Shop>>) -> Response {
    let Ok(place) = shop.pages.clone().try_acquire_owned() else {
        let why = "too many pages are open already; close one\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let (first, changes) = shop.watch.board.join();
    shop.watch.hurry.notify_one();
    let reader = Reader {
        shop,
        changes,
        first: Some(first),
        _place: place,
    };
    // A comment would not reach the page's script.
    let beat = Event::default().event("beat").data("");
    Sse::new(reader.into_stream())
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE).event(beat))
        .into_response()
}

impl Reader {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((Ok(event), reader))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(Event::default().data(first));
        }
        match self.changes.recv().await {
            Ok(patch) => Some(Event::default().data(&*patch)),
            // It was too slow for all the changes: here is how things are.
            Err(RecvError::Lagged(_)) => {
                let (whole, changes) = self.shop.watch.board.join();
                self.changes = changes;
                Some(Event::default().data(whole))
            }
            Err(RecvError::Closed) => None,
        }
    }
}
