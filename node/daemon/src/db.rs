//! `minichain db`: the chain of a node that does not run, looked after by
//! hand.

pub mod archive;
mod check;
mod export;
mod import;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use minichain_chain::params::Params;
use minichain_chain::state::State;
use serde::Serialize;

pub use self::import::{Imported, Importer};
use crate::cli::RunArgs;
use crate::exit::Failure;
use crate::shutdown::Shutdown;
use crate::store::RedbStore;
use crate::{config, genesis, run};

/// What to do with the chain.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Check that every stored piece is whole and fits the others.
    Check {
        /// Which chain.
        #[command(flatten)]
        place: Place,
        /// Also connect every block again, all rules and signatures included.
        #[arg(long)]
        replay: bool,
    },
    /// Give space that is not used back to the disk.
    Compact {
        /// Which chain.
        #[command(flatten)]
        place: Place,
    },
    /// Write the active chain into a file.
    Export {
        /// The file to write.
        file: PathBuf,
        /// Which chain.
        #[command(flatten)]
        place: Place,
        /// Replace the file if there is one.
        #[arg(long)]
        force: bool,
    },
    /// Take in the blocks of an exported file. Blocks that are here already
    /// are passed over, so an interrupted import is continued by the same
    /// command.
    Import {
        /// A file made by `minichain db export`.
        file: PathBuf,
        /// Which chain.
        #[command(flatten)]
        place: Place,
    },
}

/// Which chain.
#[derive(Debug, Args)]
pub struct Place {
    /// Folder of the node.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Its configuration file (YAML); excludes reading MINICHAIN_CONFIG.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Genesis file (YAML) of its network.
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Its port, from which the folder's name follows.
    #[arg(long)]
    port: Option<u16>,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What an export came to.
#[derive(Debug, Serialize)]
struct Exported {
    file: PathBuf,
    blocks: u32,
    bytes: u64,
    tip: String,
}

#[derive(Debug, Serialize)]
struct Compacted {
    bytes_before: u64,
    bytes_after: u64,
}

/// Runs one of the commands.
pub fn main(command: &DbCommand) -> Result<(), Failure> {
    let (runtime, shutdown) = interruptible()?;
    let result = match command {
        DbCommand::Check { place, replay } => check(place, *replay, &shutdown),
        DbCommand::Compact { place } => compact(place),
        DbCommand::Export { file, place, force } => export(file, place, *force, &shutdown),
        DbCommand::Import { file, place } => import(file, place, &shutdown),
    };
    runtime.shutdown_background();
    result
}

fn check(place: &Place, replay: bool, shutdown: &Shutdown) -> Result<(), Failure> {
    let (config, params) = place.resolve()?;
    let state = run::open_existing(&config, &params)?;
    let report = check::check(&state, replay, &config.data_dir, shutdown)?;
    place.tell(&report, || report.to_string())?;
    report.verdict(&config.data_dir)
}

fn compact(place: &Place) -> Result<(), Failure> {
    let (config, params) = place.resolve()?;
    // Only a chain that is whole is worth moving.
    drop(run::open_existing(&config, &params)?);
    let (bytes_before, bytes_after) =
        RedbStore::compact(&config.data_dir, config.limits.store_cache_bytes)
            .map_err(Failure::world)?;
    let done = Compacted {
        bytes_before,
        bytes_after,
    };
    place.tell(&done, || {
        format!("compacted: {bytes_before} bytes before, {bytes_after} after")
    })
}

fn export(file: &Path, place: &Place, force: bool, shutdown: &Shutdown) -> Result<(), Failure> {
    let (config, params) = place.resolve()?;
    let state = run::open_existing(&config, &params)?;
    let (blocks, bytes) = export::export(&state, file, force, shutdown)?;
    let done = Exported {
        file: file.to_owned(),
        blocks,
        bytes,
        tip: state.tip().hash.to_string(),
    };
    place.tell(&done, || {
        format!(
            "exported {blocks} blocks up to {} into {}, {bytes} bytes",
            done.tip,
            file.display()
        )
    })
}

fn import(file: &Path, place: &Place, shutdown: &Shutdown) -> Result<(), Failure> {
    let (config, params) = place.resolve()?;
    // A file of no use leaves no new folder behind.
    let source = import::open(file, &params)?;
    let mut state = run::open_state(&config, &params)?;
    let done = import::import(&mut state, source, file, &config.data_dir, shutdown)?;
    place.tell(&done, || done.to_string())
}

impl Place {
    fn resolve(&self) -> Result<(minichain_api::config::NodeConfig, Params), Failure> {
        let args = RunArgs {
            config: self.config.clone(),
            data_dir: self.data_dir.clone(),
            genesis: self.genesis.clone(),
            port: self.port,
            ..RunArgs::default()
        };
        let environment = std::env::var_os(minichain_api::config::CONFIG_ENV);
        let config = config::resolve(&args, environment)?;
        let params = genesis::params_for(&config)?;
        Ok((config, params))
    }

    fn tell(&self, done: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let line = if self.json {
            serde_json::to_string(done)
                .map_err(|error| Failure::world(format!("cannot print the outcome: {error}")))?
        } else {
            text()
        };
        crate::cli::print(&format!("{line}\n"))
    }
}

/// What a user reads who pressed Ctrl-C.
fn interrupted(what: &str) -> Failure {
    Failure::Interrupted(format!("interrupted; {what}"))
}

/// Ctrl-C and SIGTERM become a wish that the work looks at between blocks.
fn interruptible() -> Result<(tokio::runtime::Runtime, Shutdown), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::world(format!("cannot start threads: {error}")))?;
    let shutdown = Shutdown::default();
    let entered = runtime.enter();
    shutdown.on_signals()?;
    drop(entered);
    Ok((runtime, shutdown))
}

/// The hashes of the active chain, without the genesis block.
fn active_hashes(
    state: &State<RedbStore>,
) -> impl ExactSizeIterator<Item = minichain_chain::hash::BlockHash> {
    let heights = 1..=state.tip().height.to_u32();
    let hashes: Vec<_> = heights
        .filter_map(|height| state.active_at(minichain_chain::height::Height(height)))
        .collect();
    hashes.into_iter()
}
