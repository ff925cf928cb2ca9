//! Who won, told from blocks and tips as looks on a real network show them:
//! races at a side's top, at the fork itself, and around the heal.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

use std::collections::BTreeMap;

use devnet_scenario::expect::{Case, Judgement, Scene, judge};
use devnet_scenario::fault::{Cut, CutShape, Fault, Heal};
use devnet_scenario::history::History;
use devnet_scenario::history::faults::Moment;
use devnet_scenario::model::{Claim, Expectation, Member, Roster, Selector, Share, Since, Time};
use devnet_scenario::world::{ActId, BlockFact, Evidence, NodeFacts, NodeView, Snapshot};

/// bootstrap-0 and miner-0 on the left, miner-1, miner-2 and observer-0 right.
struct Film {
    history: History,
    roster: Roster,
    tips: BTreeMap<String, String>,
    blocks: BTreeMap<String, BlockFact>,
    at_ms: u64,
}

const LEFT: [&str; 2] = ["bootstrap-0", "miner-0"];
const RIGHT: [&str; 3] = ["miner-1", "miner-2", "observer-0"];

impl Film {
    /// All nodes know `F`, and the cut has come.
    fn cut_at_f() -> Self {
        let roster = roster();
        let mut film = Self {
            history: History::default(),
            roster,
            tips: BTreeMap::new(),
            blocks: BTreeMap::new(),
            at_ms: 0,
        };
        film.look(&["F miner-0"], &[("F", &LEFT), ("F", &RIGHT)]);
        let names = film.roster.names();
        let left: Vec<String> = LEFT.iter().map(|x| (*x).to_owned()).collect();
        let right = RIGHT.iter().map(|x| (*x).to_owned()).collect();
        let cut = Cut::new(CutShape::Groups(vec![left, right]), &names).unwrap();
        let tips = film.history.tips();
        let at = Moment {
            now_ms: film.at_ms,
            tips: &tips,
        };
        let faults = &mut film.history.faults;
        faults.ordered(ActId(1), "1", &Fault::Cut(cut), at);
        faults.came_in_force(ActId(1), &Evidence::default(), film.at_ms + 50);
        film
    }

    /// Half a second later: blocks that were mined, each `name miner` on the
    /// block whose name is one letter shorter, or `name<parent miner`; and who
    /// has which tip now.
    fn look(&mut self, mined: &[&str], tips: &[(&str, &[&str])]) {
        self.at_ms += 500;
        let mut blocks = Vec::new();
        for text in mined {
            let (name, miner) = text.split_once(' ').unwrap();
            let (name, parent) = match name.split_once('<') {
                Some((name, parent)) => (name, Some(parent)),
                None => (name, name.get(..name.len() - 1).filter(|x| !x.is_empty())),
            };
            let height = parent.map_or(0, |parent| self.blocks[parent].height + 1);
            let fact = BlockFact {
                hash: name.into(),
                parent: parent.map(str::to_owned),
                height,
                work: format!("{:064x}", height + 1),
                miner: Some(miner.into()),
                time_ms: self.at_ms,
                transactions: 1,
            };
            self.blocks.insert(name.into(), fact.clone());
            blocks.push(fact);
        }
        for (tip, nodes) in tips {
            for node in *nodes {
                self.tips.insert((*node).into(), (*tip).into());
            }
        }
        let nodes = self.tips.iter();
        let nodes = nodes.map(|(node, tip)| (node.clone(), self.view(tip)));
        let snapshot = Snapshot {
            at_ms: self.at_ms,
            nodes: nodes.collect(),
            blocks,
            logs: Vec::new(),
            logs_lost: 0,
            transactions: BTreeMap::new(),
            away: None,
        };
        self.history.saw(&snapshot);
        assert!(self.history.problems().is_empty());
    }

    fn view(&self, tip: &str) -> NodeView {
        let block = &self.blocks[tip];
        NodeView::Up(Box::new(NodeFacts {
            tip: block.hash.clone(),
            height: block.height,
            work: block.work.clone(),
            peers: Vec::new(),
            mempool: 0,
            coins: None,
            restarts: 0,
            memory_bytes: None,
            metrics: None,
        }))
    }

    fn heal(&mut self) {
        let before = self.history.tips();
        let done_ms = self.at_ms + 100;
        self.history.faults.healed(&Heal::All, done_ms, &before);
    }

    fn winner(&self, side: Option<&str>) -> Judgement {
        let expectation = Expectation {
            claim: Claim::Winner {
                side: side.map(Selector::named),
            },
            within: Some(Time::Ms(60_000)),
            since: Since::Step,
            on: None,
            except: Vec::new(),
            allow: Share::default(),
        };
        let case = Case {
            expectation,
            nodes: self.roster.names(),
            begun_at_ms: self.at_ms,
            begun_judging_at_ms: self.at_ms,
            baseline: None,
            looks_before: 0,
            watch: 0,
        };
        let none = BTreeMap::new();
        let (tips, sent) = (BTreeMap::new(), BTreeMap::new());
        let scene = Scene {
            history: &self.history,
            roster: &self.roster,
            records: &none,
            tips: &tips,
            sent: &sent,
        };
        judge(&scene, &case).unwrap()
    }
}

fn roster() -> Roster {
    let member = |name: &&str| Member {
        name: (*name).to_owned(),
        group: name.trim_end_matches("-0").into(),
        role: name
            .trim_end_matches(char::is_numeric)
            .trim_end_matches('-')
            .into(),
        zone: None,
    };
    Roster {
        nodes: LEFT.iter().chain(&RIGHT).map(member).collect(),
        block_interval_ms: 1_000,
        accounts: Vec::new(),
    }
}

fn assert_holds(judgement: &Judgement, part: &str) {
    match judgement {
        Judgement::Holds(text) => assert!(text.contains(part), "{text}"),
        other => panic!("{other:?}"),
    }
}

fn assert_violated(judgement: &Judgement, part: &str) {
    match judgement {
        Judgement::Violated(text) => assert!(text.contains(part), "{text}"),
        other => panic!("{other:?}"),
    }
}

const ALL: [&str; 5] = ["bootstrap-0", "miner-0", "miner-1", "miner-2", "observer-0"];

// F ─┬─ Fa                                        left
//    └─ Fb ─ Fbb ─┬─ Fbbc   (miner-1's)            right
//                 └─ Fbbd ─ Fbbde  (lives on)
#[test]
fn a_race_at_the_winning_sides_top_may_end_either_way() {
    let mut film = Film::cut_at_f();
    film.look(
        &[
            "Fa miner-0",
            "Fb miner-1",
            "Fbb miner-2",
            "Fbbc miner-1",
            "Fbbd miner-2",
        ],
        &[
            ("Fa", &LEFT),
            ("Fbbc", &["miner-1", "observer-0"]),
            ("Fbbd", &["miner-2"]),
        ],
    );
    film.heal();
    film.look(&["Fbbde miner-2"], &[("Fbbde", &ALL)]);
    assert_holds(&film.winner(None), "had most work and won");
    assert_holds(&film.winner(Some("miner-2")), "had most work and won");
    assert_violated(&film.winner(Some("miner-0")), "had most work at the heal");
}

// F ─┬─ Fa
//    ├─ Fb ─ Fbb           miner-1's; dies
//    └─ Fc ─ Fcc ─ Fccc    miner-2's
#[test]
fn a_side_that_races_from_the_fork_on_wins_with_any_of_its_chains() {
    let mut film = Film::cut_at_f();
    film.look(
        &[
            "Fa miner-0",
            "Fb miner-1",
            "Fc miner-2",
            "Fbb miner-1",
            "Fcc miner-2",
        ],
        &[
            ("Fa", &LEFT),
            ("Fbb", &["miner-1"]),
            ("Fcc", &["miner-2", "observer-0"]),
        ],
    );
    film.heal();
    film.look(&["Fccc miner-2"], &[("Fccc", &ALL)]);
    assert_holds(&film.winner(None), "had most work and won");
}

#[test]
fn the_lighter_branch_must_not_win() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1", "Fbb miner-2", "Fbbb miner-2"],
        &[("Fa", &LEFT), ("Fbbb", &RIGHT)],
    );
    film.heal();
    // The right gives its three blocks up for one, and helps that one to grow.
    film.look(&["Faa miner-1"], &[("Faa", &ALL)]);
    assert!(matches!(film.winner(None), Judgement::NotYet(_)));
    film.look(&["Faaa miner-2", "Faaaa miner-0"], &[("Faaaa", &ALL)]);
    assert_violated(&film.winner(None), "had less work");
}

#[test]
fn work_that_the_lighter_side_adds_before_the_sides_meet_counts() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1", "Fbb miner-2"],
        &[("Fa", &LEFT), ("Fbb", &RIGHT)],
    );
    film.heal();
    // Connections take a while: the left gets ahead by itself, and only then
    // does the right hear of it.
    film.look(&["Faa miner-0", "Faaa miner-0"], &[("Faaa", &LEFT)]);
    film.look(&["Faaaa miner-1"], &[("Faaaa", &ALL)]);
    assert_holds(&film.winner(None), "either may win");
    assert_holds(&film.winner(Some("miner-0")), "either may win");
    assert_violated(&film.winner(Some("miner-1")), "won");
}

// Both sides go on alone for a while after the heal.
#[test]
fn sides_that_have_not_met_yet_have_no_winner_yet() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1", "Fbb miner-2"],
        &[("Fa", &LEFT), ("Fbb", &RIGHT)],
    );
    film.heal();
    film.look(&[], &[]);
    let more = ["Faa miner-0", "Faaa miner-0", "Fbbb miner-1"];
    film.look(&more, &[("Faaa", &LEFT), ("Fbbb", &RIGHT)]);
    assert!(matches!(film.winner(None), Judgement::NotYet(_)));
    film.look(&["Faaaa miner-0"], &[("Faaaa", &ALL)]);
    assert_holds(&film.winner(None), "either may win");
}

#[test]
fn what_the_losers_mine_after_they_took_a_node_over_is_no_excuse() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1", "Fbb miner-2"],
        &[("Fa", &LEFT), ("Fbb", &RIGHT)],
    );
    film.heal();
    film.look(&[], &[("Fa", &ALL)]);
    film.look(&["Faa miner-0", "Faaa miner-0"], &[("Faaa", &ALL)]);
    assert_violated(&film.winner(None), "had less work");
}

#[test]
fn after_a_race_every_node_must_be_on_one_branch() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1"],
        &[("Fa", &LEFT), ("Fb", &RIGHT)],
    );
    film.heal();
    film.look(&[], &[]);
    assert!(matches!(film.winner(None), Judgement::NotYet(_)));
    film.look(&["Fbb miner-2"], &[("Fbb", &ALL)]);
    assert_holds(&film.winner(None), "either may win");
}

#[test]
fn a_node_that_lags_within_its_side_takes_nothing_from_the_branch() {
    let mut film = Film::cut_at_f();
    film.look(
        &["Fa miner-0", "Fb miner-1", "Fbb miner-1"],
        &[("Fa", &LEFT), ("Fbb", &["miner-1"]), ("Fb", &["miner-2"])],
    );
    film.heal();
    // The one that lagged had found a sibling by then, and that one lives.
    film.look(&["Fbc<Fb miner-2", "Fbcc<Fbc miner-2"], &[("Fbcc", &ALL)]);
    assert_holds(&film.winner(None), "had most work and won");
}

#[test]
fn sides_on_one_chain_have_no_winner() {
    let mut film = Film::cut_at_f();
    film.look(&["Fb miner-1"], &[("Fb", &RIGHT)]);
    film.heal();
    film.look(&[], &[("Fb", &ALL)]);
    assert_violated(&film.winner(None), "there was one branch");
}
