//! The account as one HTML file that needs nothing else: no request, no font,
//! no script to be read. All text goes through the template's escaping; a
//! strict content security policy stands behind it.

mod distribution;
mod kit;
mod palette;
mod sections;
mod spark;
mod strips;
mod tables;
mod timeline;
mod tree;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::Account;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("copy.js");

/// The page.
pub fn page(account: &Account) -> String {
    let style = format!("{}{STYLE}", palette::css());
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        digest(&style),
        digest(SCRIPT)
    );
    let title = match account.verdict {
        Some(verdict) => format!("{verdict} {}", account.title),
        None => format!("Network {}", account.title),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "devnet " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body {
                (sections::head(account))
                main { (body(account)) }
                footer {
                    p { "Written by devnet " (env!("CARGO_PKG_VERSION"))
                        ". This file is whole: it asks for nothing from anywhere." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Escaping leaves characters that turn text around, or that no page may have.
    super::spell::plain(&page.into_string())
}

/// What the policy knows a style or script by.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// A part of the page: its anchor, its title, and what stands in it.
type Part = (&'static str, &'static str, Markup);

fn body(account: &Account) -> Markup {
    let parts = parts(account);
    html! {
        nav aria-label="Parts of this report" {
            ul { @for (anchor, title, _) in &parts { li { a href={ "#" (anchor) } { (title) } } } }
        }
        @for (anchor, title, inside) in &parts {
            section id=(anchor) aria-labelledby={ (anchor) "-title" } {
                h2 id={ (anchor) "-title" } { (title) }
                (inside)
            }
        }
    }
}

/// What explains a failure comes first.
fn parts(account: &Account) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    if let Some(story) = &account.story {
        parts.push(("story", "What happened", sections::story(account, story)));
    }
    parts.push(("timeline", "Timeline", timeline::figure(account)));
    if !account.faults.is_empty() {
        parts.push(("faults", "Faults", sections::faults(account)));
    }
    if !account.steps.is_empty() {
        parts.push(("steps", "Steps", sections::steps(account)));
    }
    if !account.intervals.bins.is_empty() {
        parts.push(("intervals", "Block intervals", sections::intervals(account)));
    }
    parts.push(("forks", "Forks", sections::forks(account)));
    if !account.propagation.nodes.is_empty() {
        parts.push(("propagation", "Propagation", tables::propagation(account)));
    }
    parts.push(("nodes", "Nodes", tables::nodes(account)));
    parts.push(("environment", "Environment", tables::environment(account)));
    parts
}

#[cfg(test)]
mod tests;
