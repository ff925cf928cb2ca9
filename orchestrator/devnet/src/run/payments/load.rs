//! A steady load: one worker for each node it is handed to, so that a node that
//! does not answer slows down nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Evidence, Load, Outcome};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::purse::{Draft, Purse};
use super::{Sent, Shared};
use crate::bench::load::Offered;
use crate::clock::now_ms;

/// What each payment of a load pays, in base units.
pub(crate) const PAYMENT_SATS: u64 = 1_000;
/// Ids that are remembered at most.
const IDS_MAX: usize = 100_000;

/// A load under way. Dropping it stops it.
pub struct RunningLoad {
    load: Load,
    began: Instant,
    began_ms: u64,
    tally: Arc<Mutex<Tally>>,
    first: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    ids: Vec<String>,
    pub accepted: u64,
    /// By rule.
    refused: BTreeMap<String, u64>,
    unanswered: u64,
    /// Turns without a coin to spend.
    pub starved: u64,
}

/// One node's part of a load.
struct Worker {
    shared: Arc<Shared>,
    load: Load,
    via: NodeName,
    tally: Arc<Mutex<Tally>>,
    first: Arc<watch::Sender<bool>>,
    /// A payment that was handed over without an answer; it may be in the
    /// node's mempool, so nothing else may spend its coins.
    open: Option<Draft>,
}

impl RunningLoad {
    /// Starts the workers.
    pub(super) fn start(shared: &Arc<Shared>, load: &Load) -> Self {
        let tally = Arc::<Mutex<Tally>>::default();
        let (first_sender, first) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let first_sender = Arc::new(first_sender);
        let mut workers = JoinSet::new();
        let count = u32::try_from(load.via.len()).unwrap_or(u32::MAX);
        let turn = Duration::from_secs_f64(1.0 / load.rate.clamp(0.001, 100_000.0));
        for (via, number) in load.via.iter().zip(0_u32..) {
            let worker = Worker {
                shared: shared.clone(),
                load: load.clone(),
                via: via.clone(),
                tally: tally.clone(),
                first: first_sender.clone(),
                open: None,
            };
            workers.spawn(worker.run(turn * number, turn * count, stopped.clone()));
        }
        Self {
            load: load.clone(),
            began: Instant::now(),
            began_ms: now_ms(),
            tally,
            first,
            stop,
            workers,
        }
    }

    /// Ends when the first payment was accepted.
    pub fn first(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut first = self.first.clone();
        async move {
            // The sender lives as long as a worker; without workers nothing is
            // to be waited for.
            until(&mut first).await;
        }
    }

    /// What was sent so far.
    pub fn offered(&self) -> Offered {
        locked(&self.tally).offered()
    }

    /// Stops the workers after what they are at, and tells what was sent.
    pub async fn stop(mut self) -> Outcome {
        let _no_worker_left = self.stop.send(true);
        while self.workers.join_next().await.is_some() {}
        let elapsed = self.began.elapsed();
        locked(&self.tally).outcome(&self.load, self.began_ms, elapsed)
    }
}

impl Worker {
    async fn run(mut self, delay: Duration, period: Duration, mut stopped: watch::Receiver<bool>) {
        let mut turns = tokio::time::interval_at(Instant::now() + delay, period);
        // What a silent node missed is not made up for in a burst.
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = until(&mut stopped) => return,
                _ = turns.tick() => self.turn().await,
            }
        }
    }

    async fn turn(&mut self) {
        let Load { from, to, .. } = &self.load;
        let draft = match self.open.take() {
            Some(draft) => draft,
            None => {
                let pay = |purse: &mut Purse| purse.pay(from, to, PAYMENT_SATS, &self.via);
                match self.shared.with(pay) {
                    Ok(draft) => draft,
                    Err(_) => {
                        locked(&self.tally).starved += 1;
                        return;
                    }
                }
            }
        };
        let sent = self.shared.send(&self.via, &draft).await;
        let is_accepted = sent == Sent::Accepted;
        let tally = &self.tally;
        let heard = |purse: &mut Purse| locked(tally).heard(sent, draft, purse);
        self.open = self.shared.with(heard);
        if is_accepted {
            self.first.send_replace(true);
        }
    }
}

impl Tally {
    /// Counts what became of a payment and tells the purse; the payment again
    /// if nobody knows, for it may be in the node's mempool.
    pub fn heard(&mut self, sent: Sent, draft: Draft, purse: &mut Purse) -> Option<Draft> {
        match sent {
            Sent::Accepted => {
                self.accepted += 1;
                if self.ids.len() < IDS_MAX {
                    self.ids.push(draft.txid.clone());
                }
                purse.accepted(draft);
                None
            }
            Sent::Refused { rule, .. } => {
                *self.refused.entry(rule).or_default() += 1;
                purse.refused(draft);
                None
            }
            Sent::Unanswered { .. } => {
                self.unanswered += 1;
                Some(draft)
            }
        }
    }

    /// The counts.
    fn offered(&self) -> Offered {
        Offered {
            accepted: self.accepted,
            refused: self.refused.clone(),
            unanswered: self.unanswered,
            starved: self.starved,
        }
    }

    /// What a load came to that began at that time and ran so long.
    pub fn outcome(&mut self, load: &Load, began_ms: u64, elapsed: Duration) -> Outcome {
        let evidence = Evidence {
            summary: self.summary(load, elapsed),
            objections: match self.accepted {
                0 => vec!["no payment was accepted".to_owned()],
                _ => Vec::new(),
            },
            in_force_at_ms: Some(began_ms),
            transactions: std::mem::take(&mut self.ids),
            ..Evidence::default()
        };
        match evidence.objections.is_empty() {
            true => Outcome::Done(evidence),
            false => Outcome::Ineffective(evidence),
        }
    }

    fn summary(&self, load: &Load, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 payments")]
        let rate = self.accepted as f64 / seconds;
        let mut text = format!(
            "{} payments accepted in {seconds:.1} s, {rate:.1} of {} a second",
            self.accepted, load.rate
        );
        for (rule, count) in &self.refused {
            text.push_str(&format!("; {count} refused ({rule})"));
        }
        for (count, what) in [
            (self.unanswered, "without an answer"),
            (self.starved, "turns without a coin"),
        ] {
            if count > 0 {
                text.push_str(&format!("; {count} {what}"));
            }
        }
        text
    }
}

/// Waits until it is so, or nobody is left to say so.
async fn until(flag: &mut watch::Receiver<bool>) {
    let _nobody_left = flag.wait_for(|is_so| *is_so).await.map(|_| ());
}

fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
