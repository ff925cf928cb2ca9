//! Faults of single nodes.

use devnet_scenario::fault::{NodeFault, NodeName};
use devnet_scenario::world::Outcome;

use super::live::Live;
use crate::exit::Failure;
use crate::world::World;

/// Inflicts a fault on nodes, in their order.
pub async fn inflict(
    _world: &World,
    _live: &Live,
    _nodes: &[NodeName],
    _what: &NodeFault,
) -> Result<Outcome, Failure> {
    Err(Failure::world(
        "faults of single nodes are not carried out here",
    ))
}

/// Takes out what was done to nodes.
pub async fn heal(_world: &World, _live: &Live, _nodes: &[NodeName]) -> Result<Outcome, Failure> {
    Ok(Outcome::Done(devnet_scenario::world::Evidence::default()))
}
