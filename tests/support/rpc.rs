//! A small JSON-RPC client for tests.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// One node's RPC endpoint with its credential.
#[derive(Clone, Debug)]
pub struct Rpc {
    url: String,
    authorization: String,
    agent: ureq::Agent,
}

impl Rpc {
    /// `auth` is `user:password`.
    pub fn new(url: &str, auth: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            url: url.into(),
            authorization: format!("Basic {}", BASE64_STANDARD.encode(auth)),
            agent,
        }
    }

    /// Calls `method`; an RPC error or no answer is an `Err` with its text.
    pub fn call<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, String> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut response = self
            .agent
            .post(&self.url)
            .header("Authorization", &self.authorization)
            .send_json(&request)
            .map_err(|error| format!("{method} at {}: {error}", self.url))?;
        let answer: Value = response
            .body_mut()
            .read_json()
            .map_err(|error| format!("{method}: {error}"))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(format!("{method}: {error}"));
        }
        serde_json::from_value(answer["result"].clone())
            .map_err(|error| format!("{method}: unexpected shape: {error}"))
    }

    /// Calls a method that must succeed.
    pub fn must<T: DeserializeOwned>(&self, method: &str, params: &Value) -> T {
        self.call(method, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
