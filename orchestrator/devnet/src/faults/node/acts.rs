//! Acts of the engine on nodes, and the looks that prove them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use devnet_blueprint::NodeState;
use devnet_scenario::world::Outcome;
use futures::StreamExt as _;
use futures::stream;

use super::proof::{self, Signs, heard};
use super::{Finding, outcome};
use crate::clock::now_ms;
use crate::engine::perform::PARALLEL_MAX;
use crate::engine::{LogWish, NodeAct, Vitals};
use crate::exit::Failure;
use crate::faults::{Layout, Live};
use crate::probe::{Depth, NodeAddress, Round};
use crate::world::World;

/// A node that was started answers within this time, or is in trouble.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A wiped node is watched for so long while it fetches the chain again.
const SYNC_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks at nodes that are starting.
const POLL: Duration = Duration::from_millis(30);
/// Between two looks at whether they still live.
const LIFE_POLL: Duration = Duration::from_millis(400);
/// Log lines read of a node, and for how long.
const LINES_MAX: usize = 300;
const LINES_TIMEOUT: Duration = Duration::from_secs(5);

/// Last lines by node.
pub type Logs = BTreeMap<String, Vec<String>>;

/// Some nodes of a network, to have something done to them.
pub struct Scene<'a> {
    pub world: &'a World,
    pub live: &'a Live,
    pub layout: std::sync::Arc<Layout>,
    pub nodes: &'a [String],
}

impl<'a> Scene<'a> {
    /// These nodes of the network.
    ///
    /// # Errors
    /// A name that no node has, with the nearest that one has.
    pub fn new(world: &'a World, live: &'a Live, nodes: &'a [String]) -> Result<Self, Failure> {
        let layout = live.layout();
        for name in nodes {
            layout
                .blueprint
                .known(name)
                .map_err(|error| refuse(&layout, &error))?;
        }
        Ok(Self {
            world,
            live,
            layout,
            nodes,
        })
    }

    pub async fn kill(&self) -> Result<Outcome, Failure> {
        self.end(&NodeAct::Kill).await
    }

    pub async fn stop(&self) -> Result<Outcome, Failure> {
        self.end(&NodeAct::Stop).await
    }

    async fn end(&self, act: &NodeAct) -> Result<Outcome, Failure> {
        let before = self.signs().await?;
        self.act(self.nodes, act).await?;
        let at_ms = now_ms();
        let (after, round) = self.look().await?;
        let judge = |node: &String| {
            let (before, after) = (before.get(node), after.get(node));
            proof::gone(node, before, after, heard(&round, node))
        };
        Ok(outcome(self.nodes.iter().map(judge).collect(), at_ms))
    }

    /// Starts what does not run, and thaws what is frozen.
    pub async fn start(&self) -> Result<Outcome, Failure> {
        let before = self.signs().await?;
        let is = |state: NodeState| {
            let names = self.nodes.iter().filter(|node| {
                let signs = before.get(*node);
                signs.is_some_and(|signs| signs.state == state)
            });
            names.cloned().collect::<Vec<_>>()
        };
        self.act(&is(NodeState::Paused), &NodeAct::Unpause).await?;
        self.act(self.nodes, &NodeAct::Start).await?;
        self.proven_alive().await
    }

    pub async fn restart(&self) -> Result<Outcome, Failure> {
        let before = self.signs().await?;
        self.act(self.nodes, &NodeAct::Stop).await?;
        self.act(self.nodes, &NodeAct::Start).await?;
        let at_ms = now_ms();
        let (after, round) = self.until_settled(self.nodes).await?;
        let judge = |node: &String| {
            let (before, after) = (before.get(node), after.get(node));
            proof::renewed(node, before, after, heard(&round, node))
        };
        Ok(outcome(self.nodes.iter().map(judge).collect(), at_ms))
    }

    pub async fn pause(&self) -> Result<Outcome, Failure> {
        self.must_fit(proof::is_alive).await?;
        self.act(self.nodes, &NodeAct::Pause).await?;
        let at_ms = now_ms();
        let (after, round) = self.look().await?;
        let judge = |node: &String| proof::frozen(node, after.get(node), heard(&round, node));
        Ok(outcome(self.nodes.iter().map(judge).collect(), at_ms))
    }

    pub async fn unpause(&self) -> Result<Outcome, Failure> {
        self.must_fit(proof::is_alive).await?;
        self.act(self.nodes, &NodeAct::Unpause).await?;
        self.proven_alive().await
    }

    /// Stops, empties, starts, and watches the chain come back.
    pub async fn wipe(&self) -> Result<Outcome, Failure> {
        let logs = self.logs().await;
        let before = self.probe(self.nodes).await;
        self.act(self.nodes, &NodeAct::Stop).await?;
        self.act(self.nodes, &NodeAct::Wipe).await?;
        self.act(self.nodes, &NodeAct::Start).await?;
        let at_ms = now_ms();
        let (_, first) = self.until_settled(self.nodes).await?;
        let now = self.until_caught_up(&first).await;
        let mut findings = Vec::new();
        for node in self.nodes {
            let lines = self.lines_after(&logs, node).await;
            findings.push(proof::emptied(
                node,
                height(&before, node),
                proof::height_when_ready(&lines),
                height(&first, node),
                height(&now, node),
            ));
        }
        Ok(outcome(findings, at_ms))
    }

    /// Kills, damages, starts, and hears what the node says to it.
    pub async fn corrupt(&self) -> Result<Outcome, Failure> {
        let seed = self.layout.blueprint.seed;
        let logs = self.logs().await;
        self.act(self.nodes, &NodeAct::Kill).await?;
        self.act(self.nodes, &NodeAct::CorruptStore { seed })
            .await?;
        self.act(self.nodes, &NodeAct::Start).await?;
        let at_ms = now_ms();
        let (after, round) = self.until_settled(self.nodes).await?;
        let mut findings = Vec::new();
        for node in self.nodes {
            let lines = self.lines_after(&logs, node).await;
            let (after, heard) = (after.get(node), heard(&round, node));
            findings.push(proof::damaged(node, after, heard, &lines));
        }
        Ok(outcome(findings, at_ms))
    }

    /// Wipes what refused its damaged store, and starts it again.
    pub async fn mend(&self) -> Result<Outcome, Failure> {
        let signs = self.signs().await?;
        let is_down = |node: &&String| signs.get(*node).is_none_or(|s| !proof::is_alive(s));
        let down: Vec<String> = self.nodes.iter().filter(is_down).cloned().collect();
        self.act(&down, &NodeAct::Wipe).await?;
        self.start().await
    }

    /// Waits until every node answers; who does not is objected to.
    pub async fn proven_alive(&self) -> Result<Outcome, Failure> {
        let (after, round) = self.until_settled(self.nodes).await?;
        let mut findings = Vec::new();
        for node in self.nodes {
            let found = proof::alive(node, after.get(node), heard(&round, node));
            findings.push(self.with_last_words(node, found).await);
        }
        Ok(outcome(findings, now_ms()))
    }

    /// Who did not come up is asked for its last words.
    async fn with_last_words(&self, node: &str, mut found: Finding) -> Finding {
        if let Some(objection) = found.objections.first_mut()
            && let Some(line) = self.lines(node).await.last()
        {
            objection.push_str(&format!("; its last words: {}", line.trim()));
        }
        found
    }

    /// Looks until every node answers or has ended, or the time is over.
    pub async fn until_settled(&self, nodes: &[String]) -> Result<(Signs, Round), Failure> {
        let began = Instant::now();
        let mut round = Round::default();
        let mut signs = Signs::new();
        let mut life_seen: Option<Instant> = None;
        loop {
            let waiting: Vec<String> = nodes
                .iter()
                .filter(|node| !matches!(heard(&round, node), Some(Ok(_))))
                .cloned()
                .collect();
            round.nodes.extend(self.probe(&waiting).await.nodes);
            let is_over = began.elapsed() >= ANSWER_TIMEOUT;
            if is_over || life_seen.is_none_or(|at| at.elapsed() >= LIFE_POLL) {
                life_seen = Some(Instant::now());
                signs = self.signs().await?;
            }
            let is_settled = |node: &String| {
                matches!(heard(&round, node), Some(Ok(_)))
                    || signs
                        .get(node)
                        .is_none_or(|signs| signs.state == NodeState::Exited)
            };
            if is_over || nodes.iter().all(is_settled) {
                // The last look may be older than the last answer.
                return Ok((self.signs().await?, round));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Watches until these nodes are as high as any other, or for a while: who
    /// is cut off cannot catch up.
    async fn until_caught_up(&self, first: &Round) -> Round {
        let began = Instant::now();
        let all = self.layout.roster();
        let answers = |node: &&String| matches!(heard(first, node), Some(Ok(_)));
        let watched: Vec<&String> = self.nodes.iter().filter(answers).collect();
        loop {
            let round = self.probe(&all).await;
            let others = all.iter().filter(|name| !self.nodes.contains(name));
            let wanted = others.filter_map(|node| height(&round, node)).max();
            let is_there = |node: &&String| height(&round, node) >= wanted;
            if watched.iter().all(is_there) || began.elapsed() >= SYNC_TIMEOUT {
                return round;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Every named node must run, for what only a running node can be told.
    pub async fn must_run(&self) -> Result<(), Failure> {
        self.must_fit(|signs| signs.state == NodeState::Running)
            .await
    }

    async fn must_fit(&self, fits: impl Fn(&Vitals) -> bool) -> Result<(), Failure> {
        let signs = self.signs().await?;
        let is_fit = |node: &&String| signs.get(*node).is_some_and(&fits);
        let Some(node) = self.nodes.iter().find(|node| !is_fit(node)) else {
            return Ok(());
        };
        let why = signs.get(node).and_then(Vitals::why_ended);
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        let name = self.live.name();
        Err(Failure::bad_input(format!("{node} does not run{why}"))
            .next(format!("`devnet start {node} --name {name}` starts it.")))
    }

    /// Does the same to several nodes, side by side.
    pub async fn act(&self, nodes: &[String], act: &NodeAct) -> Result<(), Failure> {
        let (engine, blueprint) = (self.live.engine(), &self.layout.blueprint);
        let mut acts = stream::iter(nodes)
            .map(|node| engine.act(blueprint, node, act))
            .buffered(PARALLEL_MAX);
        let mut first_failure = None;
        // All are waited for: what is in flight shall not go on unseen.
        while let Some(done) = acts.next().await {
            if let Err(error) = done {
                first_failure.get_or_insert(error);
            }
        }
        match first_failure {
            None => Ok(()),
            Some(error) => Err(error.into()),
        }
    }

    pub async fn signs(&self) -> Result<Signs, Failure> {
        let vitals = self.live.engine().vitals(self.live.name()).await?;
        let by_name: BTreeMap<String, Vitals> = vitals
            .into_iter()
            .map(|signs| (signs.node.clone(), signs))
            .collect();
        Ok(by_name)
    }

    pub async fn probe(&self, nodes: &[String]) -> Round {
        let addresses: Vec<NodeAddress> = self
            .layout
            .nodes
            .iter()
            .filter(|address| nodes.contains(&address.name))
            .cloned()
            .collect();
        self.world.prober.probe(&addresses, Depth::Chain).await
    }

    /// Vital signs and answers of all named nodes at once.
    async fn look(&self) -> Result<(Signs, Round), Failure> {
        let (signs, round) = tokio::join!(self.signs(), self.probe(self.nodes));
        Ok((signs?, round))
    }

    /// The last lines of every named node, to tell new ones from.
    pub async fn logs(&self) -> Logs {
        let mut logs = Logs::new();
        for node in self.nodes {
            logs.insert(node.clone(), self.lines(node).await);
        }
        logs
    }

    /// What a node wrote after `logs` were read. A last word may have no time
    /// of its own, so it is told by its place.
    pub async fn lines_after(&self, logs: &Logs, node: &str) -> Vec<String> {
        let before = logs.get(node).map_or(&[][..], Vec::as_slice);
        proof::new_lines(before, self.lines(node).await)
    }

    /// The last lines of a node; none where they cannot be read.
    async fn lines(&self, node: &str) -> Vec<String> {
        let wish = LogWish {
            nodes: vec![node.to_owned()],
            tail: Some(LINES_MAX),
            ..LogWish::default()
        };
        let read = async {
            let stream = self
                .live
                .engine()
                .logs(self.live.name(), &wish)
                .await
                .ok()?;
            let lines = stream.filter_map(|line| async { Some(line.ok()?.text) });
            Some(lines.collect::<Vec<String>>().await)
        };
        tokio::time::timeout(LINES_TIMEOUT, read)
            .await
            .ok()
            .flatten()
            .unwrap_or_default()
    }
}

/// A refused change, with all the names there are.
pub fn refuse(layout: &Layout, error: &devnet_blueprint::ChangeError) -> Failure {
    use devnet_blueprint::ChangeError;
    let failure = Failure::bad_input(error.to_string());
    match error {
        ChangeError::UnknownNode { nearest: None, .. } => {
            failure.next(format!("Nodes are: {}.", layout.roster().join(", ")))
        }
        ChangeError::UnknownGroup { nearest: None, .. } => {
            let mut groups: Vec<&str> = layout
                .blueprint
                .nodes
                .iter()
                .map(|node| node.group.as_str())
                .collect();
            groups.dedup();
            failure.next(format!("Groups are: {}.", groups.join(", ")))
        }
        _ => failure,
    }
}

fn height(round: &Round, node: &str) -> Option<u32> {
    match heard(round, node) {
        Some(Ok(facts)) => Some(facts.chain.blocks),
        _ => None,
    }
}
