//! An engine whose caller dies: from some action on nobody hears its answers.

use super::Recording;

/// What is left of a caller's life.
#[derive(Debug, Default)]
pub(super) enum Life {
    /// It goes on.
    #[default]
    Unbounded,
    /// So many more actions are answered; whether the next one is done.
    Actions(usize, bool),
    /// It is over.
    Over,
}

/// What becomes of an action.
pub(super) enum Fate {
    Answered,
    /// Done, and nobody hears of it.
    Unheard,
    /// Never done.
    Undone,
}

impl Recording {
    /// Lets the caller live for so many more actions. The one after them is
    /// still done, or not even begun; it and all further ones are never
    /// answered, so whoever performs them can only be dropped.
    pub fn die_after(&self, actions: usize, is_last_done: bool) {
        self.world().life = Life::Actions(actions, is_last_done);
    }

    /// Serves another caller, after the death of the one before.
    pub fn revive(&self) {
        self.world().life = Life::Unbounded;
    }

    /// Ends when the caller has died.
    pub async fn death(&self) {
        while !matches!(self.world().life, Life::Over) {
            tokio::task::yield_now().await;
        }
    }

    /// What becomes of the next action.
    pub(super) fn fate(&self) -> Fate {
        let life = &mut self.world().life;
        match life {
            Life::Unbounded => Fate::Answered,
            Life::Actions(left, _) if *left > 0 => {
                *left -= 1;
                Fate::Answered
            }
            Life::Actions(_, is_last_done) => {
                let is_done = *is_last_done;
                *life = Life::Over;
                if is_done { Fate::Unheard } else { Fate::Undone }
            }
            Life::Over => Fate::Undone,
        }
    }
}
