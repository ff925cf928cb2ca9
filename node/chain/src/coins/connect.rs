//! Putting a block on top.

use std::sync::Arc;

use super::coin::transaction_coins;
use super::{BlockSignatures, Coin, Overlay, SignatureVerifier, Undo};
use crate::amount::Amount;
use crate::block::Block;
use crate::hash::Txid;
use crate::height::Height;
use crate::rules::block::{BlockError, check_reward};
use crate::rules::transaction::{TransactionError, check_amounts, check_mature};
use crate::store::{Store, StoreError};
use crate::transaction::{Names, Transaction, TxOut};

/// What a block is connected under.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The block's height.
    pub height: Height,
    /// What it may create besides fees.
    pub subsidy: Amount,
    /// Blocks before a coinbase output may be spent.
    pub coinbase_maturity: u32,
    /// Who checks the signatures; none if this very block was connected
    /// before, on the same ancestors.
    pub verifier: Option<&'a dyn SignatureVerifier>,
    /// The names of the block's transactions, in order, if they are known.
    pub names: Option<&'a [Names]>,
}

/// What connecting brought to light.
pub struct Connected<'a> {
    /// How to take the block off again.
    pub undo: Undo,
    /// Sum of the fees.
    pub fees: Amount,
    /// Nothing is certain before these are.
    pub signatures: Pending<'a>,
}

/// The signatures of a block that has connected otherwise.
#[must_use]
pub struct Pending<'a> {
    block: Arc<Block>,
    signatures: Option<Box<dyn BlockSignatures + 'a>>,
}

impl Pending<'_> {
    /// Whether all are right.
    ///
    /// # Errors
    /// [`BlockError::Transaction`] of the first that is not.
    pub fn finish(self) -> Result<(), BlockError> {
        let Some(signatures) = self.signatures else {
            return Ok(());
        };
        signatures.finish().map_err(|failure| {
            let index = failure.transaction;
            let signed = self.block.transactions.get(index);
            BlockError::Transaction {
                index,
                txid: signed.map_or(Txid::ZERO, Transaction::txid),
                error: TransactionError::Signature {
                    index: failure.input,
                    error: failure.error,
                },
            }
        })
    }
}

/// Why a block did not connect.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It broke a rule.
    #[error(transparent)]
    Rule(#[from] BlockError),
    /// The store broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Spends and makes the coins of `block`, whose form has been checked; its
/// signatures are left for later. On an error the overlay is half changed and
/// must be dropped.
///
/// # Errors
/// [`ConnectError`].
pub fn connect_block<'a, S: Store>(
    block: &Arc<Block>,
    context: &Context<'a>,
    coins: &mut Overlay<'_, S>,
) -> Result<Connected<'a>, ConnectError> {
    let mut undo = Undo::default();
    let mut fees = Amount::ZERO;
    let has_payments = block.transactions.len() > 1;
    let verifier = context.verifier.filter(|_| has_payments);
    let mut signatures = verifier.map(|verifier| verifier.of_block(block));
    for (index, tx) in block.transactions.iter().enumerate() {
        let known = context.names.and_then(|names| names.get(index));
        let txid = known.map_or_else(|| tx.txid(), |names| names.txid);
        if index > 0 {
            let refuse = |error| BlockError::Transaction { index, txid, error };
            let spent = spend_inputs(tx, context, coins)?.map_err(refuse)?;
            let values = spent.iter().map(|coin| coin.output.value);
            let fee = check_amounts(values, tx).map_err(refuse)?;
            fees = fees.checked_add(fee).ok_or(BlockError::FeesRange)?;
            if let Some(signatures) = &mut signatures {
                signatures.add(index, outputs_of(&spent));
            }
            undo.spent.extend(spent);
        }
        add_outputs(tx, txid, context.height, coins)?;
    }
    let coinbase = block.transactions.first().ok_or(BlockError::Empty)?;
    check_reward(coinbase, context.subsidy, fees)?;
    Ok(Connected {
        undo,
        fees,
        signatures: Pending {
            block: Arc::clone(block),
            signatures,
        },
    })
}

/// Makes the coins of the genesis block, which obeys no other rule.
///
/// # Errors
/// [`StoreError`].
pub fn connect_genesis<S: Store>(
    block: &Block,
    coins: &mut Overlay<'_, S>,
) -> Result<(), StoreError> {
    block
        .transactions
        .iter()
        .try_for_each(|tx| add_outputs(tx, tx.txid(), Height::GENESIS, coins))
}

fn spend_inputs<S: Store>(
    tx: &Transaction,
    context: &Context<'_>,
    coins: &mut Overlay<'_, S>,
) -> Result<Result<Vec<Coin>, TransactionError>, StoreError> {
    let mut spent = Vec::with_capacity(tx.inputs.len());
    for input in &tx.inputs {
        let outpoint = input.previous_output;
        let Some(coin) = coins.spend(&outpoint)? else {
            return Ok(Err(TransactionError::InputMissing(outpoint)));
        };
        let mature = check_mature(outpoint, &coin, context.height, context.coinbase_maturity);
        if let Err(error) = mature {
            return Ok(Err(error));
        }
        spent.push(coin);
    }
    Ok(Ok(spent))
}

fn add_outputs<S: Store>(
    tx: &Transaction,
    txid: Txid,
    height: Height,
    coins: &mut Overlay<'_, S>,
) -> Result<(), StoreError> {
    // No two transactions of a chain have one name: a coinbase carries its
    // height, and any other would have to spend the same output again.
    transaction_coins(tx, txid, height).try_for_each(|(outpoint, coin)| coins.add(outpoint, coin))
}

fn outputs_of(coins: &[Coin]) -> Vec<TxOut> {
    coins.iter().map(|coin| coin.output.clone()).collect()
}
