//! `devnet ls`: every network of this host.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::Cell;
use serde::Serialize;

use super::OutputArgs;
use super::report::{format_table, plain_table};
use crate::clock::{now_s, spell_duration};
use crate::engine::NetworkSummary;
use crate::exit::{Exit, Failure};
use crate::world::{EngineChoice, World};

const EXAMPLES: &str = "\
Examples:
  devnet ls           a table
  devnet ls --json    the same as data";

/// List the networks of this host
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// One network.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    engine: Option<String>,
    nodes: u32,
    running: u32,
    created_at_s: Option<u64>,
    owner: String,
    has_state_folder: bool,
}

/// Runs the verb.
pub async fn run(world: &World, _args: Args) -> Result<Exit, Failure> {
    let (engines, unreachable) = world.all_engines(EngineChoice::Auto).await;
    let mut rows = BTreeMap::new();
    for engine in &engines {
        for network in engine.list().await? {
            let has_state_folder = world.states.network(&network.name).exists();
            let key = (network.name.clone(), network.engine);
            rows.insert(key, Row::of_summary(network, has_state_folder));
        }
    }
    for name in world.states.names()? {
        let blueprint = world.states.load(&name).ok().flatten();
        let is_listed = rows.keys().any(|(listed, _)| *listed == name);
        if !is_listed {
            let kind = blueprint.as_ref().map(|blueprint| blueprint.engine);
            let key = (
                name.clone(),
                kind.unwrap_or(devnet_blueprint::EngineKind::Process),
            );
            rows.insert(key, Row::of_folder(name, blueprint.as_ref()));
        }
    }
    let rows: Vec<Row> = rows.into_values().collect();
    world.console.answer(&rows)?;
    world.console.say(&text(world, &rows));
    for error in &unreachable {
        let why = error.detail.lines().next().unwrap_or_default();
        world
            .console
            .remark(&format!("Docker could not be asked ({why})."));
    }
    Ok(Exit::Success)
}

fn text(world: &World, rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No networks. `devnet up` brings one up.".into();
    }
    let titles = ["NAME", "ENGINE", "RUNNING", "AGE", "OWNER", "STATE FOLDER"];
    let mut table = plain_table(&world.console, &titles);
    for row in rows {
        let age = row.created_at_s.filter(|born_s| *born_s > 0).map_or_else(
            || "-".to_owned(),
            |born_s| spell_duration(Duration::from_secs(now_s().saturating_sub(born_s))),
        );
        table.add_row([
            Cell::new(&row.name),
            Cell::new(row.engine.as_deref().unwrap_or("-")),
            Cell::new(format!("{}/{}", row.running, row.nodes)),
            Cell::new(age),
            Cell::new(&row.owner),
            Cell::new(if row.has_state_folder { "yes" } else { "lost" }),
        ]);
    }
    format_table(table)
}

impl Row {
    fn of_summary(network: NetworkSummary, has_state_folder: bool) -> Self {
        Self {
            name: network.name,
            engine: Some(network.engine.to_string()),
            nodes: network.nodes,
            running: network.running,
            created_at_s: Some(network.created_at_s),
            owner: network.owner,
            has_state_folder,
        }
    }

    /// A network of which only the folder is left, or whose engine is away.
    fn of_folder(name: String, blueprint: Option<&devnet_blueprint::Blueprint>) -> Self {
        Self {
            name,
            engine: blueprint.map(|blueprint| blueprint.engine.to_string()),
            nodes: 0,
            running: 0,
            created_at_s: blueprint.map(|blueprint| blueprint.created_at_s.into()),
            owner: blueprint
                .map(|blueprint| blueprint.owner.clone())
                .unwrap_or_default(),
            has_state_folder: true,
        }
    }
}
