//! Talks to nodes: JSON-RPC and metrics over HTTP/1.1.
//!
//! One request is one connection to an address of this machine, with a time
//! limit over all of it and a bound on what is read. Must never import an
//! engine: it knows addresses, not containers.

mod events;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use minichain_api::rpc::RpcError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub use self::events::{Events, News};

/// Bytes of an answer at most; a block of 4 MB in hexadecimal fits.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// User and password of a node's JSON-RPC.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// JSON-RPC of one node.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    credentials: Option<Credentials>,
    timeout: Duration,
}

/// Why a node gave no answer, as a fragment that fits after "the node".
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens, or the connection broke.
    #[error("does not answer on {address}: {reason}")]
    Unreachable {
        /// Address dialled.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
    /// It did not answer in time.
    #[error("did not answer on {address} within {timeout_ms} ms")]
    TimedOut {
        /// Address dialled.
        address: SocketAddr,
        /// Time it was given.
        timeout_ms: u128,
    },
    /// User and password are wrong or missing.
    #[error("refuses the RPC password on {address}")]
    Unauthorized {
        /// Address dialled.
        address: SocketAddr,
    },
    /// Something answered that is not a minichain node.
    #[error("gave an answer on {address} that is not JSON-RPC: {reason}")]
    NotOurs {
        /// Address dialled.
        address: SocketAddr,
        /// What was wrong with it.
        reason: String,
    },
    /// The node answered with an error.
    #[error("answered {method} with error {}: {}", error.code, error.message)]
    Rpc {
        /// Method called.
        method: String,
        /// The node's error.
        error: RpcError,
    },
}

/// The envelope of a JSON-RPC answer.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<RpcError>,
}

/// The same in a batch.
#[derive(Deserialize)]
struct Numbered {
    id: usize,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<RpcError>,
}

impl Client {
    /// A client for the node whose JSON-RPC listens on `address`; each call may
    /// take `timeout`.
    pub const fn new(
        address: SocketAddr,
        credentials: Option<Credentials>,
        timeout: Duration,
    ) -> Self {
        Self {
            address,
            credentials,
            timeout,
        }
    }

    /// Calls `method` with positional `params` (an array).
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, ClientError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (status, answer) = self.post(&body).await?;
        let envelope: Envelope = serde_json::from_slice(&answer)
            .map_err(|error| self.not_ours(&format!("status {status}, {error}")))?;
        if let Some(error) = envelope.error {
            return Err(ClientError::Rpc {
                method: method.to_owned(),
                error,
            });
        }
        self.decode(method, envelope.result)
    }

    /// Calls several methods without parameters in one request. The answers, in
    /// the order of the methods; null where the node answered with an error.
    pub async fn batch(&self, methods: &[&str]) -> Result<Vec<Value>, ClientError> {
        let answers = self.batch_told(methods).await?;
        let null_or = |answer: Result<Value, ClientError>| answer.unwrap_or_default();
        Ok(answers.into_iter().map(null_or).collect())
    }

    /// As [`Client::batch`], with the errors that the node answered with.
    pub async fn batch_told(
        &self,
        methods: &[&str],
    ) -> Result<Vec<Result<Value, ClientError>>, ClientError> {
        let calls = methods.iter().enumerate().map(
            |(id, method)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] }),
        );
        let (status, answer) = self.post(&Value::Array(calls.collect())).await?;
        let envelopes: Vec<Numbered> = serde_json::from_slice(&answer)
            .map_err(|error| self.not_ours(&format!("status {status}, {error}")))?;
        let mut answers: Vec<_> = methods.iter().map(|_| Ok(Value::Null)).collect();
        for Numbered { id, result, error } in envelopes {
            if let (Some(answer), Some(method)) = (answers.get_mut(id), methods.get(id)) {
                *answer = match error {
                    None => Ok(result),
                    Some(error) => Err(ClientError::Rpc {
                        method: (*method).to_owned(),
                        error,
                    }),
                };
            }
        }
        Ok(answers)
    }

    /// Reads what a method answered with.
    pub fn decode<T: DeserializeOwned>(
        &self,
        method: &str,
        answer: Value,
    ) -> Result<T, ClientError> {
        serde_json::from_value(answer).map_err(|error| self.not_ours(&format!("{method}: {error}")))
    }

    async fn post(&self, body: &Value) -> Result<(StatusCode, Bytes), ClientError> {
        let request = self
            .signed(Request::post("/"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| self.not_ours(&error))?;
        let (status, answer) = fetch(self.address, request, self.timeout).await?;
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(ClientError::Unauthorized {
                address: self.address,
            });
        }
        Ok((status, answer))
    }

    /// A request with what every request of this client bears.
    fn signed(&self, request: hyper::http::request::Builder) -> hyper::http::request::Builder {
        let request = request.header(header::HOST, self.address.to_string());
        match &self.credentials {
            Some(Credentials { user, password }) => {
                let token = BASE64.encode(format!("{user}:{password}"));
                request.header(header::AUTHORIZATION, format!("Basic {token}"))
            }
            None => request,
        }
    }

    fn not_ours(&self, reason: &dyn std::fmt::Display) -> ClientError {
        ClientError::NotOurs {
            address: self.address,
            reason: reason.to_string(),
        }
    }
}

/// The text a node serves on `/metrics`.
pub async fn metrics(address: SocketAddr, timeout: Duration) -> Result<String, ClientError> {
    let request = Request::get("/metrics")
        .header(header::HOST, address.to_string())
        .body(Full::new(Bytes::new()))
        .map_err(|error| ClientError::NotOurs {
            address,
            reason: error.to_string(),
        })?;
    let (status, body) = fetch(address, request, timeout).await?;
    if status != StatusCode::OK {
        return Err(ClientError::NotOurs {
            address,
            reason: format!("status {status}"),
        });
    }
    String::from_utf8(body.to_vec()).map_err(|error| ClientError::NotOurs {
        address,
        reason: error.to_string(),
    })
}

async fn fetch(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
    timeout: Duration,
) -> Result<(StatusCode, Bytes), ClientError> {
    tokio::time::timeout(timeout, exchange(address, request))
        .await
        .map_err(|_elapsed| ClientError::TimedOut {
            address,
            timeout_ms: timeout.as_millis(),
        })?
}

async fn exchange(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), ClientError> {
    let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable {
        address,
        reason: error.to_string(),
    };
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&error))?;
    let answer = async move {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(&in_plain_words(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| unreachable(&error))?;
        Ok((status, body.to_bytes()))
    };
    // The connection must be polled for the answer to arrive. It ends when the
    // sender is gone, so neither waits for the other.
    let (answer, _closed) = tokio::join!(answer, connection);
    answer
}

/// A proxy before a node that is still starting takes a connection and drops it.
fn in_plain_words(error: &hyper::Error) -> String {
    if error.is_canceled() || error.is_closed() || error.is_incomplete_message() {
        "the connection was closed".into()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests;
