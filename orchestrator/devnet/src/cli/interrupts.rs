//! Ctrl-C and the signal to end, for verbs that clean up behind themselves.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

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
}
