//! The language of scenario files: what is read, what is refused and where.

mod checking;
mod mutations;
mod quantities;
mod reading;
mod resolving;
mod schema;
mod support;
