//! What shall happen to a network, and what must hold.
//!
//! Pure: no input or output, no clock, no ambient randomness; time and seeds
//! are arguments. It knows neither engines nor the chain's code: a world (live
//! or simulated) carries out its orders and tells it what it sees. It must
//! never import another room.

pub mod check;
pub mod expect;
pub mod fault;
mod form;
pub mod history;
pub mod links;
pub mod metric;
pub mod model;
pub mod parse;
pub mod parting;
pub mod report;
pub mod resolve;
pub mod runner;
pub mod schema;
pub mod world;
