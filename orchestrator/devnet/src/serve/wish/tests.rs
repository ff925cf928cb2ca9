//! What is read, and what is refused.

use super::*;

fn wish(text: &str) -> Result<Wish, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn wishes_are_read_strictly() {
    let cut = wish(r#"{"do":"partition","groups":[["a"],["b","c"]]}"#);
    let groups = vec![vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]];
    assert_eq!(
        cut,
        Ok(Wish::Partition {
            groups,
            for_s: None
        })
    );
    let kill = wish(r#"{"do":"node","nodes":["a"],"act":"kill","for_s":9}"#);
    assert!(matches!(
        kill,
        Ok(Wish::Node {
            act: Act::Kill,
            for_s: Some(9),
            ..
        })
    ));
    for odd in [
        "{}",
        r#"{"do":"format-disk"}"#,
        r#"{"do":"partition"}"#,
        r#"{"do":"heal","nodes":[],"more":1}"#,
        r#"{"do":"node","nodes":["a"],"act":"explode"}"#,
        r#"{"do":"add","group":"miner","count":-1}"#,
    ] {
        assert!(wish(odd).is_err(), "{odd}");
    }
}

#[test]
fn conditions_and_times_have_bounds() {
    let delay = |ms| Condition {
        latency_ms: Some(ms),
        ..Condition::default()
    };
    assert!(check_condition(&delay(80.0)).is_ok());
    for odd in [
        delay(-1.0),
        delay(f64::NAN),
        delay(60_001.0),
        Condition::default(),
    ] {
        assert!(check_condition(&odd).is_err(), "{odd:?}");
    }
    let loss = Condition {
        loss: Some(1.5),
        ..Condition::default()
    };
    assert!(check_condition(&loss).is_err());
    assert!(time(Some(0)).is_err() && time(Some(86_401)).is_err());
    assert!(matches!(time(Some(5)), Ok(Some(span)) if span.as_secs() == 5));
}
