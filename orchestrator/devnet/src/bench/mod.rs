//! What a benchmark of networks tells: samples, medians, and how they grow.
//!
//! Pure: it reckons with numbers that others took. Must never import a verb.

pub mod fit;
pub mod growth;
pub mod load;
pub mod propagation;
