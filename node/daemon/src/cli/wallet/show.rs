//! What a wallet shows: for people in coins, for scripts in base units.

use std::collections::BTreeMap;

use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_wallet::contents::Network;
use minichain_wallet::keyring::{Branch, Place};
use minichain_wallet::ledger::Entry;
use minichain_wallet::pending::Balance;
use minichain_wallet::wallet::Wallet;
use serde_json::{Value, json};

use super::file::Opened;
use super::follow::News;
use crate::cli::print;
use crate::exit::Failure;

/// `balance`.
pub fn balance(sums: &Balance, is_json: bool) -> Result<(), Failure> {
    if is_json {
        let answer = json!({
            "spendable_sats": sums.spendable().to_sat(),
            "confirmed_sats": sums.confirmed.to_sat(),
            "unconfirmed_sats": sums.unconfirmed.to_sat(),
            "immature_sats": sums.immature.to_sat(),
        });
        return print(&format!("{answer:#}\n"));
    }
    let mut text = format!("confirmed    {}\n", sums.confirmed);
    if sums.unconfirmed > Amount::ZERO {
        let own = match sums.change {
            Amount::ZERO => String::new(),
            change => format!(" (of it {change} change, which can be spent)"),
        };
        text.push_str(&format!("unconfirmed  {}{own}\n", sums.unconfirmed));
    }
    if sums.immature > Amount::ZERO {
        text.push_str(&format!("immature     {}\n", sums.immature));
    }
    print(&text)
}

/// What one address was paid.
#[derive(Default)]
struct Paid {
    payments: u64,
    received_sats: u64,
    unspent_sats: u64,
}

/// `list`.
pub fn addresses(network: &Network, wallet: &Wallet, is_json: bool) -> Result<(), Failure> {
    let mut paid: BTreeMap<Place, Paid> = BTreeMap::new();
    for index in 0..wallet.keyring.used()[0] {
        let branch = Branch::Receive;
        paid.entry(Place { branch, index }).or_default();
    }
    for (_, owned) in wallet.ledger.outputs() {
        let sums = paid.entry(owned.place).or_default();
        let sats = owned.value.to_sat();
        sums.payments += 1;
        sums.received_sats = sums.received_sats.saturating_add(sats);
        if owned.spent.is_none() {
            sums.unspent_sats = sums.unspent_sats.saturating_add(sats);
        }
    }
    let mut rows = Vec::new();
    let mut text = String::new();
    for (place, sums) in paid {
        let address = wallet.keyring.address(place, &network.prefix);
        let address = address.map_err(Failure::world)?;
        let kind = match place.branch {
            Branch::Receive => "receive",
            Branch::Change => "change",
            Branch::Extra => "extra",
        };
        let (received, unspent) = (sums.received_sats, sums.unspent_sats);
        rows.push(json!({
            "address": address.to_string(), "path": place.to_string(), "kind": kind,
            "payments": sums.payments, "received_sats": received, "unspent_sats": unspent,
        }));
        let (received, unspent) = (Amount::from_sat(received), Amount::from_sat(unspent));
        let of_it = match sums.payments {
            0 => "not paid yet".to_owned(),
            _ => format!("received {received}, unspent {unspent}"),
        };
        text.push_str(&format!("{address}  {kind:<7}  {of_it}\n"));
    }
    match is_json {
        true => print(&format!("{:#}\n", Value::Array(rows))),
        false => print(&text),
    }
}

/// `history`.
pub fn history(opened: &Opened, news: &News, limit: usize, is_json: bool) -> Result<(), Failure> {
    let (known, waiting) = (opened.wallet.ledger.entries(), &news.outlook.waiting);
    let all: Vec<&Entry> = known.iter().chain(waiting).collect();
    let latest = &all[all.len().saturating_sub(limit)..];
    let prefix = &opened.contents.network.prefix;
    if is_json {
        let rows: Vec<Value> = latest
            .iter()
            .map(|entry| row(entry, news, prefix))
            .collect();
        return print(&format!("{:#}\n", Value::Array(rows)));
    }
    let mut text = String::new();
    for entry in latest {
        let confirmations = match confirmations(entry, news) {
            0 => "unconfirmed".to_owned(),
            1 => "1 confirmation".to_owned(),
            many => format!("{many} confirmations"),
        };
        let fee = entry
            .fee
            .map_or(String::new(), |fee| format!("  fee {fee}"));
        let net = net(entry);
        let (kind, txid) = (kind(entry), entry.txid);
        text.push_str(&format!("{txid}  {kind:<8}  {net}{fee}  {confirmations}\n"));
    }
    match text.is_empty() {
        true => print("nothing yet\n"),
        false => print(&text),
    }
}

fn row(entry: &Entry, news: &News, prefix: &str) -> Value {
    let received = i128::from(entry.received.to_sat());
    let net = i64::try_from(received - i128::from(entry.spent.to_sat())).unwrap_or(i64::MAX);
    let paid_to = entry.paid_to.iter().filter_map(|(key, amount)| {
        let address = Address::new(prefix, *key).ok()?.to_string();
        Some(json!({"address": address, "amount_sats": amount.to_sat()}))
    });
    json!({
        "txid": entry.txid.to_string(),
        "kind": kind(entry),
        "net_sats": net,
        "fee_sats": entry.fee.map(Amount::to_sat),
        "confirmations": confirmations(entry, news),
        "height": entry.height.map(|height| height.0),
        "time_s": entry.height.map(|_| entry.time_s),
        "paid_to": paid_to.collect::<Vec<_>>(),
    })
}

/// What came in less what went out, the fee included.
fn net(entry: &Entry) -> String {
    match entry.received.checked_sub(entry.spent) {
        Some(gain) => format!("+{gain}"),
        None => {
            let loss = entry.spent.checked_sub(entry.received);
            format!("-{}", loss.unwrap_or(Amount::ZERO))
        }
    }
}

const fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry {
            is_coinbase: true, ..
        } => "mined",
        Entry {
            spent: Amount::ZERO,
            ..
        } => "received",
        _ if entry.paid_to.is_empty() && entry.fee.is_some() => "moved",
        _ => "sent",
    }
}

fn confirmations(entry: &Entry, news: &News) -> u32 {
    entry.height.map_or(0, |height| {
        news.tip.saturating_since(height).saturating_add(1)
    })
}
