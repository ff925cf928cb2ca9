//! Node faults against doubles.
