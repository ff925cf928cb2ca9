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
use super::wish::{Way, Wish};
use crate::exit::Failure;
use crate::faults::record::{self, Came};
use crate::faults::state::{spell_fault, spell_heal};
use crate::order::{self, Healed};
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
    /// How it ended.
    pub outcome: Came,
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
                    self.watch.hurry.notify_one();
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

    /// Does what is wished, the way the verbs do, and measures it.
    async fn act(&mut self, wish: Wish) -> Result<Done, Failure> {
        let way = wish.way()?;
        let lock = self.lock().await?;
        match way {
            Way::Inflict(time) => self.inflict(&wish, lock, time).await,
            Way::Heal => self.heal(&wish, lock).await,
            Way::Lift(id) => self.lift(lock, id).await,
            Way::Reapply => self.reapply(lock).await,
        }
    }

    async fn inflict(
        &mut self,
        wish: &Wish,
        lock: Lock,
        time: Option<Duration>,
    ) -> Result<Done, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        let make = |layout: &_| wish.fault(world, layout);
        let made = order::inflict(world, live, lock, time, make).await?;
        if let (Some(id), Some(time)) = (made.inflicted.id, time) {
            self.timed.insert(id, Instant::now() + time);
        }
        let title = spell_fault(&made.fault);
        Ok(done(title, &made.inflicted.outcome, made.elapsed))
    }

    async fn heal(&self, wish: &Wish, lock: Lock) -> Result<Done, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        let mut title = String::new();
        let make = |layout: &_| wish.heal(layout).inspect(|heal| title = spell_heal(heal));
        let healed = order::heal(world, live, lock, make).await?;
        Ok(done(title, &healed.outcome, healed.elapsed))
    }

    async fn lift(&mut self, lock: Lock, id: u32) -> Result<Done, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        self.timed.remove(&id);
        let lifted = order::lift(world, live, lock, id).await?;
        let Healed {
            outcome, elapsed, ..
        } = lifted.ok_or_else(|| Failure::bad_input("that fault is over already"))?;
        Ok(done("taken out".to_owned(), &outcome, elapsed))
    }

    async fn reapply(&self, lock: Lock) -> Result<Done, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        let (held, elapsed) = order::reapply(world, live, lock).await?;
        let evidence = Evidence {
            summary: "the nodes hold what was asked for".to_owned(),
            objections: held.problems,
            ..Evidence::default()
        };
        let outcome = match evidence.objections.is_empty() {
            true => Outcome::Done(evidence),
            false => Outcome::Ineffective(evidence),
        };
        Ok(done("put in force again".to_owned(), &outcome, elapsed))
    }

    /// Takes one fault out. What cannot be taken out now `devnet heal` clears.
    async fn end(&mut self, id: u32) {
        self.timed.remove(&id);
        let lifted = async {
            let Watch { world, live, .. } = &*self.watch;
            order::lift(world, live, self.lock().await?, id).await
        };
        if let Err(failure) = lifted.await {
            self.watch.board.event(EventView {
                kind: "refused",
                title: "a fault could not be taken out when its time was over".to_owned(),
                detail: failure.message().to_owned(),
                fault: Some(id),
                ..EventView::default()
            });
        }
        self.watch.hurry.notify_one();
    }

    async fn lock(&self) -> Result<Lock, Failure> {
        let Watch { world, live, .. } = &*self.watch;
        order::lock(world, live.name(), BUSY_LIMIT, |_| ()).await
    }
}

fn done(title: String, outcome: &Outcome, elapsed: Duration) -> Done {
    let (came, detail, objections) = record::told(Ok(outcome));
    Done {
        title,
        outcome: came,
        detail,
        objections,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
