//! The simulator from outside.

mod adversary;
mod basics;
mod chance;
mod churn;
mod cost;
mod disks;
mod faults;
mod links;
mod payments;
mod planted;
mod relay;
mod settling;
mod support;
