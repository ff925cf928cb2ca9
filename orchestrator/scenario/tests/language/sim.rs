//! What only the simulator is told.

use devnet_scenario::model::{CpuWish, Micros, SimWish};
use devnet_scenario::parse::{limits, parse};
use devnet_scenario::schema;

use crate::support::spell;

/// A file with this block, which stands in its line 4.
fn with_sim(block: &str) -> String {
    format!("name: a\ntopology: {{ nodes: 4 }}\nsim:\n  {block}\nsteps: [heal]\n")
}

fn told(block: &str) -> SimWish {
    let document = parse(&with_sim(block), &[]).unwrap_or_else(|told| panic!("{told:?}"));
    document.scenario.sim.unwrap()
}

fn refused(block: &str) -> Vec<String> {
    spell(&parse(&with_sim(block), &[]).expect_err(block))
}

const fn us(us: u64) -> Micros {
    Micros { us }
}

#[test]
fn times_of_the_simulator_are_whole_microseconds() {
    for (text, wanted) in [
        ("60us", 60),
        ("0us", 0),
        ("1_000 us", 1_000),
        ("1.5ms", 1_500),
        ("0.001ms", 1),
        ("1.1ms", 1_100),
        ("2s", 2_000_000),
        ("10m", 600_000_000),
        ("1min", 60_000_000),
    ] {
        assert_eq!(text.parse(), Ok(us(wanted)), "{text}");
    }
    for bad in [
        "", "5", "us", "-5us", "1e3us", "3 blocks", "1h", "0.5us", "0.0001ms", "NaNus", "5 µs",
    ] {
        assert!(bad.parse::<Micros>().is_err(), "{bad}");
    }
    for text in ["60us", "1500us", "5ms", "2s", "90s"] {
        let time: Micros = text.parse().unwrap();
        assert_eq!(time.to_string(), text);
    }
}

#[test]
fn everything_may_be_said_and_nothing_must_be() {
    let all =
        "{ latency: 20ms, start_jitter: 2s, cpu: { block: 5ms, input: 60us, kilobyte: 10us } }";
    let wanted = SimWish {
        latency: Some(us(20_000)),
        start_jitter: us(2_000_000),
        cpu: CpuWish {
            block: us(5_000),
            input: us(60),
            kilobyte: us(10),
        },
    };
    assert_eq!(told(all), wanted);
    assert_eq!(
        wanted.to_string(),
        "20ms from node to node, nodes start up to 2s late, a block takes 5ms to validate, an input \
         takes 60us to validate, 1 kB takes 10us to validate"
    );
    assert_eq!(told("latency: 0us").latency, Some(us(0)));
    assert_eq!(told("cpu: { input: 60us }").cpu.input, us(60));
    let without = parse("name: a\ntopology: { nodes: 4 }\nsteps: [heal]\n", &[]).unwrap();
    assert_eq!(without.scenario.sim, None);
    assert_eq!(SimWish::default().to_string(), "");
}

#[test]
fn parameters_stand_in_for_its_times() {
    let text = "name: a\ntopology: { nodes: 4 }\nparameters: { far: 20ms }\n\
                sim: { latency: \"${far}\" }\nsteps: [heal]\n";
    let far = |sets: &[(String, String)]| parse(text, sets).unwrap().scenario.sim.unwrap().latency;
    assert_eq!(far(&[]), Some(us(20_000)));
    assert_eq!(far(&[("far".into(), "90ms".into())]), Some(us(90_000)));
}

#[test]
fn unknown_words_are_refused_at_their_place_with_the_word_meant() {
    assert_eq!(
        refused("latncy: 20ms"),
        ["4:3 unknown key `latncy`; did you mean `latency`?"]
    );
    assert_eq!(
        refused("start-jitter: 2s"),
        ["4:3 unknown key `start-jitter`; did you mean `start_jitter`?"]
    );
    assert_eq!(
        refused("cpu: { blck: 5ms }"),
        ["4:10 unknown key `blck`; did you mean `block`?"]
    );
    assert_eq!(
        refused("cpu: 5ms"),
        ["4:8 a mapping with keys such as block, input, kilobyte is needed here, not a text"]
    );
}

#[test]
fn times_that_make_no_sense_are_refused_with_what_would() {
    for (block, what) in [
        (
            "latency: 20",
            "4:12 a time needs a unit: write 20us, 20ms or 20s",
        ),
        (
            "latency: far",
            "4:12 `far` is not a time of the simulator; write it like 60us, 5ms or 2s",
        ),
        (
            "start_jitter: 2 blocks",
            "4:17 `2 blocks` is not a time of the simulator; write it like 60us, 5ms or 2s",
        ),
        (
            "cpu: { input: 0.5us }",
            "4:17 `0.5us` is finer than a microsecond, the least time that the simulator knows",
        ),
        (
            "latency: 1001ms",
            "4:12 1001ms is out of range; choose from 0us to 1s",
        ),
        (
            "start_jitter: 11m",
            "4:17 660s is out of range; choose from 0us to 600s",
        ),
        (
            "cpu: { block: 11s }",
            "4:17 11s is out of range; choose from 0us to 10s",
        ),
        (
            "cpu: { input: 2s }",
            "4:17 2s is out of range; choose from 0us to 1s",
        ),
        (
            "cpu: { kilobyte: 2s }",
            "4:20 2s is out of range; choose from 0us to 1s",
        ),
    ] {
        assert_eq!(refused(block), [what], "{block}");
    }
    assert_eq!(refused("latency: [5ms]").len(), 1);
    let both = refused("{ latency: 9s, cpu: { block: soon } }");
    assert_eq!(both.len(), 2, "all that is wrong is told at once: {both:?}");
    // The bounds themselves are in.
    assert_eq!(told("latency: 1s").latency, Some(limits::SIM_LATENCY_MAX));
    assert_eq!(
        told("start_jitter: 10m").start_jitter,
        limits::SIM_JITTER_MAX
    );
    assert_eq!(told("cpu: { block: 10s }").cpu.block, limits::SIM_BLOCK_MAX);
    assert_eq!(told("cpu: { input: 1s }").cpu.input, limits::SIM_PART_MAX);
}

#[test]
fn the_schema_tells_the_bounds_that_the_parser_keeps() {
    let schema = schema::scenario(&schemars::json_schema!({ "type": "object" }));
    let said = |form: &str, key: &str| {
        let pointer = format!("/$defs/{form}/properties/{key}/description");
        let text = schema
            .as_value()
            .pointer(&pointer)
            .and_then(serde_json::Value::as_str);
        text.unwrap_or_else(|| panic!("{pointer}")).to_owned()
    };
    for (form, key, max) in [
        ("Sim", "latency", limits::SIM_LATENCY_MAX),
        ("Sim", "start_jitter", limits::SIM_JITTER_MAX),
        ("Cpu", "block", limits::SIM_BLOCK_MAX),
        ("Cpu", "input", limits::SIM_PART_MAX),
        ("Cpu", "kilobyte", limits::SIM_PART_MAX),
    ] {
        let text = said(form, key);
        let bound = text
            .split_once("at most ")
            .unwrap_or_else(|| panic!("{text}"))
            .1;
        let bound = bound.split(['.', ';', ' ']).next().unwrap_or_default();
        assert_eq!(bound.parse(), Ok(max), "{form}.{key}: {text}");
    }
}
