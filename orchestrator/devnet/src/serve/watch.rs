//! Watches a network and keeps the [`Board`] as it is.
//!
//! ```text
//! nodes ── /events ──► news ───┐
//!       ── getblock ─► blocks ─┤
//!       ── batch ────► poll ───┼──► Board
//! network.json ──► plan ───────┤
//! faults.json, run.json ───────┤
//! logs ── once ──► past ───────┘
//! ```
//!
//! News of tips are pushed by the nodes; what nobody pushes is asked for now and
//! then, and rarely while no page is open. It changes nothing and takes no lock.

mod blocks;
pub mod files;
mod news;
mod past;
mod poll;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::blocks::Blocks;
use self::files::Files;
use super::board::Board;
use super::view::{NetworkView, NodeView};
use super::wish::{Refusals, refusals};
use crate::faults::{Layout, Live};
use crate::world::World;

/// Between two looks at the files of the network.
const FILES_PAUSE: Duration = Duration::from_millis(150);

/// Blocks read side by side: one node that is slow holds up nobody.
const READERS: usize = 3;

/// What all parts of the watch share.
pub struct Watch {
    /// This host.
    pub world: World,
    /// The network.
    pub live: Live,
    /// What is known.
    pub board: Board,
    /// Asks nodes now rather than at their next turn.
    pub hurry: Notify,
    /// What its page does not do.
    pub refused: Refusals,
    blocks: Blocks,
}

impl Watch {
    /// A watch over that network, which does not look yet; for a page that other
    /// machines can reach, or not.
    pub fn new(world: World, live: Live, is_open: bool) -> Self {
        let watch = Self {
            refused: refusals(live.engine().kind(), is_open),
            world,
            live,
            board: Board::default(),
            hurry: Notify::new(),
            blocks: Blocks::default(),
        };
        watch.show_plan();
        watch
    }

    /// Watches until the network is gone.
    pub async fn run(self: Arc<Self>) {
        let mut followers = Followers::default();
        let mut files = Files::default();
        let telling = spawn(
            self.clone(),
            |watch| async move { watch.board.tell().await },
        );
        let polling = spawn(self.clone(), poll::poll);
        let reading: Vec<Task> = (0..READERS)
            .map(|_| {
                spawn(self.clone(), |watch| async move {
                    watch.blocks.read(&watch).await;
                })
            })
            .collect();
        let looking_back = spawn(self.clone(), past::read);
        followers.follow(&self);
        loop {
            let found = files.look(&self);
            if found.is_gone {
                break;
            }
            if found.is_changed && self.live.reload(&self.world).is_ok() {
                self.show_plan();
                followers.follow(&self);
            }
            tokio::time::sleep(FILES_PAUSE).await;
        }
        drop((telling, polling, reading, looking_back));
    }

    /// Shows what the plan says.
    fn show_plan(&self) {
        let layout = self.live.layout();
        self.board.set_network(NetworkView {
            refused: self.refused.clone(),
            ..network(&self.live, &layout)
        });
        self.board.keep_nodes(&layout.roster());
        for plan in &layout.blueprint.nodes {
            let mining = &plan.config.mining;
            self.board.put_node(&plan.name, |node| {
                let is_new = node.name.is_empty();
                *node = NodeView {
                    name: plan.name.clone(),
                    role: plan.role.to_string(),
                    group: plan.group.clone(),
                    zone: plan.zone.clone(),
                    ip: plan.ip.to_string(),
                    ..std::mem::take(node)
                };
                if is_new && mining.enabled {
                    node.hashrate = mining.hash_rate;
                }
            });
        }
    }
}

fn network(live: &Live, layout: &Layout) -> NetworkView {
    let plan = &layout.blueprint;
    let genesis = plan.genesis.as_ref();
    let mut groups: Vec<String> = Vec::new();
    for node in &plan.nodes {
        if !groups.contains(&node.group) {
            groups.push(node.group.clone());
        }
    }
    let accounts = genesis.map(|genesis| {
        let keys = crate::run::payments::purse::keys_of(genesis);
        keys.map(|(name, _)| name).collect()
    });
    NetworkView {
        name: live.name().to_owned(),
        engine: live.engine().kind().to_string(),
        spacing_ms: genesis.map_or(0, |genesis| u64::from(genesis.spacing_s) * 1_000),
        created_ms: u64::from(plan.created_at_s) * 1_000,
        groups,
        accounts: accounts.unwrap_or_default(),
        ..NetworkView::default()
    }
}

/// One task for each node of the plan.
#[derive(Default)]
struct Followers(BTreeMap<NodeName, Task>);

impl Followers {
    fn follow(&mut self, watch: &Arc<Watch>) {
        let roster = watch.live.layout().roster();
        self.0.retain(|name, _| roster.contains(name));
        for name in roster {
            self.0
                .entry(name.clone())
                .or_insert_with(|| spawn(watch.clone(), |watch| news::follow(watch, name)));
        }
    }
}

/// A task that ends with what holds it.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn spawn<F>(watch: Arc<Watch>, work: impl FnOnce(Arc<Watch>) -> F) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    Task(tokio::spawn(work(watch)))
}
