//! What looks on while an experiment runs, and may end it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Hears of progress, and says whether to go on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Hears of progress, in the unit of [`super::Measure::length`].
    pub tick: &'a dyn Fn(u64),
    /// Set: nobody waits for the result any more.
    pub stop: &'a AtomicBool,
}

/// Why an experiment has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody waits for the result any more.
    Interrupted,
    /// A network cannot be simulated, or a node in it broke a rule; why.
    Broke(String),
}

impl From<String> for Ended {
    fn from(why: String) -> Self {
        Self::Broke(why)
    }
}

impl Watch<'_> {
    /// So much has passed.
    pub fn passed(&self, count: u64) {
        (self.tick)(count);
    }

    /// The same, deaf to progress: for what counts its own.
    #[must_use]
    pub fn deaf(self) -> Self {
        Self {
            tick: &|_| {},
            ..self
        }
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Ended::Interrupted`].
    pub fn goes_on(&self) -> Result<(), Ended> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Ended::Interrupted),
            false => Ok(()),
        }
    }
}
