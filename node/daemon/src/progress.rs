//! Progress for people: on a terminal a bar, elsewhere nothing.

use indicatif::{ProgressBar, ProgressStyle};

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
