//! The blueprint crate from outside: refusals, plans, differences, texts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod difference;
mod growth;
mod planning;
mod quantities;
mod refusals;
mod support;
mod texts;
mod yaml;
mod zones;
