//! `testmempoolaccept`.

use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_api::rpc::{MempoolVerdict, RpcError, VerdictFees, code};
use minichain_chain::amount::Amount;
use minichain_chain::coins::SequentialVerifier;
use minichain_chain::mempool::{Accepted, MempoolError};
use minichain_chain::transaction::Transaction;
use serde_json::Value;

use super::arguments::Arguments;
use super::render::coins;
use super::server::internal;
use super::{Context, error, outside, transactions};

/// Transactions of one call at most, as in Bitcoin Core.
const TRANSACTIONS_MAX: usize = 25;
/// Coins for 1,000 virtual bytes that nobody pays on purpose, as in Bitcoin
/// Core.
const FEE_RATE_MAX: f64 = 0.1;

/// `testmempoolaccept`.
pub async fn test(
    context: &Context,
    arguments: &Arguments,
) -> Result<Vec<MempoolVerdict>, RpcError> {
    let texts: Vec<String> = arguments.decoded(0)?;
    if !(1..=TRANSACTIONS_MAX).contains(&texts.len()) {
        let why = format!("Array must contain between 1 and {TRANSACTIONS_MAX} transactions.");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let rate_max = fee_rate_max(arguments)?;
    let decoded = texts.iter().map(|text| transactions::decoded(text));
    let decoded = decoded.map(|decoded| decoded.map(Arc::new));
    let txs: Vec<Arc<Transaction>> = decoded.collect::<Result<_, _>>()?;
    if let Some(why) = package_fault(&txs) {
        return Ok(txs.iter().map(|tx| unfit(tx, why)).collect());
    }
    let asked = txs.clone();
    let checked = context
        .look(move |view| view.node.mempool().check_all(&asked, view.node.state()))
        .await?
        .map_err(internal)?;
    outside(move || {
        let signed = checked
            .into_iter()
            .map(|one| one.and_then(|unsigned| unsigned.verify(&SequentialVerifier)));
        let verdicts = txs.iter().zip(signed);
        Ok(verdicts
            .map(|(tx, answer)| verdict(tx, answer, rate_max))
            .collect())
    })
    .await
}

/// What is wrong with several transactions as a whole, in Bitcoin Core's
/// words.
fn package_fault(txs: &[Arc<Transaction>]) -> Option<&'static str> {
    let later: Vec<_> = txs.iter().map(|tx| tx.txid()).collect();
    let (mut seen, mut spent) = (BTreeSet::new(), BTreeSet::new());
    for (index, tx) in txs.iter().enumerate() {
        if !seen.insert(tx.txid()) {
            return Some("package-contains-duplicates");
        }
        for input in &tx.inputs {
            if later[index..].contains(&input.previous_output.txid) {
                return Some("package-not-sorted");
            }
            if !spent.insert(input.previous_output) && txs.len() > 1 {
                return Some("conflict-in-package");
            }
        }
    }
    None
}

fn fee_rate_max(arguments: &Arguments) -> Result<f64, RpcError> {
    let rate = match arguments.decoded_or_none::<Value>(1)? {
        None => FEE_RATE_MAX,
        Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
        Some(Value::String(text)) => text.parse().unwrap_or(f64::NAN),
        Some(_) => f64::NAN,
    };
    if (0.0..=1.0).contains(&rate) {
        return Ok(rate);
    }
    let why = "maxfeerate must be from 0 to 1 coin for 1,000 virtual bytes; 0 means no limit";
    Err(error(code::INVALID_PARAMETER, why))
}

fn bare(tx: &Transaction) -> MempoolVerdict {
    MempoolVerdict {
        txid: tx.txid().to_string(),
        wtxid: tx.wtxid().to_string(),
        ..MempoolVerdict::default()
    }
}

fn unfit(tx: &Transaction, why: &str) -> MempoolVerdict {
    MempoolVerdict {
        package_error: Some(why.to_owned()),
        ..bare(tx)
    }
}

fn verdict(
    tx: &Transaction,
    answer: Result<Accepted, MempoolError>,
    rate_max: f64,
) -> MempoolVerdict {
    let refused = |reason: &str, details: Option<String>| MempoolVerdict {
        allowed: Some(false),
        reject_reason: Some(reason.to_owned()),
        reject_details: details,
        ..bare(tx)
    };
    let accepted = match answer {
        Ok(accepted) => accepted,
        Err(why @ MempoolError::MissingInputs { .. }) => {
            return refused("missing-inputs", Some(why.to_string()));
        }
        Err(why) => return refused(why.core_reason(), Some(why.to_string())),
    };
    let rate = per_kvb(accepted.fee, accepted.vsize);
    if rate_max > 0.0 && rate > rate_max {
        return refused("max-fee-exceeded", None);
    }
    MempoolVerdict {
        allowed: Some(true),
        vsize: Some(accepted.vsize),
        fees: Some(VerdictFees {
            base: coins(accepted.fee),
            effective_feerate: rate,
            effective_includes: vec![tx.wtxid().to_string()],
        }),
        ..bare(tx)
    }
}

/// In coins for 1,000 virtual bytes, down to whole base units.
fn per_kvb(fee: Amount, vsize: u64) -> f64 {
    let rate = fee.to_sat().saturating_mul(1_000) / vsize.max(1);
    coins(Amount::from_sat(rate))
}
