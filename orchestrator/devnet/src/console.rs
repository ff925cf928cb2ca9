//! What the user sees: progress while work goes on, then the answer.
//!
//! The answer goes to standard output, everything else to standard error, so
//! that `--json` output can be piped while progress stays visible. On a
//! terminal a stage is a line that moves; elsewhere it is one line when it
//! ends. Must never import an engine's workings or decide anything.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::clock::spell_duration;
use crate::engine::Report;
use crate::exit::Failure;

/// Width of a stage's title.
const TITLE_WIDTH: usize = 8;
/// A moving line turns this often.
const TICK: Duration = Duration::from_millis(80);

/// How to speak to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// Answer with one JSON document.
    pub json: bool,
    /// Also name every single step.
    pub verbose: bool,
    /// Standard error is a terminal.
    pub is_terminal: bool,
    /// Colours on standard output.
    pub colour: bool,
    /// Say nothing at all.
    pub mute: bool,
}

/// Colours of text on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Well.
    Green,
    /// Worth a look.
    Yellow,
    /// Wrong.
    Red,
    /// Of less weight.
    Grey,
    /// One of a few others, to tell things apart.
    Nth(usize),
}

impl Console {
    /// Says nothing to anybody.
    pub const SILENT: Self = Self {
        json: false,
        verbose: false,
        is_terminal: false,
        colour: false,
        mute: true,
    };

    /// What the environment asks for: colours only on a terminal, and not if
    /// `NO_COLOR` is set (<https://no-color.org>) or the terminal is dumb.
    pub fn detect(json: bool, verbose: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let may_colour = set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb");
        Self {
            json,
            verbose,
            is_terminal: io::stderr().is_terminal() && may_colour,
            colour: may_colour && io::stdout().is_terminal(),
            mute: false,
        }
    }

    /// The answer, for people; silent where JSON was asked for.
    pub fn say(&self, text: &str) {
        if !self.json {
            self.print(text);
        }
    }

    /// The answer as data, if that was asked for.
    pub fn answer<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        if self.json {
            self.print(&to_json(value, true)?);
        }
        Ok(())
    }

    /// One answer of several as data: one line each.
    pub fn answer_line<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        if self.json {
            self.print(&to_json(value, false)?);
        }
        Ok(())
    }

    /// A remark beside the answer.
    pub fn remark(&self, text: &str) {
        if !self.mute {
            // Standard error may be closed; there is nobody left to tell.
            let _unheard = writeln!(io::stderr(), "{text}");
        }
    }

    fn print(&self, text: &str) {
        if !self.mute {
            print_line(text);
        }
    }

    /// `text` in a colour, where colours are shown.
    pub fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        const OTHERS: [u8; 6] = [36, 33, 35, 32, 34, 96];
        let code = match colour {
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Red => 31,
            Colour::Grey => 90,
            Colour::Nth(index) => OTHERS[index % OTHERS.len()],
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// As [`Console::paint`], for remarks.
    pub fn paint_remark(&self, colour: Colour, text: &str) -> String {
        let console = Self {
            colour: self.is_terminal,
            ..*self
        };
        console.paint(colour, text)
    }

    /// Begins a stage of work.
    pub fn stage(&self, title: &'static str, doing: &str) -> Stage {
        Stage::begin(*self, title, doing)
    }
}

/// A stage of work: one line with the time it took.
pub struct Stage {
    console: Console,
    title: &'static str,
    began: Instant,
    bar: Option<ProgressBar>,
    last_step: Mutex<String>,
}

impl Stage {
    fn begin(console: Console, title: &'static str, doing: &str) -> Self {
        let bar = console.is_terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            let template = format!("{{spinner}} {title:<TITLE_WIDTH$} {{msg}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_message(doing.to_owned());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            console,
            title,
            began: Instant::now(),
            bar,
            last_step: Mutex::default(),
        }
    }

    /// Ends the stage with what was reached.
    pub fn done(self, outcome: &str) {
        self.end("✓", outcome);
    }

    /// Ends the stage with what went wrong.
    pub fn failed(self, outcome: &str) {
        self.end("✗", outcome);
    }

    fn end(self, mark: &str, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let elapsed = spell_duration(self.began.elapsed());
        let title = self.title;
        self.console.remark(&format!(
            "{mark} {title:<TITLE_WIDTH$} {outcome} ({elapsed})"
        ));
    }

    /// A remark while the stage goes on: above its line, where that moves.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.remark(text)),
            None => self.console.remark(text),
        }
    }

    /// Says what is being waited for, where lines can move.
    pub fn waiting(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// A line that stays, beside the stage's own.
    fn remark(&self, mark: char, line: &str) {
        let text = format!("{mark} {:<TITLE_WIDTH$} {line}", self.title);
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.remark(&text)),
            None => self.console.remark(&text),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Report for Stage {
    fn step(&self, line: &str) {
        self.waiting(line);
        if self.console.verbose {
            let Ok(mut last) = self.last_step.lock() else {
                return;
            };
            if *last != line {
                line.clone_into(&mut last);
                self.remark(' ', line);
            }
        }
    }

    fn warn(&self, line: &str) {
        self.remark('!', line);
    }
}

fn to_json<T: Serialize>(value: &T, is_pretty: bool) -> Result<String, Failure> {
    let text = if is_pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    text.map_err(|error| Failure::world(format!("cannot write the answer as JSON: {error}")))
}

/// What happens once nobody reads what is printed.
static WHEN_UNREAD: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);
/// Whether verbs have something to do then.
static IS_HEARD: AtomicBool = AtomicBool::new(false);

/// From now on a reader that went away does not end the program: `act` is done,
/// once, and what is printed further is lost.
pub fn when_unread(act: impl FnOnce() + Send + 'static) {
    *WHEN_UNREAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(act));
    IS_HEARD.store(true, Ordering::Relaxed);
}

/// Writes a line to standard output. A reader that went away, such as `head` or
/// a terminal that was closed, wants no more: that ends the program, unless it
/// has to clean up, and is no failure.
#[expect(clippy::exit, reason = "nothing that follows could be read by anybody")]
fn print_line(text: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_ok() {
        return;
    }
    if !IS_HEARD.load(Ordering::Relaxed) {
        std::process::exit(0);
    }
    let act = WHEN_UNREAD.lock();
    let act = act.unwrap_or_else(PoisonError::into_inner).take();
    if let Some(act) = act {
        act();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Console = Console {
        json: false,
        verbose: false,
        is_terminal: false,
        colour: false,
        mute: false,
    };

    #[test]
    fn without_colours_text_stays_as_it_is() {
        assert_eq!(PLAIN.paint(Colour::Red, "x"), "x");
        let painted = Console {
            colour: true,
            ..PLAIN
        }
        .paint(Colour::Red, "x");
        assert_eq!(painted, "\x1b[31mx\x1b[0m");
    }

    #[test]
    fn many_things_share_few_colours() {
        let console = Console {
            colour: true,
            ..PLAIN
        };
        assert_eq!(
            console.paint(Colour::Nth(0), "x"),
            console.paint(Colour::Nth(6), "x")
        );
        assert_ne!(
            console.paint(Colour::Nth(0), "x"),
            console.paint(Colour::Nth(1), "x")
        );
    }
}
