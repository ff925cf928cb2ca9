//! Looks up blocks, transactions and addresses, as a node tells them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use minichain_api::rpc::method;
use serde_json::{Value, json};

use super::Shop;
use super::ask::answer;
use super::pay::nodes;
use crate::client::Client;
use crate::exit::Failure;
use crate::probe::NodeAddress;

/// A scan of all coins takes a moment.
const PATIENCE: Duration = Duration::from_secs(10);
/// Letters of what is looked for at most.
const LETTERS_MAX: usize = 128;
/// Digits of a hash.
const DIGITS: usize = 64;
/// Transactions of the mempool shown at most.
const WAITING_MAX: usize = 200;

/// Answers with what a word means: a height, a hash, an id, an address.
pub async fn find(
    State(shop): State<Arc<Shop>>,
    Path(what): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let _turn = shop.questions.acquire().await;
    answer(look_up(&shop, what.trim(), whom(query.as_deref())).await)
}

/// Answers with the transactions that wait on a node.
pub async fn mempool(State(shop): State<Arc<Shop>>, RawQuery(query): RawQuery) -> Response {
    let _turn = shop.questions.acquire().await;
    answer(waiting(&shop, whom(query.as_deref())).await)
}

/// The node that is to be asked, if one is named; names need no escapes.
fn whom(query: Option<&str>) -> Option<&str> {
    let mut pairs = query?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("node="))
}

async fn look_up(shop: &Shop, what: &str, node: Option<&str>) -> Result<Value, Failure> {
    if what.is_empty() || what.len() > LETTERS_MAX {
        return Err(Failure::bad_input(
            "look for a height, a hash, an id or an address",
        ));
    }
    let nodes = nodes(shop, node);
    if nodes.is_empty() {
        return Err(Failure::failed("no node answers"));
    }
    let is_hash = what.len() == DIGITS && what.bytes().all(|byte| byte.is_ascii_hexdigit());
    for node in &nodes {
        let Some(client) = client(node) else { continue };
        let found = match (what.parse::<u32>(), is_hash) {
            (Ok(height), _) => at_height(&client, height).await,
            (_, true) => match block(&client, what).await {
                Some(block) => Some(block),
                None => transaction(shop, &client, what).await,
            },
            _ => address(&client, what).await?,
        };
        if let Some(mut found) = found {
            found["node"] = json!(node.name);
            return Ok(found);
        }
    }
    let what: String = what.chars().take(80).collect();
    Err(Failure::failed(format!("no node knows `{what}`"))
        .next("Look for a height, a block's hash, a transaction's id or an address."))
}

fn client(node: &NodeAddress) -> Option<Client> {
    Some(Client::new(node.rpc?, node.credentials.clone(), PATIENCE))
}

async fn call(client: &Client, method: &str, params: Value) -> Option<Value> {
    client.call(method, params).await.ok()
}

async fn at_height(client: &Client, height: u32) -> Option<Value> {
    let hash = call(client, method::GET_BLOCK_HASH, json!([height])).await?;
    block(client, hash.as_str()?).await
}

async fn block(client: &Client, hash: &str) -> Option<Value> {
    let block = call(client, method::GET_BLOCK, json!([hash, 2])).await?;
    Some(json!({ "kind": "block", "block": block }))
}

/// A transaction, of the mempool or of a block that is known here.
async fn transaction(shop: &Shop, client: &Client, txid: &str) -> Option<Value> {
    let holders = shop.watch.board.holders(txid);
    let mut found = None;
    for hash in &holders {
        let params = json!([txid, 1, hash]);
        found = call(client, method::GET_RAW_TRANSACTION, params).await;
        let is_active = |found: &Value| found["in_active_chain"] != json!(false);
        if found.as_ref().is_some_and(is_active) {
            break;
        }
    }
    let transaction = match found {
        Some(found) => found,
        None => call(client, method::GET_RAW_TRANSACTION, json!([txid, 1])).await?,
    };
    let entry = call(client, method::GET_MEMPOOL_ENTRY, json!([txid])).await;
    Some(json!({ "kind": "transaction", "transaction": transaction, "mempool": entry }))
}

/// Coins of an address, and blocks that concern it.
async fn address(client: &Client, text: &str) -> Result<Option<Value>, Failure> {
    let Some(info) = call(client, method::VALIDATE_ADDRESS, json!([text])).await else {
        return Ok(None);
    };
    if info["isvalid"] != json!(true) {
        return Err(Failure::bad_input(format!(
            "`{text}` is no height, no hash and no address of this network"
        )));
    }
    let objects = json!([format!("addr({text})")]);
    let scan = json!(["start", objects]);
    let coins = call(client, method::SCAN_TXOUTSET, scan.clone()).await;
    let blocks = call(client, method::SCAN_BLOCKS, scan).await;
    Ok(coins.map(
        |coins| json!({ "kind": "address", "address": text, "coins": coins, "blocks": blocks }),
    ))
}

async fn waiting(shop: &Shop, node: Option<&str>) -> Result<Value, Failure> {
    for node in nodes(shop, node) {
        let Some(client) = client(&node) else {
            continue;
        };
        let Some(all) = call(&client, method::GET_RAW_MEMPOOL, json!([true])).await else {
            continue;
        };
        let entries = all.as_object().into_iter().flatten();
        let mut entries: Vec<Value> = entries
            .map(|(txid, entry)| json!({ "txid": txid, "entry": entry }))
            .collect();
        let rate = |one: &Value| {
            let fee = one["entry"]["fees"]["base"].as_f64().unwrap_or_default();
            fee / one["entry"]["vsize"].as_f64().unwrap_or(1.0)
        };
        entries.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
        let count = entries.len();
        entries.truncate(WAITING_MAX);
        return Ok(json!({ "node": node.name, "count": count, "transactions": entries }));
    }
    Err(Failure::failed("no node answers"))
}
