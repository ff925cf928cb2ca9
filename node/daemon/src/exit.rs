//! How the program ends: exit codes and the errors behind them.

use std::fmt::Display;
use std::process::ExitCode;

/// The answer is no: a check found something, or the work was interrupted.
pub const NO: u8 = 1;
/// Bad arguments, configuration or genesis file: nothing was started.
pub const BAD_INPUT: u8 = 2;
/// The world broke: a port, the disk or the store.
pub const WORLD: u8 = 3;
/// A thread panicked, which is a bug; Rust's own code for it.
pub const PANIC: u8 = 101;

/// Why the program could not go on. The text is a whole message for the user:
/// what is wrong, then what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer to what was asked is no.
    #[error("{0}")]
    No(String),
    /// The user stopped the work before its end.
    #[error("{0}")]
    Interrupted(String),
    /// The user's words do not make sense.
    #[error("{0}")]
    BadInput(String),
    /// Something outside the program is not as it must be.
    #[error("{0}")]
    World(String),
}

impl Failure {
    /// A [`Failure::BadInput`].
    pub fn bad_input(message: impl Display) -> Self {
        Self::BadInput(message.to_string())
    }

    /// A [`Failure::World`].
    pub fn world(message: impl Display) -> Self {
        Self::World(message.to_string())
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::No(_) | Self::Interrupted(_) => NO,
            Self::BadInput(_) => BAD_INPUT,
            Self::World(_) => WORLD,
        })
    }
}
