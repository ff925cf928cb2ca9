//! The account of a network: what it did, computed from what was recorded, and
//! shown as a page, as text or as data.
//!
//! ```text
//! bundle ──► read ──┐
//!                   ├──► Source ──► model (pure) ──► Account ──► html · text · JSON
//! network ──────────┘
//! ```
//!
//! A bundle is read from its files alone, so that the same page can be made
//! again on another machine. Everything in it may have been written by anybody:
//! reading is bounded, and nothing reaches the page unescaped. Must never
//! import a verb, nor the room that runs scenarios.

pub mod arrivals;
mod faults;
pub mod html;
mod intervals;
pub mod model;
mod nodes;
mod propagation;
pub mod read;
pub mod recorded;
pub mod samples;
pub mod source;
pub mod spell;
pub(crate) mod statistics;
mod text;
mod timeline;
mod tree;

#[cfg(test)]
pub(crate) mod fixture;

use devnet_scenario::report::{Report, story};

pub use self::model::Account;
use self::source::Source;
pub use self::text::text;
use self::tree::Chain;

impl Account {
    /// Computes the account of what was recorded.
    pub fn of(source: &Source) -> Self {
        let report = &source.report;
        let reach = source.book.reach(&report.blocks);
        let chain = Chain::of(report, &reach, &source.tips);
        let span = source.span(&reach);
        let faults = faults::bands(source, span);
        let blocks = chain.blocks_in(report, span);
        Self {
            title: report.name.clone(),
            description: report.description.trim().to_owned(),
            run: source.run.clone(),
            verdict: source.run.as_ref().map(|_| report.verdict),
            span,
            block_interval_ms: report.block_interval_ms,
            story: source.run.as_ref().and_then(|_| story(report)),
            parameters: report.parameters.clone(),
            steps: recorded::steps(report),
            steps_left_out: report.steps.len().saturating_sub(recorded::STEPS_MAX),
            lanes: timeline::lanes(source, &chain, span),
            intervals: intervals::intervals(&blocks, report.block_interval_ms, span),
            stale: intervals::stale(&blocks, &faults),
            tree: tree::drawn(report, &source.tips, &chain),
            propagation: propagation::table(source, &reach, &blocks, &faults),
            nodes: nodes::rows(source, &blocks, span),
            usage: nodes::usage(source, span),
            environment: source.environment.clone(),
            logs: recorded::lines(report),
            remarks: remarks(source, report),
            faults,
        }
    }

    /// Whether faults that are over are known: a living network keeps no record
    /// of them.
    pub const fn knows_faults_of_the_past(&self) -> bool {
        self.run.is_some()
    }

    /// What figures are headed by that stand apart from those taken while a
    /// fault was in force.
    pub const fn quiet_words(&self) -> &'static str {
        match self.knows_faults_of_the_past() {
            true => "No fault in force",
            false => "No known fault in force",
        }
    }
}

/// What the reader must know before believing the figures.
fn remarks(source: &Source, report: &Report) -> Vec<String> {
    let mut remarks = source.remarks.clone();
    if source.book.is_full() {
        remarks.push("The logs tell of more blocks than are read; the latest are left out.".into());
    }
    let oddities = report.oddities.iter().take(recorded::ODDITIES_MAX);
    remarks.extend(oddities.map(|oddity| format!("Odd: {oddity}")));
    remarks
}
