//! Gathers what is known of a network that lives: its blocks by RPC, when they
//! came by the nodes' logs, its metrics as they are now, and the faults that
//! are meant to be in force.
//!
//! Nobody wrote down what was done to it before, so there are no steps, no
//! verdict and no faults that are over.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::history::logs::{Severity, severity};
use devnet_scenario::history::nodes::StateChange;
use devnet_scenario::report::{BlockReport, NodeReport, Report, RosterEntry, Verdict};
use devnet_scenario::world::{LogFact, NodeView, Snapshot, Wants};
use futures::StreamExt as _;

use crate::account::arrivals::{Book, STARTS};
use crate::account::recorded::LINES_MAX;
use crate::account::samples::Samples;
use crate::account::source::Source;
use crate::clock::now_ms;
use crate::engine::LogWish;
use crate::exit::Failure;
use crate::faults::{Intent, Live};
use crate::run::access::Http;
use crate::run::snapshot::Looker;
use crate::world::World;

/// Looks at most; each reads a bounded number of blocks.
const LOOKS_MAX: usize = 8;
/// Lines of log read at most.
const LINES_READ_MAX: usize = 2_000_000;

/// What the logs tell.
#[derive(Default)]
struct Told {
    book: Book,
    bad: VecDeque<LogFact>,
    starts: BTreeMap<NodeName, u32>,
    last_ms: BTreeMap<NodeName, u64>,
    lines: usize,
}

/// Gathers what is known of the network called `name`, of its last `since` or
/// of its whole life.
///
/// # Errors
/// There is none, or its engine does not answer.
pub async fn gather(world: &World, name: &str, since: Option<Duration>) -> Result<Source, Failure> {
    let live = Arc::new(Live::attach(world, name).await?);
    let layout = live.layout();
    let born_ms = u64::from(layout.blueprint.created_at_s) * 1_000;
    let since_ms = since.map(|since| {
        let since_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        now_ms().saturating_sub(since_ms)
    });
    let told = read_logs(&live, since_ms).await?;
    let (snapshot, blocks) = look(&live).await;
    let intent = Intent::load(&world.states.network(name))?;
    let faults = intent.faults().iter();
    let mut remarks = vec![
        "A living network keeps no record of faults that are over, nor of outages; \
         a scenario's bundle does."
            .to_owned(),
    ];
    if blocks.is_empty() {
        remarks.push("No node tells its blocks; the chain may be too long to be read.".into());
    }
    if told.lines >= LINES_READ_MAX {
        remarks.push(format!(
            "Only {LINES_READ_MAX} lines of log were read; --since asks for less."
        ));
    }
    Ok(Source {
        run: None,
        intended: faults
            .map(|active| (active.fault.clone(), active.since_ms))
            .collect(),
        samples: samples(&snapshot),
        tips: tips(&snapshot),
        environment: environment(&live, &layout),
        remarks,
        report: Report {
            blocks,
            ..report(
                &live,
                &snapshot,
                &told,
                since_ms.unwrap_or(born_ms).max(born_ms),
            )
        },
        book: told.book,
    })
}

async fn read_logs(live: &Live, since_ms: Option<u64>) -> Result<Told, Failure> {
    let wish = LogWish {
        nodes: Vec::new(),
        since_ms,
        tail: None,
        follow: false,
    };
    let mut lines = live.engine().logs(live.name(), &wish).await?;
    let mut told = Told::default();
    while let Some(line) = lines.next().await {
        let line = line?;
        told.lines += 1;
        if told.lines >= LINES_READ_MAX {
            break;
        }
        told.book.take(&line.node, &line.text);
        told.last_ms.insert(line.node.clone(), line.time_ms);
        if line.text.contains(STARTS) {
            *told.starts.entry(line.node.clone()).or_default() += 1;
        }
        if severity(&line.text) >= Severity::Warn {
            if told.bad.len() >= LINES_MAX {
                told.bad.pop_front();
            }
            told.bad.push_back(LogFact {
                node: line.node,
                at_ms: line.time_ms,
                text: line.text,
            });
        }
    }
    Ok(told)
}

/// Looks until all blocks are read.
async fn look(live: &Arc<Live>) -> (Snapshot, Vec<BlockReport>) {
    let looker = Looker::new(live.clone(), Arc::new(Http), None);
    let wants = Wants {
        metrics: true,
        ..Wants::default()
    };
    let mut blocks = Vec::new();
    let mut last = Snapshot::default();
    for _ in 0..LOOKS_MAX {
        let mut snapshot = looker.look(&wants).await;
        snapshot.at_ms = now_ms();
        let fresh = std::mem::take(&mut snapshot.blocks);
        // Long chains come with a later look, whole; what comes after that was
        // found in between.
        let is_done = !blocks.is_empty() && fresh.len() < 100;
        let seen_at_ms = snapshot.at_ms;
        blocks.extend(
            fresh
                .into_iter()
                .map(|fact| BlockReport { seen_at_ms, fact }),
        );
        last = snapshot;
        if is_done {
            break;
        }
    }
    (last, blocks)
}

fn report(live: &Live, snapshot: &Snapshot, told: &Told, begin_ms: u64) -> Report {
    let layout = live.layout();
    let roster = layout.blueprint.nodes.iter().map(|node| RosterEntry {
        name: node.name.clone(),
        group: node.group.clone(),
        role: node.role.to_string(),
        zone: node.zone.clone(),
    });
    let genesis = layout.blueprint.genesis.as_ref();
    let nodes = snapshot.nodes.iter();
    Report {
        name: live.name().to_owned(),
        description: String::new(),
        verdict: Verdict::Pass,
        seed: layout.blueprint.seed,
        parameters: BTreeMap::new(),
        roster: roster.collect(),
        block_interval_ms: genesis.map_or(0, |genesis| u64::from(genesis.spacing_s) * 1_000),
        started_at_ms: begin_ms,
        ended_at_ms: Some(snapshot.at_ms.max(begin_ms)),
        steps: Vec::new(),
        failure: None,
        troubles: Vec::new(),
        faults: Vec::new(),
        heals: Vec::new(),
        nodes: nodes
            .map(|(name, view)| (name.clone(), node(name, view, told, begin_ms)))
            .collect(),
        blocks: Vec::new(),
        recorded: BTreeMap::new(),
        transactions: BTreeMap::new(),
        logs: told.bad.iter().cloned().collect(),
        oddities: Vec::new(),
        orders_digest: String::new(),
    }
}

/// A node that does not answer is down since its last line of log.
fn node(name: &str, view: &NodeView, told: &Told, begin_ms: u64) -> NodeReport {
    let starts = told.starts.get(name).copied().unwrap_or(1);
    let (state, memory) = match view {
        NodeView::Up(facts) => (
            StateChange {
                at_ms: begin_ms,
                up: true,
                state: "up".into(),
            },
            facts.memory_bytes,
        ),
        NodeView::Down { state, why } => (
            StateChange {
                at_ms: told.last_ms.get(name).copied().unwrap_or(begin_ms),
                up: false,
                state: format!("{state}: {why}"),
            },
            None,
        ),
    };
    NodeReport {
        tips: Vec::new(),
        states: vec![state],
        reorg_depth: 0,
        restarts: starts.saturating_sub(1),
        memory_peak_bytes: memory,
    }
}

fn samples(snapshot: &Snapshot) -> BTreeMap<NodeName, Samples> {
    let texts = snapshot.nodes.keys().filter_map(|name| {
        let text = snapshot.facts(name)?.metrics.as_ref()?;
        let mut samples = Samples::default();
        samples.take(snapshot.at_ms, text);
        Some((name.clone(), samples))
    });
    texts.collect()
}

fn tips(snapshot: &Snapshot) -> BTreeMap<NodeName, TipMark> {
    let marks = snapshot.nodes.keys().filter_map(|name| {
        let facts = snapshot.facts(name)?;
        let mark = TipMark {
            tip: facts.tip.clone(),
            height: facts.height,
            work: facts.work.clone(),
        };
        Some((name.clone(), mark))
    });
    marks.collect()
}

fn environment(live: &Live, layout: &crate::faults::Layout) -> Vec<(String, String)> {
    let plan = &layout.blueprint;
    let mut rows = vec![
        ("devnet".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("Engine".to_owned(), live.engine().kind().to_string()),
        ("Run".to_owned(), plan.run_id.clone()),
        ("Seed".to_owned(), plan.seed.to_string()),
    ];
    if let Some(genesis) = &plan.genesis {
        let rate = genesis.initial_hash_rate;
        rows.push(("Hashes a second at first".into(), rate.to_string()));
    }
    rows
}
