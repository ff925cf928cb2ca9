//! The loop between the runner and a world: carries out its orders, side by
//! side where they take time, and tells what came of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::world::{Act, ActId, Heard, Order, Outcome, Snapshot, Wants};
use futures::future::BoxFuture;
use tokio::task::JoinSet;

/// Decides what is done next.
pub trait Director {
    /// The next order, from what was heard since the last.
    fn next(&mut self, now_ms: u64, heard: Heard) -> Order;
}

/// Carries orders out.
pub trait Stage: Send + Sync {
    /// Milliseconds on this world's clock; never goes back.
    fn now_ms(&self) -> u64;

    /// Does something. Dropping the future gives it up.
    fn act(&self, id: ActId, act: Act) -> BoxFuture<'_, Outcome>;

    /// Looks.
    fn look<'a>(&'a self, wants: &'a Wants) -> BoxFuture<'a, Snapshot>;
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
    stage: Arc<dyn Stage>,
    witness: &mut W,
    next_interrupt: &mut NextInterrupt<'_>,
) -> Result<(), Left> {
    let mut drive = Drive {
        stage,
        acts: JoinSet::new(),
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
    stage: Arc<dyn Stage>,
    acts: JoinSet<(ActId, Outcome)>,
    /// What is to be told as soon as the director listens to it.
    heard: VecDeque<Heard>,
    interrupt: BoxFuture<'static, ()>,
    was_interrupted: bool,
}

/// What happened first.
enum First {
    Acted(ActId, Outcome),
    Interrupted,
    TimePassed,
}

impl Drive {
    fn begin(&mut self, id: ActId, act: Act, timeout: Duration) {
        let stage = self.stage.clone();
        self.acts.spawn(async move {
            let done = tokio::time::timeout(timeout, stage.act(id, act)).await;
            let outcome = done.unwrap_or_else(|_elapsed| Outcome::Failed {
                why: format!("it was not done within {:.1} s", timeout.as_secs_f64()),
            });
            (id, outcome)
        });
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
                    return Ok(Heard::Saw(Box::new(snapshot)));
                }
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
        let first = tokio::select! {
            Some(joined) = self.acts.join_next() => match joined {
                Ok((id, outcome)) => First::Acted(id, outcome),
                // Acts are never aborted, and a panic in one is a bug of ours
                // that must not pass as success.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => First::TimePassed,
            },
            () = &mut self.interrupt => First::Interrupted,
            () = tokio::time::sleep(Duration::from_millis(left_ms)) => First::TimePassed,
        };
        match first {
            First::Acted(id, outcome) => {
                witness.ended(self.stage.now_ms(), id, &outcome);
                Ok(Heard::Acted { id, outcome })
            }
            First::Interrupted => self.interrupted(witness, next_interrupt),
            First::TimePassed => Ok(Heard::Nothing),
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
