//! What the page may do: the faults of the command line, each with its proof.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::world::{Evidence, Outcome};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::view::EventView;
use super::watch::Watch;
use super::wish::{Order, Wish, order, spell_heal};
use crate::exit::Failure;
use crate::faults;
use crate::faults::state::spell_fault;
use crate::order::half_done;
use crate::state::Lock;

/// How long to wait for another call that works on the network.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
/// Wishes that wait at most; further pages wait to be heard.
const WAITING_MAX: usize = 8;

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Done {
    /// What was done, in words.
    pub title: String,
    /// `done`, `ineffective` or `failed`.
    pub outcome: &'static str,
    /// What was measured, or why it failed.
    pub detail: String,
    /// What speaks against it.
    pub objections: Vec<String>,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// A wish, and who waits for what comes of it.
type Job = (Wish, oneshot::Sender<Result<Done, Failure>>);

/// How wishes reach the hands.
#[derive(Clone)]
pub struct Wishes(mpsc::Sender<Job>);

/// Does one thing after the other, on the network that is watched.
pub struct Hands {
    watch: Arc<Watch>,
    jobs: mpsc::Receiver<Job>,
    /// Faults that are to be taken out when their time is over.
    timed: BTreeMap<u32, Instant>,
}

impl Wishes {
    /// Waits until the wish is done, or not.
    ///
    /// # Errors
    /// It cannot be done to this network, or the world broke.
    pub async fn act(&self, wish: Wish) -> Result<Done, Failure> {
        let (sender, receiver) = oneshot::channel();
        let gone = || Failure::world("devnet is ending");
        self.0.send((wish, sender)).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }
}

impl Hands {
    /// Hands on the network that is watched, and the way to them.
    pub fn new(watch: Arc<Watch>) -> (Self, Wishes) {
        let (sender, jobs) = mpsc::channel(WAITING_MAX);
        let hands = Self {
            watch,
            jobs,
            timed: BTreeMap::new(),
        };
        (hands, Wishes(sender))
    }

    /// Does what is wished, and takes out what is over, until nobody can wish or
    /// `stop` ends; what was begun by then is done first.
    pub async fn work(&mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let due = self.timed.iter().min_by_key(|(_, until)| **until);
            let due = due.map(|(id, until)| (*id, *until));
            let over = async {
                match due {
                    Some((id, until)) => {
                        tokio::time::sleep_until(until).await;
                        id
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return,
                job = self.jobs.recv() => {
                    let Some((wish, waiting)) = job else { return };
                    let outcome = self.act(wish).await;
                    // A browser that went away ends nothing half-way.
                    let _gone = waiting.send(outcome);
                }
                id = over => self.end(id).await,
            }
        }
    }

    /// Takes out the faults whose time is not over: nobody would do it later.
    pub async fn let_go(&mut self) {
        let ids: Vec<u32> = self.timed.keys().copied().collect();
        for id in ids {
            self.end(id).await;
        }
    }

    /// Does what is wished, and measures it.
    async fn act(&mut self, wish: Wish) -> Result<Done, Failure> {
        let began = Instant::now();
        let _lock = self.lock().await?;
        let (world, live) = (&self.watch.world, &self.watch.live);
        // Another call may have changed the network before the lock was ours.
        live.reload(world)?;
        let (title, outcome, id) = match order(&self.watch, wish)? {
            Order::Inflict(fault, time) => {
                let inflicted = faults::inflict_for(world, live, &fault, time).await;
                let inflicted = inflicted.map_err(|failure| half_done(failure, live.name()))?;
                if let (Some(id), Some(time)) = (inflicted.id, time) {
                    self.timed.insert(id, Instant::now() + time);
                }
                (spell_fault(&fault), inflicted.outcome, inflicted.id)
            }
            Order::Heal(heal) => {
                let outcome = faults::heal(world, live, &heal).await?;
                (spell_heal(&heal), outcome, None)
            }
        };
        let done = done(title, outcome, began.elapsed());
        self.tell(&done, id);
        Ok(done)
    }

    /// Takes one fault out. What cannot be taken out now `devnet heal` clears.
    async fn end(&mut self, id: u32) {
        self.timed.remove(&id);
        if let Err(failure) = self.revert(id).await {
            self.watch.board.event(EventView {
                kind: "refused",
                title: "a fault could not be taken out when its time was over".to_owned(),
                detail: failure.message().to_owned(),
                fault: Some(id),
                ..EventView::default()
            });
        }
    }

    async fn revert(&self, id: u32) -> Result<(), Failure> {
        let began = Instant::now();
        let _lock = self.lock().await?;
        let (world, live) = (&self.watch.world, &self.watch.live);
        live.reload(world)?;
        if let Some(outcome) = faults::revert(world, live, id).await? {
            self.tell(&done("heal".to_owned(), outcome, began.elapsed()), Some(id));
        }
        Ok(())
    }

    async fn lock(&self) -> Result<Lock, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        crate::order::lock(world, live.name(), BUSY_LIMIT, |_| ()).await
    }

    fn tell(&self, done: &Done, fault: Option<u32>) {
        let detail = match done.objections.as_slice() {
            [] => done.detail.clone(),
            objections => objections.join("; "),
        };
        self.watch.hurry.notify_one();
        self.watch.board.event(EventView {
            kind: match done.outcome {
                "done" => "proof",
                _ => "refused",
            },
            title: done.title.clone(),
            detail,
            fault,
            ..EventView::default()
        });
    }
}

fn done(title: String, outcome: Outcome, elapsed: Duration) -> Done {
    let (word, detail, objections) = match outcome {
        Outcome::Done(Evidence { summary, .. }) => ("done", summary, Vec::new()),
        Outcome::Ineffective(Evidence {
            summary,
            objections,
            ..
        }) => ("ineffective", summary, objections),
        Outcome::Failed { why } => ("failed", why, Vec::new()),
    };
    Done {
        title,
        outcome: word,
        detail,
        objections,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
