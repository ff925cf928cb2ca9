//! The command line: one file for each verb, from arguments to a report.

mod accounts;
mod bandwidth;
mod bench;
mod check;
mod doctor;
mod down;
mod exporter;
mod faucet;
mod fault;
mod faults;
mod hashrate;
mod heal;
mod interrupts;
mod isolate;
mod latency;
mod logs;
mod loss;
mod ls;
mod metrics;
mod node;
mod partition;
mod report;
mod run;
mod schema;
mod send;
mod serve;
mod sim;
mod skew;
mod status;
mod top;
mod up;
mod wait;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use devnet_blueprint::topology::{DEFAULT_NAME, check_name};

use self::interrupts::Interrupts;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet up --nodes 3 --miners 2     bring up a network and wait until it is healthy
  devnet status                      how every node is
  devnet serve                       all of it in the browser, with controls
  devnet top                         the same live, with keys that hurt and heal
  devnet logs -f                     what the nodes say, merged in time order
  devnet kill miner-0 --for 30s      kill a node, prove it, start it again
  devnet partition --halves          cut it in two, and prove that it is cut
  devnet heal                        take every fault out
  devnet faucet ADDRESS 10           coins for a wallet; devnet accounts lists who has some
  devnet run two-way.yaml            a scenario on a network of its own, with a verdict
  devnet down                        remove the network with all it left

Exit codes: 0 done · 1 the answer is no (unhealthy, interrupted) · 2 bad arguments or topology ·
3 the world broke (daemon, disk, ports) · 4 a fault did not bite

State is kept in $DEVNET_STATE, else $XDG_STATE_HOME/devnet, else ~/.local/state/devnet.";

/// Brings up, watches and takes down networks of minichain nodes.
#[derive(Debug, Parser)]
#[command(name = "devnet", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Up(up::Args),
    Run(Box<run::Args>),
    Down(down::Args),
    Status(status::Args),
    Top(top::Args),
    Logs(logs::Args),
    Report(report::verb::Args),
    Ls(ls::Args),
    Doctor(doctor::Args),
    #[command(flatten)]
    Node(node::Verb),
    Partition(partition::Args),
    Isolate(isolate::Args),
    Latency(latency::Args),
    Loss(loss::Args),
    Bandwidth(bandwidth::Args),
    Skew(skew::Args),
    Hashrate(hashrate::Args),
    Heal(heal::Args),
    Faults(faults::Args),
    Accounts(accounts::Args),
    Send(send::Args),
    Faucet(faucet::Args),
    Serve(serve::Args),
    Exporter(exporter::Args),
    Metrics(metrics::Args),
    Check(check::Args),
    Bench(Box<bench::Args>),
    #[command(subcommand)]
    Sim(sim::Verb),
    Schema(schema::Args),
}

/// Which network.
#[derive(Clone, Debug, Args)]
struct NameArgs {
    /// Name of the network: 1 to 40 of a-z, 0-9 and -, a letter first
    #[arg(long, env = "DEVNET_NAME", hide_env_values = true, value_name = "NAME", value_parser = name,
          default_value = DEFAULT_NAME)]
    name: String,
}

/// How to answer.
#[derive(Clone, Copy, Debug, Args)]
struct OutputArgs {
    /// Answer with JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Prints help, version and faults itself; a fault ends with exit code 2.
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.verb)),
        Err(error) => Err((
            Failure::world(format!("cannot start: {error}")),
            Console::detect(false, false),
        )),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err((failure, console)) => {
            console.remark(&failure.to_string());
            let _already_failing = console.answer(&failure.to_json());
            failure.exit().into()
        }
    }
}

async fn run(verb: Verb) -> Result<Exit, (Failure, Console)> {
    let (json, verbose) = match &verb {
        Verb::Up(args) => (args.output.json, args.verbose),
        Verb::Run(args) => (args.output.json, args.verbose),
        Verb::Down(args) => (args.output.json, args.verbose),
        Verb::Status(args) => (args.output.json, false),
        Verb::Logs(args) => (args.output.json, false),
        Verb::Report(args) => (args.output.json, false),
        Verb::Ls(args) => (args.output.json, false),
        Verb::Doctor(args) => (args.output.json, false),
        Verb::Node(verb) => (verb.is_json(), false),
        Verb::Partition(args) => (args.fault.output.json, false),
        Verb::Isolate(args) => (args.fault.output.json, false),
        Verb::Latency(args) => (args.fault.output.json, false),
        Verb::Loss(args) => (args.on.fault.output.json, false),
        Verb::Bandwidth(args) => (args.on.fault.output.json, false),
        Verb::Skew(args) => (args.fault.output.json, false),
        Verb::Hashrate(args) => (args.fault.output.json, false),
        Verb::Heal(args) => (args.output.json, false),
        Verb::Faults(args) => (args.output.json, false),
        Verb::Accounts(args) => (args.output.json, false),
        Verb::Send(args) => (args.how.output.json, false),
        Verb::Faucet(args) => (args.how.output.json, false),
        Verb::Check(args) => (args.output.json, false),
        Verb::Bench(args) => (args.is_json(), false),
        Verb::Sim(verb) => (verb.is_json(), false),
        Verb::Serve(_) | Verb::Top(_) | Verb::Exporter(_) | Verb::Metrics(_) | Verb::Schema(_) => {
            (false, false)
        }
    };
    let console = Console::detect(json, verbose);
    let world = World::of_host(console).map_err(|failure| (failure, console))?;
    let outcome = match verb {
        Verb::Up(args) => up::run(&world, args, Interrupts::of_process()).await,
        Verb::Run(args) => run::run(&world, *args, Interrupts::of_process()).await,
        Verb::Down(args) => down::run(&world, args).await,
        Verb::Status(args) => status::run(&world, args).await,
        Verb::Top(args) => top::run(&world, args, Interrupts::of_process()).await,
        Verb::Logs(args) => logs::run(&world, args).await,
        Verb::Report(args) => report::verb::run(&world, args).await,
        Verb::Ls(args) => ls::run(&world, args).await,
        Verb::Doctor(args) => doctor::run(&world, args).await,
        Verb::Node(verb) => node::run(&world, verb).await,
        Verb::Partition(args) => partition::run(&world, args).await,
        Verb::Isolate(args) => isolate::run(&world, args).await,
        Verb::Latency(args) => latency::run(&world, args).await,
        Verb::Loss(args) => loss::run(&world, args).await,
        Verb::Bandwidth(args) => bandwidth::run(&world, args).await,
        Verb::Skew(args) => skew::run(&world, args).await,
        Verb::Hashrate(args) => hashrate::run(&world, args).await,
        Verb::Heal(args) => heal::run(&world, args).await,
        Verb::Faults(args) => faults::run(&world, args).await,
        Verb::Accounts(args) => accounts::run(&world, args).await,
        Verb::Send(args) => send::run(&world, args).await,
        Verb::Faucet(args) => faucet::run(&world, args).await,
        Verb::Serve(args) => serve::run(&world, &args).await,
        Verb::Exporter(args) => exporter::run(&world, args).await,
        Verb::Metrics(args) => metrics::run(&world, args),
        Verb::Check(args) => check::run(&world, &args),
        Verb::Bench(args) => bench::run(&world, *args, Interrupts::of_process()).await,
        Verb::Sim(verb) => sim::run(&world, verb, Interrupts::of_process()).await,
        Verb::Schema(args) => schema::run(&world, &args),
    };
    outcome.map_err(|failure| (failure, console))
}

fn name(text: &str) -> Result<String, String> {
    check_name(text)
        .map(|()| text.to_owned())
        .map_err(|flaw| flaw.to_string())
}

#[cfg(test)]
mod tests;
