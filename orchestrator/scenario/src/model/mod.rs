//! The scenario as typed data, names not yet resolved.
//!
//! `crate::parse` makes it from a text, `crate::check` holds it against the
//! network's [`Roster`], `crate::resolve` turns its faults into orders. Every
//! wish that names nodes does so by a [`Selector`].

mod compare;
mod expect;
mod faults;
mod quantity;
mod roster;
mod scenario;
mod selector;
mod sim;
mod step;

pub use compare::{Comparison, Operand, Operator, Records, is_identifier};
pub use expect::{
    Claim, Expectation, IntervalBounds, Lines, LogClaim, MetricClaim, MetricMode, MetricSelector,
    Since, TipRef, TransactionClaim, TransactionState,
};
pub use faults::{ConditionWish, LinkSet, PartitionWish};
pub use quantity::{
    Amount, ByteRate, Bytes, Micros, Offset, QuantityError, Share, TIME_MAX_MS, Time,
};
pub use roster::{Member, Roster};
pub use scenario::{Counts, Parameter, Scenario, TopologySource};
pub use selector::{Pick, Selector};
pub use sim::{CpuWish, GossipWish, LineWish, Machine, NodeWish, SimWish};
pub use step::{
    AddWish, AlwaysWish, Choice, LoadWish, Quantity, RateWish, RepeatWish, SkewWish, Step,
    TransferWish, UpgradeWish, Verb, Wait,
};
