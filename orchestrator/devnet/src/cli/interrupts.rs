//! Ctrl-C and the signal to end, for verbs that clean up behind themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

use crate::exit::Failure;

/// How the user interrupts: each call waits for the next time.
pub struct Interrupts {
    next: Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>,
}

impl Interrupts {
    /// Ctrl-C, and the signal to end; from now on neither ends the program by
    /// itself. If they cannot be waited for, they do as always.
    pub fn of_process() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let Ok(mut signals) = signal(kind) else {
                continue;
            };
            let sender = sender.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() && sender.send(()).is_ok() {}
            });
        }
        let receiver = Arc::new(Mutex::new(receiver));
        Self::new(move || {
            let receiver = receiver.clone();
            async move {
                if receiver.lock().await.recv().await.is_none() {
                    std::future::pending::<()>().await;
                }
            }
            .boxed()
        })
    }

    /// Interrupts as `next` gives them.
    pub fn new(next: impl FnMut() -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self {
            next: Box::new(next),
        }
    }

    /// Ends at the next interruption.
    pub fn next(&mut self) -> BoxFuture<'static, ()> {
        (self.next)()
    }

    /// Does work on a thread of its own. An interruption asks it to end early,
    /// which it must soon; tells what it came to, and whether it was asked.
    ///
    /// # Errors
    /// The work panicked.
    pub async fn end<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<(T, bool), Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        let mut working = tokio::task::spawn_blocking(move || work(&asked));
        let (done, was_asked) = tokio::select! {
            done = &mut working => (done, false),
            () = self.next() => {
                stop.store(true, Ordering::Relaxed);
                (working.await, true)
            }
        };
        let done = done.map_err(|error| Failure::world(format!("it broke off: {error}")))?;
        Ok((done, was_asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works until it is asked to end.
    fn patient(stop: &AtomicBool) -> &'static str {
        while !stop.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        "what there is"
    }

    #[tokio::test]
    async fn an_interruption_asks_work_to_end_and_waits_for_what_there_is() {
        let mut interrupts = Interrupts::new(|| async {}.boxed());
        let ended = interrupts.end(patient).await;
        assert_eq!(ended, Ok(("what there is", true)));
    }

    #[tokio::test]
    async fn work_that_ends_by_itself_was_not_asked() {
        let mut interrupts = Interrupts::new(|| std::future::pending().boxed());
        let ended = interrupts.end(|_| 7).await;
        assert_eq!(ended, Ok((7, false)));
    }
}
