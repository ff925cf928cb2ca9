//! `devnet send`: a payment from one of the network's accounts.

use std::time::{Duration, Instant};

use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::Draft;
use serde::Serialize;

use super::{NameArgs, OutputArgs};
use crate::clock::{parse_duration, spell_duration};
use crate::exit::{Exit, Failure};
use crate::faults::Live;
use crate::faults::live::Layout;
use crate::probe::NodeAddress;
use crate::run::access::Http;
use crate::run::payments::holdings::{self, Holdings};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet send --from alice --to bob --amount 1.5
  devnet send --from alice --to bob --amount 1.5 --wait 1     until it is in a block
  devnet send --from faucet --to mini1p… --amount 20 --node observer-0

`devnet accounts` lists accounts and what they own. Exit code 1 if the account has
too little, the node refuses the payment, or it was not confirmed in time.";

/// Between two looks at whether a payment is confirmed.
const PAUSE: Duration = Duration::from_millis(250);

/// Pay from one of the network's accounts
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Account that pays
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) from: String,

    /// Account or address that is paid
    #[arg(long, value_name = "ACCOUNT|ADDRESS")]
    pub(super) to: String,

    /// How many coins, such as 1.5
    #[arg(long, value_name = "COINS", value_parser = amount)]
    pub(super) amount: Amount,

    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// How to pay.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HowArgs {
    /// Base units a virtual byte; the least the node takes if not given
    #[arg(long, value_name = "RATE", value_parser = rate)]
    fee_rate: Option<FeeRate>,

    /// Hand it to this node; to the first that answers if not given
    #[arg(long, value_name = "NODE")]
    node: Option<String>,

    /// Wait until it has so many confirmations
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    wait: u64,

    /// Wait at most this long
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    timeout: Duration,

    #[command(flatten)]
    network: NameArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Who pays whom.
pub(super) struct Order<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub amount: Amount,
}

/// A node, and what it says of the accounts.
pub(super) struct Asked {
    pub node: NodeAddress,
    pub holdings: Holdings,
}

/// What is answered with `--json`. Amounts are whole base units.
#[derive(Serialize)]
struct Report {
    txid: String,
    from: String,
    to: String,
    address: String,
    amount_sats: u64,
    fee_sats: u64,
    node: String,
    confirmations: u64,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let order = Order {
        from: &args.from,
        to: &args.to,
        amount: args.amount,
    };
    pay(world, &order, &args.how).await
}

/// Pays, waits if that was asked for, and tells.
pub(super) async fn pay(world: &World, order: &Order<'_>, how: &HowArgs) -> Result<Exit, Failure> {
    let live = Live::attach(world, &how.network.name).await?;
    let Asked { node, holdings } = look(&live.layout(), how.node.as_deref()).await?;
    let to = whom(&holdings, order.to)?;
    let draft = draft(&holdings, order, &to, how)?;
    let sent = holdings::hand_in(&Http, &node, &draft.transaction).await;
    let txid = sent
        .map_err(|why| Failure::failed(format!("{} {why}", node.name)).next("Nothing was paid."))?;
    let confirmations = match how.wait {
        0 => 0,
        wanted => wait(world, &node, &draft, wanted, how.timeout).await?,
    };
    let report = Report {
        txid,
        from: order.from.to_owned(),
        to: order.to.to_owned(),
        address: to.to_string(),
        amount_sats: draft.amount.to_sat(),
        fee_sats: draft.fee.to_sat(),
        node: node.name,
        confirmations,
    };
    world.console.answer(&report)?;
    let depth = match confirmations {
        0 => String::new(),
        1 => ", 1 confirmation".to_owned(),
        many => format!(", {many} confirmations"),
    };
    world.console.say(&format!(
        "{} paid {} to {} through {}, fee {}{depth}\n{}",
        report.from, draft.amount, report.to, report.node, draft.fee, report.txid
    ));
    Ok(Exit::Success)
}

/// What a node says of the accounts: the one that is named, or the first that
/// answers.
pub(super) async fn look(layout: &Layout, wanted: Option<&str>) -> Result<Asked, Failure> {
    let genesis = layout.blueprint.genesis.as_ref();
    let genesis =
        genesis.ok_or_else(|| Failure::bad_input("the network's plan has no genesis file"))?;
    let nodes: Vec<&NodeAddress> = match wanted {
        None => layout.nodes.iter().collect(),
        Some(name) => vec![layout.address(name).ok_or_else(|| {
            let there_are = layout.roster().join(", ");
            Failure::bad_input(format!("there is no node `{name}`; there are {there_are}"))
        })?],
    };
    let mut why = "the network has no nodes".to_owned();
    for node in nodes {
        match Holdings::look(&Http, node, genesis).await {
            Ok(holdings) => {
                return Ok(Asked {
                    node: node.clone(),
                    holdings,
                });
            }
            Err(error) => why = format!("{} {error}", node.name),
        }
    }
    let network = &layout.blueprint.name;
    Err(
        Failure::failed(format!("no node tells what accounts own: {why}")).next(format!(
            "`devnet status --name {network}` shows how they are."
        )),
    )
}

fn whom(holdings: &Holdings, name: &str) -> Result<Address, Failure> {
    if let Some(account) = holdings.find(name) {
        return Ok(account.address.clone());
    }
    Address::parse(&holdings.prefix, name).map_err(|why| {
        let names = names(holdings);
        Failure::bad_input(format!(
            "`{name}` is neither an account (there are {names}) nor an address: {why}"
        ))
    })
}

fn draft(
    holdings: &Holdings,
    order: &Order<'_>,
    to: &Address,
    how: &HowArgs,
) -> Result<Draft, Failure> {
    let payer = holdings.find(order.from).ok_or_else(|| {
        let names = names(holdings);
        Failure::bad_input(format!(
            "there is no account `{}` with a public seed; there are {names}",
            order.from
        ))
    })?;
    let least = holdings.min_fee_rate;
    let rate = how.fee_rate.unwrap_or(least);
    if rate < least {
        return Err(Failure::bad_input(format!(
            "--fee-rate {rate} is below the least the node takes, {least}"
        )));
    }
    let draft = payer.pay(to, order.amount, rate);
    draft.map_err(|why| Failure::failed(format!("{} cannot pay: {why}", order.from)))
}

async fn wait(
    world: &World,
    node: &NodeAddress,
    draft: &Draft,
    wanted: u64,
    timeout: Duration,
) -> Result<u64, Failure> {
    let stage = world.console.stage("confirm", "waiting for blocks");
    let began = Instant::now();
    while began.elapsed() < timeout {
        let known = holdings::confirmations(&Http, node, &draft.transaction).await;
        match known {
            Ok(Some(confirmations)) if confirmations >= wanted => {
                stage.done(&format!("{confirmations} of {wanted}"));
                return Ok(confirmations);
            }
            Ok(Some(confirmations)) => stage.waiting(&format!("{confirmations} of {wanted}")),
            // All of it may be spent again already, or a branch come between.
            Ok(None) => stage.waiting("the node knows no unspent output of it"),
            // It may be on its way back.
            Err(why) => stage.waiting(&format!("{} {why}", node.name)),
        }
        tokio::time::sleep(PAUSE).await;
    }
    stage.failed("not confirmed in time");
    Err(Failure::failed(format!(
        "the payment {} was handed to {}, and has no {wanted} confirmations after {}",
        draft.transaction.txid(),
        node.name,
        spell_duration(timeout)
    ))
    .next("It goes on waiting there; `--timeout` waits longer."))
}

fn names(holdings: &Holdings) -> String {
    let names: Vec<&str> = holdings
        .accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

pub(super) fn amount(text: &str) -> Result<Amount, String> {
    let amount: Amount = text.parse().map_err(|why| format!("{why}"))?;
    match amount.is_in_range() && amount > Amount::ZERO {
        true => Ok(amount),
        false => Err("more than 0 and at most 21 million coins can be paid".to_owned()),
    }
}

fn rate(text: &str) -> Result<FeeRate, String> {
    text.parse().map_err(|why| format!("{why}"))
}
