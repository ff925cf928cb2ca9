//! Whether an engine is there, followed in the background: it may die and come
//! back between two questions.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::task::JoinHandle;

/// An engine went away or came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It went away; why, as a fragment for people.
    Away(String),
    /// It is back.
    Back,
}

/// What is known of an engine's presence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Times it went away.
    pub absences: u64,
    /// Whether it is away now.
    pub is_away: bool,
    /// Why it went away the last time; empty if it never did.
    pub why: String,
}

/// Follows an engine until this is dropped.
pub struct Watch {
    standing: Arc<Mutex<Standing>>,
    follower: JoinHandle<()>,
}

impl Watch {
    /// Follows what the engine tells of its presence; it is there at first.
    pub fn start(mut told: BoxStream<'static, Presence>) -> Self {
        let standing = Arc::new(Mutex::new(Standing::default()));
        let noted = standing.clone();
        let follower = tokio::spawn(async move {
            while let Some(presence) = told.next().await {
                let mut standing = noted.lock().unwrap_or_else(PoisonError::into_inner);
                standing.hear(presence);
            }
        });
        Self { standing, follower }
    }

    /// What is known now.
    pub fn standing(&self) -> Standing {
        let standing = self.standing.lock();
        standing.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Standing {
    fn hear(&mut self, presence: Presence) {
        match presence {
            Presence::Away(why) => {
                self.absences += u64::from(!self.is_away);
                self.is_away = true;
                self.why = why;
            }
            Presence::Back => self.is_away = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_absence_counts_however_short_it_was() {
        let told = [
            Presence::Away("a".into()),
            Presence::Away("b".into()),
            Presence::Back,
            Presence::Away("c".into()),
            Presence::Back,
        ];
        let watch = Watch::start(futures::stream::iter(told).boxed());
        while !watch.follower.is_finished() {
            tokio::task::yield_now().await;
        }
        let expected = Standing {
            absences: 2,
            is_away: false,
            why: "c".into(),
        };
        assert_eq!(watch.standing(), expected);
    }
}
