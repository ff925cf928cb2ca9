//! Methods about transactions and single outputs.

use std::sync::Arc;

use minichain_api::rpc::{RpcError, TxOutInfo, code};
use minichain_chain::codec::decode;
use minichain_chain::hash::Txid;
use minichain_chain::hex;
use minichain_chain::mempool::MempoolError;
use minichain_chain::transaction::{OutPoint, Transaction, TxOut};
use minichain_protocol::output::Answer;

use super::arguments::Arguments;
use super::server::internal;
use super::{Context, ending, error, render};
use crate::driver::{Stopped, Submission, View};

/// `sendrawtransaction`.
pub async fn send(context: &Context, arguments: &Arguments) -> Result<String, RpcError> {
    hand_in(context, decoded(arguments.text(0)?.unwrap_or_default())?).await
}

/// Hands a transaction to the node; its id.
pub async fn hand_in(context: &Context, transaction: Transaction) -> Result<String, RpcError> {
    let submission = Submission::Transaction(Arc::new(transaction));
    match context
        .driver
        .submit(submission)
        .await
        .map_err(|Stopped| ending())?
    {
        Answer::TransactionAccepted { txid } => Ok(txid.to_string()),
        Answer::TransactionRefused { error } => Err(refusal(&error)),
        other => Err(internal(format!(
            "an answer to another question: {other:?}"
        ))),
    }
}

/// A transaction in hexadecimal.
pub fn decoded(text: &str) -> Result<Transaction, RpcError> {
    let undecodable = |why: String| {
        error(
            code::DESERIALIZATION,
            format!("the transaction does not decode: {why}"),
        )
    };
    let bytes = hex::decode(text).map_err(|why| undecodable(why.to_string()))?;
    decode(&bytes).map_err(|why| undecodable(why.to_string()))
}

/// `gettxout`.
pub async fn tx_out(
    context: &Context,
    arguments: &Arguments,
) -> Result<Option<TxOutInfo>, RpcError> {
    let txid: Txid = arguments.parsed(0)?;
    let vout = arguments.u32(1)?.unwrap_or_default();
    let with_mempool = arguments.bool(2)?.unwrap_or(true);
    let outpoint = OutPoint { txid, vout };
    let found = context
        .look(move |view| find_output(view, &outpoint, with_mempool))
        .await??;
    Ok(found.map(|found| TxOutInfo {
        bestblock: found.tip,
        confirmations: found.confirmations,
        value: render::coins(found.output.value),
        script_pub_key: render::script(&found.output.script_pubkey, &context.params.address_prefix),
        coinbase: found.is_coinbase,
    }))
}

struct Found {
    tip: String,
    confirmations: u32,
    output: TxOut,
    is_coinbase: bool,
}

fn find_output(
    view: &View<'_>,
    outpoint: &OutPoint,
    with_mempool: bool,
) -> Result<Option<Found>, RpcError> {
    let state = view.node.state();
    let mempool = view.node.mempool();
    if with_mempool && mempool.is_spent(outpoint) {
        return Ok(None);
    }
    let tip = state.tip();
    if let Some(coin) = state.coin(outpoint).map_err(internal)? {
        return Ok(Some(Found {
            tip: tip.hash.to_string(),
            confirmations: tip.height.saturating_since(coin.height).saturating_add(1),
            output: coin.output,
            is_coinbase: coin.is_coinbase,
        }));
    }
    let waiting = mempool.get(&outpoint.txid).filter(|_| with_mempool);
    let output = waiting
        .zip(usize::try_from(outpoint.vout).ok())
        .and_then(|(transaction, index)| transaction.outputs.get(index));
    Ok(output.map(|output| Found {
        tip: tip.hash.to_string(),
        confirmations: 0,
        output: output.clone(),
        is_coinbase: false,
    }))
}

/// Core's code for a refused transaction, with the rule's name in front.
fn refusal(why: &MempoolError) -> RpcError {
    let code = match why {
        MempoolError::MissingInputs { .. } => code::VERIFY,
        MempoolError::AlreadyConfirmed { .. } => code::ALREADY_IN_UTXO_SET,
        _ => code::VERIFY_REJECTED,
    };
    error(code, format!("{}: {why}", why.rule()))
}
