//! The one place where an event becomes a log line and a number.
//!
//! Counters and histograms follow the events and orders that the driver shows
//! the [`Observer`]; gauges of the chain's state are read from the node when
//! somebody looks, so they cannot drift from it.

mod event;
pub mod http;
mod label;
pub mod log;
mod metrics;
mod text;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use minichain_api::metric;
use minichain_protocol::input::{Direction, Now};
use minichain_protocol::output::{DisconnectReason, RequestKind, Topic, Verdict};
use prometheus::proto::MetricFamily;

use self::metrics::Metrics;
use crate::miner::MinerStats;
use crate::news::News;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A peer sent them.
    Received,
    /// This node sent them.
    Sent,
}

/// What the observer must know from the start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node's name.
    pub name: String,
    /// The network's name.
    pub network: String,
    /// The network's target time between blocks, in seconds.
    pub spacing_s: u32,
    /// How long ago the tip was found, as far as known.
    pub tip_age: Duration,
    /// Weight a block may have at most.
    pub block_weight_max: u32,
    /// Memory the mempool may take.
    pub mempool_bytes_max: u64,
    /// The chain's file.
    pub store_file: PathBuf,
}

/// The chain's state when somebody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Height of the tip.
    pub height: u32,
    /// Height of the best header.
    pub header_height: u32,
    /// The tip's header time, in seconds since 1970.
    pub tip_time_s: u32,
    /// Expected hashes behind the tip.
    pub chainwork: f64,
    /// Initial target divided by the tip's target.
    pub difficulty: f64,
    /// Expected hashes to find the next block.
    pub expected_hashes: f64,
    /// Peers that dialled this node.
    pub inbound_peers: usize,
    /// Peers this node dialled.
    pub outbound_peers: usize,
    /// Transactions waiting.
    pub mempool_transactions: u64,
    /// Their virtual bytes.
    pub mempool_vbytes: u64,
    /// Memory they count for.
    pub mempool_memory_bytes: u64,
    /// Base units for 1,000 virtual bytes of what a block would take first.
    pub best_fee_rate_sat_per_kvb: u64,
    /// Messages that wait for the node's thread.
    pub inbox_messages: usize,
}

/// Counts and logs. Shared by reference; every method is cheap.
pub struct Observer {
    metrics: Metrics,
    news: News,
    started: Instant,
    /// Milliseconds from `started` to the last change of the tip, once there
    /// was one; until then the age known at the start counts on.
    tip_changed_ms: AtomicU64,
    tip_age_at_start_ms: u64,
    has_tip_changed: AtomicBool,
    /// Milliseconds from `started` to the last block of a chain that grew one
    /// by one; zero until there was one.
    grown_ms: AtomicU64,
    is_syncing: AtomicBool,
    store_file: PathBuf,
    /// Part of the miner's hashes already counted.
    hashes_counted: AtomicU64,
    miner: Box<dyn Fn() -> MinerStats + Send + Sync>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Observer").finish_non_exhaustive()
    }
}

impl Observer {
    /// An observer with every metric registered; `miner` is asked for the
    /// miner's numbers on every look.
    pub fn new(
        setup: &Setup,
        miner: impl Fn() -> MinerStats + Send + Sync + 'static,
    ) -> Result<Self, prometheus::Error> {
        Ok(Self {
            metrics: Metrics::new(setup)?,
            news: News::default(),
            started: Instant::now(),
            tip_changed_ms: AtomicU64::new(0),
            tip_age_at_start_ms: millis(setup.tip_age),
            has_tip_changed: AtomicBool::new(false),
            grown_ms: AtomicU64::new(0),
            store_file: setup.store_file.clone(),
            is_syncing: AtomicBool::new(false),
            hashes_counted: AtomicU64::new(0),
            miner: Box::new(miner),
        })
    }

    /// Logs and counts what the node reports.
    pub fn event(&self, event: minichain_protocol::event::Event, now: Now) {
        event::observe(self, &event, now);
        self.news.tell(event);
    }

    /// For those who wait for something to happen.
    pub const fn news(&self) -> &News {
        &self.news
    }

    /// A gossip message came in or went out.
    pub fn gossip(&self, topic: Topic, flow: Flow, bytes: usize) {
        let labels = [label::topic(topic), label::flow(flow)];
        self.metrics.count(metric::GOSSIP_MESSAGES, &labels, 1);
        self.metrics
            .count(metric::GOSSIP_BYTES, &labels, bytes as u64);
    }

    /// The node decided what becomes of a gossip message.
    pub fn verdict(&self, topic: Topic, verdict: Verdict) {
        let labels = [label::topic(topic), label::verdict(verdict)];
        self.metrics.count(metric::GOSSIP_VERDICTS, &labels, 1);
    }

    /// A request came in or went out.
    pub fn request(&self, kind: RequestKind, flow: Flow, bytes: usize) {
        let labels = [label::kind(kind), label::flow(flow)];
        self.metrics.count(metric::REQUESTS, &labels, 1);
        self.metrics
            .count(metric::REQUEST_BYTES, &labels, bytes as u64);
    }

    /// A response came in or went out.
    pub fn response(&self, kind: RequestKind, flow: Flow, bytes: usize) {
        let labels = [label::kind(kind), label::flow(flow)];
        self.metrics
            .count(metric::REQUEST_BYTES, &labels, bytes as u64);
    }

    /// How many peers are connected.
    pub fn peers(&self, inbound: usize, outbound: usize) {
        let set = |direction, peers: usize| {
            self.metrics.set(
                metric::PEERS,
                &[label::direction(direction)],
                float(peers as u64),
            );
        };
        set(Direction::Inbound, inbound);
        set(Direction::Outbound, outbound);
    }

    /// So many links are conditioned.
    pub fn links_conditioned(&self, links: usize) {
        self.metrics
            .set(metric::LINK_CONDITIONS, &[], float(links as u64));
    }

    /// The node's clock was set off by so much.
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; rounding is harmless"
    )]
    pub fn clock_set(&self, offset_ms: i64) {
        self.metrics
            .set(metric::CLOCK_OFFSET, &[], offset_ms as f64 / 1e3);
    }

    /// This node sent a peer away.
    pub fn disconnected(&self, reason: &DisconnectReason) {
        self.metrics
            .count(metric::DISCONNECTS, &[reason.label()], 1);
    }

    /// A block was checked and connected in this time.
    pub fn block_handled(&self, took: Duration) {
        self.metrics
            .observe(metric::BLOCK_CONNECT, took.as_secs_f64());
    }

    /// The node's thread was at work for so long.
    pub fn busy(&self, took: Duration) {
        self.metrics
            .add(metric::DRIVER_BUSY, &[], took.as_secs_f64());
    }

    /// Changes of the chain became durable in this time.
    pub fn committed(&self, took: Duration) {
        self.metrics
            .observe(metric::STORE_COMMIT, took.as_secs_f64());
    }

    /// A call of this name was answered; `name` is untrusted.
    pub fn called(&self, name: &str, took: Duration, is_error: bool) {
        self.metrics
            .count(metric::RPC_REQUESTS, &[label::method(name)], 1);
        self.metrics
            .count(metric::RPC_ERRORS, &[], u64::from(is_error));
        self.metrics
            .observe(metric::RPC_DURATION, took.as_secs_f64());
    }

    /// Time since the tip changed.
    pub fn tip_age(&self) -> Duration {
        let since_start = millis(self.started.elapsed());
        Duration::from_millis(if self.has_tip_changed.load(Ordering::Relaxed) {
            since_start.saturating_sub(self.tip_changed_ms.load(Ordering::Relaxed))
        } else {
            since_start.saturating_add(self.tip_age_at_start_ms)
        })
    }

    /// Time since the observer was made.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the miner did so far.
    pub fn miner(&self) -> MinerStats {
        (self.miner)()
    }

    /// All metrics, for the format of one's choice. Without a snapshot (the
    /// node is busy) the state's gauges stay as they were.
    pub fn gather(&self, snapshot: Option<&Snapshot>) -> Vec<MetricFamily> {
        if let Some(snapshot) = snapshot {
            self.set_gauges(snapshot);
        }
        self.metrics
            .set(metric::TIP_AGE, &[], self.tip_age().as_secs_f64());
        let miner = self.miner();
        let limit = if miner.is_mining {
            miner.hash_rate
        } else {
            0.0
        };
        self.metrics.set(metric::HASH_RATE_LIMIT, &[], limit);
        let counted = self
            .hashes_counted
            .fetch_max(miner.hashes, Ordering::Relaxed);
        self.metrics
            .count(metric::HASHES, &[], miner.hashes.saturating_sub(counted));
        if let Ok(file) = std::fs::metadata(&self.store_file) {
            self.metrics.set(metric::STORE_SIZE, &[], float(file.len()));
        }
        self.metrics.gather()
    }

    fn set_gauges(&self, snapshot: &Snapshot) {
        let set = |metric, value| self.metrics.set(metric, &[], value);
        set(metric::CHAIN_HEIGHT, f64::from(snapshot.height));
        set(metric::HEADER_HEIGHT, f64::from(snapshot.header_height));
        set(metric::TIP_TIME, f64::from(snapshot.tip_time_s));
        set(metric::CHAINWORK, snapshot.chainwork);
        set(metric::DIFFICULTY, snapshot.difficulty);
        set(metric::EXPECTED_HASHES, snapshot.expected_hashes);
        set(
            metric::MEMPOOL_TRANSACTIONS,
            float(snapshot.mempool_transactions),
        );
        set(metric::MEMPOOL_BYTES, float(snapshot.mempool_vbytes));
        set(metric::MEMPOOL_MEMORY, float(snapshot.mempool_memory_bytes));
        set(
            metric::MEMPOOL_BEST_FEE_RATE,
            float(snapshot.best_fee_rate_sat_per_kvb) / 1e3,
        );
        set(metric::INBOX, float(snapshot.inbox_messages as u64));
        self.peers(snapshot.inbound_peers, snapshot.outbound_peers);
    }

    fn tip_changed(&self) {
        self.tip_changed_ms
            .store(millis(self.started.elapsed()), Ordering::Relaxed);
        self.has_tip_changed.store(true, Ordering::Relaxed);
    }

    /// The chain grew by so many blocks. Only growth by one tells an interval:
    /// who catches up sees blocks faster than they were found.
    fn grown(&self, blocks: u64) {
        if blocks == 0 {
            return;
        }
        let now_ms = millis(self.started.elapsed()).max(1);
        let before_ms = self.grown_ms.swap(now_ms, Ordering::Relaxed);
        if self.is_syncing.load(Ordering::Relaxed) || blocks > 1 {
            // The next block's interval is known again.
        } else if before_ms > 0 {
            self.metrics.observe(
                metric::BLOCK_INTERVAL,
                float(now_ms.saturating_sub(before_ms)) / 1e3,
            );
        }
    }
}

/// The reference page of a node's metrics, in Markdown.
pub fn reference() -> String {
    metric::reference("Of every node", metric::ALL, metrics::label_values)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floats; rounding is harmless"
)]
const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
