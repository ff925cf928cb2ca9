//! `minichain wallet send`.

use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::hash::Txid;
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::{Draft, Sum};
use serde_json::json;

use super::file::Opened;
use super::follow::{News, Node};
use super::{NodeArgs, rate};
use crate::cli::print;
use crate::exit::Failure;
use crate::wallet::random;

/// Between two looks at whether a payment is confirmed.
const PAUSE: Duration = Duration::from_millis(500);

/// What to pay whom.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The address to pay.
    address: String,
    /// How many coins, such as 1.5, or `all`.
    #[arg(value_parser = sum)]
    amount: Sum,
    /// Base units a virtual byte; the node's least if not given.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    fee_rate: Option<FeeRate>,
    /// The fee goes off the amount, instead of on top.
    #[arg(long)]
    fee_included: bool,
    /// Do not ask; nothing is asked either where standard input is no terminal.
    #[arg(long)]
    yes: bool,
    /// Wait until the payment has so many confirmations, as long as --timeout says.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    wait: u32,
    #[command(flatten)]
    on: NodeArgs,
}

/// Pays.
pub fn run(args: &SendArgs) -> Result<(), Failure> {
    let mut opened = Opened::open(&args.on.own)?;
    let prefix = &opened.contents.network.prefix;
    let to = Address::parse(prefix, &args.address)
        .map_err(|why| Failure::bad_input(format!("{:?}: {why}", args.address)))?;
    let node = Node::new(&args.on.reach)?;
    let news = node.follow(&mut opened)?;
    let draft = draft(args, &opened, &news, &to)?;
    if !args.yes && std::io::stdin().is_terminal() && !is_agreed(&draft, &to)? {
        opened.save()?;
        return Err(Failure::No("nothing was sent".to_owned()));
    }
    // The change's key is on disk before the payment is out.
    if let Some(place) = draft.change_place {
        opened
            .wallet
            .keyring
            .note_paid(place)
            .map_err(Failure::world)?;
    }
    opened.save()?;
    let txid = node.send(&draft.transaction)?;
    tell(args, &draft, &to, &txid)?;
    if args.wait > 0 {
        wait(args, &node, &mut opened, draft.transaction.txid())?;
        opened.save()?;
    }
    Ok(())
}

fn draft(args: &SendArgs, opened: &Opened, news: &News, to: &Address) -> Result<Draft, Failure> {
    let rate = args.fee_rate.unwrap_or(news.min_fee_rate);
    if rate < news.min_fee_rate {
        return Err(Failure::bad_input(format!(
            "--fee-rate {rate} is below the least the node takes, {}",
            news.min_fee_rate
        )));
    }
    let sum = match args.amount {
        Sum::Exactly(amount) if args.fee_included => Sum::FeeIncluded(amount),
        sum => sum,
    };
    let draft = opened.wallet.pay(&news.outlook, to, sum, rate, &random()?);
    draft.map_err(|why| {
        let sums = news.outlook.balance();
        let others = sums.unconfirmed.checked_sub(sums.change);
        let others = others.unwrap_or(Amount::ZERO);
        let hint = match (others, sums.immature) {
            (Amount::ZERO, Amount::ZERO) => String::new(),
            (others, immature) => {
                format!("; {others} wait for their block and {immature} have to mature")
            }
        };
        Failure::No(format!("cannot pay: {why}{hint}"))
    })
}

fn is_agreed(draft: &Draft, to: &Address) -> Result<bool, Failure> {
    let question = format!(
        "Pay {} to {to}, with a fee of {}? [y/N] ",
        draft.amount, draft.fee
    );
    let failed = |why: std::io::Error| Failure::world(format!("cannot ask: {why}"));
    let mut screen = std::io::stderr();
    screen.write_all(question.as_bytes()).map_err(failed)?;
    screen.flush().map_err(failed)?;
    let mut answer = String::new();
    let input = std::io::stdin();
    input.lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn tell(args: &SendArgs, draft: &Draft, to: &Address, txid: &str) -> Result<(), Failure> {
    if args.on.own.json {
        let answer = json!({
            "txid": txid,
            "to": to.to_string(),
            "amount_sats": draft.amount.to_sat(),
            "fee_sats": draft.fee.to_sat(),
            "change_sats": draft.change.map(Amount::to_sat),
            "vsize": draft.transaction.vsize(),
        });
        return print(&format!("{answer:#}\n"));
    }
    print(&format!(
        "paid {} to {to}, fee {}\n{txid}\n",
        draft.amount, draft.fee
    ))
}

fn wait(args: &SendArgs, node: &Node, opened: &mut Opened, txid: Txid) -> Result<(), Failure> {
    let began = Instant::now();
    let patience = Duration::from_secs(args.on.reach.timeout);
    while began.elapsed() < patience {
        let tip = node.follow(opened)?.tip;
        let mut entries = opened.wallet.ledger.entries().iter();
        let height = entries
            .find(|entry| entry.txid == txid)
            .and_then(|entry| entry.height);
        let confirmations = height.map_or(0, |at| tip.saturating_since(at).saturating_add(1));
        if confirmations >= args.wait {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    opened.save()?;
    Err(Failure::No(format!(
        "the payment is sent, and has no {} confirmations after {} s; see `minichain wallet history`",
        args.wait, args.on.reach.timeout
    )))
}

fn sum(text: &str) -> Result<Sum, String> {
    if text == "all" {
        return Ok(Sum::All);
    }
    let amount: Amount = text.parse().map_err(|why| format!("{why}"))?;
    match amount {
        Amount::ZERO => Err("nothing to pay: write an amount above 0, or `all`".to_owned()),
        amount if !amount.is_in_range() => Err("more than there can ever be".to_owned()),
        amount => Ok(Sum::Exactly(amount)),
    }
}
