//! The simulator from outside.

mod adversary;
mod basics;
mod chance;
mod disks;
mod faults;
mod payments;
mod planted;
mod relay;
mod support;
