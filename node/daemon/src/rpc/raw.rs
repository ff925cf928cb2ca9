//! Methods about transactions by themselves, and addresses.

use std::sync::Arc;

use minichain_api::rpc::{AddressInfo, RawTransaction, RpcError, TransactionInfo, code};
use minichain_chain::address::Address;
use minichain_chain::codec::encode;
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::hex;
use minichain_chain::transaction::Transaction;
use serde_json::Value;

use super::arguments::Arguments;
use super::server::internal;
use super::{Context, chain, error, outside, render, transactions};
use crate::driver::View;

/// A transaction and the block it was found in.
struct Found {
    transaction: Arc<Transaction>,
    place: Option<Place>,
}

struct Place {
    hash: BlockHash,
    is_active: bool,
    confirmations: i64,
    time_s: u32,
}

/// `getrawtransaction`.
pub async fn transaction(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let txid: Txid = arguments.parsed(0)?;
    let verbosity = arguments.level(1, 0)?;
    let in_block = arguments
        .text(2)?
        .map(|_| arguments.parsed::<BlockHash>(2))
        .transpose()?;
    let params = Arc::clone(&context.params);
    let found = match in_block {
        None => find_waiting(context, txid).await?,
        Some(hash) => find_in_block(context, txid, hash).await?,
    };
    if verbosity == 0 {
        return Ok(hex::encode(&encode(found.transaction.as_ref())).into());
    }
    let transaction = render::transaction(&found.transaction, &params.address_prefix);
    let is_named = in_block.is_some();
    serde_json::to_value(shown(transaction, found.place.as_ref(), is_named)).map_err(internal)
}

/// `decoderawtransaction`.
pub fn decode(context: &Context, arguments: &Arguments) -> Result<RawTransaction, RpcError> {
    // Every transaction here has one encoding, so there is nothing to choose.
    arguments.bool(1)?;
    let transaction = transactions::decoded(arguments.text(0)?.unwrap_or_default())?;
    let prefix = &context.params.address_prefix;
    let transaction = render::transaction(&transaction, prefix);
    Ok(shown(transaction, None, false))
}

/// `validateaddress`.
pub fn validate_address(context: &Context, arguments: &Arguments) -> Result<AddressInfo, RpcError> {
    let text = arguments.text(0)?.unwrap_or_default();
    Ok(match Address::parse(&context.params.address_prefix, text) {
        Ok(address) => AddressInfo {
            isvalid: true,
            address: Some(address.to_string()),
            script_pub_key: Some(hex::encode(address.script_pubkey().as_bytes())),
            isscript: Some(true),
            iswitness: Some(true),
            witness_version: Some(1),
            witness_program: Some(hex::encode(&address.output_key())),
            error: None,
            error_locations: None,
        },
        Err(why) => AddressInfo {
            isvalid: false,
            address: None,
            script_pub_key: None,
            isscript: None,
            iswitness: None,
            witness_version: None,
            witness_program: None,
            error: Some(why.to_string()),
            error_locations: Some(Vec::new()),
        },
    })
}

/// An address of this network among the arguments.
pub fn address(
    context: &Context,
    arguments: &Arguments,
    index: usize,
) -> Result<Address, RpcError> {
    let text = arguments.text(index)?.unwrap_or_default();
    Address::parse(&context.params.address_prefix, text)
        .map_err(|why| error(code::INVALID_ADDRESS_OR_KEY, format!("{text:?}: {why}")))
}

async fn find_waiting(context: &Context, txid: Txid) -> Result<Found, RpcError> {
    let look = context.look(move |view| view.node.mempool().get(&txid).map(Arc::clone));
    let transaction = look.await?.ok_or_else(|| {
        let why = format!(
            "transaction {txid} is not in the mempool; name its block to find it in the chain"
        );
        error(code::INVALID_ADDRESS_OR_KEY, why)
    })?;
    Ok(Found {
        transaction,
        place: None,
    })
}

async fn find_in_block(context: &Context, txid: Txid, hash: BlockHash) -> Result<Found, RpcError> {
    let look = move |view: &View<'_>| place(view, hash);
    let (place, snapshot) = context.snapshot(look).await?;
    outside(move || {
        let block = chain::stored(&snapshot, &hash)?;
        let mut transactions = block.transactions.iter();
        let found = transactions.find(|transaction| transaction.txid() == txid);
        let found = found.ok_or_else(|| {
            let why = format!("block {hash} holds no transaction {txid}");
            error(code::INVALID_ADDRESS_OR_KEY, why)
        })?;
        Ok(Found {
            transaction: Arc::new(found.clone()),
            place: Some(place),
        })
    })
    .await
}

fn place(view: &View<'_>, hash: BlockHash) -> Result<Place, RpcError> {
    let state = view.node.state();
    let entry = chain::entry(view, &hash)?;
    let is_active = state.is_active(&hash);
    Ok(Place {
        hash,
        is_active,
        confirmations: if is_active {
            render::confirmations(state.tip().height, entry.height)
        } else {
            0
        },
        time_s: entry.header.time.0,
    })
}

fn shown(transaction: TransactionInfo, place: Option<&Place>, is_named: bool) -> RawTransaction {
    let time = place.map(|place| place.time_s);
    RawTransaction {
        transaction,
        in_active_chain: place.filter(|_| is_named).map(|place| place.is_active),
        blockhash: place.map(|place| place.hash.to_string()),
        confirmations: place.map(|place| place.confirmations),
        time,
        blocktime: time,
    }
}
