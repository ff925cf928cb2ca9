//! The loop between the runner and a world: carries out its orders, side by
//! side where they take time, and tells what came of them.

use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use devnet_scenario::world::{Act, ActId, Heard, Order, Outcome, Snapshot, Wants};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, LocalBoxFuture};
use futures::stream::FuturesUnordered;

/// Decides what is done next.
pub trait Director {
    /// The next order, from what was heard since the last.
    fn next(&mut self, now_ms: u64, heard: Heard) -> Order;
}

/// Carries orders out, on one thread.
pub trait Stage {
    /// Milliseconds on this world's clock; never goes back.
    fn now_ms(&self) -> u64;

    /// Does something. Dropping the future gives it up.
    fn act(self: Rc<Self>, id: ActId, act: Act) -> LocalBoxFuture<'static, Outcome>;

    /// Looks.
    fn look<'a>(&'a self, wants: &'a Wants) -> LocalBoxFuture<'a, Snapshot>;

    /// What is to be done in the background after what was just seen.
    fn chore(self: Rc<Self>, _seen: &Snapshot) -> Option<LocalBoxFuture<'static, ()>> {
        None
    }
}

/// Hears of everything as it happens.
pub trait Witness {
    /// An act begins.
    fn began(&mut self, at_ms: u64, id: ActId, act: &Act);
    /// An act has ended.
    fn ended(&mut self, at_ms: u64, id: ActId, outcome: &Outcome);
    /// Something was seen.
    fn saw(&mut self, snapshot: &Snapshot);
    /// The user interrupts.
    fn interrupted(&mut self, at_ms: u64);
    /// The director has spoken; what it has to tell may be new.
    fn turned(&mut self, _at_ms: u64) {}
}

/// The user interrupted a second time: the run was left as it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left;

/// How the user interrupts: each call waits for the next time.
pub type NextInterrupt<'a> = dyn FnMut() -> BoxFuture<'static, ()> + Send + 'a;

/// Follows the director's orders until it is done.
///
/// # Errors
/// The user interrupted twice; acts under way were given up.
pub async fn drive<D: Director, W: Witness>(
    director: &mut D,
    stage: Rc<dyn Stage>,
    witness: &mut W,
    next_interrupt: &mut NextInterrupt<'_>,
) -> Result<(), Left> {
    let mut drive = Drive {
        stage,
        acts: FuturesUnordered::new(),
        chores: FuturesUnordered::new(),
        heard: VecDeque::new(),
        interrupt: next_interrupt(),
        was_interrupted: false,
    };
    let mut heard = Heard::Nothing;
    loop {
        let order = director.next(drive.stage.now_ms(), heard);
        witness.turned(drive.stage.now_ms());
        heard = match order {
            Order::Done => return Ok(()),
            Order::Act {
                id,
                act,
                timeout_ms,
            } => {
                witness.began(drive.stage.now_ms(), id, &act);
                drive.begin(id, act, Duration::from_millis(timeout_ms));
                drive.heard.pop_front().unwrap_or(Heard::Nothing)
            }
            Order::Look(wants) => drive.look(&wants, witness, next_interrupt).await?,
            Order::WaitUntil(until_ms) => drive.wait(until_ms, witness, next_interrupt).await?,
        };
    }
}

/// A run under way.
struct Drive {
    stage: Rc<dyn Stage>,
    /// Acts under way; they go on only while the loop waits for something.
    acts: FuturesUnordered<LocalBoxFuture<'static, (ActId, Outcome)>>,
    chores: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    /// What is to be told as soon as the director listens to it.
    heard: VecDeque<Heard>,
    interrupt: BoxFuture<'static, ()>,
    was_interrupted: bool,
}

impl Drive {
    fn begin(&mut self, id: ActId, act: Act, timeout: Duration) {
        let doing = self.stage.clone().act(id, act);
        let act = async move {
            let done = tokio::time::timeout(timeout, doing).await;
            let outcome = done.unwrap_or_else(|_elapsed| Outcome::Failed {
                why: format!("it was not done within {:.1} s", timeout.as_secs_f64()),
            });
            (id, outcome)
        };
        self.acts.push(act.boxed_local());
    }

    async fn look<W: Witness>(
        &mut self,
        wants: &Wants,
        witness: &mut W,
        next_interrupt: &mut NextInterrupt<'_>,
    ) -> Result<Heard, Left> {
        let stage = self.stage.clone();
        let mut look = stage.look(wants);
        loop {
            tokio::select! {
                snapshot = &mut look => {
                    witness.saw(&snapshot);
                    self.chores.extend(self.stage.clone().chore(&snapshot));
                    return Ok(Heard::Saw(Box::new(snapshot)));
                }
                Some((id, outcome)) = self.acts.next() => {
                    witness.ended(self.stage.now_ms(), id, &outcome);
                    self.heard.push_back(Heard::Acted { id, outcome });
                }
                Some(()) = self.chores.next() => {}
                () = &mut self.interrupt => {
                    let heard = self.interrupted(witness, next_interrupt)?;
                    self.heard.push_back(heard);
                }
            }
        }
    }

    async fn wait<W: Witness>(
        &mut self,
        until_ms: u64,
        witness: &mut W,
        next_interrupt: &mut NextInterrupt<'_>,
    ) -> Result<Heard, Left> {
        if let Some(heard) = self.heard.pop_front() {
            return Ok(heard);
        }
        let left_ms = until_ms.saturating_sub(self.stage.now_ms());
        let mut time = pin!(tokio::time::sleep(Duration::from_millis(left_ms)));
        loop {
            tokio::select! {
                Some((id, outcome)) = self.acts.next() => {
                    witness.ended(self.stage.now_ms(), id, &outcome);
                    return Ok(Heard::Acted { id, outcome });
                }
                Some(()) = self.chores.next() => {}
                () = &mut self.interrupt => return self.interrupted(witness, next_interrupt),
                () = &mut time => return Ok(Heard::Nothing),
            }
        }
    }

    fn interrupted<W: Witness>(
        &mut self,
        witness: &mut W,
        next_interrupt: &mut NextInterrupt<'_>,
    ) -> Result<Heard, Left> {
        self.interrupt = next_interrupt();
        if std::mem::replace(&mut self.was_interrupted, true) {
            return Err(Left);
        }
        witness.interrupted(self.stage.now_ms());
        Ok(Heard::Interrupted)
    }
}

#[cfg(test)]
mod tests;
