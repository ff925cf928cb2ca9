//! The stream of news at `/events`: server-sent events, each with a name and
//! one line of JSON, see [`minichain_api::rpc::event`].
//!
//! A reader that falls behind by more than the kept news gets a last event,
//! `lagged`, and the stream ends: it must look anew anyway.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use minichain_api::rpc::{BlockPlace, ReorgEvent, TipEvent, TransactionEvent};
use minichain_protocol::event::{self, BlockSummary};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Context;
use super::render::coins;
use crate::news::Tip;
use crate::shutdown::Shutdown;

/// A quiet stream shows this often that it is there, so that a reader that is
/// gone is noticed too.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The name of the event that ends the stream of a reader too far behind.
const LAGGED: &str = "lagged";

/// One reader.
struct Reader {
    news: Receiver<Arc<event::Event>>,
    /// Told before the next news.
    waiting: VecDeque<Event>,
    shutdown: Shutdown,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// Answers with the stream, which begins with the tip as it is.
pub async fn stream(State(context): State<Arc<Context>>) -> Response {
    let Some(place) = context.limits.reader() else {
        let why = "too many read this stream already; try again later\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let observer = Arc::clone(&context.observer);
    // Subscribed between two turns of the node, so that nothing is missed or
    // told twice.
    let look = context.look(move |view| {
        let tip = view.node.state().tip();
        let tip = Tip {
            hash: tip.hash,
            height: tip.height,
            chainwork: tip.chainwork,
        };
        (tip, observer.news().events())
    });
    let (tip, news) = match look.await {
        Ok(found) => found,
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, why.message).into_response(),
    };
    let reader = Reader {
        news,
        waiting: VecDeque::from([tip_event(&tip)]),
        shutdown: context.shutdown.clone(),
        is_over: false,
        _place: place,
    };
    Sse::new(reader.into_stream())
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
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
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            let happened = tokio::select! {
                happened = self.news.recv() => happened,
                () = self.shutdown.requested() => return None,
            };
            match happened {
                Ok(happened) => self.waiting.extend(events(&happened)),
                Err(RecvError::Lagged(missed)) => {
                    self.is_over = true;
                    let missed = serde_json::json!({ "missed": missed });
                    return Some(Event::default().event(LAGGED).data(missed.to_string()));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn events(happened: &event::Event) -> Vec<Event> {
    match happened {
        event::Event::TipChanged {
            tip,
            height,
            chainwork,
            disconnected,
            connected,
            ..
        } => {
            let reorg = (!disconnected.is_empty()).then(|| {
                let told = ReorgEvent {
                    disconnected: places(disconnected),
                    connected: places(connected),
                };
                event(ReorgEvent::NAME, &told)
            });
            let tip = Tip {
                hash: *tip,
                height: *height,
                chainwork: *chainwork,
            };
            reorg.into_iter().chain([tip_event(&tip)]).collect()
        }
        event::Event::TransactionAccepted { txid, fee, vsize } => {
            let told = TransactionEvent {
                txid: txid.to_string(),
                fee: coins(*fee),
                vsize: *vsize,
            };
            vec![event(TransactionEvent::NAME, &told)]
        }
        _ => Vec::new(),
    }
}

fn tip_event(tip: &Tip) -> Event {
    let told = TipEvent {
        hash: tip.hash.to_string(),
        height: tip.height.0,
        chainwork: tip.chainwork.to_string(),
    };
    event(TipEvent::NAME, &told)
}

fn places(blocks: &[BlockSummary]) -> Vec<BlockPlace> {
    let place = |block: &BlockSummary| BlockPlace {
        hash: block.hash.to_string(),
        height: block.height.0,
    };
    blocks.iter().map(place).collect()
}

fn event(name: &str, told: &impl Serialize) -> Event {
    // Texts and numbers always have a JSON form.
    let text = serde_json::to_string(told).unwrap_or_default();
    Event::default().event(name).data(text)
}

#[cfg(test)]
mod tests {
    use minichain_chain::amount::Amount;
    use minichain_chain::hash::Txid;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::news::News;

    fn transaction(number: u8) -> event::Event {
        event::Event::TransactionAccepted {
            txid: Txid::from_bytes([number; 32]),
            fee: Amount::from_sat(1),
            vsize: 100,
        }
    }

    async fn reader(news: &News, shutdown: &Shutdown) -> Reader {
        let places = Arc::new(Semaphore::new(1));
        Reader {
            news: news.events(),
            waiting: VecDeque::new(),
            shutdown: shutdown.clone(),
            is_over: false,
            _place: places.acquire_owned().await.unwrap(),
        }
    }

    #[tokio::test]
    async fn reader_too_far_behind_is_told_and_dropped() {
        let news = News::default();
        let mut slow = reader(&news, &Shutdown::default()).await;
        for _ in 0..3_000 {
            news.tell(transaction(1));
        }
        let last = format!("{:?}", slow.next().await.unwrap());
        assert!(last.contains("lagged") && last.contains("missed"), "{last}");
        assert!(slow.next().await.is_none());
    }

    #[tokio::test]
    async fn stream_ends_with_the_node() {
        let news = News::default();
        let shutdown = Shutdown::default();
        let mut quick = reader(&news, &shutdown).await;
        news.tell(transaction(2));
        let event = format!("{:?}", quick.next().await.unwrap());
        assert!(event.contains(&"02".repeat(32)), "{event}");
        shutdown.request();
        assert!(quick.next().await.is_none());
    }
}
