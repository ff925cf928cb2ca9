//! A request body read as the server reads it, up to where a method would
//! look at the chain. For those who try what no client would send.

use minichain_api::rpc::{RpcError, code};
use minichain_chain::hash::BlockHash;
use serde_json::Value;

use super::arguments::Arguments;
use super::envelope::{self, Body, Invalid, Request};
use super::{descriptor, error, peers, spec, transactions};
use crate::net::Subject;

/// The answer to a body if every method that is called as it wants to be
/// answered null.
#[must_use]
pub fn examine(body: &[u8]) -> Value {
    match envelope::parse(body) {
        Err(invalid) => envelope::invalid_response(invalid),
        Ok(Body::Single(item)) => answer(item).unwrap_or(Value::Null),
        Ok(Body::Batch(items)) => items.into_iter().filter_map(answer).collect(),
    }
}

fn answer(item: Result<Request, Invalid>) -> Option<Value> {
    match item {
        Err(invalid) => Some(envelope::invalid_response(invalid)),
        Ok(request) => {
            let result = called(&request.method, request.params.clone());
            let _status = envelope::http_status(request.version, result.as_ref().err());
            envelope::response(&request, result)
        }
    }
}

fn called(name: &str, params: Value) -> Result<Value, RpcError> {
    let Some(spec) = spec::find(name, true) else {
        return Err(error(code::METHOD_NOT_FOUND, "method not found"));
    };
    let arguments = Arguments::new(spec, params)?;
    for index in 0..spec.params.len() {
        // Whatever kind the method wants, none may panic on what is there.
        let _kinds = (
            arguments.u32(index).is_ok(),
            arguments.bool(index).is_ok(),
            arguments.level(index, 0).is_ok(),
            arguments.parsed::<BlockHash>(index).is_ok(),
            arguments.decoded_or_none::<Value>(index).is_ok(),
        );
        if let Ok(Some(text)) = arguments.text(index) {
            let _read = (
                transactions::decoded(text).is_ok(),
                descriptor::parse(text, "mini").is_ok(),
                peers::whom(text).is_ok(),
                text.parse::<Subject>().is_ok(),
            );
        }
    }
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[0-9a-f]{0,80}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{0,12}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn request() -> impl Strategy<Value = Value> {
        let known = prop::sample::select(minichain_api::rpc::method::ALL);
        let name = prop_oneof![known.prop_map(Value::from), value()];
        (name, value(), value(), value()).prop_map(|(method, params, id, jsonrpc)| {
            json!({"method": method, "params": params, "id": id, "jsonrpc": jsonrpc})
        })
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let answer = examine(&bytes);
            prop_assert!(answer.is_object() || answer.is_array() || answer.is_null());
        }

        #[test]
        fn any_json_gets_an_answer(body in prop_oneof![
            value(),
            request(),
            prop::collection::vec(request(), 0..5).prop_map(Value::from),
        ]) {
            let answer = examine(body.to_string().as_bytes());
            if body.as_array().is_some_and(|items| !items.is_empty()) {
                prop_assert!(answer.is_array());
            }
        }
    }
}
