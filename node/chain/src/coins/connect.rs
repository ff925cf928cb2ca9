//! Putting a block on top.

use super::coin::transaction_coins;
use super::{Coin, Overlay, SignatureCheck, SignatureVerifier, Undo};
use crate::amount::Amount;
use crate::block::Block;
use crate::hash::Txid;
use crate::height::Height;
use crate::rules::block::{BlockError, check_reward};
use crate::rules::transaction::{TransactionError, check_amounts, check_mature};
use crate::store::{Store, StoreError};
use crate::transaction::{Transaction, TxOut};

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
}

/// What connecting brought to light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// How to take the block off again.
    pub undo: Undo,
    /// Sum of the fees.
    pub fees: Amount,
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

/// Spends and makes the coins of `block`, whose form has been checked.
/// On an error the overlay is half changed and must be dropped.
///
/// # Errors
/// [`ConnectError`].
pub fn connect_block<S: Store>(
    block: &Block,
    context: &Context<'_>,
    coins: &mut Overlay<'_, S>,
) -> Result<Connected, ConnectError> {
    let mut undo = Undo::default();
    let mut fees = Amount::ZERO;
    let mut checks = Vec::new();
    for (index, tx) in block.transactions.iter().enumerate() {
        if index > 0 {
            let refuse = |error| BlockError::Transaction {
                index,
                txid: tx.txid(),
                error,
            };
            let spent = spend_inputs(tx, context, coins)?.map_err(refuse)?;
            let values = spent.iter().map(|coin| coin.output.value);
            let fee = check_amounts(values, tx).map_err(refuse)?;
            fees = fees.checked_add(fee).ok_or(BlockError::FeesRange)?;
            if context.verifier.is_some() {
                checks.push(SignatureCheck {
                    transaction: tx,
                    spent: outputs_of(&spent),
                });
            }
            undo.spent.extend(spent);
        }
        add_outputs(tx, context.height, coins)?;
    }
    let coinbase = block.transactions.first().ok_or(BlockError::Empty)?;
    check_reward(coinbase, context.subsidy, fees)?;
    if let Some(verifier) = context.verifier {
        check_signatures(verifier, &checks)?;
    }
    Ok(Connected { undo, fees })
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
        .try_for_each(|tx| add_outputs(tx, Height::GENESIS, coins))
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
    height: Height,
    coins: &mut Overlay<'_, S>,
) -> Result<(), StoreError> {
    // No two transactions of a chain have one name: a coinbase carries its
    // height, and any other would have to spend the same output again.
    transaction_coins(tx, height).try_for_each(|(outpoint, coin)| coins.add(outpoint, coin))
}

fn outputs_of(coins: &[Coin]) -> Vec<TxOut> {
    coins.iter().map(|coin| coin.output.clone()).collect()
}

fn check_signatures(
    verifier: &dyn SignatureVerifier,
    checks: &[SignatureCheck<'_>],
) -> Result<(), BlockError> {
    verifier
        .verify(checks)
        .map_err(|failure| BlockError::Transaction {
            // The coinbase has no check.
            index: failure.check + 1,
            txid: checks
                .get(failure.check)
                .map_or(Txid::ZERO, |check| check.transaction.txid()),
            error: TransactionError::Signature {
                index: failure.input,
                error: failure.error,
            },
        })
}
