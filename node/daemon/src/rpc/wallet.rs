//! Methods of the node's own wallet.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use minichain_api::rpc::{
    Balances, MineBalances, RpcError, TipInfo, UnspentInfo, WalletInfo, code,
};
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::transaction::Transaction;
use minichain_wallet::keyring::GAP_LIMIT;
use minichain_wallet::ledger::Ledger;
use minichain_wallet::pending::{Chain, Coin, CoinState, Outlook};
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::{PayError, Sum, Wallet};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::server::internal;
use super::{Context, error, find, raw, render, transactions};
use crate::driver::View;
use crate::wallet::{Opened, random};

/// Confirmations that `listunspent` asks for unless told.
const MINCONF: u32 = 1;
const MAXCONF: u32 = 9_999_999;

/// The wallet, with all blocks and waiting transactions taken in.
struct Current<'a> {
    wallet: Opened<'a>,
    outlook: Outlook,
    tip: Tip,
}

#[derive(Clone, Copy)]
struct Tip {
    height: Height,
    hash: BlockHash,
    min_fee_rate: FeeRate,
}

/// `getbalance`.
pub async fn balance(context: &Context, arguments: &Arguments) -> Result<f64, RpcError> {
    if !matches!(arguments.text(0)?, None | Some("" | "*")) {
        let why = "dummy can only be \"*\": there is one wallet with one account";
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let minconf = arguments.u32(1)?.unwrap_or_default();
    arguments.bool(2)?;
    arguments.bool(3)?;
    let current = current(context).await?;
    let coins = current.outlook.spendable(minconf == 0);
    let deep = coins.filter(|coin| current.confirmations(coin) >= minconf);
    let sum = Amount::checked_sum(deep.map(|coin| coin.value));
    Ok(render::coins(sum.unwrap_or(Amount::MAX_MONEY)))
}

/// `getbalances`.
pub async fn balances(context: &Context) -> Result<Balances, RpcError> {
    let current = current(context).await?;
    let sums = current.outlook.balance();
    let pending = sums.unconfirmed.checked_sub(sums.change);
    Ok(Balances {
        mine: MineBalances {
            trusted: render::coins(sums.spendable()),
            untrusted_pending: render::coins(pending.unwrap_or(Amount::ZERO)),
            immature: render::coins(sums.immature),
        },
        lastprocessedblock: current.tip.info(),
    })
}

/// `getwalletinfo`.
pub async fn info(context: &Context) -> Result<WalletInfo, RpcError> {
    let current = current(context).await?;
    let (known, waiting) = (current.wallet.ledger.entries(), &current.outlook.waiting);
    Ok(WalletInfo {
        walletname: String::new(),
        walletversion: 1,
        format: "key file".to_owned(),
        txcount: (known.len() + waiting.len()) as u64,
        keypoolsize: GAP_LIMIT,
        paytxfee: 0.0,
        private_keys_enabled: true,
        avoid_reuse: false,
        scanning: false,
        descriptors: false,
        external_signer: false,
        blank: false,
        flags: Vec::new(),
        lastprocessedblock: current.tip.info(),
    })
}

/// `getnewaddress`.
pub async fn new_address(context: &Context, arguments: &Arguments) -> Result<String, RpcError> {
    arguments.text(0)?;
    match arguments.text(1)? {
        None | Some("bech32m") => {}
        Some(other) => {
            let why = format!("address type {other:?} is not known; bech32m is the only one");
            return Err(error(code::INVALID_ADDRESS_OR_KEY, why));
        }
    }
    let mut wallet = context.wallet.open().await.map_err(broken)?;
    let place = wallet.keyring.next_receive_beyond_gap().map_err(broken)?;
    // On disk before anybody can pay it.
    context.wallet.remember(&wallet).map_err(broken)?;
    let address = wallet
        .keyring
        .address(place, &context.params.address_prefix);
    Ok(address.map_err(broken)?.to_string())
}

/// What `listunspent` may be asked for besides.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct QueryOptions {
    minimum_amount: Option<Value>,
    maximum_amount: Option<Value>,
    maximum_count: Option<usize>,
    #[serde(rename = "include_immature_coinbase")]
    include_immature_coinbase: bool,
}

/// `listunspent`.
pub async fn list_unspent(
    context: &Context,
    arguments: &Arguments,
) -> Result<Vec<UnspentInfo>, RpcError> {
    let minconf = arguments.u32(0)?.unwrap_or(MINCONF);
    let maxconf = arguments.u32(1)?.unwrap_or(MAXCONF);
    let addresses = arguments.decoded_or_none::<Vec<String>>(2)?;
    let addresses = addresses.map(|texts| known(context, &texts)).transpose()?;
    let with_unsafe = arguments.bool(3)?.unwrap_or(true);
    let options: QueryOptions = arguments.decoded_or_none(4)?.unwrap_or_default();
    let least = bound(options.minimum_amount.as_ref())?.unwrap_or(Amount::ZERO);
    let most = bound(options.maximum_amount.as_ref())?.unwrap_or(Amount::MAX_MONEY);
    let current = current(context).await?;
    let prefix = &context.params.address_prefix;
    let mut found = Vec::new();
    for coin in &current.outlook.coins {
        let confirmations = current.confirmations(coin);
        let is_safe = coin.state != CoinState::Unconfirmed;
        let is_wanted = (minconf..=maxconf).contains(&confirmations)
            && (with_unsafe || is_safe)
            && (options.include_immature_coinbase || coin.state != CoinState::Immature)
            && (least..=most).contains(&coin.value);
        if !is_wanted {
            continue;
        }
        let address = current.wallet.keyring.address(coin.place, prefix);
        let address = address.map_err(broken)?;
        if addresses
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&address))
        {
            found.push(unspent(coin, &address, confirmations));
        }
    }
    found.truncate(options.maximum_count.unwrap_or(usize::MAX));
    Ok(found)
}

fn unspent(coin: &Coin, address: &Address, confirmations: u32) -> UnspentInfo {
    UnspentInfo {
        txid: coin.outpoint.txid.to_string(),
        vout: coin.outpoint.vout,
        address: address.to_string(),
        label: String::new(),
        script_pub_key: hex::encode(address.script_pubkey().as_bytes()),
        amount: render::coins(coin.value),
        confirmations,
        spendable: true,
        solvable: true,
        safe: coin.state != CoinState::Unconfirmed,
    }
}

/// `sendtoaddress`.
pub async fn send_to_address(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let to = raw::address(context, arguments, 0)?;
    let amount = amount(&arguments.decoded::<Value>(1)?)?;
    for ignored in [2, 3, 7] {
        arguments.text(ignored)?;
    }
    let sum = match arguments.bool(4)?.unwrap_or(false) {
        true => Sum::FeeIncluded(amount),
        false => Sum::Exactly(amount),
    };
    for ignored in [5, 8] {
        arguments.bool(ignored)?;
    }
    arguments.u32(6)?;
    let wanted = arguments.decoded_or_none::<Value>(9)?;
    let mut current = current(context).await?;
    let rate = rate(wanted.as_ref(), current.tip.min_fee_rate)?;
    let noise = random().map_err(broken)?;
    let draft = current.wallet.pay(&current.outlook, &to, sum, rate, &noise);
    let draft = draft.map_err(|why| unpayable(&why))?;
    // The wallet stays locked until the coins are spent in the mempool too.
    let sent = transactions::hand_in(context, draft.transaction).await;
    let txid = sent.map_err(|why| error(code::WALLET, why.message))?;
    if let Some(place) = draft.change_place {
        current.wallet.keyring.note_paid(place).map_err(broken)?;
        context.wallet.remember(&current.wallet).map_err(broken)?;
    }
    Ok(match arguments.bool(10)?.unwrap_or(false) {
        true => json!({"txid": txid, "fee_reason": "Fallback fee"}),
        false => txid.into(),
    })
}

/// Takes in what happened since the last call.
async fn current(context: &Context) -> Result<Current<'_>, RpcError> {
    let mut wallet = context.wallet.open().await.map_err(broken)?;
    loop {
        let seen: Vec<_> = wallet.ledger.seen().collect();
        let news = context.look(move |view| news(view, &seen)).await??;
        match news.fork {
            Some(fork) => wallet.ledger.rewind(fork),
            None => wallet.ledger = Ledger::default(),
        }
        for (height, hash, block) in &news.blocks {
            wallet.apply(block, *height).map_err(broken)?;
            wallet.ledger.note_seen(*height, *hash);
        }
        if let Some((tip, waiting)) = news.end {
            let outlook = outlook(context, &wallet, tip, &waiting);
            return Ok(Current {
                wallet,
                outlook,
                tip,
            });
        }
    }
}

/// Blocks that are new, as many as one look has time for.
struct News {
    /// The last block seen that still is on the chain.
    fork: Option<Height>,
    blocks: Vec<(Height, BlockHash, Arc<Block>)>,
    /// With the last block: the tip, and what waits.
    end: Option<(Tip, Vec<Arc<Transaction>>)>,
}

fn news(view: &View<'_>, seen: &[(Height, BlockHash)]) -> Result<News, RpcError> {
    let (state, mempool) = (view.node.state(), view.node.mempool());
    let began = Instant::now();
    let mut active = seen.iter().filter(|(_, hash)| state.is_active(hash));
    let fork = active.next().map(|(height, _)| *height);
    let mut news = News {
        fork,
        blocks: Vec::new(),
        end: None,
    };
    let mut next = fork.map_or(0, |height| height.0.saturating_add(1));
    while let Some(hash) = state.active_at(Height(next)) {
        if began.elapsed() >= find::LOOK {
            return Ok(news);
        }
        let block = state.block(&hash).map_err(internal)?;
        let block = block.ok_or_else(|| internal("a block of the active chain has no body"))?;
        news.blocks.push((Height(next), hash, block));
        next += 1;
    }
    let tip = Tip {
        height: state.tip().height,
        hash: state.tip().hash,
        min_fee_rate: FeeRate::from_sat_per_kvb(mempool.min_fee_rate_sat_per_kvb()),
    };
    let waiting = mempool.iter_by_arrival(0);
    news.end = Some((tip, waiting.map(|entry| Arc::clone(&entry.tx)).collect()));
    Ok(news)
}

fn outlook(context: &Context, wallet: &Wallet, tip: Tip, waiting: &[Arc<Transaction>]) -> Outlook {
    let chain = Chain {
        tip: tip.height,
        maturity: context.params.coinbase_maturity,
    };
    let waiting = waiting.iter().map(AsRef::as_ref);
    Outlook::new(&wallet.ledger, &wallet.keyring, waiting, chain)
}

impl Current<'_> {
    fn confirmations(&self, coin: &Coin) -> u32 {
        let above = |height| self.tip.height.saturating_since(height).saturating_add(1);
        coin.height.map_or(0, above)
    }
}

impl Tip {
    fn info(&self) -> TipInfo {
        TipInfo {
            hash: self.hash.to_string(),
            height: self.height.0,
        }
    }
}

fn known(context: &Context, texts: &[String]) -> Result<Vec<Address>, RpcError> {
    let parse = |text: &String| {
        Address::parse(&context.params.address_prefix, text)
            .map_err(|why| error(code::INVALID_ADDRESS_OR_KEY, format!("{text:?}: {why}")))
    };
    texts.iter().map(parse).collect()
}

/// An amount in coins, as a number or as text.
fn amount(value: &Value) -> Result<Amount, RpcError> {
    let amount = Amount::from_str(&digits(value)).map_err(|why| {
        let why = format!("amount {value}: {why}");
        error(code::TYPE, why)
    })?;
    if amount == Amount::ZERO || !amount.is_in_range() {
        let why = format!("amount {value} cannot be sent: more than 0, 21 million at most");
        return Err(error(code::TYPE, why));
    }
    Ok(amount)
}

fn bound(value: Option<&Value>) -> Result<Option<Amount>, RpcError> {
    let parse = |value: &Value| {
        Amount::from_str(&digits(value))
            .map_err(|why| error(code::TYPE, format!("amount {value}: {why}")))
    };
    value.map(parse).transpose()
}

fn rate(wanted: Option<&Value>, least: FeeRate) -> Result<FeeRate, RpcError> {
    let Some(value) = wanted else {
        return Ok(least);
    };
    let rate = FeeRate::from_str(&digits(value))
        .map_err(|why| error(code::INVALID_PARAMETER, format!("fee_rate {value}: {why}")))?;
    if rate < least {
        let why = format!("fee_rate {rate} is below the node's least, {least}");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    Ok(rate)
}

/// A number without an exponent, or text as it is.
fn digits(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(float)) => float.to_string(),
            (None, None) => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn unpayable(why: &PayError) -> RpcError {
    let code = match why {
        PayError::Dust(_) | PayError::Select(_) => code::INSUFFICIENT_FUNDS,
        PayError::Key(_) | PayError::Signing(_) => code::WALLET,
    };
    error(code, why.to_string())
}

fn broken(why: impl Display) -> RpcError {
    error(code::WALLET, why.to_string())
}
