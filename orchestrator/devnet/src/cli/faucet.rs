//! `devnet faucet`: coins for an address, from the account of that name.

use minichain_chain::amount::Amount;

use super::send::{HowArgs, Order, amount, pay};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet faucet mini1p… 10              10 coins for that address
  devnet faucet bob 10 --wait 1         for an account, until it is in a block

A network whose topology names accounts of its own has a faucet only if one of
them is called `faucet`; `devnet send --from` pays from any.";

/// Account that pays.
const FAUCET: &str = "faucet";

/// Pay coins from the faucet account
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Address or account that is paid
    #[arg(value_name = "ADDRESS|ACCOUNT")]
    pub(super) to: String,

    /// How many coins, such as 1.5
    #[arg(value_name = "COINS", value_parser = amount)]
    pub(super) amount: Amount,

    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let order = Order {
        from: FAUCET,
        to: &args.to,
        amount: args.amount,
    };
    pay(world, &order, &args.how).await
}
