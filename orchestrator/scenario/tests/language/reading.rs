//! Files that are read, and files that are not.

use devnet_scenario::fault::Heal;
use devnet_scenario::model::{
    Claim, Comparison, Lines, LinkSet, Parameter, PartitionWish, Pick, Selector, Share, Since,
    Time, Verb, Wait,
};
use devnet_scenario::parse::{limits, parse};

use crate::support::{read, spell, unreadable, with_steps};

fn verb(step: &str) -> Verb {
    read(step).scenario.steps.remove(0).verb
}

fn claim(text: &str) -> Claim {
    match verb(&format!("- expect: {{ {text} }}")) {
        Verb::Expect(mut claims) => claims.remove(0).claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn partitions_come_in_all_shapes() {
    let named = Selector::named;
    let cases = [
        (
            "- partition: [[a, b], rest]",
            PartitionWish::Groups(vec![
                Selector(vec![Pick::Named("a".into()), Pick::Named("b".into())]),
                Selector(vec![Pick::Rest]),
            ]),
        ),
        ("- partition: halves", PartitionWish::Halves),
        (
            "- partition: majorities_ring",
            PartitionWish::MajoritiesRing,
        ),
        (
            "- partition: { isolate: a }",
            PartitionWish::Isolate(named("a")),
        ),
        (
            "- partition: { bridge: { sides: [a, b], over: c } }",
            PartitionWish::Bridge {
                sides: vec![named("a"), named("b")],
                bridge: named("c"),
            },
        ),
        (
            "- partition: { one_way: { from: a, to: b } }",
            PartitionWish::OneWay {
                from: named("a"),
                to: named("b"),
            },
        ),
        (
            "- partition: { links: [[a, b], [b, c]] }",
            PartitionWish::Links(vec![("a".into(), "b".into()), ("b".into(), "c".into())]),
        ),
    ];
    for (text, wished) in cases {
        assert_eq!(verb(text), Verb::Partition(wished), "{text}");
    }
}

#[test]
fn healing_may_stand_alone() {
    for text in ["- heal", "- heal:", "- heal: all"] {
        assert_eq!(verb(text), Verb::Heal(Heal::All, None), "{text}");
    }
    assert_eq!(verb("- heal: cuts"), Verb::Heal(Heal::Cuts, None));
}

#[test]
fn conditions_take_a_place_or_hold_everywhere() {
    let Verb::Condition(wish) = verb("- latency: 80ms") else {
        panic!()
    };
    assert_eq!(
        (wish.links, wish.latency),
        (LinkSet::All, Some(Time::Ms(80)))
    );
    let Verb::Condition(wish) = verb("- loss: { is: 5%, zones: [eu, us] }") else {
        panic!()
    };
    assert_eq!(wish.links, LinkSet::Zones("eu".into(), "us".into()));
    assert_eq!(wish.loss.map(Share::get), Some(0.05));
}

#[test]
fn draws_name_their_candidates() {
    let Verb::Kill(selector) = verb("- kill: { random: 2, of: miner }") else {
        panic!()
    };
    let of = Box::new(Selector::named("miner"));
    assert_eq!(selector, Selector(vec![Pick::Random { count: 2, of }]));
}

#[test]
fn waits_are_for_a_time_or_for_an_event() {
    assert_eq!(
        verb("- wait: 3 blocks"),
        Verb::Wait(Wait::For(Time::Blocks(3.0)))
    );
    let lines = Lines::Containing("ready".into());
    let on = Some(Selector::named("a"));
    assert_eq!(
        verb("- wait: { log: ready, on: a }"),
        Verb::Wait(Wait::Log { lines, on })
    );
}

#[test]
fn claims_carry_limits_and_excuses() {
    let Verb::Expect(claims) = verb(
        "- expect:\n    - converged: { max_lag: 0 }\n      within: 3 blocks\n      except: [a, b]\n      allow: 10%\n    - diverged",
    ) else {
        panic!()
    };
    let first = &claims[0];
    assert_eq!(
        first.claim,
        Claim::Converged {
            max_lag: 0,
            fresh: 1
        }
    );
    assert_eq!(first.within, Some(Time::Blocks(3.0)));
    assert_eq!(first.since, Since::Heal);
    assert_eq!(first.except, ["a", "b"]);
    assert!((first.allow.get() - 0.1).abs() < 1e-12);
    assert_eq!(claims[1].claim, Claim::Diverged { advance: 1 });
    assert_eq!(claims[1].since, Since::Step);
}

#[test]
fn comparisons_are_numbers_texts_and_records() {
    assert_eq!(claim("height: 3"), Claim::Height(Comparison::equal(3.0)));
    assert_eq!(claim("height: \">= $before + 5\"").word(), "height");
    assert_eq!(
        claim("peers: \">= 2\""),
        Claim::Peers(Comparison::at_least(2.0))
    );
}

#[test]
fn parameters_keep_their_type_and_are_set_from_outside() {
    let text = "name: a\ntopology: { nodes: \"${n}\" }\nparameters: { n: 4, who: miner-0 }\n\
                steps:\n  - title: kill ${who} of ${n}\n    kill: ${who}\n";
    let sets = [("n".to_owned(), "7".to_owned())];
    let scenario = parse(text, &sets).unwrap().scenario;
    assert_eq!(scenario.parameters["n"], Parameter::Number(7.0));
    assert_eq!(
        scenario.steps[0].title.as_deref(),
        Some("kill miner-0 of 7")
    );
    assert_eq!(
        scenario.steps[0].verb,
        Verb::Kill(Selector::named("miner-0"))
    );
}

#[test]
fn parameters_that_are_not_there_are_refused() {
    let text = "name: a\ntopology: { nodes: 3 }\nparameters: { nodes: 3, odd: 1 }\n\
                steps:\n  - kill: ${nodse}\n";
    let sets = [
        ("oddd".to_owned(), "7".to_owned()),
        ("nodes".to_owned(), "many".to_owned()),
    ];
    assert_eq!(
        spell(&parse(text, &sets).unwrap_err()),
        [
            "--set oddd: the scenario has no such parameter; did you mean `odd`?",
            "--set nodes=many: a number is needed, as in the file",
            "5:11 there is no parameter `nodse`; did you mean `nodes`?",
        ]
    );
}

#[test]
fn a_parameter_that_nothing_uses_is_odd() {
    let text = "name: a\ntopology: { nodes: 3 }\nparameters: { n: 4 }\nsteps: [heal]\n";
    let document = parse(text, &[]).unwrap();
    assert_eq!(
        spell(&document.warnings),
        ["3:18 warning: nothing uses the parameter `n`"]
    );
}

#[test]
fn every_fault_is_told_at_its_place_with_the_word_meant() {
    assert_eq!(
        unreadable(
            "- kil: miner-0\n- wait: 15\n- expect: { convergd: }\n- partition: havles\n- latency: 5%"
        ),
        [
            "4:5 unknown key `kil`; did you mean `kill`?",
            "5:11 a time needs a unit: write 15s, 15ms, or 15 blocks for target block intervals",
            "6:15 unknown key `convergd`; did you mean `converged`?",
            "7:16 unknown value `havles`; did you mean `halves`?",
            "8:14 `5%` is not a time; write it like 15s, 500ms, 2m or 3 blocks",
        ]
    );
}

#[test]
fn a_step_does_exactly_one_thing() {
    assert_eq!(
        unreadable("- kill: a\n  wait: 5s"),
        ["5:5 this step has both `kill` and `wait`; it can have one, so make two of it"]
    );
    assert!(unreadable("- title: nothing")[0].starts_with("4:5 this step needs one of: partition"));
    assert!(unreadable("- restart")[0].contains("`- restart: …`"));
}

#[test]
fn outermost_keys_are_known_and_there() {
    let problems = parse("name: A\nsteps: []\ntopolgy: x\n", &[]).unwrap_err();
    assert_eq!(
        spell(&problems),
        [
            "1:1 the key `topology` is missing",
            "3:1 unknown key `topolgy`; did you mean `topology`?",
        ]
    );
    let problems = parse("name: A b\nsteps: []\ntopology: x\n", &[]).unwrap_err();
    assert!(spell(&problems)[0].starts_with("1:7 `A b` cannot name a scenario"));
    assert_eq!(spell(&problems)[1], "2:8 this list must not be empty");
}

#[test]
fn what_is_no_yaml_or_nothing_is_refused() {
    for text in [
        "",
        "# nothing",
        "a: [",
        "a: 1\na: 2",
        "- 1",
        "\u{0}",
        "a: *b",
    ] {
        assert!(parse(text, &[]).is_err(), "{text:?}");
    }
}

#[test]
fn numbers_and_patterns_have_bounds() {
    let cases = [
        ("- wait: 25h", "longer than the 24h"),
        ("- loss: 101%", "is not a share"),
        ("- bandwidth: 0", "is not a rate"),
        (
            "- load: { rate: 5000, from: a, to: b }",
            "choose from 0 to 1000",
        ),
        ("- load: { rate: 0, from: a, to: b }", "a load of nothing"),
        (
            "- expect: { log: { matches: \"(\" } }",
            "is no regular expression",
        ),
        (
            "- expect: { log: { matches: \"a{9999}{9999}\" } }",
            "is no regular expression",
        ),
        (
            "- expect: { metric: { select: \"{\", value: 1 } }",
            "is no metric selector",
        ),
        (
            "- expect: { metric: { select: up } }",
            "exactly one of value, delta and rate",
        ),
        ("- expect: { height: }", "a comparison is needed"),
        (
            "- transfer: { from: a, to: b, amount: 0 }",
            "is not an amount",
        ),
        (
            "- repeat: { count: 2 }",
            "exactly one of `steps` and `choose`",
        ),
        ("- record: { Bad: height }", "cannot name a record"),
        (
            "- record: { a: { height: all, below: 6 } }",
            "`below` only stands beside `tip`",
        ),
        (
            "- record: { a: { tip: all, below: 0 } }",
            "0 is out of range; choose from 1 to 10000",
        ),
        ("- clock_skew: { on: a, by: 3 blocks }", "is not a time"),
        ("- link: { on: a }", "nothing would happen"),
        (
            "- latency: { is: 5ms, on: a, from: b, to: c }",
            "named twice",
        ),
    ];
    for (step, why) in cases {
        let told = unreadable(step);
        assert!(told[0].contains(why), "{step}: {told:?}");
    }
}

#[test]
fn repetitions_multiply_up_to_a_bound() {
    let nested = |inner: u32| {
        format!(
            "- repeat:\n    count: 100\n    steps:\n      - repeat: {{ count: {inner}, steps: [heal] }}"
        )
    };
    read(&nested(98));
    assert_eq!(
        unreadable(&nested(100)),
        ["7:41 with every repetition counted there are more than 10000 steps"]
    );
}

#[test]
fn steps_within_steps_have_a_bound() {
    let nested = |depth: u32| {
        let mut text = "heal".to_owned();
        for _ in 1..depth {
            text = format!("{{ steps: [{text}] }}");
        }
        format!("- {text}")
    };
    read(&nested(limits::NESTING_MAX));
    assert!(unreadable(&nested(limits::NESTING_MAX + 1))[0].contains("more than 8 times"));
}

#[test]
fn large_files_and_unfolding_aliases_are_refused() {
    let large = with_steps(&format!(
        "- title: {}\n  heal:",
        "x".repeat(limits::FILE_BYTES_MAX)
    ));
    assert!(spell(&parse(&large, &[]).unwrap_err())[0].contains("more than the 1048576"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert!(parse(&bomb, &[]).is_err());
    let deep = format!("name: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(parse(&deep, &[]).is_err());
}

#[test]
fn parameters_cannot_blow_a_file_up() {
    let uses = "x${p}".repeat(40_000);
    let text = format!(
        "name: a\ntopology: {{ nodes: 3 }}\nparameters: {{ p: {} }}\nsteps:\n  - title: {uses}\n    heal:\n",
        "y".repeat(1_000)
    );
    assert!(spell(&parse(&text, &[]).unwrap_err())[0].contains("too large"));
}
