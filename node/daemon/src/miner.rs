//! The miner: a thread of its own that searches for nonces at a set rate.
//!
//! The rate is the node's weight in the network, so it is kept exactly rather
//! than exceeded when the machine happens to be idle. Work is done in slices
//! of milliseconds; a new template ends a slice at once.

mod throttle;
mod work;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use minichain_chain::block::Block;
use minichain_chain::template::Template;

use self::throttle::Throttle;
use self::work::Work;
use crate::clock::Clock;

/// Nonces tried between two looks at the orders: under a millisecond.
const NONCES_PER_LOOK: u64 = 2_048;

/// What the miner needs to know.
#[derive(Clone, Copy, Debug)]
pub struct MinerConfig {
    /// Double SHA-256 hashes a second.
    pub hash_rate: f64,
    /// Where in the nonce range searches begin. Random, so that two nodes that
    /// happen to have the same template do not try the same nonces.
    pub first_nonce: u32,
}

/// What the miner did since it started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinerStats {
    /// Hashes a second it is throttled to.
    pub hash_rate: f64,
    /// Whether it has a template to work on.
    pub is_mining: bool,
    /// Hashes computed.
    pub hashes: u64,
    /// Solutions found.
    pub blocks_found: u64,
}

/// A handle on the miner's thread. Dropping it ends the thread; the sink given
/// to [`Miner::start`] must not block for ever by then.
#[derive(Debug)]
pub struct Miner {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Bits of the rate in hashes a second.
    hash_rate: AtomicU64,
    clock: Clock,
    orders: Mutex<Orders>,
    changed: Condvar,
    /// Copy of `Orders::serial` that is read inside the search without a lock.
    serial: AtomicU64,
    hashes: AtomicU64,
    blocks_found: AtomicU64,
}

#[derive(Debug, Default)]
struct Orders {
    /// Grows with every order.
    serial: u64,
    template: Option<Arc<Template>>,
    is_ending: bool,
}

/// Sets the miner's rate; outlives the miner.
#[derive(Clone, Debug)]
pub struct RateLever {
    shared: Arc<Shared>,
}

impl RateLever {
    /// Hashes a second the miner is throttled to.
    pub fn get(&self) -> f64 {
        self.shared.hash_rate()
    }

    /// Throttles the miner to a finite rate that is not negative; 0 idles it.
    pub fn set(&self, hash_rate: f64) {
        self.shared
            .hash_rate
            .store(hash_rate.to_bits(), Ordering::Relaxed);
        // A long pause at the old rate ends.
        self.shared.order(|_| {});
    }
}

/// The throttle and the time up to which it has counted; none while idle.
#[derive(Debug)]
struct Pace {
    throttle: Throttle,
    since: Option<Instant>,
}

impl Pace {
    /// Kept from one template to the next, so that slow miners whose template
    /// changes often still get every hash that is due.
    fn hashes_due(&mut self, now: Instant) -> u64 {
        let since = self.since.replace(now).unwrap_or(now);
        self.throttle
            .hashes_due(now.saturating_duration_since(since))
    }
}

impl Miner {
    /// Starts the thread, idle until [`Miner::mine`]. Headers are stamped by
    /// `clock`. Solutions go to `sink`, on the miner's thread.
    pub fn start(
        config: MinerConfig,
        clock: Clock,
        sink: impl Fn(Arc<Block>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            hash_rate: AtomicU64::new(config.hash_rate.to_bits()),
            clock,
            orders: Mutex::default(),
            changed: Condvar::new(),
            serial: AtomicU64::new(0),
            hashes: AtomicU64::new(0),
            blocks_found: AtomicU64::new(0),
        });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("miner".into())
            .spawn(move || worker.run(config, &sink))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Works on `template` from now on and drops what it had.
    pub fn mine(&self, template: Arc<Template>) {
        self.shared.order(|orders| orders.template = Some(template));
    }

    /// Stops working until the next [`Miner::mine`].
    pub fn stop_mining(&self) {
        self.shared.order(|orders| orders.template = None);
    }

    /// What it did so far.
    pub fn stats(&self) -> MinerStats {
        self.shared.stats()
    }

    /// Sets the rate from elsewhere.
    pub fn rate_lever(&self) -> RateLever {
        RateLever {
            shared: Arc::clone(&self.shared),
        }
    }

    /// A reader of the numbers that outlives the miner.
    pub fn stats_reader(&self) -> impl Fn() -> MinerStats + Clone + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.stats()
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.shared.order(|orders| orders.is_ending = true);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the hook.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let mut orders = self.lock();
        change(&mut orders);
        orders.serial += 1;
        self.serial.store(orders.serial, Ordering::Release);
        self.changed.notify_all();
    }

    fn hash_rate(&self) -> f64 {
        f64::from_bits(self.hash_rate.load(Ordering::Relaxed))
    }

    fn stats(&self) -> MinerStats {
        MinerStats {
            hash_rate: self.hash_rate(),
            is_mining: self.lock().template.is_some(),
            hashes: self.hashes.load(Ordering::Relaxed),
            blocks_found: self.blocks_found.load(Ordering::Relaxed),
        }
    }

    fn run(&self, config: MinerConfig, sink: &impl Fn(Arc<Block>)) {
        let mut pace = Pace {
            throttle: Throttle::new(self.hash_rate()),
            since: None,
        };
        let mut done = 0;
        while let Some((serial, template)) = self.next_order(done) {
            done = serial;
            let Some(template) = template else {
                pace.since = None;
                continue;
            };
            // Bits that name no target cannot come from a template; such a
            // one is not worth a crash, it is just never solved.
            let Ok(work) = Work::new(&template, self.clock.now_s(), config.first_nonce) else {
                continue;
            };
            if let Some(block) = self.search(serial, work, &mut pace) {
                self.blocks_found.fetch_add(1, Ordering::Relaxed);
                sink(Arc::new(block));
            }
        }
    }

    /// Waits for an order later than `done`; `None` when it is to end.
    fn next_order(&self, done: u64) -> Option<(u64, Option<Arc<Template>>)> {
        let mut orders = self.lock();
        while orders.serial == done && !orders.is_ending {
            orders = self
                .changed
                .wait(orders)
                .unwrap_or_else(PoisonError::into_inner);
        }
        (!orders.is_ending).then(|| (orders.serial, orders.template.clone()))
    }

    /// Searches until a solution or another order.
    fn search(&self, serial: u64, mut work: Work, pace: &mut Pace) -> Option<Block> {
        while self.serial.load(Ordering::Acquire) == serial {
            let begin = Instant::now();
            pace.throttle.set_rate(self.hash_rate());
            let due = pace.hashes_due(begin);
            work.set_time(self.clock.now_s());
            let (tried, solution) = self.try_nonces(serial, &mut work, due, begin);
            pace.throttle.give_back(due.saturating_sub(tried));
            if solution.is_some() {
                return solution;
            }
            let pause = pace.throttle.pause_after(begin.elapsed());
            if pause.is_zero() {
                std::thread::yield_now();
            } else {
                self.sleep(serial, pause);
            }
        }
        None
    }

    /// Tries up to `due` nonces, no longer than a slice, and no further than
    /// the next order. How many it tried, and the solution.
    fn try_nonces(
        &self,
        serial: u64,
        work: &mut Work,
        due: u64,
        begin: Instant,
    ) -> (u64, Option<Block>) {
        let mut done = 0;
        while done < due
            && self.serial.load(Ordering::Acquire) == serial
            && begin.elapsed() < throttle::SLICE
        {
            let tried = work.try_nonces((due - done).min(NONCES_PER_LOOK));
            if tried.count == 0 {
                // Every nonce of this second is tried; time goes on.
                return (due, None);
            }
            done += tried.count;
            self.hashes.fetch_add(tried.count, Ordering::Relaxed);
            if let Some(nonce) = tried.solution {
                return (done, Some(work.solved(nonce)));
            }
        }
        (done, None)
    }

    fn sleep(&self, serial: u64, pause: Duration) {
        let orders = self.lock();
        // Whether it slept its time or was woken, the caller looks again.
        drop(
            self.changed
                .wait_timeout_while(orders, pause, |orders| orders.serial == serial)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

#[cfg(test)]
mod tests;
