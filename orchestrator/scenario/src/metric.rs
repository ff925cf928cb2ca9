//! Nodes' metrics: the Prometheus text format, selectors in the manner of
//! PromQL, and how a value, a delta and a rate are read from looks over time.

mod selector;
mod text;
mod watch;

pub use selector::{Selector, SelectorError};
pub use text::{SAMPLES_MAX, Sample, parse};
pub use watch::{Reading, Watch};
