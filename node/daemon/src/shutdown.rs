//! The wish to end, as every part of the program sees it.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Failure;

/// A wish that, once made, stays. Clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown {
    wish: Arc<watch::Sender<bool>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            wish: Arc::new(watch::Sender::new(false)),
        }
    }
}

impl Shutdown {
    /// Asks the program to end; asking again changes nothing.
    pub fn request(&self) {
        self.wish.send_replace(true);
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        *self.wish.borrow()
    }

    /// Waits until the end is asked for.
    pub async fn requested(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.wish.subscribe().wait_for(|wish| *wish).await;
    }

    /// Turns SIGTERM and SIGINT into the wish. With handlers installed the
    /// program may run as process 1, where the default actions do not apply.
    /// Must be called inside a tokio runtime.
    pub fn on_signals(&self) -> Result<(), Failure> {
        for (kind, name) in [
            (SignalKind::terminate(), "SIGTERM"),
            (SignalKind::interrupt(), "SIGINT"),
        ] {
            let mut stream = signal(kind)
                .map_err(|error| Failure::world(format!("cannot handle {name}: {error}")))?;
            let shutdown = self.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    tracing::info!(signal = name, "ending");
                    shutdown.request();
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Shutdown;

    #[tokio::test]
    async fn wish_reaches_early_and_late_listeners() {
        let shutdown = Shutdown::default();
        assert!(!shutdown.is_requested());
        let early = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        tokio::task::yield_now().await;
        shutdown.request();
        shutdown.request();
        early.await.expect("the listener ends");
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
