//! Whether the engine was there in a look. Decides; the following is the
//! engine's matter.

use std::sync::{Mutex, PoisonError};

use crate::engine::Engine;
use crate::engine::presence::{Standing, Watch};

/// An engine's presence, from look to look.
#[derive(Default)]
pub struct Attendance {
    watch: Option<Watch>,
    seen: Mutex<Seen>,
}

/// What looks have told.
#[derive(Debug, Default)]
struct Seen {
    absences: u64,
    /// Why it went away, until a look has seen processes again.
    open: Option<String>,
}

impl Attendance {
    /// Follows that engine, if it is one that can go away.
    pub fn of(engine: &dyn Engine) -> Self {
        Self {
            watch: engine.presence().map(Watch::start),
            seen: Mutex::default(),
        }
    }

    /// A look begins.
    pub fn begin(&self) -> Standing {
        let standing = self.watch.as_ref().map(Watch::standing);
        standing.unwrap_or_default()
    }

    /// It ends: why the engine was away, if it was. `has_signs`: it has told of
    /// the nodes' processes in this look.
    pub fn end(&self, begin: &Standing, has_signs: bool) -> Option<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.see(begin, &self.begin(), has_signs)
    }
}

impl Seen {
    /// Each absence is told in one look at least, and on until processes were
    /// seen by a look that began after it.
    fn see(&mut self, begin: &Standing, end: &Standing, has_signs: bool) -> Option<String> {
        if end.is_away || end.absences > self.absences {
            self.absences = end.absences;
            self.open = Some(end.why.clone());
        } else if has_signs && !begin.is_away {
            self.open = None;
        }
        self.open.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(absences: u64, is_away: bool) -> Standing {
        Standing {
            absences,
            is_away,
            why: "gone".into(),
        }
    }

    #[test]
    fn an_absence_is_told_until_processes_were_seen_after_it() {
        let (there, away, back) = (standing(0, false), standing(1, true), standing(1, false));
        let mut seen = Seen::default();
        assert_eq!(seen.see(&there, &there, true), None);
        assert_eq!(seen.see(&there, &there, false), None, "slow is not gone");
        assert!(seen.see(&there, &away, true).is_some());
        assert!(seen.see(&away, &back, true).is_some(), "asked too early");
        assert!(seen.see(&back, &back, false).is_some(), "not told yet");
        assert_eq!(seen.see(&back, &back, true), None);
    }

    #[test]
    fn an_absence_between_two_looks_is_told_once() {
        let (back, again) = (standing(1, false), standing(2, false));
        let mut seen = Seen::default();
        assert_eq!(seen.see(&back, &back, true).as_deref(), Some("gone"));
        assert_eq!(seen.see(&back, &back, true), None);
        assert!(seen.see(&back, &again, true).is_some());
        assert_eq!(seen.see(&again, &again, true), None);
    }
}
