//! What only the simulator is told.

use devnet_scenario::check::check;
use devnet_scenario::model::{
    ByteRate, Bytes, CpuWish, GossipWish, LineWish, Machine, Micros, NodeWish, Offset, Selector,
    Share, SimWish,
};
use devnet_scenario::parse::{Problem, limits, parse};
use devnet_scenario::schema;

use crate::support::{roster, spell};

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
        ..SimWish::default()
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

fn rate(bytes_s: u64) -> Option<ByteRate> {
    Some(ByteRate { bytes_s })
}

#[test]
fn lines_gossip_and_single_nodes_may_be_said_too() {
    let all = "{ loss: 0.5%, outbound: 8, upload: 1MB/s, download: 8Mbit/s, block_ballast: 500kB, \
               gossip: { degree: 4, degree_low: 3, degree_high: 9, lazy: 2, heartbeat: 700ms }, \
               nodes: [{ on: [miner-0, observer], upload: 64KiB/s, clock_skew: -1.5s }] }";
    let wanted = SimWish {
        loss: Share::new(0.005),
        outbound: Some(8),
        line: LineWish {
            upload: rate(1_000_000),
            download: rate(1_000_000),
        },
        block_ballast: Some(Bytes(500_000)),
        gossip: GossipWish {
            degree: Some(4),
            degree_low: Some(3),
            degree_high: Some(9),
            lazy: Some(2),
            heartbeat: Some(us(700_000)),
        },
        nodes: vec![NodeWish {
            on: Selector([Selector::named("miner-0").0, Selector::named("observer").0].concat()),
            line: LineWish {
                upload: rate(65_536),
                download: None,
            },
            clock_skew: Some(Offset { ms: -1_500 }),
        }],
        ..SimWish::default()
    };
    assert_eq!(told(all), wanted);
    assert_eq!(
        wanted.to_string(),
        "links lose 0.5%, each dials 8 others, upload 1MB/s, download 1MB/s, blocks carry 500kB \
         of ballast, gossip degree 4, gossip degree_low 3, gossip degree_high 9, gossip lazy 2, \
         gossip heartbeat 700ms, miner-0,observer upload 65536B/s and clock -1500ms"
    );
}

#[test]
fn a_node_has_what_the_last_entry_says_that_means_it() {
    let sim = told(
        "{ upload: 1MB/s, nodes: [{ on: all, download: 2MB/s }, { on: miner, upload: 3MB/s }, \
         { on: miner-1, upload: 4MB/s, clock_skew: 1s }, { on: { zone: us }, clock_skew: 2s }] }",
    );
    let machine = |up, skew_ms| Machine {
        line: LineWish {
            upload: rate(up),
            download: rate(2_000_000),
        },
        skew_ms,
    };
    let of = |name: &str, group: &str, zone| sim.machine(name, group, zone);
    assert_eq!(of("bootstrap-0", "bootstrap", None), machine(1_000_000, 0));
    assert_eq!(of("miner-0", "miner", Some("eu")), machine(3_000_000, 0));
    assert_eq!(
        of("miner-1", "miner", Some("eu")),
        machine(4_000_000, 1_000)
    );
    assert_eq!(
        of("miner-10", "miner", Some("us")),
        machine(3_000_000, 2_000)
    );
}

#[test]
fn lines_that_make_no_sense_are_refused_with_what_would() {
    for (block, what) in [
        (
            "upload: fast",
            "4:11 `fast` is not a rate; write it like 1MB/s, 64KiB/s or 8Mbit/s",
        ),
        (
            "download: 999",
            "4:13 999B/s is out of range; choose from 1kB/s to 100GB/s",
        ),
        (
            "upload: 101GB/s",
            "4:11 101GB/s is out of range; choose from 1kB/s to 100GB/s",
        ),
        (
            "block_ballast: 101MB",
            "4:18 101MB is out of range; choose from 0B to 100MB",
        ),
        (
            "loss: 31%",
            "4:9 31% is out of range; choose from 0.1% to 30%",
        ),
        (
            "loss: 0.05%",
            "4:9 0.05% is out of range; choose from 0.1% to 30%",
        ),
        (
            "outbound: 0",
            "4:13 0 is out of range; choose from 1 to 1000",
        ),
    ] {
        assert_eq!(refused(block), [what], "{block}");
    }
}

#[test]
fn gossip_and_single_nodes_that_make_no_sense_are_refused_with_what_would() {
    for (block, what) in [
        (
            "gossip: { degree: 0 }",
            "4:21 0 is out of range; choose from 1 to 1000",
        ),
        (
            "gossip: { heartbeat: 5ms }",
            "4:24 5ms is out of range; choose from 10ms to 60s",
        ),
        (
            "gossip: { fanout: 3 }",
            "4:13 unknown key `fanout`; known are: degree, degree_low, degree_high, lazy, heartbeat",
        ),
        (
            "gossip: { degree: 3, degree_low: 4 }",
            "4:11 `degree_low` is 4 and `degree` is 3; a mesh needs degree_low <= degree <= \
             degree_high",
        ),
        (
            "gossip: { degree: 8, degree_high: 7 }",
            "4:11 `degree` is 8 and `degree_high` is 7; a mesh needs degree_low <= degree <= \
             degree_high",
        ),
        (
            "gossip: { degree_low: 8, degree_high: 7 }",
            "4:11 `degree_low` is 8 and `degree_high` is 7; a mesh needs degree_low <= degree <= \
             degree_high",
        ),
        ("nodes: [{ upload: 1MB/s }]", "4:11 the key `on` is missing"),
        (
            "nodes: [{ on: miner-0 }]",
            "4:11 these nodes would be like all others: give upload, download or clock_skew",
        ),
        (
            "nodes: [{ on: { random: 2 }, upload: 1MB/s }]",
            "4:17 nothing is drawn before a run: write a name, a group, `all` or a zone",
        ),
        (
            "nodes: [{ on: rest, upload: 1MB/s }]",
            "4:17 nothing is drawn before a run: write a name, a group, `all` or a zone",
        ),
    ] {
        assert_eq!(refused(block), [what], "{block}");
    }
}

#[test]
fn single_nodes_that_are_not_there_are_refused_with_the_name_meant() {
    let problems = |nodes: &str| {
        let block = format!("nodes: [{{ on: all, upload: 1MB/s }}, {{ {nodes}, upload: 1MB/s }}]");
        let document = parse(&with_sim(&block), &[]).unwrap_or_else(|told| panic!("{told:?}"));
        let mut problems = check(&document, &roster());
        problems.retain(Problem::is_error);
        spell(&problems)
    };
    assert_eq!(problems("on: observer-0"), Vec::<String>::new());
    assert_eq!(problems("on: { zone: us }"), Vec::<String>::new());
    assert_eq!(
        problems("on: [miner-0, minr-1]"),
        ["4:55 there is no node or group `minr-1`; did you mean `miner-1`?"]
    );
    assert_eq!(
        problems("on: { zone: uk }"),
        ["4:53 no node stands in a zone `uk`; did you mean `us`?"]
    );
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
        ("Gossip", "heartbeat", limits::SIM_HEARTBEATS.1),
    ] {
        let text = said(form, key);
        let bound = text
            .split_once("at most ")
            .unwrap_or_else(|| panic!("{text}"))
            .1;
        let bound = bound.split(['.', ';', ' ']).next().unwrap_or_default();
        assert_eq!(bound.parse(), Ok(max), "{form}.{key}: {text}");
    }
    let (slowest, _) = limits::SIM_RATES;
    let (least, most) = limits::SIM_LOSSES;
    let losses = [least, most].map(|share| Share::new(share).expect("a share"));
    for (form, key, bounds) in [
        ("Sim", "upload", vec![slowest.to_string()]),
        ("SimNodes", "download", vec![slowest.to_string()]),
        (
            "Sim",
            "loss",
            losses.map(|share| share.to_string()).to_vec(),
        ),
        (
            "Sim",
            "block_ballast",
            vec![limits::SIM_BALLAST_MAX.to_string()],
        ),
        (
            "Gossip",
            "heartbeat",
            vec![limits::SIM_HEARTBEATS.0.to_string()],
        ),
    ] {
        let text = said(form, key);
        assert!(
            bounds.iter().all(|bound| text.contains(bound)),
            "{bounds:?}: {text}"
        );
    }
}
