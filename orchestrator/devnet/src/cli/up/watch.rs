//! What watches the network that `up` brings into place.

use devnet_blueprint::Blueprint;

use crate::engine::Engine;
use crate::exit::Failure;
use crate::monitoring::choose::Preview;
use crate::monitoring::stack::{GRAFANA_IMAGE, Links, PROMETHEUS_IMAGE};
use crate::monitoring::{self, Wish};
use crate::world::World;

/// What is to watch the network.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct MonitoringArgs {
    /// Also run Prometheus and Grafana, on 127.0.0.1 only; images at hand are used, others pulled
    #[arg(long)]
    pub(super) monitoring: bool,

    #[arg(
        long,
        env = "DEVNET_PROMETHEUS_IMAGE",
        hide_env_values = true,
        value_name = "IMAGE",
        help = format!(
            "Image of Prometheus [default: {PROMETHEUS_IMAGE}]; where it cannot be had, a \
             `prometheus` in PATH is run"
        )
    )]
    pub(super) prometheus_image: Option<String>,

    #[arg(
        long,
        env = "DEVNET_GRAFANA_IMAGE",
        hide_env_values = true,
        value_name = "IMAGE",
        help = format!("Image of Grafana [default: {GRAFANA_IMAGE}]")
    )]
    pub(super) grafana_image: Option<String>,
}

/// Brings up what is to watch the network, if that is or was asked for.
pub(super) async fn watch(
    world: &World,
    args: &MonitoringArgs,
    engine: &dyn Engine,
    blueprint: &Blueprint,
) -> Result<Option<Links>, Failure> {
    let Some(wish) = wish(world, args, &blueprint.name) else {
        return Ok(None);
    };
    let stage = world
        .console
        .stage("monitoring", "starting Prometheus and Grafana");
    match monitoring::ensure(world, engine, blueprint, &wish, &stage).await {
        Ok(links) => {
            stage.done(&links.parts());
            Ok(Some(links))
        }
        Err(failure) => {
            stage.failed("the network is not watched");
            Err(failure)
        }
    }
}

/// What [`watch`] would bring up.
pub(super) async fn preview(
    world: &World,
    args: &MonitoringArgs,
    blueprint: &Blueprint,
) -> Result<Option<Preview>, Failure> {
    match wish(world, args, &blueprint.name) {
        Some(wish) => monitoring::preview(world, blueprint, &wish).await.map(Some),
        None => Ok(None),
    }
}

/// What is or was asked for.
fn wish(world: &World, args: &MonitoringArgs, name: &str) -> Option<Wish> {
    let was_asked = monitoring::is_wished(&world.states.network(name));
    (args.monitoring || was_asked).then(|| Wish {
        prometheus_image: args.prometheus_image.clone(),
        grafana_image: args.grafana_image.clone(),
        may_pull: args.monitoring,
    })
}
