//! Whatever a world answers, a run comes to its end, and tells why.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::model::{Member, Roster};
use devnet_scenario::parse::parse;
use devnet_scenario::report::{Verdict, fork_svg, fork_tree, story};
use devnet_scenario::runner::Runner;
use devnet_scenario::world::*;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

const SCENARIO: &str = "
name: storm
description: A bit of everything.
topology: { nodes: 4, miners: 2 }
steps:
  - wait: { height: 2 }
    timeout: 20s
  - record: { before: height, tip: tip }
  - parallel:
      - partition: [{ random: 2 }, rest]
        for: 2s
      - kill: { random: 1, of: miner }
        for: 1s
      - latency: { is: 20ms, on: miner-1 }
        for: 3s
      - load: { name: load, rate: 2, from: alice, to: bob, via: miner-0 }
        for: 2s
  - repeat:
      count: 3
      choose:
        - steps: [{ restart: { random: 1 } }]
        - steps: [{ clock_skew: { on: miner-0, by: 2s }, for: 1s }]
        - steps: [{ transfer: { name: pay, from: alice, to: bob, amount: 1, via: miner-0 } }]
  - always:
      expect: [progress, { peers: '>= 0', within: 5s }]
      steps:
        - partition: { isolate: miner-0 }
        - wait: 1s
        - heal
  - expect:
      - converged: { max_lag: 2 }
        within: 10s
      - fork_count: '<= 50'
        from: start
      - stale_rate: '<= 100%'
        from: start
      - block_interval: { mean: '< 100 blocks' }
        from: start
      - no_error_logs:
        from: start
      - memory: '> 0MiB'
      - supply
finally:
  - heal
  - wait: 1s
";

/// A world that answers by the numbers of a generator.
struct Storm {
    rng: ChaCha8Rng,
    now_ms: u64,
    blocks: Vec<BlockFact>,
    told: usize,
    open: Vec<ActId>,
    /// In a thousand: how often it misbehaves.
    wildness: u64,
}

impl Storm {
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn is_wild(&mut self) -> bool {
        self.below(1_000) < self.wildness
    }

    fn answer(&mut self, order: Order) -> Heard {
        self.now_ms += self.below(40);
        if self.is_wild() {
            return match self.below(6) {
                0 if self.below(20) == 0 => Heard::Interrupted,
                1 => self.acted_wildly(),
                2 => Heard::Saw(Box::new(self.snapshot(&Wants::default()))),
                _ => Heard::Nothing,
            };
        }
        match order {
            Order::Act { id, .. } => {
                self.open.push(id);
                Heard::Nothing
            }
            Order::Look(wants) => Heard::Saw(Box::new(self.snapshot(&wants))),
            Order::WaitUntil(at_ms) => match self.open.pop() {
                Some(id) => Heard::Acted {
                    id,
                    outcome: self.outcome(),
                },
                None => {
                    self.now_ms = self.now_ms.max(at_ms);
                    Heard::Nothing
                }
            },
            Order::Done => Heard::Nothing,
        }
    }

    fn acted_wildly(&mut self) -> Heard {
        let id = ActId(u32::try_from(self.below(40)).unwrap());
        let outcome = self.outcome();
        Heard::Acted { id, outcome }
    }

    fn outcome(&mut self) -> Outcome {
        let evidence = Evidence {
            summary: "seen".into(),
            in_force_at_ms: (self.below(2) == 0).then(|| self.rng.next_u64() % 100_000),
            transactions: vec![format!("tx{}", self.below(9))],
            probes: self.probes(),
            ..Evidence::default()
        };
        match self.below(150) {
            0 => Outcome::Ineffective(evidence),
            1 => Outcome::Failed { why: "no".into() },
            _ => Outcome::Done(evidence),
        }
    }

    fn probes(&mut self) -> Vec<ProbeEvidence> {
        if self.below(150) == 0 {
            return Vec::new();
        }
        vec![ProbeEvidence {
            link: Link::new("miner-0", "miner-1"),
            by: "storm".into(),
            before: None,
            expected: Reach::Cut,
            measured: Reach::Cut,
        }]
    }

    fn grow(&mut self) {
        let count = u64::try_from(self.blocks.len()).unwrap();
        let back = self.below(count.min(4));
        let parent = self.blocks[usize::try_from(count - 1 - back).unwrap()].clone();
        let is_odd = self.is_wild();
        self.blocks.push(BlockFact {
            hash: format!("b{count}"),
            parent: Some(if is_odd {
                "nobody".into()
            } else {
                parent.hash.clone()
            }),
            height: parent.height + 1,
            work: format!("{:064x}", parent.height + 2),
            miner: (count % 3 == 0).then(|| "miner-0".to_owned()),
            time_ms: self.now_ms.saturating_sub(count % 7 * 500),
            transactions: 1,
        });
    }

    fn snapshot(&mut self, wants: &Wants) -> Snapshot {
        if self.below(3) == 0 {
            self.grow();
        }
        let blocks = self.blocks[self.told..].to_vec();
        self.told = self.blocks.len();
        let mut nodes = BTreeMap::new();
        for name in [
            "bootstrap-0",
            "miner-0",
            "miner-1",
            "observer-0",
            "stranger",
        ] {
            if self.below(20) > 0 {
                nodes.insert(name.to_owned(), self.view(wants));
            }
        }
        let logs = (0..self.below(3)).map(|_| LogFact {
            node: "miner-0".into(),
            at_ms: self.now_ms,
            text: "WARN x".into(),
        });
        Snapshot {
            at_ms: self.now_ms,
            blocks,
            logs: logs.collect(),
            logs_lost: 0,
            nodes,
            transactions: BTreeMap::new(),
            away: (self.below(40) == 0).then(|| "who knows".into()),
        }
    }

    fn view(&mut self, wants: &Wants) -> NodeView {
        if self.below(15) == 0 {
            return NodeView::Down {
                state: "exited".into(),
                why: "who knows".into(),
            };
        }
        let count = u64::try_from(self.blocks.len()).unwrap();
        let back = self.below(count.min(3));
        let tip = self.blocks[usize::try_from(count - 1 - back).unwrap()].clone();
        NodeView::Up(Box::new(NodeFacts {
            coins: wants.coins_at.map(|height| Coins {
                height,
                block: tip.hash.clone(),
                digest: "d".into(),
                total_sats: 1,
                issued_sats: 1,
            }),
            tip: tip.hash,
            height: tip.height,
            work: tip.work,
            peers: Vec::new(),
            mempool: 0,
            restarts: 0,
            memory_bytes: Some(1),
            metrics: None,
        }))
    }
}

fn roster() -> Roster {
    let members = [
        ("bootstrap", 0),
        ("miner", 0),
        ("miner", 1),
        ("observer", 0),
    ];
    Roster {
        nodes: members
            .iter()
            .map(|(group, index)| Member {
                name: format!("{group}-{index}"),
                group: (*group).into(),
                role: (*group).into(),
                zone: None,
            })
            .collect(),
        block_interval_ms: 1_000,
        accounts: vec!["alice".into(), "bob".into()],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_run_always_comes_to_its_end(seed: u64, wildness in 0_u64..1_000) {
        let document = parse(SCENARIO, &[]).unwrap();
        let mut runner = Runner::new(document.scenario, roster(), seed);
        let genesis = BlockFact {
            hash: "b0".into(),
            parent: None,
            height: 0,
            work: format!("{:064x}", 1),
            miner: None,
            time_ms: 0,
            transactions: 1,
        };
        let mut storm = Storm {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now_ms: 0,
            blocks: vec![genesis],
            told: 0,
            open: Vec::new(),
            wildness,
        };
        let mut heard = Heard::Nothing;
        let mut turns = 0_u32;
        loop {
            let order = runner.next(storm.now_ms, heard);
            if order == Order::Done {
                break;
            }
            turns += 1;
            prop_assert!(turns < 200_000, "no end in sight at {} ms", storm.now_ms);
            heard = storm.answer(order);
        }
        prop_assert_eq!(runner.next(storm.now_ms, Heard::Nothing), Order::Done);
        let report = runner.report();
        prop_assert!(report.ended_at_ms.is_some());
        let passed = report.verdict == Verdict::Pass;
        prop_assert_eq!(passed, report.failure.is_none());
        prop_assert_eq!(passed, story(report).is_none());
        let tips = report.failure.as_ref().map(|x| x.tips.clone()).unwrap_or_default();
        prop_assert!(!fork_svg(report, &tips).is_empty());
        prop_assert!(report.blocks.is_empty() || !fork_tree(report, &tips).text().is_empty());
    }
}
