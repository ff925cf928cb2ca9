//! Requests and responses of JSON-RPC 1.0 and 2.0, single and in batches. Pure.
//!
//! As in Bitcoin Core, a request that says `"jsonrpc": "2.0"` is answered by
//! the rules of 2.0; any other is answered the old way, with both `result` and
//! `error` and a telling HTTP status.

use minichain_api::rpc::{RpcError, code};
use serde_json::{Map, Value, json};

use super::error;

/// Requests in one batch at most.
pub const BATCH_MAX: usize = 100;

/// A request body.
#[derive(Debug)]
pub enum Body {
    /// One request.
    Single(Result<Request, Invalid>),
    /// Several; none of the batch's rules is broken.
    Batch(Vec<Result<Request, Invalid>>),
}

/// One request.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// Which rules apply to the answer.
    pub version: Version,
    /// Sent back; none in a notification.
    pub id: Option<Value>,
    /// Name of the method.
    pub method: String,
    /// Array, object or null.
    pub params: Value,
}

/// A request that cannot be carried out, with what its answer needs.
#[derive(Debug, PartialEq)]
pub struct Invalid {
    /// Which rules apply to the answer.
    pub version: Version,
    /// Sent back.
    pub id: Value,
    /// Why.
    pub error: RpcError,
}

/// Version of JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.0, or no version told.
    One,
    /// 2.0.
    Two,
}

/// Reads a body.
///
/// # Errors
/// What is no JSON, an empty batch and one too large are refused as a whole.
pub fn parse(bytes: &[u8]) -> Result<Body, Invalid> {
    let refuse = |error| Invalid {
        version: Version::One,
        id: Value::Null,
        error,
    };
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|why| refuse(error(code::PARSE, format!("the body is not JSON: {why}"))))?;
    match value {
        Value::Array(items) if items.is_empty() => {
            Err(refuse(error(code::INVALID_REQUEST, "the batch is empty")))
        }
        Value::Array(items) if items.len() > BATCH_MAX => {
            let why = format!("{} requests in a batch; at most {BATCH_MAX}", items.len());
            Err(refuse(error(code::INVALID_REQUEST, why)))
        }
        Value::Array(items) => Ok(Body::Batch(items.into_iter().map(request).collect())),
        single => Ok(Body::Single(request(single))),
    }
}

/// The answer to a request; none to a notification.
pub fn response(request: &Request, result: Result<Value, RpcError>) -> Option<Value> {
    let id = request.id.as_ref()?;
    Some(answer(request.version, id, result))
}

/// The answer to what was no request.
pub fn invalid_response(invalid: Invalid) -> Value {
    answer(invalid.version, &invalid.id, Err(invalid.error))
}

/// The HTTP status of a single answer.
pub fn http_status(version: Version, error: Option<&RpcError>) -> u16 {
    match (version, error.map(|error| error.code)) {
        (_, None) | (Version::Two, _) => 200,
        (Version::One, Some(code::INVALID_REQUEST)) => 400,
        (Version::One, Some(code::METHOD_NOT_FOUND)) => 404,
        (Version::One, Some(_)) => 500,
    }
}

fn answer(version: Version, id: &Value, result: Result<Value, RpcError>) -> Value {
    match (version, result) {
        (Version::One, Ok(result)) => json!({"result": result, "error": null, "id": id}),
        (Version::One, Err(error)) => json!({"result": null, "error": error, "id": id}),
        (Version::Two, Ok(result)) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        (Version::Two, Err(error)) => json!({"jsonrpc": "2.0", "error": error, "id": id}),
    }
}

fn request(value: Value) -> Result<Request, Invalid> {
    let Value::Object(mut object) = value else {
        let error = error(code::INVALID_REQUEST, "a request must be a JSON object");
        return Err(Invalid {
            version: Version::One,
            id: Value::Null,
            error,
        });
    };
    let given_id = object.remove("id");
    let version = version(&object);
    let refuse = |version, code, why: &str| Invalid {
        version,
        id: given_id.clone().unwrap_or(Value::Null),
        error: error(code, why),
    };
    let version = version.map_err(|why| refuse(Version::One, code::INVALID_REQUEST, why))?;
    if matches!(
        given_id,
        Some(Value::Array(_) | Value::Object(_) | Value::Bool(_))
    ) {
        return Err(refuse(
            version,
            code::INVALID_REQUEST,
            "`id` must be a string, a number or null",
        ));
    }
    let method = match object.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => {
            return Err(refuse(
                version,
                code::INVALID_REQUEST,
                "`method` must be a string",
            ));
        }
        None => {
            return Err(refuse(
                version,
                code::INVALID_REQUEST,
                "`method` is missing",
            ));
        }
    };
    let params = object.remove("params").unwrap_or(Value::Null);
    if !matches!(params, Value::Null | Value::Array(_) | Value::Object(_)) {
        return Err(refuse(
            version,
            code::INVALID_PARAMS,
            "`params` must be an array or an object",
        ));
    }
    let id = match (version, given_id) {
        (Version::Two, None) => None,
        (_, id) => Some(id.unwrap_or(Value::Null)),
    };
    Ok(Request {
        version,
        id,
        method,
        params,
    })
}

fn version(object: &Map<String, Value>) -> Result<Version, &'static str> {
    match object.get("jsonrpc") {
        None => Ok(Version::One),
        Some(Value::String(version)) if version == "2.0" => Ok(Version::Two),
        Some(Value::String(version)) if version == "1.0" || version == "1.1" => Ok(Version::One),
        Some(_) => Err("`jsonrpc` must be \"1.0\" or \"2.0\""),
    }
}

#[cfg(test)]
mod tests;
