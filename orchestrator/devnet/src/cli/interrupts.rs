//! Ctrl-C, the signal to end, and a terminal that closes, for verbs that clean up
//! behind themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

use crate::console;
use crate::exit::Failure;

/// How the user interrupts: each call waits for the next time.
pub struct Interrupts {
    next: Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>,
}

impl Interrupts {
    /// Ctrl-C, the signal to end, a terminal that closes, and a reader of what is
    /// printed that went away; from now on none of them ends the program by
    /// itself. If they cannot be waited for, they do as always.
    pub fn of_process() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let sender = sender.clone();
            on_signal(kind, move || sender.send(()).is_ok());
        }
        // A terminal goes but once, however many signs of it there are: a second
        // interruption would ask to end without cleaning up.
        let is_gone = AtomicBool::new(false);
        let gone =
            Arc::new(move || is_gone.swap(true, Ordering::Relaxed) || sender.send(()).is_ok());
        let unread = gone.clone();
        console::when_unread(move || {
            // If nobody waits any more, the verb is done.
            let _is_heard = unread();
        });
        if !is_hangup_ignored() {
            on_signal(SignalKind::hangup(), move || gone());
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

/// Calls `act` at each such signal, until it says that nobody cares any more.
fn on_signal(kind: SignalKind, act: impl Fn() -> bool + Send + 'static) {
    if let Ok(mut signals) = signal(kind) {
        tokio::spawn(async move { while signals.recv().await.is_some() && act() {} });
    }
}

/// Whether whoever started the program wants it to outlive the terminal, as
/// nohup does. Only Linux tells; elsewhere a hangup does as always.
fn is_hangup_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return true;
    };
    ignores_hangup(&status).unwrap_or(true)
}

/// What the mask of ignored signals says in that text (proc(5)).
fn ignores_hangup(status: &str) -> Option<bool> {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    let number = SignalKind::hangup().as_raw_value();
    Some(mask >> (number - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_tells_whether_a_hangup_is_ignored() {
        let status = |mask: &str| format!("Name:\tdevnet\nSigIgn:\t{mask}\nSigCgt:\t1\n");
        assert_eq!(ignores_hangup(&status("0000000000000001")), Some(true));
        assert_eq!(ignores_hangup(&status("0000000000001002")), Some(false));
        assert_eq!(ignores_hangup(&status("odd")), None);
        assert_eq!(ignores_hangup("Name:\tdevnet\n"), None);
    }

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
