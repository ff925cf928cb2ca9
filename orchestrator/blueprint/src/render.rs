//! Plans as text for people.

mod dry_run;
mod explain;

pub use dry_run::dry_run;
pub use explain::{done, explain};
