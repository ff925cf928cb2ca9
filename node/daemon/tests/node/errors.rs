//! Every mistake a caller can make has the code that Bitcoin Core gives it.

use minichain_api::rpc::{code, method};
use serde_json::{Value, json};

use crate::support::{EASY_GENESIS, Node, basic, minichain, post};

/// A method, its parameters, and the code they lead to.
#[expect(
    clippy::too_many_lines,
    reason = "one table with an entry for every mistake"
)]
fn table() -> Vec<(&'static str, Value, i32)> {
    let unknown = "00".repeat(32);
    let garbage = "zz";
    let address = "mini1pqqqq";
    vec![
        // Too few, too many.
        (method::GET_BLOCK, json!([]), code::MISC),
        (method::GET_BLOCK_COUNT, json!([1]), code::MISC),
        (method::GET_BLOCK_STATS, json!([]), code::MISC),
        (method::WAIT_FOR_BLOCK, json!([]), code::MISC),
        // The wrong type.
        (method::GET_BLOCK_HASH, json!(["0"]), code::TYPE),
        (method::GET_BLOCK, json!([5]), code::TYPE),
        (
            method::GET_RAW_TRANSACTION,
            json!([unknown, 0, 5]),
            code::TYPE,
        ),
        (method::GET_RAW_MEMPOOL, json!(["yes"]), code::TYPE),
        (
            method::GENERATE_TO_ADDRESS,
            json!(["1", address]),
            code::TYPE,
        ),
        (method::WAIT_FOR_NEW_BLOCK, json!(["1"]), code::TYPE),
        (method::SUBMIT_BLOCK, json!([7]), code::TYPE),
        // Nothing of that name.
        (
            method::GET_BLOCK,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_BLOCK_HEADER,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_BLOCK_STATS,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_MEMPOOL_ENTRY,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_RAW_TRANSACTION,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_RAW_TRANSACTION,
            json!([unknown, 1, unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::INVALIDATE_BLOCK,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::RECONSIDER_BLOCK,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GENERATE_TO_ADDRESS,
            json!([1, address]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        // Out of range, or not the shape.
        (
            method::GET_BLOCK_HASH,
            json!([1_000_000]),
            code::INVALID_PARAMETER,
        ),
        (method::GET_BLOCK_HASH, json!([-1]), code::INVALID_PARAMETER),
        (method::GET_BLOCK, json!([garbage]), code::INVALID_PARAMETER),
        (
            method::GET_BLOCK_STATS,
            json!([1_000_000]),
            code::INVALID_PARAMETER,
        ),
        (
            method::GET_BLOCK_STATS,
            json!([0, ["nonsense"]]),
            code::INVALID_PARAMETER,
        ),
        (
            method::GET_BLOCK_TEMPLATE,
            json!([{"mode": "nonsense"}]),
            code::INVALID_PARAMETER,
        ),
        (
            method::GET_TXOUTSET_INFO,
            json!(["nonsense"]),
            code::INVALID_PARAMETER,
        ),
        (
            method::GET_RAW_TRANSACTION,
            json!(["abc"]),
            code::INVALID_PARAMETER,
        ),
        (
            method::GENERATE_TO_ADDRESS,
            json!([1_000_000, address]),
            code::INVALID_PARAMETER,
        ),
        (
            method::WAIT_FOR_BLOCK_HEIGHT,
            json!([-5]),
            code::INVALID_PARAMETER,
        ),
        (method::HELP, json!(["nonsense"]), code::INVALID_PARAMETER),
        (
            method::GET_BLOCK_COUNT,
            json!({"height": 1}),
            code::INVALID_PARAMETER,
        ),
        // Bytes that do not decode.
        (
            method::SEND_RAW_TRANSACTION,
            json!([garbage]),
            code::DESERIALIZATION,
        ),
        (
            method::SEND_RAW_TRANSACTION,
            json!(["00"]),
            code::DESERIALIZATION,
        ),
        (
            method::DECODE_RAW_TRANSACTION,
            json!(["00ff"]),
            code::DESERIALIZATION,
        ),
        (
            method::SUBMIT_BLOCK,
            json!([garbage]),
            code::DESERIALIZATION,
        ),
        (method::SUBMIT_BLOCK, json!(["00"]), code::DESERIALIZATION),
        // The envelope.
        ("nonsense", json!([]), code::METHOD_NOT_FOUND),
        (
            method::GET_BLOCK_COUNT,
            json!("height"),
            code::INVALID_PARAMS,
        ),
    ]
}

#[test]
fn mistakes_have_the_codes_of_core_in_both_versions() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    for (name, params, code) in table() {
        let new = node.try_call(name, params.clone()).expect_err(name);
        assert_eq!(new.0, i64::from(code), "{name} {params}: {}", new.1);
        assert!(
            new.1.len() > 10,
            "{name} {params} says too little: {}",
            new.1
        );
        let old = json!({"id": 1, "method": name, "params": params});
        let (status, text) = node.post(&old.to_string());
        let expected = match code {
            code::METHOD_NOT_FOUND => 404,
            code::INVALID_REQUEST => 400,
            _ => 500,
        };
        assert_eq!(status, expected, "{name} {params}: {text}");
        let old: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(old["error"]["code"], json!(code), "{text}");
        assert_eq!(old["result"], Value::Null);
    }
    assert_eq!(node.height(), 0, "nothing of that changed anything");
}

#[test]
fn bodies_that_are_no_requests_have_their_codes() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    for (body, status, code) in [
        ("", 500, code::PARSE),
        ("{", 500, code::PARSE),
        ("nonsense", 500, code::PARSE),
        ("5", 400, code::INVALID_REQUEST),
        ("[]", 400, code::INVALID_REQUEST),
        ("{\"id\": 1}", 400, code::INVALID_REQUEST),
        ("{\"id\": 1, \"method\": 5}", 400, code::INVALID_REQUEST),
        (
            "{\"jsonrpc\": \"3.0\", \"method\": \"uptime\"}",
            400,
            code::INVALID_REQUEST,
        ),
    ] {
        let (got, text) = node.post(body);
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{body}: {text}"
        );
    }
}

#[test]
fn no_credential_no_answer_of_any_kind() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = format!("{EASY_GENESIS}rpc: {{port: 0, user: devnet, password: secret}}\n");
    let node = Node::start_command(minichain(&[]), dir.path(), &config);
    let call = r#"{"method": "uptime"}"#;
    for path in ["/", "/events", "/nonsense"] {
        let url = format!("{}{path}", node.rpc_url);
        assert_eq!(post(&url, &[], call).0, 401, "{path}");
        let wrong = basic("devnet:guess");
        assert_eq!(
            post(&url, &[("authorization", &wrong)], call).0,
            401,
            "{path}"
        );
    }
}
