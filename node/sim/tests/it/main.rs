//! The simulator from outside.

mod adversary;
mod basics;
mod chance;
mod faults;
mod payments;
mod planted;
mod relay;
mod settling;
mod support;
