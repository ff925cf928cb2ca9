//! One node and what its driver keeps for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::template::Template;
use minichain_chain::time::UnixMillis;
use minichain_protocol::input::{Call, Now};
use minichain_protocol::output::Answer;

use super::SimNode;
use super::disk::Disk;
use super::due::{Due, Ticket};
use crate::archive::NodeStore;
use crate::queue::Micros;
use crate::random::Stream;
use crate::setup::NodeSetup;

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Up,
    /// It does not run.
    Down,
    /// It is frozen; what reaches it waits.
    Paused,
    /// It is gone for good.
    Removed,
}

/// What everything that arrives looks at, by itself because it is little.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub condition: Condition,
    /// Whether what it sends or receives takes time on its own line.
    pub has_upload: bool,
    pub has_download: bool,
}

impl Port {
    /// Of a node that does not run yet.
    pub fn of(setup: &NodeSetup) -> Self {
        Self {
            condition: Condition::Down,
            has_upload: setup.upload.is_some(),
            has_download: setup.download.is_some(),
        }
    }
}

/// One node.
#[derive(Debug)]
pub(super) struct Host {
    pub setup: NodeSetup,
    pub node: Option<SimNode>,
    /// What outlives the program while it does not run.
    pub disk: Option<NodeStore>,
    pub disk_state: Disk,
    /// When it last started.
    pub started_at: Micros,
    pub starts: u32,
    /// Connections whose end here is open.
    pub conns: Vec<u32>,
    /// Neighbours in the mesh, by topic.
    pub mesh: [usize; 2],
    pub heartbeat_at: Option<Micros>,
    /// Messages that it would have told of while it was paused.
    pub fresh: Vec<u32>,
    pub wake_at: Option<Micros>,
    /// The earliest alarm in the queue.
    pub wake_queued: Option<Micros>,
    pub miner: Miner,
    /// Requests of peers that await an answer, by the number told to the node.
    pub unanswered: BTreeMap<u64, Ticket>,
    /// Own requests under way.
    pub asked: BTreeMap<u64, Ticket>,
    pub next_number: u64,
    /// What arrived while it was paused.
    pub inbox: Vec<Due>,
    pub answers: BTreeMap<Call, Answer>,
    /// Validation keeps it busy until then.
    pub busy_until: Micros,
    pub upload_free: Micros,
    pub download_free: Micros,
    /// Since when changes wait that are not urgent.
    pub dirty_since: Option<Micros>,
    pub chance: Stream,
}

/// The search for a block as a draw: luck is drawn in blocks, and hashing uses
/// it up. What is left stays when the template or the rate changes, so nothing
/// is drawn anew and the odds are those of a real search.
#[derive(Debug)]
pub(super) struct Miner {
    pub template: Option<Arc<Template>>,
    /// Expected hashes for the template's block.
    pub work: f64,
    pub luck: f64,
    pub since: Micros,
    pub found_at: Option<Micros>,
    pub found_queued: Option<Micros>,
    pub chance: Stream,
    pub blocks: u32,
}

impl Host {
    pub fn new(setup: NodeSetup, seed: u64, place: usize) -> Self {
        let entity = [place as u64];
        let mut chance = Stream::new(seed, "lottery", &entity);
        let miner = Miner {
            template: None,
            work: f64::INFINITY,
            luck: chance.exponential(),
            since: 0,
            found_at: None,
            found_queued: None,
            chance,
            blocks: 0,
        };
        Self {
            setup,
            node: None,
            disk: None,
            disk_state: Disk::default(),
            started_at: 0,
            starts: 0,
            conns: Vec::new(),
            mesh: [0; 2],
            heartbeat_at: None,
            fresh: Vec::new(),
            wake_at: None,
            wake_queued: None,
            miner,
            unanswered: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_number: 0,
            inbox: Vec::new(),
            answers: BTreeMap::new(),
            busy_until: 0,
            upload_free: 0,
            download_free: 0,
            dirty_since: None,
            chance: Stream::new(seed, "host", &entity),
        }
    }

    /// Something of what an arrival needs, for who only wants it read.
    pub fn glance(&self) -> u64 {
        let flags = u64::from(self.dirty_since.is_some()) + u64::from(self.node.is_some());
        let counts = self.conns.len() + self.mesh[0];
        flags + counts as u64 + self.busy_until + self.next_number + self.started_at
    }

    /// Its clocks at a moment of the world.
    pub fn clock(&self, epoch_ms: u64, at: Micros) -> Now {
        let wall = (epoch_ms + at / 1_000).saturating_add_signed(self.setup.skew_ms);
        Now {
            monotonic_ms: at.saturating_sub(self.started_at) / 1_000,
            unix: UnixMillis(wall),
        }
    }

    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}
