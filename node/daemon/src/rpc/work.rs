//! Methods for miners from outside, and blocks mined on call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use minichain_api::rpc::{BlockTemplate, RpcError, TemplateTransaction, code};
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::Txid;
use minichain_chain::hex;
use minichain_chain::pow::Searcher;
use minichain_chain::template::{self, Template};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;
use minichain_protocol::output::Answer;
use serde::Deserialize;
use tokio::time::Instant;

use super::arguments::Arguments;
use super::limits::{PATIENT_TIMEOUT, Waiting, Watch};
use super::render::{bits, target_hex};
use super::server::internal;
use super::{Context, ending, error, outside, raw};
use crate::driver::{Stopped, Submission, View};
use crate::wallet;

/// Blocks of one call at most.
const BLOCKS_MAX: u32 = 10_000;
/// Nonces tried in one call, if it does not say.
const TRIES_DEFAULT: u64 = 1_000_000;
/// Nonces tried between two looks whether anybody still waits.
const TRIES_PER_LOOK: u32 = 4_096;
/// Between two tries to hand in a block that is ahead of the clock.
const TOO_NEW_PAUSE: Duration = Duration::from_millis(100);
/// Rules that templates are made by, as BIP9 names them.
const RULES: &[&str] = &["csv", "!segwit", "taproot"];

/// What `getblocktemplate` may be asked.
#[derive(Deserialize, Default)]
struct TemplateRequest {
    mode: Option<String>,
}

/// `getblocktemplate`.
pub async fn block_template(
    context: &Context,
    arguments: &Arguments,
) -> Result<BlockTemplate, RpcError> {
    let request: TemplateRequest = arguments.decoded_or_none(0)?.unwrap_or_default();
    if let Some(mode) = request.mode.filter(|mode| mode != "template") {
        let why = format!("mode {mode:?} is not known; only \"template\" is");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let now = context.clock.now_s();
    let made = context.look(move |view| {
        if view.node.sync().is_initial_download {
            let why = "the node still fetches the chain; try again when it has it";
            return Err(error(code::IN_INITIAL_DOWNLOAD, why));
        }
        // Whoever asks makes a coinbase of their own.
        let made = template::build(view.node.state(), view.node.mempool(), [2; 32], 0, &[], now);
        Ok(Made::new(view, made))
    });
    let made = made.await??;
    outside(move || Ok(shown(&made))).await
}

/// A template and what the chain says of it.
struct Made {
    template: Template,
    /// Of its transactions, the coinbase left out.
    fees: Vec<Amount>,
    median: UnixSeconds,
    weight_max: u32,
    pool_len: usize,
}

impl Made {
    fn new(view: &View<'_>, template: Template) -> Self {
        let (state, pool) = (view.node.state(), view.node.mempool());
        let payments = template.block.transactions.iter().skip(1);
        let fees = payments.map(|tx| pool.entry(&tx.txid()).map_or(Amount::ZERO, |one| one.fee));
        let fees = fees.collect();
        let previous = template.block.header.previous;
        Self {
            template,
            fees,
            median: state.tree().median_time_past(&previous).unwrap_or_default(),
            weight_max: state.params().block_weight_max,
            pool_len: pool.len(),
        }
    }
}

/// `submitblock`.
pub async fn submit_block(
    context: &Context,
    arguments: &Arguments,
) -> Result<Option<String>, RpcError> {
    let text = arguments.text(0)?.unwrap_or_default();
    let undecodable = |why: &dyn std::fmt::Display| {
        let why = format!("the block does not decode: {why}");
        error(code::DESERIALIZATION, why)
    };
    let bytes = hex::decode(text).map_err(|why| undecodable(&why))?;
    let block: Block = decode(&bytes).map_err(|why| undecodable(&why))?;
    match submit(context, Arc::new(block)).await? {
        Answer::BlockAccepted { .. } => Ok(None),
        Answer::BlockRefused { rule, message } => {
            tracing::debug!(rule, message, "a submitted block was refused");
            Ok(Some(reason(rule).to_owned()))
        }
        other => Err(internal(format!(
            "an answer to another question: {other:?}"
        ))),
    }
}

/// `generatetoaddress`.
pub async fn generate_to_address(
    context: &Context,
    arguments: &Arguments,
) -> Result<Vec<String>, RpcError> {
    let count = arguments.u32(0)?.unwrap_or_default();
    if count > BLOCKS_MAX {
        let why = format!("nblocks {count} is out of range; at most {BLOCKS_MAX}");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let key = raw::address(context, arguments, 1)?.output_key();
    let tries: u64 = arguments.decoded_or_none(2)?.unwrap_or(TRIES_DEFAULT);
    // One time limit for all, waiting for others included.
    let deadline = Instant::now() + PATIENT_TIMEOUT;
    let mut hashes = Vec::new();
    let work = generate(context, (count, key, tries), &mut hashes);
    let ended = tokio::time::timeout_at(deadline, work).await;
    told(ended.unwrap_or(Ok(())), hashes, count)
}

/// What is told when the work has ended: the blocks that were found stay, so
/// nobody is to lose their hashes by an error.
fn told(
    ended: Result<(), RpcError>,
    hashes: Vec<String>,
    count: u32,
) -> Result<Vec<String>, RpcError> {
    match ended {
        Ok(()) => Ok(hashes),
        Err(why) if hashes.is_empty() => Err(why),
        Err(why) => {
            let (found, list) = (hashes.len(), hashes.join(" "));
            let message = &why.message;
            let why_all = format!("{message}; {found} of {count} blocks were mined before: {list}");
            Err(error(why.code, why_all))
        }
    }
}

async fn generate(
    context: &Context,
    (count, key, mut tries): (u32, [u8; 32], u64),
    hashes: &mut Vec<String>,
) -> Result<(), RpcError> {
    let _only = context.limits.generating().await;
    while hashes.len() < count as usize {
        let found = search(next_template(context, key).await?, &mut tries).await?;
        let Some(block) = found else { break };
        match hand_in(context, &block).await? {
            true => hashes.push(block.hash().to_string()),
            // Somebody else was faster; the next one stands on theirs.
            false => continue,
        }
    }
    Ok(())
}

async fn next_template(context: &Context, key: [u8; 32]) -> Result<Template, RpcError> {
    let now = context.clock.now_s();
    let extra_nonce = wallet::random().map_err(internal)?;
    let extra_nonce = u64::from_le_bytes(extra_nonce);
    context
        .look(move |view| {
            let (state, pool) = (view.node.state(), view.node.mempool());
            template::build(state, pool, key, extra_nonce, b"generatetoaddress", now)
        })
        .await
}

/// Searches on a thread of its own; none when the tries are used up.
async fn search(made: Template, tries: &mut u64) -> Result<Option<Arc<Block>>, RpcError> {
    let waiting = Waiting::default();
    let is_waited_for = waiting.watch();
    let given = *tries;
    let work = tokio::task::spawn_blocking(move || solve(made, given, &is_waited_for));
    let (left, found) = work.await.map_err(internal)?.map_err(internal)?;
    *tries = left;
    Ok(found)
}

type Solved = (u64, Option<Arc<Block>>);

fn solve(
    made: Template,
    mut tries: u64,
    is_waited_for: &Watch,
) -> Result<Solved, minichain_chain::pow::BitsError> {
    let mut block = made.block;
    let mut searcher = Searcher::new(&block.header)?;
    let mut from = 0_u32;
    while tries > 0 && is_waited_for.holds() {
        let step = TRIES_PER_LOOK.min(u32::try_from(tries).unwrap_or(u32::MAX));
        // A template of this size of search is used up after 2^32 tries.
        let Some(to) = from.checked_add(step) else {
            break;
        };
        if let Some(nonce) = searcher.search(from..to) {
            block.header.nonce = nonce;
            let tried = u64::from(nonce - from) + 1;
            return Ok((tries.saturating_sub(tried), Some(Arc::new(block))));
        }
        from = to;
        tries -= u64::from(step);
    }
    Ok((tries, None))
}

/// Hands a block in, whether it became part of the chain. One that is ahead
/// of the clock, as after many blocks in one second, waits until it is not.
async fn hand_in(context: &Context, block: &Arc<Block>) -> Result<bool, RpcError> {
    loop {
        match submit(context, Arc::clone(block)).await? {
            Answer::BlockAccepted { hash } => {
                return context
                    .look(move |view| view.node.state().is_active(&hash))
                    .await;
            }
            Answer::BlockRefused {
                rule: "too_new", ..
            } => tokio::time::sleep(TOO_NEW_PAUSE).await,
            Answer::BlockRefused { message, .. } => return Err(internal(message)),
            other => {
                return Err(internal(format!(
                    "an answer to another question: {other:?}"
                )));
            }
        }
    }
}

async fn submit(context: &Context, block: Arc<Block>) -> Result<Answer, RpcError> {
    let submission = Submission::Block(block);
    let answer = context.driver.submit(submission).await;
    answer.map_err(|Stopped| ending())
}

/// BIP22's word for a refusal, where it has one.
fn reason(rule: &'static str) -> &'static str {
    match rule {
        "orphan" => "inconclusive-not-best-prevblk",
        "too_new" => "time-too-new",
        "low_work" => "too-little-chainwork",
        "known_invalid" => "duplicate-invalid",
        other => other,
    }
}

fn shown(made: &Made) -> BlockTemplate {
    let block = &made.template.block;
    let header = &block.header;
    let coinbase = block.transactions.first();
    let outputs = coinbase.map_or(&[][..], |coinbase| &coinbase.outputs);
    let weightlimit = made.weight_max;
    let previousblockhash = header.previous.to_string();
    let serial = made.pool_len;
    BlockTemplate {
        capabilities: Vec::new(),
        version: header.version,
        rules: RULES.iter().map(ToString::to_string).collect(),
        vbavailable: BTreeMap::new(),
        vbrequired: 0,
        longpollid: format!("{previousblockhash}{serial}"),
        previousblockhash,
        transactions: transactions(block, &made.fees),
        coinbaseaux: BTreeMap::new(),
        coinbasevalue: outputs.iter().map(|output| output.value.to_sat()).sum(),
        target: target_hex(header.bits),
        mintime: made.median.saturating_add(1).0,
        mutable: ["time", "transactions", "prevblock"]
            .map(str::to_owned)
            .to_vec(),
        noncerange: "00000000ffffffff".to_owned(),
        sigoplimit: u32::MAX,
        sizelimit: weightlimit,
        weightlimit,
        curtime: header.time.0,
        bits: bits(header.bits),
        height: made.template.height.0,
        default_witness_commitment: outputs
            .get(1)
            .map(|output| hex::encode(output.script_pubkey.as_bytes())),
    }
}

fn transactions(block: &Block, fees: &[Amount]) -> Vec<TemplateTransaction> {
    let mut numbers: BTreeMap<Txid, u32> = BTreeMap::new();
    let mut shown = Vec::new();
    let payments = block.transactions.iter().skip(1).zip(fees);
    for ((transaction, fee), number) in payments.zip(1_u32..) {
        let txid = transaction.txid();
        shown.push(one(transaction, txid, *fee, &numbers));
        numbers.insert(txid, number);
    }
    shown
}

fn one(
    transaction: &Transaction,
    txid: Txid,
    fee: Amount,
    numbers: &BTreeMap<Txid, u32>,
) -> TemplateTransaction {
    let parents = transaction.inputs.iter();
    let mut depends: Vec<u32> = parents
        .filter_map(|input| numbers.get(&input.previous_output.txid).copied())
        .collect();
    depends.sort_unstable();
    depends.dedup();
    TemplateTransaction {
        data: hex::encode(&encode(transaction)),
        txid: txid.to_string(),
        hash: transaction.wtxid().to_string(),
        depends,
        fee: fee.to_sat(),
        sigops: 0,
        weight: transaction.weight(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_found_before_an_error_are_told_with_it() {
        let failed = || error(code::INTERNAL, "the node is ending");
        assert_eq!(told(Err(failed()), Vec::new(), 3), Err(failed()));
        let why = told(Err(failed()), vec!["aa".into(), "bb".into()], 3).unwrap_err();
        assert_eq!(why.code, code::INTERNAL);
        let said = "the node is ending; 2 of 3 blocks were mined before: aa bb";
        assert_eq!(why.message, said);
        let all = vec!["aa".to_owned()];
        assert_eq!(told(Ok(()), all.clone(), 3), Ok(all));
    }
}
