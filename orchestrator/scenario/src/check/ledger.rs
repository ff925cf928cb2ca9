//! What earlier steps have made: records, payments, loads and faults.

use std::collections::BTreeMap;

use crate::model::Quantity;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// A block.
    Tip,
}

/// Things that later steps may name.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Records by name.
    pub records: BTreeMap<String, Kind>,
    /// Names of loads.
    pub loads: Vec<String>,
    /// Names of transfers.
    pub transfers: Vec<String>,
}

/// What cuts the network at a point of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CutState {
    /// There may be a cut.
    pub may_be: bool,
    /// There is one, and its sides cannot reach each other at all.
    pub parts: bool,
    /// There was one at some time.
    pub was: bool,
}

impl Ledger {
    /// Names of everything whose transactions can be asked for.
    pub fn payments(&self) -> Vec<&str> {
        let names = self.loads.iter().chain(&self.transfers);
        names.map(String::as_str).collect()
    }

    /// Names of records of a kind.
    pub fn records_of(&self, kind: Kind) -> Vec<&str> {
        let fitting = self.records.iter().filter(|(_, known)| **known == kind);
        fitting.map(|(name, _)| name.as_str()).collect()
    }
}

impl Kind {
    /// What recording a quantity makes.
    pub const fn of(quantity: &Quantity) -> Self {
        match quantity {
            Quantity::Tip { .. } => Self::Tip,
            Quantity::Height(_) | Quantity::Work(_) | Quantity::Metric { .. } => Self::Number,
        }
    }
}
