//! Helpers that wait for the next call: a node asked again soon, as in a row of
//! faults, need not wait for a new `exec`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::session::Session;

/// A helper that waits answers at once. One that does not has ended, with its
/// container or out of boredom, or is frozen.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// Waiting helpers by container.
#[derive(Clone, Default)]
pub struct Helpers(Arc<Mutex<BTreeMap<String, Session>>>);

impl Helpers {
    /// The helper that waits in the container, if it still answers. It is asked
    /// a harmless question first, since a frozen one would do later what it is
    /// told now.
    pub async fn take(&self, container: &str) -> Option<Session> {
        let mut session = self.waiting(|waiting| waiting.remove(container))?;
        session.is_alive(ANSWER_MAX).await.then_some(session)
    }

    /// Lets the helper wait.
    pub fn keep(&self, container: &str, session: Session) {
        self.waiting(|waiting| waiting.insert(container.to_owned(), session));
    }

    fn waiting<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Session>) -> T) -> T {
        // A map of sessions cannot be left half changed.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
