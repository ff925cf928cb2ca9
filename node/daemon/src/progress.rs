//! Progress for people: on a terminal a bar, elsewhere nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TURN: Duration = Duration::from_millis(100);

/// Something of which nobody knows how far it is. Goes with its owner.
pub struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A sign that something is going on, and for how long.
pub fn spinner(what: &str) -> Spinner {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(TURN);
    Spinner(bar)
}

/// A bar over `total` of something, of which `unit` is one.
pub fn bar(what: &str, total: u64, unit: &str) -> ProgressBar {
    let template = format!("{what} {{bar:30}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left");
    let bar = ProgressBar::new(total);
    // A template that does not parse is a slip of ours that costs a nicety.
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// A bar over bytes of a file.
pub fn byte_bar(what: &str, total: u64) -> ProgressBar {
    let template = format!(
        "{what} {{bar:30}} {{bytes}}/{{total_bytes}}, {{bytes_per_sec}}, {{eta}} left {{msg}}"
    );
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}
