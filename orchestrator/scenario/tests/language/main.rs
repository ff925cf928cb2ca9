//! The language of scenario files: what is read, what is refused and where.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails the test"
)]

mod checking;
mod mutations;
mod page;
mod quantities;
mod reading;
mod resolving;
mod schema;
mod sim;
mod support;
