//! The command line: arguments in, one call out, exit code back.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use minichain_api::config::{EXAMPLE, LogFormat};

use crate::db::{self, DbCommand};
use crate::exit::Failure;
use crate::{config, genesis, observe, reward, run};

mod rpc;
mod wallet;

const AFTER_HELP: &str = "\
Examples:
  The classic walk, one terminal each; the three find each other and agree:
    minichain --port 8999 --mine
    minichain --port 9000 --bootstrap 127.0.0.1:8999
    minichain --port 9001 --bootstrap 127.0.0.1:9000 --mine

  Ask a node:
    minichain rpc --port 8999 getblockchaininfo

  Keys and payments:
    minichain wallet new --port 8999
    minichain wallet send --port 8999 ADDRESS 1.5

  A configuration of one's own:
    minichain config example > node.yaml
    minichain config check node.yaml
    minichain --config node.yaml

Settings: command line over configuration (--config FILE, else the YAML in the
environment variable MINICHAIN_CONFIG) over defaults. With --port P and nothing
else, JSON-RPC listens on P + 10000, metrics on P + 20000, and the data folder
is minichain-data-P, so that several nodes share a machine.

Exit codes: 0 ended as asked, 2 bad arguments, configuration or genesis file,
3 the world broke (a port, the disk, the store), 101 a bug.";

/// The crates that a release build for Linux links.
const SBOM: &str = include_str!("../sbom.cdx.json");

const DB_HELP: &str = "\
Examples:
  Copy the chain of one node to another; both are stopped:
    minichain db export chain.bin --data-dir minichain-data-8999
    minichain db import chain.bin --data-dir minichain-data-9000

  Look whether all is well, with every rule and signature checked again:
    minichain db check --replay --data-dir minichain-data-8999

Exit codes: 0 done, 1 problems found or interrupted, 2 bad arguments or a file
that cannot be used, 3 the world broke (the disk, the store).";

/// A proof-of-work UTXO block chain node over libp2p.
#[derive(Debug, Parser)]
#[command(name = "minichain", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node (what happens without a sub-command).
    Run(Box<RunArgs>),
    /// Print or check a configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a network's rules or its genesis hash.
    #[command(subcommand)]
    Genesis(GenesisCommand),
    /// Check, compact, export or import the chain of a node that is stopped.
    #[command(subcommand, after_help = DB_HELP)]
    Db(DbCommand),
    Rpc(Box<rpc::RpcArgs>),
    /// Hold keys and pay: a wallet in a file of its own.
    #[command(subcommand, after_help = wallet::AFTER_HELP)]
    Wallet(Box<wallet::WalletCommand>),
    /// Print the reference of every metric a node exports (Markdown).
    Metrics,
    /// Print what this program is built of (CycloneDX JSON).
    Sbom,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print a commented configuration that shows every setting's default.
    Example,
    /// Check a configuration and the genesis file it names; exit code 2 if wrong.
    Check {
        /// The configuration (YAML).
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum GenesisCommand {
    /// Print a checked genesis file, defaults filled in.
    Show {
        /// The genesis file (YAML); the built-in network if absent.
        file: Option<PathBuf>,
    },
    /// Print the hash of the genesis block; two nodes of one network agree on it.
    Hash {
        /// The genesis file (YAML); the built-in network if absent.
        file: Option<PathBuf>,
    },
}

/// Settings given on the command line. Absent ones leave the configuration as
/// it is.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Configuration file (YAML); excludes reading MINICHAIN_CONFIG.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the chain, keys and peers.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Genesis file (YAML) of the network to join.
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// Name shown in logs and to peers.
    #[arg(long)]
    pub name: Option<String>,
    /// Address to listen on for peers.
    #[arg(long, value_name = "IP", help_heading = "Peers")]
    pub listen: Option<IpAddr>,
    /// TCP port to listen on for peers.
    #[arg(long, help_heading = "Peers")]
    pub port: Option<u16>,
    /// A peer to dial: host:port, ip:port or a multiaddr; may be repeated.
    #[arg(long, value_name = "ADDR", help_heading = "Peers")]
    pub bootstrap: Vec<String>,
    /// Connect to the bootstrap peers only.
    #[arg(long, help_heading = "Peers")]
    pub no_discovery: bool,
    /// Mine blocks.
    #[arg(long, help_heading = "Mining")]
    pub mine: bool,
    /// Hashes a second the miner is throttled to.
    #[arg(long, value_name = "H", help_heading = "Mining")]
    pub hash_rate: Option<f64>,
    /// Address that receives the rewards.
    #[arg(long, value_name = "ADDRESS", help_heading = "Mining")]
    pub mining_address: Option<String>,
    /// Address to serve JSON-RPC on.
    #[arg(long, value_name = "IP", help_heading = "JSON-RPC")]
    pub rpc_listen: Option<IpAddr>,
    /// TCP port to serve JSON-RPC on.
    #[arg(long, value_name = "PORT", help_heading = "JSON-RPC")]
    pub rpc_port: Option<u16>,
    /// User for HTTP basic authentication.
    #[arg(
        long,
        value_name = "USER",
        requires = "rpc_password",
        help_heading = "JSON-RPC"
    )]
    pub rpc_user: Option<String>,
    /// Its password; others here can read a command line, so prefer the configuration.
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "rpc_user",
        help_heading = "JSON-RPC"
    )]
    pub rpc_password: Option<String>,
    /// TCP port to serve metrics and health on.
    #[arg(long, value_name = "PORT", help_heading = "Observation")]
    pub metrics_port: Option<u16>,
    /// How log lines look: text or json.
    #[arg(
        long,
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Observation"
    )]
    pub log_format: Option<LogFormatArg>,
    /// Level (error to trace) or filter such as info,minichain_node::net=debug.
    #[arg(long, value_name = "FILTER", help_heading = "Observation")]
    pub log_filter: Option<String>,
}

/// [`LogFormat`] as clap reads it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormatArg {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl From<LogFormatArg> for LogFormat {
    fn from(arg: LogFormatArg) -> Self {
        match arg {
            LogFormatArg::Text => Self::Text,
            LogFormatArg::Json => Self::Json,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Clap itself ends with code 2 on bad arguments and 0 on --help.
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            // Not a log line: the logger may not exist yet, or be filtered.
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(std::io::stderr(), "minichain: {failure}");
            failure.code()
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let done = match cli.command {
        Some(Command::Rpc(args)) => return rpc::run(&args),
        Some(Command::Wallet(command)) => wallet::run(&command),
        None => run_node(&cli.run),
        Some(Command::Run(args)) => run_node(&args),
        Some(Command::Config(ConfigCommand::Example)) => print(EXAMPLE),
        Some(Command::Config(ConfigCommand::Check { file })) => check_config(&file),
        Some(Command::Metrics) => print(&observe::reference()),
        Some(Command::Sbom) => print(SBOM),
        Some(Command::Genesis(GenesisCommand::Show { file })) => show_genesis(file.as_deref()),
        Some(Command::Db(command)) => db::main(&command),
        Some(Command::Genesis(GenesisCommand::Hash { file })) => hash_genesis(file.as_deref()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn run_node(args: &RunArgs) -> Result<(), Failure> {
    let config = config::resolve(args, std::env::var_os(minichain_api::config::CONFIG_ENV))?;
    let params = genesis::params_for(&config)?;
    run::run(config, params)
}

fn check_config(file: &Path) -> Result<(), Failure> {
    let config = config::load_file(file)?;
    config::check(&config)?;
    let params = genesis::params_for(&config)?;
    reward::find(&config, &params)?;
    print(&format!(
        "{}: valid; network {}, genesis {}\n",
        file.display(),
        params.network,
        params.genesis_hash()
    ))
}

fn show_genesis(file: Option<&Path>) -> Result<(), Failure> {
    let genesis = genesis::load(file)?;
    genesis::params(&genesis)?;
    let yaml = serde_yaml::to_string(&genesis)
        .map_err(|error| Failure::bad_input(format!("cannot print the genesis file: {error}")))?;
    print(&format!("{}\n", yaml.trim_end()))
}

fn hash_genesis(file: Option<&Path>) -> Result<(), Failure> {
    let params = genesis::params(&genesis::load(file)?)?;
    print(&format!("{}\n", params.genesis_hash()))
}

/// Writes to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough, as with `| head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::world(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
