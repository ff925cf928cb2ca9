use std::collections::BTreeMap;

use super::*;
use crate::message::{Head, messages};

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn rules() -> Rules {
    Rules {
        drops: BTreeMap::from([(address(2), 1.0), (address(3), 0.25), (address(4), 1e-9)]),
        counted: vec![address(3), address(9)],
    }
}

/// The rule as the kernel would send it back.
fn echoed(line: &Line) -> Option<Line> {
    let head = Head {
        kind: 0,
        flags: 0,
        sequence: 0,
    };
    let mut writer = Writer::default();
    writer.message(head, 2, 0, |writer| {
        writer.text(RULE_TABLE, TABLE);
        expression::write(writer, line);
    });
    let bytes = writer.finish();
    let message = messages(&bytes).next().expect("one was written");
    expression::read(message.attributes())
}

#[test]
fn rules_read_back_as_they_were_written() {
    let lines = lines(&rules()).unwrap();
    assert_eq!(lines.len(), 5);
    let echoes: Vec<Line> = lines.iter().map(|line| echoed(line).unwrap()).collect();
    assert_eq!(echoes, lines);
    let read = state(echoes).rules.unwrap();
    assert_eq!(read.counted, rules().counted);
    assert_eq!(read.drops[&address(3)], 0.25);
    assert_eq!(read.drops[&address(4)], 1e-6, "no loss is lost to rounding");
}

#[test]
fn a_drop_stands_before_the_count_of_the_same_sender() {
    let lines = lines(&rules()).unwrap();
    let of_three: Vec<Fate> = lines
        .iter()
        .filter(|line| line.sender == address(3))
        .map(|line| line.fate)
        .collect();
    let drop = Fate::Drop {
        millionths: 250_000,
    };
    assert_eq!(of_three, [drop, Fate::Pass]);
}

#[test]
fn a_share_beyond_its_bounds_is_refused() {
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let bad = Rules {
            drops: BTreeMap::from([(address(2), share)]),
            ..Rules::default()
        };
        let failure = lines(&bad).unwrap_err();
        assert_eq!(failure.why, Why::BadCommand);
        assert!(failure.detail.contains("10.0.0.2"), "{}", failure.detail);
    }
    let none = Rules {
        drops: BTreeMap::from([(address(2), 0.0)]),
        ..Rules::default()
    };
    assert!(lines(&none).unwrap().is_empty(), "no loss is no rule");
}

#[test]
fn more_senders_than_one_message_holds_are_refused() {
    let drops = (0..=SENDERS_MAX)
        .map(|number| (Ipv4Addr::from(u32::try_from(number).unwrap()), 1.0))
        .collect();
    let many = Rules {
        drops,
        counted: Vec::new(),
    };
    assert_eq!(lines(&many).unwrap_err().why, Why::BadCommand);
}

#[test]
fn a_foreign_rule_is_not_taken_for_ours() {
    let mut writer = Writer::default();
    let head = Head {
        kind: 0,
        flags: 0,
        sequence: 0,
    };
    writer.message(head, 2, 0, |writer| {
        writer.text(RULE_TABLE, TABLE);
        writer.nested(4, |list| {
            list.nested(1, |element| {
                element.text(1, "counter");
                element.nested(2, |_| {});
            });
        });
    });
    let bytes = writer.finish();
    let message = messages(&bytes).next().unwrap();
    assert_eq!(expression::read(message.attributes()), None);
}
