//! Calls a node's JSON-RPC, from the command line: one call after the other,
//! bounded in time and in what is read.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minichain_api::rpc::RpcError;
use serde::Deserialize;
use serde_json::{Value, json};

/// Bytes of an answer at most: a whole block in words, with room.
const ANSWER_BYTES_MAX: u64 = 128 << 20;
const SECRET_FILE_BYTES_MAX: u64 = 4_096;

/// JSON-RPC of one node.
#[derive(Clone)]
pub struct Client {
    url: String,
    authorization: String,
    agent: ureq::Agent,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The node refused it.
    #[error("{} (code {})", .0.message, .0.code)]
    Refused(RpcError),
    /// The node was not reached, or what answered is none.
    #[error("{0}")]
    Unreachable(String),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<RpcError>,
}

impl Client {
    /// A client for `url`; `credential` is `user:password`. A call may take
    /// `timeout`.
    pub fn new(url: &str, credential: &str, timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A node is spoken with directly, and its credential goes nowhere
            // else, whatever the environment names for the wide world.
            .proxy(None)
            .build()
            .new_agent();
        Self {
            url: url.to_owned(),
            authorization: format!("Basic {}", STANDARD.encode(credential)),
            agent,
        }
    }

    /// Calls a method; `params` is a list or an object.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, CallError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        result(self.post(&body)?)
    }

    fn post(&self, body: &Value) -> Result<Value, CallError> {
        let request = self
            .agent
            .post(&self.url)
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json");
        let sent = request.send(body.to_string());
        let mut response = sent.map_err(|why| {
            let url = &self.url;
            CallError::Unreachable(format!(
                "no answer from {url}: {why}; is the node running, and is this its address?"
            ))
        })?;
        if response.status() == 401 {
            return Err(CallError::Unreachable(format!(
                "{} refuses the credential; give the node's data folder, or its user and password",
                self.url
            )));
        }
        let text = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_string()
            .map_err(|why| self.odd(&why))?;
        serde_json::from_str(&text).map_err(|_| {
            let line = text.lines().next().unwrap_or_default();
            self.odd(&format!("{} {line}", response.status()))
        })
    }

    fn odd(&self, why: &dyn fmt::Display) -> CallError {
        CallError::Unreachable(format!(
            "{} gave an answer that is not JSON-RPC of a minichain node: {why}",
            self.url
        ))
    }
}

fn result(answer: Value) -> Result<Value, CallError> {
    let envelope: Envelope = serde_json::from_value(answer)
        .map_err(|why| CallError::Unreachable(format!("the answer is no JSON-RPC: {why}")))?;
    match envelope.error {
        Some(error) => Err(CallError::Refused(error)),
        None => Ok(envelope.result),
    }
}

/// The one line of a small file that holds a secret, without its end.
///
/// # Errors
/// The system's, or a file that is too long for a secret.
pub fn read_line(file: &Path) -> std::io::Result<String> {
    if std::fs::metadata(file)?.len() > SECRET_FILE_BYTES_MAX {
        let why = format!("it is longer than {SECRET_FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::other(why));
    }
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
