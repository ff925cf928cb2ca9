//! Whatever is written, reading and checking never panics.

use devnet_scenario::check::check;
use devnet_scenario::parse::parse;
use proptest::prelude::*;

use crate::support::roster;

/// A file that uses most of the language.
const WHOLE: &str = r#"name: whole
description: most of the language
topology: { nodes: 4, miners: 2, block_time: 1s }
parameters: { n: 3, who: miner-0 }
sim: { latency: 20ms, start_jitter: 2s, cpu: { block: 5ms, input: 60us, kilobyte: 10us } }
steps:
  - wait: { height: "${n}" }
    timeout: 30s
  - record: { before: height, top: { tip: miner }, up: { metric: 'up{a="b"}', on: all } }
  - partition: [[bootstrap-0, "${who}"], rest]
    for: 5 blocks
  - partition: { bridge: { sides: [miner-0, miner-1], over: bootstrap-0 } }
  - link: { latency: 80ms, jitter: 5ms, loss: 1%, bandwidth: 1MB/s, between: [miner, observer] }
  - repeat:
      count: 3
      choose:
        - { weight: 2, steps: [{ kill: { random: 1, of: miner }, for: 2s }] }
        - { steps: [{ clock_skew: { on: miner-0, by: -5s } }, heal] }
  - parallel:
      - load: { name: pay, rate: 2.5, from: alice, to: bob, via: miner }
        for: 9s
      - always:
          expect: [{ peers: ">= 1", allow: 50%, except: observer-0 }, no_error_logs]
          steps: [{ wait: 3 blocks }]
  - heal: { nodes: miner }
  - expect:
      - converged: { max_lag: 1 }
        within: 10 blocks
      - height: ">= $before + 5"
      - tip_of: { is: $top, contains: true }
      - block_interval: { mean: "< 3 blocks", p95: "< 10s", over: 20 }
      - metric: { select: 'up{a=~"b.*"}', rate: "> 0" }
      - log: { matches: "a+b", count: 0 }
        from: start
      - transaction: { of: pay, is: confirmed_or_waiting }
finally:
  - heal
"#;

/// Pieces that matter to the language.
const PIECES: &[&str] = &[
    "${",
    "}",
    "$",
    "*",
    "&a ",
    "[",
    "]",
    "{",
    ":",
    ": ",
    "\n",
    "  ",
    "- ",
    "\"",
    "'",
    "|",
    "!x ",
    "%",
    "rest",
    "random",
    "0",
    "-1",
    "1e999",
    "99999999999999999999",
    ".nan",
    "null",
    "~",
    "é",
    "\u{0}",
    "<<: *a",
    "blocks",
    "steps",
    "\t",
    "#",
];

fn hold(text: &str) {
    if let Ok(document) = parse(text, &[]) {
        let _problems = check(&document, &roster());
    }
}

#[test]
fn the_whole_file_is_fine() {
    let document = parse(WHOLE, &[]).unwrap();
    let errors: Vec<_> = check(&document, &roster());
    let errors: Vec<_> = errors.iter().filter(|problem| problem.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

proptest! {
    #[test]
    fn pieces_put_in_anywhere_never_panic(
        edits in prop::collection::vec((0..WHOLE.len(), 0..PIECES.len(), 0..12_usize), 1..6),
    ) {
        let mut text = WHOLE.to_owned();
        for (at, piece, gone) in edits {
            let floor = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
            let (from, to) = (floor(at).unwrap_or(0), floor(at + gone).unwrap_or(0));
            text.replace_range(from..to.max(from), PIECES[piece]);
        }
        hold(&text);
    }

    #[test]
    fn lines_dropped_and_swapped_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8),
    ) {
        let mut lines: Vec<&str> = WHOLE.lines().collect();
        for (at, other) in edits {
            let (a, b) = (at.index(lines.len()), other.index(lines.len()));
            lines.swap(a, b);
            if (a + b) % 3 == 0 && lines.len() > 3 {
                lines.remove(a);
            }
        }
        hold(&lines.join("\n"));
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        hold(&text);
        hold(&format!("name: a\ntopology: {{ nodes: 3 }}\nsteps:\n  - expect: {{ height: '{text}' }}\n"));
    }
}
