//! Starts what watches a network, and waits until it answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use devnet_blueprint::blueprint::ProcessPlan;

use super::containers;
use super::stack::{self, Carrier, Places, Stack};
use crate::client;
use crate::console::Stage;
use crate::engine::EngineError;
use crate::engine::process::services;
use crate::exit::Failure;
use crate::state::STATE_ENV;
use crate::world::World;

/// How long a part may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);
const GRAFANA_PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// Starts the exporter, without which nothing is watched.
///
/// # Errors
/// It does not start, or does not answer.
pub async fn exporter(world: &World, stack: &Stack, places: &Places) -> Result<(), Failure> {
    services::start(&exporter_process(world, stack, places)?)?;
    until_ready("the exporter", stack.exporter_address().into(), PATIENCE).await
}

/// Starts Prometheus; if that fails, the plan is without it.
pub async fn prometheus(
    stack: &mut Stack,
    places: &Places,
    docker: Option<&Docker>,
    stage: &Stage,
) {
    let Some(carrier) = &stack.prometheus else {
        return;
    };
    let address = stack::local(stack.ports.prometheus).into();
    let ready = match start_prometheus(stack, carrier, places, docker).await {
        Ok(()) => until_ready("Prometheus", address, PATIENCE).await,
        Err(error) => Err(error.into()),
    };
    if let Err(failure) = ready {
        let logs = logs(stack, places, "prometheus");
        stage.line(&format!("  {} {logs}", failure.message()));
        stack.prometheus = None;
    }
}

/// Starts Grafana; if that fails, the plan is without it.
pub async fn grafana(stack: &mut Stack, places: &Places, docker: Option<&Docker>, stage: &Stage) {
    if !stack.has_grafana {
        return;
    }
    let address = stack::local(stack.ports.grafana).into();
    let ready = match start_container(stack, places, docker, "grafana").await {
        Ok(()) => until_ready("Grafana", address, GRAFANA_PATIENCE).await,
        Err(error) => Err(error.into()),
    };
    if let Err(failure) = ready {
        let logs = logs(stack, places, "grafana");
        stage.line(&format!("  {} {logs}", failure.message()));
        stack.has_grafana = false;
    }
}

/// One of them at most runs: they would want the same port and the same data.
async fn start_prometheus(
    stack: &Stack,
    carrier: &Carrier,
    places: &Places,
    docker: Option<&Docker>,
) -> Result<(), EngineError> {
    match carrier {
        Carrier::Process(program) => {
            if let Some(docker) = docker {
                containers::remove_one(docker, &stack.network, "prometheus").await?;
            }
            start_process(stack, places, program)
        }
        Carrier::Container => {
            services::stop_all(&places.prometheus()).await?;
            start_container(stack, places, docker, "prometheus").await
        }
    }
}

fn start_process(stack: &Stack, places: &Places, program: &Path) -> Result<(), EngineError> {
    let (config, data) = (places.prometheus(), places.prometheus_data());
    let mut command = vec![program.display().to_string()];
    command.extend(stack.prometheus_arguments(&config, &data));
    services::start(&process(&config, command))
}

async fn start_container(
    stack: &Stack,
    places: &Places,
    docker: Option<&Docker>,
    name: &str,
) -> Result<(), EngineError> {
    let services = stack.services(places);
    let service = services.iter().find(|service| service.name == name);
    match (docker, service) {
        (Some(docker), Some(service)) => containers::run(docker, &stack.network, service).await,
        _ => Ok(()),
    }
}

fn exporter_process(world: &World, stack: &Stack, places: &Places) -> Result<ProcessPlan, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::world(format!("cannot find the program of devnet: {error}")))?;
    let command = [
        own.display().to_string(),
        "exporter".into(),
        "--name".into(),
        stack.network.clone(),
        "--listen".into(),
        stack.exporter_address().to_string(),
        "--targets".into(),
        places.targets().display().to_string(),
    ];
    let mut plan = process(&places.exporter(), command.into());
    let root = world.states.root().display().to_string();
    plan.env.insert(STATE_ENV.to_owned(), root);
    Ok(plan)
}

fn process(folder: &Path, command: Vec<String>) -> ProcessPlan {
    ProcessPlan {
        command,
        env: std::collections::BTreeMap::new(),
        folder: folder.to_owned(),
        files: Vec::new(),
        log_file: output(folder),
        pid_file: folder.join("pid.json"),
        stop_timeout_s: 5,
    }
}

/// Where to read why a part does not answer.
fn logs(stack: &Stack, places: &Places, name: &str) -> String {
    let is_process = matches!(stack.prometheus, Some(Carrier::Process(_)));
    match name {
        "prometheus" if is_process => {
            format!("See {}.", output(&places.prometheus()).display())
        }
        _ => format!("See `docker logs devnet-{}-{name}`.", stack.network),
    }
}

fn output(folder: &Path) -> PathBuf {
    folder.join("output.log")
}

/// Waits until something serves metrics there; all three parts do.
async fn until_ready(what: &str, address: SocketAddr, limit: Duration) -> Result<(), Failure> {
    let asked = async {
        while client::metrics(address, Duration::from_secs(2))
            .await
            .is_err()
        {
            tokio::time::sleep(POLL).await;
        }
    };
    let answered = tokio::time::timeout(limit, asked).await;
    answered.map_err(|_| {
        let limit_s = limit.as_secs();
        Failure::world(format!(
            "{what} does not answer on {address} within {limit_s} s."
        ))
    })
}
