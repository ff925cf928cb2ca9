//! `minichain wallet`: keys in a sealed file, against any node's JSON-RPC.

use clap::{Args, Subcommand};
use minichain_chain::height::Height;
use minichain_wallet::contents::Contents;
use minichain_wallet::ledger::Ledger;
use minichain_wallet::phrase::Phrase;
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::Wallet;
use serde_json::json;
use zeroize::Zeroizing;

use self::file::{Opened, Secret};
use self::follow::Node;
use crate::exit::Failure;
use crate::reach::ReachArgs;
use crate::wallet::random;

mod file;
mod follow;
mod pace;
mod send;
mod show;

/// Shown behind the list of commands.
pub const AFTER_HELP: &str = "\
Examples, with a node that runs with --port 8999:
  minichain wallet new --port 8999                        asks for a password, prints 24 words
  minichain wallet address --port 8999                    where to be paid
  minichain wallet balance --port 8999 --json
  minichain wallet send --port 8999 ADDRESS 1.5 --yes
  minichain wallet history --port 8999
  minichain wallet export > words.txt                     the phrase is the whole backup
  minichain wallet import --port 8999 --wallet other.wallet < words.txt

The password comes from --password-file, else from the variable
MINICHAIN_WALLET_PASSWORD, else it is asked for; it is never an argument. Keys are
those of BIP39 and BIP86 at m/86'/1'/0', so that other wallets find them too.

Exit codes: 0 done; 1 no (wrong password, too little money, refused, not
confirmed); 2 bad arguments or a file that is no wallet; 3 the world broke (the
disk, the node is not reached).";

/// Commands of a wallet.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a wallet with fresh keys, and print the phrase they follow from.
    New(NewArgs),
    /// Make a wallet from a phrase, read from a terminal without echo or from standard input.
    Import(ImportArgs),
    /// Print the phrase; whoever reads it owns the coins.
    Export(OwnArgs),
    /// Print an address that nobody has paid yet.
    Address(AddressArgs),
    /// Print every address given out, and what it was paid.
    List(NodeArgs),
    /// Print what there is to spend, what waits and what has to mature.
    Balance(NodeArgs),
    /// Pay an address.
    Send(send::SendArgs),
    /// Print what was earned and paid, latest last.
    History(HistoryArgs),
}

/// Which wallet.
#[derive(Debug, Args)]
pub struct OwnArgs {
    /// The wallet's file.
    #[arg(
        long,
        value_name = "FILE",
        env = "MINICHAIN_WALLET",
        default_value = "minichain.wallet"
    )]
    wallet: std::path::PathBuf,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<std::path::PathBuf>,
    /// Answer with JSON; amounts are whole base units.
    #[arg(long)]
    json: bool,
}

/// Which wallet, and which node to ask.
#[derive(Debug, Args)]
pub struct NodeArgs {
    #[command(flatten)]
    own: OwnArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

/// How to make a wallet.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Words of the phrase: 12 or 24.
    #[arg(long, default_value_t = 24, value_parser = words)]
    words: usize,
    #[command(flatten)]
    on: NodeArgs,
}

/// How to bring a wallet back.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Height of the first block that may pay it; earlier ones are not looked at.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    birthday: u32,
    #[command(flatten)]
    on: NodeArgs,
}

/// Which address.
#[derive(Debug, Args)]
pub struct AddressArgs {
    /// A further one, though the last still waits for its first payment.
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    on: NodeArgs,
}

/// How much of it.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The latest so many only.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    #[command(flatten)]
    on: NodeArgs,
}

/// Blocks below the tip that a fresh wallet still looks through, in case the
/// chain takes another branch.
const BIRTHDAY_MARGIN: u32 = 100;

/// Carries a command out.
pub fn run(command: &WalletCommand) -> Result<(), Failure> {
    match command {
        WalletCommand::New(args) => new(args),
        WalletCommand::Import(args) => import(args),
        WalletCommand::Export(args) => export(args),
        WalletCommand::Address(args) => address(args),
        WalletCommand::List(args) => with_news(args, |opened, _| {
            show::addresses(&opened.contents.network, &opened.wallet, args.own.json)
        }),
        WalletCommand::Balance(args) => with_news(args, |_, node| {
            show::balance(&node.outlook.balance(), args.own.json)
        }),
        WalletCommand::Send(args) => send::run(args),
        WalletCommand::History(args) => with_news(&args.on, |opened, node| {
            let limit = args.limit.unwrap_or(usize::MAX);
            show::history(opened, node, limit, args.on.own.json)
        }),
    }
}

/// Opens the wallet, takes in what is new, saves it, and shows something.
fn with_news(
    args: &NodeArgs,
    show: impl FnOnce(&Opened, &follow::News) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut opened = Opened::open(&args.own)?;
    let node = Node::new(&args.reach)?;
    let news = node.follow(&mut opened)?;
    opened.save()?;
    show(&opened, &news)
}

fn new(args: &NewArgs) -> Result<(), Failure> {
    file::refuse_existing(&args.on.own.wallet)?;
    let node = Node::new(&args.on.reach)?;
    let birthday = node.tip_height()?.saturating_sub(BIRTHDAY_MARGIN);
    let entropy = Zeroizing::new(random::<32>()?);
    // 4 bytes make 3 words.
    let phrase = Phrase::from_entropy(&entropy[..args.words / 3 * 4]).map_err(Failure::world)?;
    make(&args.on, &node, phrase, birthday, true)
}

fn import(args: &ImportArgs) -> Result<(), Failure> {
    file::refuse_existing(&args.on.own.wallet)?;
    let node = Node::new(&args.on.reach)?;
    let phrase = Phrase::parse(&file::read_phrase()?).map_err(Failure::bad_input)?;
    make(&args.on, &node, phrase, args.birthday, false)
}

fn make(
    args: &NodeArgs,
    node: &Node,
    phrase: Phrase,
    birthday: u32,
    is_new: bool,
) -> Result<(), Failure> {
    let contents = Contents {
        phrase,
        network: node.network()?,
        birthday: Height(birthday),
        used: [0; 2],
        ledger: Ledger::default(),
    };
    let mut wallet = Wallet::of_contents(&contents).map_err(Failure::world)?;
    let place = wallet.keyring.next_receive().map_err(Failure::world)?;
    let address = wallet.keyring.address(place, &contents.network.prefix);
    let address = address.map_err(Failure::world)?.to_string();
    let secret = Secret::for_new_file(&args.own)?;
    let opened = Opened::create(&args.own, contents, wallet, &secret)?;
    let words = opened.contents.phrase.words();
    let words = is_new.then_some(words.as_str());
    let (file, network) = (args.own.wallet.display(), &opened.contents.network.name);
    if args.own.json {
        let mut answer = json!({
            "file": file.to_string(), "network": network, "address": address,
        });
        if let Some(words) = words {
            answer["phrase"] = json!(words);
        }
        return super::print(&format!("{answer:#}\n"));
    }
    let words = words.map_or(String::new(), |words| {
        format!(
            "These words are the whole wallet. Write them down; nobody can bring them back:\n\n  \
             {words}\n\n"
        )
    });
    super::print(&format!(
        "{words}Wallet {file} of network {network}\nFirst address: {address}\n"
    ))
}

fn export(args: &OwnArgs) -> Result<(), Failure> {
    let opened = Opened::open(args)?;
    let words = opened.contents.phrase.words();
    if args.json {
        let answer = json!({
            "phrase": words.as_str(),
            "path": minichain_wallet::keyring::ACCOUNT_PATH,
            "network": opened.contents.network.name,
        });
        return super::print(&format!("{answer:#}\n"));
    }
    super::print(&format!("{}\n", words.as_str()))
}

fn address(args: &AddressArgs) -> Result<(), Failure> {
    let mut opened = Opened::open(&args.on.own)?;
    let node = Node::new(&args.on.reach)?;
    node.follow(&mut opened)?;
    let keyring = &mut opened.wallet.keyring;
    let place = match keyring.waiting_receive().filter(|_| !args.new) {
        Some(place) => place,
        None => keyring
            .next_receive()
            .map_err(|why| Failure::No(why.to_string()))?,
    };
    let address = keyring.address(place, &opened.contents.network.prefix);
    let address = address.map_err(Failure::world)?.to_string();
    // On disk before anybody can pay it.
    opened.save()?;
    if args.on.own.json {
        let answer = json!({"address": address, "path": place.to_string()});
        return super::print(&format!("{answer:#}\n"));
    }
    super::print(&format!("{address}\n"))
}

fn words(text: &str) -> Result<usize, String> {
    match text {
        "12" => Ok(12),
        "24" => Ok(24),
        _ => Err("12 or 24".to_owned()),
    }
}

fn rate(text: &str) -> Result<FeeRate, String> {
    text.parse().map_err(|why| format!("{why}"))
}
