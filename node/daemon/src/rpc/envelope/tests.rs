//! Envelopes, good and bad.

use super::*;

fn single(text: &str) -> Result<Request, Invalid> {
    match parse(text.as_bytes()) {
        Ok(Body::Single(request)) => request,
        Ok(Body::Batch(_)) => panic!("{text} is no batch"),
        Err(invalid) => Err(invalid),
    }
}

#[test]
fn both_versions_are_read() {
    let old = single(r#"{"method": "a", "params": [1], "id": "x"}"#).unwrap();
    assert_eq!((old.version, old.id), (Version::One, Some(json!("x"))));
    assert_eq!(old.params, json!([1]));
    let new = single(r#"{"jsonrpc": "2.0", "method": "a", "params": {"b": 1}, "id": 7}"#).unwrap();
    assert_eq!((new.version, new.id), (Version::Two, Some(json!(7))));
    assert_eq!(
        single(r#"{"jsonrpc": "1.0", "method": "a"}"#)
            .unwrap()
            .version,
        Version::One
    );
}

#[test]
fn only_version_two_knows_notifications() {
    let new = single(r#"{"jsonrpc": "2.0", "method": "a"}"#).unwrap();
    assert_eq!(new.id, None);
    assert_eq!(response(&new, Ok(json!(1))), None);
    let old = single(r#"{"method": "a"}"#).unwrap();
    assert_eq!(old.id, Some(Value::Null));
    assert!(response(&old, Ok(json!(1))).is_some());
    let null = single(r#"{"jsonrpc": "2.0", "method": "a", "id": null}"#).unwrap();
    assert_eq!(null.id, Some(Value::Null));
}

#[test]
fn broken_requests_are_refused_with_their_id() {
    for (text, code, id) in [
        ("", code::PARSE, Value::Null),
        ("{", code::PARSE, Value::Null),
        ("\u{1}", code::PARSE, Value::Null),
        ("1", code::INVALID_REQUEST, Value::Null),
        ("[]", code::INVALID_REQUEST, Value::Null),
        ("{}", code::INVALID_REQUEST, Value::Null),
        (r#"{"id": 3}"#, code::INVALID_REQUEST, json!(3)),
        (r#"{"id": 3, "method": 4}"#, code::INVALID_REQUEST, json!(3)),
        (
            r#"{"id": [3], "method": "a"}"#,
            code::INVALID_REQUEST,
            json!([3]),
        ),
        (
            r#"{"id": 3, "method": "a", "params": 5}"#,
            code::INVALID_PARAMS,
            json!(3),
        ),
        (
            r#"{"id": 3, "method": "a", "jsonrpc": "3.0"}"#,
            code::INVALID_REQUEST,
            json!(3),
        ),
        (
            r#"{"id": 3, "method": "a", "jsonrpc": 2.0}"#,
            code::INVALID_REQUEST,
            json!(3),
        ),
    ] {
        let invalid = single(text).expect_err(text);
        assert_eq!((invalid.error.code, &invalid.id), (code, &id), "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let deep = "[".repeat(100_000);
    assert_eq!(single(&deep).unwrap_err().error.code, code::PARSE);
}

#[test]
fn batch_keeps_good_and_bad_apart_and_is_bounded() {
    let Ok(Body::Batch(items)) = parse(br#"[{"method": "a"}, 1]"#) else {
        panic!("not a batch");
    };
    assert!(items[0].is_ok() && items[1].is_err());
    let many = format!("[{}]", vec!["1"; BATCH_MAX].join(","));
    assert!(matches!(parse(many.as_bytes()), Ok(Body::Batch(items)) if items.len() == BATCH_MAX));
    let too_many = format!("[{}]", vec!["1"; BATCH_MAX + 1].join(","));
    assert_eq!(
        parse(too_many.as_bytes()).unwrap_err().error.code,
        code::INVALID_REQUEST
    );
}

#[test]
fn answers_follow_the_version() {
    let old = single(r#"{"method": "a", "id": 1}"#).unwrap();
    let new = single(r#"{"jsonrpc": "2.0", "method": "a", "id": 1}"#).unwrap();
    assert_eq!(
        response(&old, Ok(json!(5))).unwrap(),
        json!({"result": 5, "error": null, "id": 1})
    );
    assert_eq!(
        response(&new, Ok(json!(5))).unwrap(),
        json!({"jsonrpc": "2.0", "result": 5, "id": 1})
    );
    let refused = || Err(error(code::MISC, "no"));
    let object = json!({"code": -1, "message": "no"});
    assert_eq!(
        response(&old, refused()).unwrap(),
        json!({"result": null, "error": object, "id": 1})
    );
    assert_eq!(
        response(&new, refused()).unwrap(),
        json!({"jsonrpc": "2.0", "error": object, "id": 1})
    );
}

#[test]
fn http_status_tells_old_clients_what_happened() {
    let status = |version, code| http_status(version, Some(&error(code, "")));
    assert_eq!(http_status(Version::One, None), 200);
    assert_eq!(status(Version::One, code::METHOD_NOT_FOUND), 404);
    assert_eq!(status(Version::One, code::INVALID_REQUEST), 400);
    assert_eq!(status(Version::One, code::MISC), 500);
    assert_eq!(status(Version::Two, code::MISC), 200);
}
