//! Tests of the chain's types against published vectors, real blocks, an
//! independent implementation (the `bitcoin` crate) and stated properties.

mod address;
mod asert;
mod bip341;
mod blocks;
mod codec;
mod lwma;
mod merkle;
mod oracle;
mod pow;
mod sighash;
mod spending;
