//! Watches one network for as long as it exists, and serves what it sees to
//! Prometheus.
//!
//! ```text
//! nodes ── JSON-RPC ──► look ──┐
//! faults.json, fault-events ───┴──► Metrics ── /metrics ──► Prometheus
//! network.json ──► targets.json ── file service discovery ──────┘
//! ```
//!
//! It changes nothing and takes no lock. Must never import a verb.

mod heal;
mod look;
mod metrics;
mod targets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use devnet_blueprint::metric::{self, FAULT_EVENTS, FAULT_KINDS, ROLES, STATES};
use devnet_scenario::fault::{Fault, Link, NodeFault, NodeName};
use tokio::net::TcpListener;

use self::heal::Heals;
use self::look::{Seen, look};
use self::metrics::Metrics;
use self::targets::Targets;
pub use self::targets::{EXPORTER_FILE, NODES_FILE};
use crate::clock::now_ms;
use crate::exit::Failure;
use crate::faults::tally::{Tally, kinds};
use crate::faults::{Active, Intent, Live};
use crate::state::NetworkFolder;
use crate::world::World;

/// Between two looks at least and at most, unless it is said otherwise.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What to watch, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where to serve metrics.
    pub listen: SocketAddr,
    /// Between two looks; unset: half a block's time, 1 s to 5 s.
    pub pause: Option<Duration>,
    /// Folder for the files that tell Prometheus whom to scrape.
    pub targets: Option<PathBuf>,
}

/// A network that is watched.
pub struct Exporter {
    live: Live,
    folder: NetworkFolder,
    pause: Duration,
    metrics: Arc<Metrics>,
    targets: Option<Targets>,
    heals: Heals,
    /// When the plan was last changed, as far as it was read.
    planned: Option<SystemTime>,
    address: SocketAddr,
}

/// The reference page of a network's metrics, in Markdown.
pub fn reference() -> String {
    let title = "Of a network, by `devnet exporter`";
    minichain_api::metric::reference(title, metric::ALL, metrics::label_values)
}

impl Exporter {
    /// Listens, and serves from now on.
    ///
    /// # Errors
    /// There is no such network, or the address or the folder cannot be used.
    pub async fn start(world: &World, name: &str, wish: &Wish) -> Result<Self, Failure> {
        let live = Live::attach(world, name).await?;
        let layout = live.layout();
        let genesis = layout.blueprint.genesis.as_ref();
        let spacing_s = f64::from(genesis.map_or(1, |genesis| genesis.spacing_s.max(1)));
        let metrics = Metrics::new(spacing_s, layout.blueprint.engine)
            .map_err(|error| Failure::world(format!("cannot set up metrics: {error}")))?;
        let metrics = Arc::new(metrics);
        let cannot = |error| {
            let what = format!("cannot listen on {}: {error}", wish.listen);
            Failure::world(what).next("Choose another address with `--listen`.")
        };
        let listener = TcpListener::bind(wish.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        serve(listener, metrics.clone());
        let targets = wish.targets.as_ref();
        let targets = targets.map(|folder| Targets::new(folder, name, address));
        let half = Duration::from_secs_f64(spacing_s / 2.0);
        Ok(Self {
            folder: world.states.network(name),
            pause: wish
                .pause
                .unwrap_or_else(|| half.clamp(PAUSE_MIN, PAUSE_MAX)),
            metrics,
            targets: targets.transpose()?,
            heals: Heals::default(),
            planned: None,
            address,
            live,
        })
    }

    /// Where it serves.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Looks again and again, until the network is gone.
    ///
    /// # Errors
    /// The state folder cannot be read or written.
    pub async fn run(mut self, world: &World) -> Result<(), Failure> {
        loop {
            let began = Instant::now();
            if !self.follow_plan(world)? {
                return Ok(());
            }
            self.look().await;
            let took = began.elapsed();
            let seconds = took.as_secs_f64();
            self.metrics.set(metric::LOOK_DURATION, &[], seconds);
            self.metrics.count(metric::LOOKS);
            tokio::time::sleep(self.pause.saturating_sub(took)).await;
        }
    }

    /// Takes in the plan where it was changed; false once it is gone.
    fn follow_plan(&mut self, world: &World) -> Result<bool, Failure> {
        let Some(is_changed) = self.live.follow(world, &mut self.planned)? else {
            return Ok(false);
        };
        if is_changed && let Some(targets) = &mut self.targets {
            targets.update(self.live.name(), &self.live.layout().nodes)?;
        }
        Ok(true)
    }

    async fn look(&mut self) {
        let layout = self.live.layout();
        let (engine, name) = (self.live.engine(), self.live.name());
        let seen = look(engine, name, &layout.nodes).await;
        show_nodes(&self.metrics, &seen);
        // A file that is damaged is told by `devnet faults`; here it is nothing.
        let intent = Intent::load_or_forget(&self.folder).unwrap_or_default();
        let roster = layout.roster();
        let groups = show_faults(&self.metrics, intent.faults(), &roster);
        show_events(&self.metrics, &Tally::load(&self.folder));
        let is_agreed = seen.is_agreed(|node| is_meant_down(&intent, node));
        let agreed = self.heals.see(now_ms(), groups, is_agreed);
        if let Some(after_ms) = agreed {
            self.metrics.observe(metric::CONVERGENCE, seconds(after_ms));
        }
        let healed = self.heals.last_ms().map_or(0.0, seconds);
        self.metrics.set(metric::HEAL_TIME, &[], healed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

/// Whether a fault in force keeps the node from answering.
fn is_meant_down(intent: &Intent, node: &str) -> bool {
    let is_down =
        |what: &NodeFault| matches!(what, NodeFault::Kill | NodeFault::Stop | NodeFault::Pause);
    intent.of_node(node).any(is_down)
}

/// What cannot be told now stays as it was told last.
fn show_nodes(metrics: &Metrics, seen: &Seen) {
    for role in ROLES {
        for state in STATES {
            let nodes = seen.nodes.get(&((*role).to_owned(), *state));
            let nodes = f64::from(nodes.copied().unwrap_or(0));
            metrics.set(metric::NODES, &[role, state], nodes);
        }
    }
    metrics.set(metric::TIPS, &[], count(seen.different_tips()));
    for (metric, blocks) in [
        (metric::CHAIN_HEIGHT, seen.height()),
        (metric::TIP_SPREAD, seen.spread()),
        (metric::FORK_DEPTH, seen.fork_depth()),
    ] {
        if let Some(blocks) = blocks {
            metrics.set(metric, &[], f64::from(blocks));
        }
    }
}

/// Shows what is in force; the number of groups the nodes are cut into.
fn show_faults(metrics: &Metrics, faults: &[Active], roster: &[NodeName]) -> usize {
    for kind in FAULT_KINDS {
        let is_of_kind = |active: &&Active| kinds(&active.fault).contains(kind);
        let active = faults.iter().filter(is_of_kind).count();
        metrics.set(metric::FAULT_ACTIVE, &[kind], count(active));
    }
    let cut: Vec<&Link> = faults
        .iter()
        .filter_map(|active| match &active.fault {
            Fault::Cut(cut) => Some(&cut.links),
            Fault::Condition { .. } | Fault::Node { .. } => None,
        })
        .flatten()
        .collect();
    let groups = groups(&cut, roster);
    metrics.set(metric::LINKS_CUT, &[], count(cut.len()));
    metrics.set(metric::PARTITION_GROUPS, &[], count(groups));
    groups
}

/// How many groups of nodes there are with no way of two open directions
/// between them.
fn groups(cut: &[&Link], roster: &[NodeName]) -> usize {
    let is_cut = |from: &NodeName, to: &NodeName| {
        let links = cut.iter();
        links
            .clone()
            .any(|link| link.from == *from && link.to == *to)
    };
    let mut left: Vec<&NodeName> = roster.iter().collect();
    let mut groups = 0;
    while let Some(first) = left.pop() {
        groups += 1;
        let mut reached = vec![first];
        while let Some(from) = reached.pop() {
            let (joined, rest): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|to| !is_cut(from, to) && !is_cut(to, from));
            left = rest;
            reached.extend(joined);
        }
    }
    groups.max(1)
}

fn show_events(metrics: &Metrics, tally: &Tally) {
    for kind in FAULT_KINDS {
        for event in FAULT_EVENTS {
            let events = tally.of(kind, event);
            let events = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
            metrics.grow_to(metric::FAULT_EVENTS_TOTAL, &[kind, event], events);
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Serves in the background for as long as the program runs.
fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let page = move || {
        let metrics = metrics.clone();
        async move { page(&metrics) }
    };
    let router = Router::new().route("/metrics", get(page));
    tokio::spawn(async move {
        // It fails only where the listener does, and the next scrape tells.
        let _ = axum::serve(listener, router).await;
    });
}

fn page(metrics: &Metrics) -> Response {
    match metrics.text() {
        Ok(text) => {
            let kind = [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)];
            (kind, text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests;
