//! Follows a node's stream of news: server-sent events over one connection.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use minichain_api::rpc::event::PATH;
use minichain_api::rpc::{ReorgEvent, TipEvent, TransactionEvent};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Client, ClientError, in_plain_words};

/// Bytes of one event at most; a reorg of 10,000 blocks fits.
const EVENT_BYTES_MAX: usize = 2 << 20;

/// Something that a node tells.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Its tip.
    Tip(TipEvent),
    /// Blocks left its chain; the tip follows.
    Reorg(ReorgEvent),
    /// A transaction entered its mempool.
    Transaction(TransactionEvent),
}

/// An open stream; dropping it closes the connection.
pub struct Events {
    body: Incoming,
    /// Without it the connection takes itself for done.
    _sender: SendRequest<Empty<Bytes>>,
    connection: JoinHandle<()>,
    parser: Parser,
}

impl Client {
    /// Opens the node's stream of news, which begins with its tip.
    ///
    /// # Errors
    /// The node does not answer within this client's time, or refuses.
    pub async fn events(&self) -> Result<Events, ClientError> {
        let opened = tokio::time::timeout(self.timeout, self.open()).await;
        opened.map_err(|_elapsed| ClientError::TimedOut {
            address: self.address,
            timeout_ms: self.timeout.as_millis(),
        })?
    }

    async fn open(&self) -> Result<Events, ClientError> {
        let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable {
            address: self.address,
            reason: error.to_string(),
        };
        let request = self
            .signed(Request::get(PATH))
            .header(header::ACCEPT, "text/event-stream")
            .body(Empty::<Bytes>::new())
            .map_err(|error| self.not_ours(&error))?;
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        let connection = tokio::spawn(async move {
            // What breaks here shows at the body as well.
            let _broken = connection.await;
        });
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(&in_plain_words(&error)))?;
        match response.status() {
            StatusCode::OK => Ok(Events {
                body: response.into_body(),
                _sender: sender,
                connection,
                parser: Parser::default(),
            }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ClientError::Unauthorized {
                address: self.address,
            }),
            status => Err(self.not_ours(&format!("status {status} for {PATH}"))),
        }
    }
}

impl Events {
    /// The next news; `None` once the stream is over.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if let Some(news) = self.parser.next() {
                return Some(news);
            }
            let frame = self.body.frame().await?.ok()?;
            let bytes = frame.into_data().unwrap_or_default();
            if !self.parser.take(&bytes) {
                return None;
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Cuts bytes into events.
#[derive(Default)]
struct Parser {
    bytes: Vec<u8>,
    name: String,
    data: String,
    ready: std::collections::VecDeque<News>,
}

impl Parser {
    /// Takes bytes in; false if an event is longer than any may be.
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            self.line(line.trim_end_matches(['\r', '\n']));
        }
        self.bytes.len() + self.data.len() <= EVENT_BYTES_MAX
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let name = std::mem::take(&mut self.name);
            self.ready.extend(news(&name, &data));
        } else if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut self.name);
        } else if let Some(data) = line.strip_prefix("data:") {
            self.data.push_str(data.trim_start());
        }
    }

    fn next(&mut self) -> Option<News> {
        self.ready.pop_front()
    }
}

/// An event that is known and has the right shape.
fn news(name: &str, data: &str) -> Option<News> {
    match name {
        TipEvent::NAME => serde_json::from_str(data).ok().map(News::Tip),
        ReorgEvent::NAME => serde_json::from_str(data).ok().map(News::Reorg),
        TransactionEvent::NAME => serde_json::from_str(data).ok().map(News::Transaction),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIP: &str = "event: tip\ndata: {\"hash\":\"ab\",\"height\":7,\"chainwork\":\"01\"}\n\n";

    fn tip() -> News {
        News::Tip(TipEvent {
            hash: "ab".into(),
            height: 7,
            chainwork: "01".into(),
        })
    }

    #[test]
    fn events_are_read_however_the_bytes_come() {
        for size in 1..TIP.len() {
            let mut parser = Parser::default();
            for part in TIP.as_bytes().chunks(size) {
                assert!(parser.take(part));
            }
            assert_eq!(parser.next(), Some(tip()), "{size}");
            assert_eq!(parser.next(), None);
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let mut parser = Parser::default();
        let text = format!(":\n\nevent: other\ndata: {{}}\n\nevent: tip\ndata: []\n\n{TIP}{TIP}");
        assert!(parser.take(text.as_bytes()));
        assert_eq!((parser.next(), parser.next()), (Some(tip()), Some(tip())));
        assert_eq!(parser.next(), None);
    }

    #[test]
    fn an_event_without_end_is_not_waited_for() {
        let mut parser = Parser::default();
        let part = vec![b'x'; EVENT_BYTES_MAX / 2 + 1];
        assert!(parser.take(&part));
        assert!(!parser.take(&part));
    }
}
