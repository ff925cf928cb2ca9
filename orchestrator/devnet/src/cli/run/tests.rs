//! `run` against doubles.
