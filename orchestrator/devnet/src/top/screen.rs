//! The terminal: taken for the whole screen, and given back as it was, also by
//! a panic.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use crossterm::event::{self, Event};
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc;

use crate::exit::Failure;

/// How soon the reader of keys notices that nobody listens any more.
const POLL: Duration = Duration::from_millis(250);

/// The terminal, for as long as it is ours.
pub struct Screen {
    terminal: DefaultTerminal,
}

/// Whether there is a terminal that can be drawn to and typed at.
///
/// # Errors
/// There is none; says what shows the same without.
pub fn check() -> Result<(), Failure> {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let what = match (io::stdout().is_terminal(), io::stdin().is_terminal()) {
        (false, _) => "standard output is no terminal",
        (_, false) => "standard input is no terminal",
        _ if is_dumb => "this terminal cannot move its cursor (TERM=dumb)",
        _ => return Ok(()),
    };
    Err(Failure::bad_input(what)
        .next("`devnet status --watch` shows the nodes again and again, also in files and pipes."))
}

/// Why the terminal cannot be used.
pub fn cannot(error: &io::Error) -> Failure {
    Failure::world(format!("cannot draw on this terminal: {error}"))
        .next("`devnet status --watch` needs no whole screen.")
}

impl Screen {
    /// Takes the terminal, and reads what is typed from now on. Whatever panics
    /// later gives it back first.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn enter() -> io::Result<(Self, mpsc::UnboundedReceiver<Event>)> {
        let terminal = ratatui::try_init().inspect_err(|_| {
            // It may be taken in part.
            let _gone = ratatui::try_restore();
        })?;
        let screen = Self { terminal };
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("keys".into())
            .spawn(move || read(&sender))?;
        Ok((screen, receiver))
    }

    /// Draws a picture. A window of another size is taken in.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone cannot be given back.
        let _gone = ratatui::try_restore();
    }
}

/// Reads until nobody listens, or the terminal is gone.
fn read(sender: &mpsc::UnboundedSender<Event>) {
    while !sender.is_closed() {
        let is_there = match event::poll(POLL) {
            Ok(is_there) => is_there,
            Err(_) => return,
        };
        if is_there {
            let Ok(event) = event::read() else { return };
            if sender.send(event).is_err() {
                return;
            }
        }
    }
}
