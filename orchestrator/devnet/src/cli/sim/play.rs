//! `devnet sim play`: a simulated run in the browser.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::interrupts::Interrupts;
use super::super::run::assignment;
use super::super::run::scenario::Loaded;
use super::super::serve::PageArgs;
use crate::exit::{Exit, Failure};
use crate::scenario_file::ScenarioFile;
use crate::serve::Player;
use crate::serve::tape::Tape;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet sim play two-way-partition.yaml           run it in the simulator, and watch it in the browser
  devnet sim play chaos.yaml --seed 7              one seed is one history

The run is over when the page opens: play it as fast as you like, stop it, step from block to block,
go back. Ctrl-C ends the page.";

/// Play a scenario's run in the simulator in the browser, with pause, speed and steps
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A scenario in YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where all random choices follow from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Set a parameter of the scenario
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    sets: Vec<(String, String)>,

    #[command(flatten)]
    page: PageArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    let file = ScenarioFile::examine_simulated(&args.file, &args.sets);
    let file = file.map_err(|refusal| refusal.failure())?;
    let loaded = Loaded::new(file, &args.sets)?;
    let stage = world.console.stage("simulate", "running the scenario");
    let seed = args.seed;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let recording = tokio::task::spawn_blocking(move || {
        Tape::record(&loaded.file, &loaded.payers(), seed, &asked)
    });
    let tape = tokio::select! {
        tape = recording => tape,
        () = interrupts.next() => {
            // The process waits for its threads before it ends.
            stop.store(true, Ordering::Relaxed);
            return Err(Failure::failed("interrupted"));
        }
    };
    let tape = tape.map_err(|error| Failure::world(format!("it broke off: {error}")))?;
    let tape = tape.map_err(Failure::world)?;
    let seconds = tape.end_ms.saturating_sub(tape.begin_ms) / 1_000;
    stage.done(&format!("{seconds} s of virtual time with seed {seed}"));
    if tape.is_cut {
        world
            .console
            .remark("It went on for longer than a page can play; its beginning is shown.");
    }
    let player = Player::start(&tape, args.page.listen).await?;
    world.console.say(&format!(
        "\n  Play it: {}\n\n  Ctrl-C ends the page.",
        player.url()
    ));
    interrupts.next().await;
    Ok(Exit::Success)
}
