//! `devnet exporter`: watches a network for Prometheus.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::NameArgs;
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::exporter::{Exporter, Wish};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet exporter                          watch the network `local`, until it is gone or Ctrl-C
  devnet exporter --name big --listen 127.0.0.1:9470
  devnet exporter --targets /etc/prometheus/devnet
                                           also write targets.json (the nodes) and exporter.json
                                           (this exporter) there, for file_sd_configs of a
                                           Prometheus of your own; kept up to date

What it serves: tips, forks, faults in force and their events, heals, nodes by state.
`devnet metrics` prints the reference. `devnet up --monitoring` runs it in the background.";

/// Serve what a network does, as a whole, to Prometheus
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Where to serve /metrics
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9469")]
    pub(super) listen: SocketAddr,

    /// Between two looks at the network [default: half a block's time, 1s to 5s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) every: Option<Duration>,

    /// Folder to tell Prometheus in whom to scrape
    #[arg(long, value_name = "FOLDER")]
    pub(super) targets: Option<PathBuf>,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let wish = Wish {
        listen: args.listen,
        pause: args
            .every
            .map(|every| every.max(Duration::from_millis(100))),
        targets: args.targets,
    };
    let exporter = Exporter::start(world, name, &wish).await?;
    let address = exporter.address();
    world
        .console
        .say(&format!("Watching `{name}`: http://{address}/metrics"));
    tokio::select! {
        ended = exporter.run(world) => {
            ended?;
            world.console.say(&format!("Network `{name}` is gone."));
        }
        // Ctrl-C is how one stops watching.
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Success)
}
