//! What is read, and what is refused.

use super::*;

fn wish(text: &str) -> Result<Wish, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn links(more: &str) -> Wish {
    wish(&format!(r#"{{"do":"links","links":[]{more}}}"#)).expect("a sound form")
}

#[test]
fn wishes_are_read_strictly() {
    let cut = wish(r#"{"do":"cut","shape":{"groups":["a","b,c"]}}"#);
    let shape = Shape::Groups(vec!["a".to_owned(), "b,c".to_owned()]);
    assert_eq!(cut, Ok(Wish::Cut { shape, time: None }));
    let ring = wish(r#"{"do":"cut","shape":"ring"}"#);
    assert!(matches!(
        ring,
        Ok(Wish::Cut {
            shape: Shape::Ring,
            ..
        })
    ));
    let kill = wish(r#"{"do":"node","nodes":["a"],"act":"kill","for":"9s"}"#).expect("sound");
    assert_eq!(kill.way(), Ok(Way::Inflict(Some(Duration::from_secs(9)))));
    for odd in [
        "{}",
        r#"{"do":"format-disk"}"#,
        r#"{"do":"cut"}"#,
        r#"{"do":"cut","shape":"square"}"#,
        r#"{"do":"heal","nodes":[],"more":1}"#,
        r#"{"do":"heal","nodes":[],"only":"nodes"}"#,
        r#"{"do":"node","nodes":["a"],"act":"explode"}"#,
        r#"{"do":"add","group":"miner","count":-1}"#,
    ] {
        assert!(wish(odd).is_err(), "{odd}");
    }
}

#[test]
fn every_act_of_a_node_is_its_fault() {
    for (word, fault) in [
        ("kill", NodeFault::Kill),
        ("stop", NodeFault::Stop),
        ("start", NodeFault::Start),
        ("restart", NodeFault::Restart),
        ("pause", NodeFault::Pause),
        ("unpause", NodeFault::Unpause),
        ("wipe", NodeFault::Wipe),
        ("remove", NodeFault::Remove),
        ("fill-disk", NodeFault::FillDisk),
        ("corrupt", NodeFault::CorruptStore),
    ] {
        let read = wish(&format!(r#"{{"do":"node","nodes":["a"],"act":"{word}"}}"#));
        let Ok(Wish::Node { act, .. }) = read else {
            panic!("{word}: {read:?}");
        };
        assert_eq!(act.fault(), fault);
    }
}

#[test]
fn conditions_are_read_with_their_units_and_have_bounds() {
    let with = links(r#","latency":"80ms","jitter":"5ms","loss":"2%","bandwidth":"1mbit""#);
    let wanted = Condition {
        latency_ms: Some(80.0),
        jitter_ms: Some(5.0),
        loss: Some(0.02),
        rate_bytes_s: Some(125_000),
    };
    assert_eq!(with.condition(), Ok(wanted));
    for (odd, part) in [
        ("", "nothing is asked for"),
        (r#","latency":"-1ms""#, "not a time"),
        (r#","latency":"61s""#, "not between 0 and 60 s"),
        (r#","loss":"150%""#, "more than the whole"),
        (r#","bandwidth":"1gbit""#, "cannot be proven"),
        (r#","bandwidth":"5""#, "not a data rate"),
    ] {
        let why = links(odd).condition().expect_err(odd);
        assert!(why.message().contains(part), "{odd}: {}", why.message());
    }
}

#[test]
fn times_have_bounds() {
    let way = |time: &str| {
        let text = format!(r#"{{"do":"cut","shape":"halves","for":"{time}"}}"#);
        wish(&text).expect("a sound form").way()
    };
    assert_eq!(way("2m"), Ok(Way::Inflict(Some(Duration::from_secs(120)))));
    for odd in ["0s", "25h", "soon"] {
        assert!(way(odd).is_err(), "{odd}");
    }
}

#[test]
fn what_is_refused_is_refused_with_its_reason() {
    let upgrade = |program: &str| {
        let text = format!(r#"{{"do":"upgrade","nodes":["a"],{program}}}"#);
        wish(&text).expect("sound")
    };
    let (image, binary) = (upgrade(r#""image":"x""#), upgrade(r#""binary":"/bin/x""#));
    let of_processes = refusals(EngineKind::Process, false);
    let why = image.refused(&of_processes).expect("it has no images");
    assert!(why.contains("plain processes"), "{why}");
    assert_eq!(binary.refused(&of_processes), None);
    let of_containers = refusals(EngineKind::Docker, false);
    assert_eq!(image.refused(&of_containers), None);
    let open = refusals(EngineKind::Docker, true);
    let why = binary.refused(&open).expect("others can reach it");
    assert!(why.contains("other machines"), "{why}");
    let heal = wish(r#"{"do":"heal","nodes":[],"only":"cuts"}"#).expect("sound");
    assert_eq!(heal.way(), Ok(Way::Heal));
    assert_eq!(heal.refused(&open), None);
}
