//! Blocks whose form was looked at before their turn came.

use std::sync::Arc;

use crate::block::Block;
use crate::coins::{SequentialVerifier, SignatureVerifier as _};
use crate::hash::BlockHash;
use crate::params::Params;
use crate::rules::block::BlockError;
use crate::transaction::Names;

/// A block with what can be said of it wherever it stands: worked out ahead,
/// on any thread, while the chain is busy with others.
#[derive(Debug)]
pub struct FormedBlock {
    pub(super) hash: BlockHash,
    pub(super) block: Arc<Block>,
    pub(super) names: Vec<Names>,
    pub(super) form: Result<(), BlockError>,
}

impl FormedBlock {
    /// Looks at the block by the rules of this chain.
    #[must_use]
    pub fn new(block: Arc<Block>, params: &Params) -> Self {
        let (names, form) = SequentialVerifier.form(&block, params.block_weight_max.into());
        Self {
            hash: block.hash(),
            block,
            names,
            form,
        }
    }

    /// The hash of its header.
    #[must_use]
    pub const fn hash(&self) -> &BlockHash {
        &self.hash
    }
}
