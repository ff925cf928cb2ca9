//! `devnet sim play`: a simulated run in the browser.

use std::path::PathBuf;

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
go back. Ctrl-C ends the run, and later the page.

Exit codes: 0 the page was ended · 1 interrupted before it opened · 2 a scenario or argument that \
cannot work · 3 the network cannot be simulated, or the page cannot be served.";

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
    let seed = args.seed;
    world
        .console
        .remark(&format!("simulating {}, seed {seed}", loaded.name()));
    let stage = world.console.stage("simulate", "running the scenario");
    let record = move |stop: &_| Tape::record(&loaded.file, &loaded.payers(), seed, stop);
    let (tape, was_interrupted) = interrupts.end(record).await?;
    let tape = tape.map_err(Failure::world)?;
    let seconds = tape.end_ms.saturating_sub(tape.begin_ms) / 1_000;
    if was_interrupted {
        let passed = format!("interrupted after {seconds} s of virtual time");
        stage.failed(&passed);
        return Err(Failure::failed("interrupted before the page opened"));
    }
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
