//! `devnet accounts`: who owns what.

use comfy_table::CellAlignment;
use minichain_chain::amount::Amount;
use serde::Serialize;

use super::report::{format_table, plain_table};
use super::send::{Asked, look};
use super::{NameArgs, OutputArgs};
use crate::exit::{Exit, Failure};
use crate::faults::Live;
use crate::run::payments::holdings::Holding;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet accounts                                    names, addresses and balances
  devnet accounts --node observer-0                  as that node sees them
  devnet accounts --json | jq '.accounts[0].address'

Accounts stand in the genesis file; their keys follow from the network's seed, so
everybody who has the file may spend their coins.";

/// List the network's accounts, with their addresses and balances
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Ask this node; the first that answers if not given
    #[arg(long, value_name = "NODE")]
    pub(super) node: Option<String>,

    #[command(flatten)]
    pub(super) network: NameArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What is answered with `--json`. Amounts are whole base units.
#[derive(Serialize)]
struct Report {
    node: String,
    height: u32,
    accounts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    address: String,
    confirmed_sats: u64,
    unconfirmed_sats: u64,
    immature_sats: u64,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let live = Live::attach(world, &args.network.name).await?;
    let Asked { node, holdings } = look(&live.layout(), args.node.as_deref()).await?;
    let report = Report {
        node: node.name,
        height: holdings.height,
        accounts: holdings.accounts.iter().map(row).collect(),
    };
    world.console.answer(&report)?;
    let mut table = plain_table(
        &world.console,
        &["ACCOUNT", "CONFIRMED", "UNCONFIRMED", "ADDRESS"],
    );
    for row in &report.accounts {
        let coins = |sats| Amount::from_sat(sats).to_string();
        table.add_row([
            row.name.clone(),
            coins(row.confirmed_sats),
            coins(row.unconfirmed_sats),
            row.address.clone(),
        ]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let (node, height) = (&report.node, report.height);
    world.console.say(&format!(
        "{}\n\nAs {node} sees them at height {height}.",
        format_table(table)
    ));
    Ok(Exit::Success)
}

fn row(account: &Holding) -> Row {
    let sums = account.balance();
    Row {
        name: account.name.clone(),
        address: account.address.to_string(),
        confirmed_sats: sums.confirmed.to_sat(),
        unconfirmed_sats: sums.unconfirmed.to_sat(),
        immature_sats: sums.immature.to_sat(),
    }
}
