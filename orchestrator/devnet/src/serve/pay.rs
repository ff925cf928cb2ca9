//! The network's accounts, and payments out of them. Their keys are public by
//! design: they follow from the network's seed.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use serde::{Deserialize, Serialize};

use super::Shop;
use super::ask::answer;
use super::view::{Condition, EventView};
use crate::exit::Failure;
use crate::probe::NodeAddress;
use crate::run::access::Http;
use crate::run::payments::holdings::{self, Holding, Holdings};

#[derive(Serialize)]
struct Accounts {
    node: String,
    height: u32,
    accounts: Vec<Account>,
}

#[derive(Serialize)]
struct Account {
    name: String,
    address: String,
    confirmed: String,
    unconfirmed: String,
    immature: String,
}

/// A payment that the page wants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    from: String,
    to: String,
    amount: String,
    node: Option<String>,
}

#[derive(Serialize)]
struct Paid {
    txid: String,
    from: String,
    to: String,
    amount: String,
    fee: String,
    node: String,
}

/// Answers with who owns what.
pub async fn accounts(State(shop): State<Arc<Shop>>) -> Response {
    let _turn = shop.questions.acquire().await;
    answer(look(&shop, None).await.map(|(node, holdings)| Accounts {
        node: node.name,
        height: holdings.height,
        accounts: holdings.accounts.iter().map(account).collect(),
    }))
}

/// Pays.
pub async fn send(State(shop): State<Arc<Shop>>, body: Bytes) -> Response {
    let order = serde_json::from_slice(&body)
        .map_err(|error| Failure::bad_input(format!("cannot be read: {error}")));
    let paid = match order {
        Ok(order) => pay(&shop, &order).await,
        Err(failure) => Err(failure),
    };
    answer(paid)
}

fn account(holding: &Holding) -> Account {
    let sums = holding.balance();
    Account {
        name: holding.name.clone(),
        address: holding.address.to_string(),
        confirmed: sums.confirmed.to_string(),
        unconfirmed: sums.unconfirmed.to_string(),
        immature: sums.immature.to_string(),
    }
}

async fn pay(shop: &Shop, order: &Order) -> Result<Paid, Failure> {
    let amount: Amount = order
        .amount
        .trim()
        .parse()
        .map_err(|why| Failure::bad_input(format!("`{}` is no amount: {why}", order.amount)))?;
    if !amount.is_in_range() || amount == Amount::ZERO {
        return Err(Failure::bad_input(
            "an amount is more than 0 and at most 21 million coins",
        ));
    }
    let (node, holdings) = look(shop, order.node.as_deref()).await?;
    let to = match holdings.find(order.to.trim()) {
        Some(account) => account.address.clone(),
        None => Address::parse(&holdings.prefix, order.to.trim()).map_err(|why| {
            Failure::bad_input(format!(
                "`{}` is neither an account nor an address: {why}",
                order.to
            ))
        })?,
    };
    let payer = holdings
        .find(&order.from)
        .ok_or_else(|| Failure::bad_input(format!("there is no account `{}`", order.from)))?;
    let draft = payer
        .pay(&to, amount, holdings.min_fee_rate)
        .map_err(|why| Failure::failed(format!("{} cannot pay: {why}", order.from)))?;
    let txid = holdings::hand_in(&Http, &node, &draft.transaction)
        .await
        .map_err(|why| Failure::failed(format!("{} {why}", node.name)))?;
    let paid = Paid {
        txid,
        from: order.from.clone(),
        to: order.to.trim().to_owned(),
        amount: draft.amount.to_string(),
        fee: draft.fee.to_string(),
        node: node.name,
    };
    shop.watch.board.event(EventView {
        kind: "payment",
        title: format!(
            "{} paid {} to {} through {}",
            paid.from, paid.amount, paid.to, paid.node
        ),
        detail: paid.txid.clone(),
        ..EventView::default()
    });
    Ok(paid)
}

/// What a node says of the accounts: the one that is named, or the first that
/// answers.
async fn look(shop: &Shop, wanted: Option<&str>) -> Result<(NodeAddress, Holdings), Failure> {
    let layout = shop.watch.live.layout();
    let genesis = layout.blueprint.genesis.as_ref();
    let genesis =
        genesis.ok_or_else(|| Failure::bad_input("the network's plan has no genesis file"))?;
    let mut why = "no node answers".to_owned();
    for node in nodes(shop, wanted) {
        match Holdings::look(&Http, &node, genesis).await {
            Ok(holdings) => return Ok((node, holdings)),
            Err(error) => why = format!("{} {error}", node.name),
        }
    }
    Err(Failure::failed(format!(
        "no node tells what accounts own: {why}"
    )))
}

/// Nodes to ask, those that answer: the one that is named, or all.
pub fn nodes(shop: &Shop, wanted: Option<&str>) -> Vec<NodeAddress> {
    let layout = shop.watch.live.layout();
    let is_up = |node: &&NodeAddress| {
        let known = shop.watch.board.node(&node.name);
        known.is_some_and(|known| known.condition == Condition::Up)
    };
    let is_meant = |node: &&NodeAddress| wanted.is_none_or(|name| name == node.name);
    let nodes = layout.nodes.iter().filter(is_meant).filter(is_up);
    nodes.cloned().collect()
}
