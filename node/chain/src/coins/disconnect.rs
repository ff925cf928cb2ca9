//! Taking the topmost block off.

use super::coin::transaction_coins;
use super::{Overlay, Undo};
use crate::block::Block;
use crate::height::Height;
use crate::store::{Store, StoreError};

/// Takes back all that [`super::connect_block`] did for `block`, the topmost
/// one, at `height`.
///
/// # Errors
/// [`StoreError::Corrupt`] if block, undo data and coins do not fit together.
pub fn disconnect_block<S: Store>(
    block: &Block,
    height: Height,
    undo: &Undo,
    coins: &mut Overlay<'_, S>,
) -> Result<(), StoreError> {
    let mut spent = undo.spent.iter().rev();
    for (index, tx) in block.transactions.iter().enumerate().rev() {
        for (outpoint, made) in transaction_coins(tx, tx.txid(), height).rev() {
            if coins.spend(&outpoint)? != Some(made) {
                return Err(mismatch(block));
            }
        }
        if index > 0 {
            for input in tx.inputs.iter().rev() {
                let coin = spent.next().ok_or_else(|| mismatch(block))?;
                coins.add(input.previous_output, coin.clone())?;
            }
        }
    }
    match spent.next() {
        Some(_) => Err(mismatch(block)),
        None => Ok(()),
    }
}

fn mismatch(block: &Block) -> StoreError {
    StoreError::corrupt(format!(
        "the coins or undo data of block {} do not fit it",
        block.hash()
    ))
}
