//! A run in the simulator, recorded so that the page can play it: what a live
//! network would have told, by virtual time.

mod ways;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Act, ActId, NodeView as Seen, Outcome, Snapshot};
use serde::Serialize;

use self::ways::Ways;
use super::board::Board;
use super::view::{
    BlockView, Condition, EventView, NetworkView, Patch, ScenarioView, StepView, TipView,
};
use super::watch::files;
use crate::faults::apply;
use crate::run::describe;
use crate::run::drive::Witness;
use crate::run::runner::News;
use crate::scenario_file::ScenarioFile;
use crate::simworld::play::{self, Play};
use crate::simworld::{ENGINE, Net};

/// Changes kept at most; a run that has more is played up to there.
const PATCHES_MAX: usize = 20_000;

/// A recorded run.
#[derive(Clone, Debug, Serialize)]
pub struct Tape {
    /// When it begins, on the simulator's clock.
    pub begin_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// Whether it went on for longer than is kept.
    pub is_cut: bool,
    /// Everything at first, then what changed.
    pub patches: Vec<Patch>,
}

impl Tape {
    /// Runs a scenario in the simulator, and records it, until it ends or `stop`
    /// is set.
    ///
    /// # Errors
    /// Its network cannot be simulated.
    pub fn record(
        file: &ScenarioFile,
        payers: &[String],
        seed: u64,
        stop: &AtomicBool,
    ) -> Result<Self, String> {
        let name = format!("sim-{}", file.scenario.name);
        let mut net = Play::network(file, &name, seed)?;
        let ways = Ways::new(net.follow_blocks());
        let mut play = Play::begin(file, net, payers, seed)?;
        let news = play.news();
        news.keep_steps();
        let mut recorder = Recorder::new(file, &play, news, ways);
        while !stop.load(Ordering::Relaxed) && play.turn(&mut recorder) {
            recorder.look_at(play.net());
        }
        let violations = play.violations();
        let verdict = play::verdict(play.report(), &violations);
        let texts = violations.iter().map(|one| play::tell(play.net(), one));
        recorder.conclude(play.net(), verdict.word(), texts.collect());
        Ok(recorder.tape)
    }
}

/// Writes down what happens.
struct Recorder {
    board: Board,
    news: News,
    ways: Ways,
    scenario: ScenarioView,
    acts: BTreeMap<u32, String>,
    now_ms: u64,
    tape: Tape,
}

impl Recorder {
    fn new(file: &ScenarioFile, play: &Play, news: News, ways: Ways) -> Self {
        let (net, begin_ms) = (play.net(), play.start_ms());
        let board = Board::default();
        board.set_network(NetworkView {
            name: file.scenario.name.clone(),
            engine: ENGINE.to_owned(),
            spacing_ms: file.roster.block_interval_ms,
            created_ms: begin_ms,
            is_recording: true,
            ..NetworkView::default()
        });
        for plan in &net.blueprint().nodes {
            show(&board, plan);
        }
        let scenario = ScenarioView {
            name: file.scenario.name.clone(),
            description: file.scenario.description.trim().to_owned(),
            ..ScenarioView::default()
        };
        let mut recorder = Self {
            board,
            news,
            ways,
            scenario,
            acts: BTreeMap::new(),
            now_ms: begin_ms,
            tape: Tape {
                begin_ms,
                end_ms: begin_ms,
                is_cut: false,
                patches: Vec::new(),
            },
        };
        recorder.keep();
        if let Some(first) = recorder.tape.patches.first_mut() {
            first.whole = true;
        }
        recorder
    }

    /// Takes in what no look tells: the plan, and which faults are in force.
    fn look_at(&mut self, net: &Net) {
        let roster: Vec<NodeName> = net
            .blueprint()
            .nodes
            .iter()
            .map(|n| n.name.clone())
            .collect();
        self.board.keep_nodes(&roster);
        for plan in &net.blueprint().nodes {
            if self.board.node(&plan.name).is_none() {
                show(&self.board, plan);
            }
        }
        let base = apply::base_of(net.blueprint());
        self.board
            .set_faults(files::view(net.intent(), &roster, base));
        self.scenario.steps = self.news.steps().iter().map(StepView::of).collect();
        self.board.set_scenario(self.scenario.clone());
        self.keep();
    }

    fn conclude(&mut self, net: &Net, verdict: &str, violations: Vec<String>) {
        self.scenario.verdict = Some(verdict.to_owned());
        for text in violations {
            self.event("refused", "a rule of safety was broken".to_owned(), text);
        }
        self.look_at(net);
    }

    fn keep(&mut self) {
        let patch = self.board.take_pending(self.now_ms);
        if self.tape.patches.len() >= PATCHES_MAX {
            self.tape.is_cut |= patch.is_some();
            return;
        }
        self.tape.end_ms = self.now_ms;
        self.tape.patches.extend(patch);
    }

    fn event(&self, kind: &'static str, title: String, detail: String) {
        self.board.event(EventView {
            at_ms: self.now_ms,
            kind,
            title,
            detail,
            ..EventView::default()
        });
    }
}

fn show(board: &Board, plan: &devnet_blueprint::NodePlan) {
    let mining = &plan.config.mining;
    board.put_node(&plan.name, |node| {
        plan.name.clone_into(&mut node.name);
        node.role = plan.role.to_string();
        plan.group.clone_into(&mut node.group);
        node.zone.clone_from(&plan.zone);
        node.hashrate = if mining.enabled {
            mining.hash_rate
        } else {
            0.0
        };
    });
}

impl Witness for Recorder {
    fn began(&mut self, at_ms: u64, id: ActId, act: &Act) {
        self.now_ms = at_ms;
        let text = describe::act(act);
        let kind = match act {
            Act::Inflict(_) => "fault",
            Act::Heal(_) | Act::Lift { .. } => "heal",
            _ => "payment",
        };
        self.event(kind, text.clone(), String::new());
        self.acts.insert(id.0, text);
    }

    fn ended(&mut self, at_ms: u64, id: ActId, outcome: &Outcome) {
        self.now_ms = at_ms;
        let kind = match outcome {
            Outcome::Done(_) => "proof",
            _ => "refused",
        };
        let title = self.acts.remove(&id.0).unwrap_or_default();
        self.event(kind, title, describe::outcome(outcome));
    }

    fn saw(&mut self, snapshot: &Snapshot) {
        self.now_ms = snapshot.at_ms;
        for fact in &snapshot.blocks {
            self.board.block(BlockView {
                hash: fact.hash.clone(),
                parent: fact.parent.clone().unwrap_or_default(),
                height: fact.height,
                miner: fact.miner.clone(),
                time_ms: fact.time_ms,
                transactions: usize::try_from(fact.transactions).unwrap_or(usize::MAX),
                seen_ms: Some(snapshot.at_ms),
                ..BlockView::default()
            });
        }
        for (name, seen) in &snapshot.nodes {
            match seen {
                Seen::Up(facts) => {
                    let had = self.board.node(name).and_then(|node| node.tip);
                    if had.as_ref().is_none_or(|tip| tip.hash != facts.tip) {
                        let tip = TipView {
                            hash: facts.tip.clone(),
                            height: facts.height,
                            work: facts.work.clone(),
                            at_ms: snapshot.at_ms,
                        };
                        // When it came is told by the simulator, to the dot.
                        self.board.tip(name, tip, false);
                    }
                    self.board.change_node(name, |node| {
                        node.condition = Condition::Up;
                        node.why.clear();
                        node.peers.clone_from(&facts.peers);
                        node.mempool = facts.mempool;
                    });
                }
                Seen::Down { state, why } => self.board.change_node(name, |node| {
                    node.condition = match state.as_str() {
                        "paused" => Condition::Paused,
                        _ => Condition::Down,
                    };
                    why.clone_into(&mut node.why);
                    node.peers.clear();
                }),
            }
        }
        self.ways.tell(&self.board);
        self.keep();
    }

    fn interrupted(&mut self, at_ms: u64) {
        self.now_ms = at_ms;
    }

    fn turned(&mut self, at_ms: u64) {
        self.now_ms = at_ms;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const CUT: &str = "\
name: cut
topology: { nodes: 4, miners: 2, block_time: 1s }
steps:
  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - expect: { diverged: { advance: 2 }, within: 60 blocks }
  - heal: all
  - expect: { converged: { fresh: 1 }, within: 60 blocks }
";

    #[test]
    fn a_recorded_run_tells_its_cut_and_its_end() {
        let file = ScenarioFile::simulated(Path::new("cut.yaml"), CUT.to_owned());
        let file = file.expect("a sound scenario");
        let tape = Tape::record(&file, &[], 7, &AtomicBool::new(false)).expect("it runs");
        assert!(tape.patches[0].whole && tape.end_ms > tape.begin_ms);
        assert!(
            tape.patches
                .windows(2)
                .all(|pair| pair[0].at_ms <= pair[1].at_ms)
        );
        let groups = |patch: &Patch| patch.faults.as_ref().map(|faults| faults.groups.len());
        let told: Vec<usize> = tape.patches.iter().filter_map(groups).collect();
        assert_eq!(told, [2, 0], "cut, then healed");
        let verdict = tape
            .patches
            .iter()
            .rev()
            .find_map(|patch| patch.scenario.clone());
        assert_eq!(verdict.and_then(|one| one.verdict).as_deref(), Some("PASS"));
        let again = Tape::record(&file, &[], 7, &AtomicBool::new(false)).expect("it runs");
        assert_eq!(tape.patches, again.patches, "one seed, one tape");
    }

    /// How each block has spread in the end: to how many nodes, and how long to
    /// the last of them.
    fn spreads(sim: &str) -> BTreeMap<u32, (usize, f64)> {
        let text = format!(
            "name: calm\ntopology: {{ nodes: 4, miners: 1, block_time: 1s }}\n{sim}\n\
             steps: [{{ wait: {{ blocks: 20 }} }}, {{ wait: 1s }}]\n"
        );
        let file = ScenarioFile::simulated(Path::new("calm.yaml"), text);
        let file = file.expect("a sound scenario");
        let tape = Tape::record(&file, &[], 7, &AtomicBool::new(false)).expect("it runs");
        let blocks = tape.patches.iter().flat_map(|patch| &patch.blocks);
        let spreads = blocks.filter_map(|block| {
            let spread = block.spread?;
            Some((block.height, (spread.nodes, spread.last_ms)))
        });
        spreads.collect()
    }

    #[test]
    fn blocks_spread_as_fast_as_they_did_however_seldom_anybody_looks() {
        for (sim, wanted_ms) in [
            ("", 0.25),
            ("sim: { latency: 20ms }", 20.0),
            ("sim: { latency: 20ms, cpu: { block: 7ms } }", 27.0),
        ] {
            let spreads = spreads(sim);
            let usual = spreads.values().filter(|spread| **spread == (4, wanted_ms));
            assert!(usual.count() >= 15, "{sim}: {spreads:?}");
            assert!(
                spreads
                    .values()
                    .all(|(_, ms)| *ms >= wanted_ms || *ms == 0.0),
                "{spreads:?}"
            );
        }
    }

    #[test]
    fn a_recording_ends_where_it_is_stopped() {
        let file = ScenarioFile::simulated(Path::new("cut.yaml"), CUT.to_owned());
        let file = file.expect("a sound scenario");
        let tape = Tape::record(&file, &[], 7, &AtomicBool::new(true)).expect("it began");
        assert!(tape.patches.iter().all(|patch| patch.tips.is_empty()));
    }
}
