//! How a node is asked: a seam, so that tests can answer in a node's place.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{self, Client, ClientError};
use crate::probe::NodeAddress;

/// Asks nodes.
pub trait Access: Send + Sync {
    /// Calls a JSON-RPC method with positional parameters.
    fn call<'a>(
        &'a self,
        node: &'a NodeAddress,
        method: &'a str,
        params: Value,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Value, AskError>>;

    /// The text a node serves as its metrics.
    fn metrics<'a>(
        &'a self,
        node: &'a NodeAddress,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<String, AskError>>;
}

/// Why there is no answer, as a fragment that fits after "the node".
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Its labels are lost, so that its address is unknown.
    #[error("has no known address: its labels are damaged")]
    NoAddress,
    /// As the client tells.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It answered something of another shape.
    #[error("answered {method} with something unexpected: {why}")]
    Shape {
        /// What was asked.
        method: String,
        /// What was wrong with the answer.
        why: String,
    },
}

/// Asks over HTTP.
pub struct Http;

impl Access for Http {
    fn call<'a>(
        &'a self,
        node: &'a NodeAddress,
        method: &'a str,
        params: Value,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Value, AskError>> {
        async move {
            let address = node.rpc.ok_or(AskError::NoAddress)?;
            let client = Client::new(address, node.credentials.clone(), timeout);
            Ok(client.call(method, params).await?)
        }
        .boxed()
    }

    fn metrics<'a>(
        &'a self,
        node: &'a NodeAddress,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<String, AskError>> {
        async move {
            let address = node.metrics.ok_or(AskError::NoAddress)?;
            Ok(client::metrics(address, timeout).await?)
        }
        .boxed()
    }
}

/// Calls a method and reads its answer.
pub async fn ask<T: DeserializeOwned>(
    access: &dyn Access,
    node: &NodeAddress,
    method: &str,
    params: Value,
    timeout: Duration,
) -> Result<T, AskError> {
    let answer = access.call(node, method, params, timeout).await?;
    serde_json::from_value(answer).map_err(|error| AskError::Shape {
        method: method.to_owned(),
        why: error.to_string(),
    })
}
