//! What exists, read from the labels of containers, networks and volumes.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerState, ContainerStateStatusEnum, ContainerSummary, ContainerSummaryStateEnum, Network,
    Volume,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};
use devnet_blueprint::blueprint::RpcAccess;
use devnet_blueprint::observed::{ObservedNetwork, ObservedNode, ObservedVolume};
use devnet_blueprint::{EngineKind, NodeState, Observed, label};
use futures::future::try_join_all;
use minichain_api::config::{CONFIG_ENV, NodeConfig};

use super::call::{ASK, bounded, bounded_or};
use super::{DockerEngine, labelled};
use crate::engine::routes::host_routes;
use crate::engine::{Endpoint, EngineError, NetworkSummary, UsedSubnet};

type Labels = HashMap<String, String>;

/// All that carries a label of ours.
struct Found {
    containers: Vec<ContainerSummary>,
    networks: Vec<Network>,
    volumes: Vec<Volume>,
}

impl DockerEngine {
    pub(super) async fn observe_network(&self, name: &str) -> Result<Observed, EngineError> {
        let action = format!("looking for what exists of devnet {name}");
        let found = self.find(&action, Some(name)).await?;
        let mut observed = Observed {
            networks: found
                .networks
                .into_iter()
                .filter_map(observed_network)
                .collect(),
            volumes: found.volumes.into_iter().map(observed_volume).collect(),
            nodes: found
                .containers
                .into_iter()
                .filter_map(observed_node)
                .collect(),
            state: None,
        };
        // The engine's order is that of its tables; ours is always the same.
        observed.networks.sort_by(|a, b| a.id.cmp(&b.id));
        observed.volumes.sort_by(|a, b| a.name.cmp(&b.name));
        observed
            .nodes
            .sort_by(|a, b| (&a.node, &a.id).cmp(&(&b.node, &b.id)));
        Ok(observed)
    }

    pub(super) async fn list_networks(&self) -> Result<Vec<NetworkSummary>, EngineError> {
        Ok(summarise(&self.find("listing devnets", None).await?))
    }

    pub(super) async fn subnets_in_use(&self) -> Result<Vec<UsedSubnet>, EngineError> {
        let action = "listing the engine's networks";
        let networks = bounded(action, ASK, self.docker.list_networks(None)).await?;
        let mut used: Vec<UsedSubnet> = networks.iter().flat_map(subnets_of).collect();
        used.extend(host_routes());
        Ok(used)
    }

    pub(super) async fn read_endpoints(&self, name: &str) -> Result<Vec<Endpoint>, EngineError> {
        let action = format!("reading the endpoints of devnet {name}");
        let containers = self.find_containers(&action, Some(name)).await?;
        let reads = containers
            .into_iter()
            .map(|container| self.endpoint(&action, container));
        let mut endpoints: Vec<Endpoint> =
            try_join_all(reads).await?.into_iter().flatten().collect();
        endpoints.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(endpoints)
    }

    async fn endpoint(
        &self,
        action: &str,
        container: ContainerSummary,
    ) -> Result<Option<Endpoint>, EngineError> {
        let id = container.id.clone().unwrap_or_default();
        let look = self.docker.inspect_container(&id, None);
        let Some(inspected) = bounded_or(action, ASK, &[404], look).await? else {
            return Ok(None);
        };
        let env = inspected
            .config
            .and_then(|config| config.env)
            .unwrap_or_default();
        let labels = container.labels.clone().unwrap_or_default();
        let Some(node) = observed_node(container) else {
            return Ok(None);
        };
        let text = |label: &str| labels.get(label).cloned().unwrap_or_default();
        Ok(Some(Endpoint {
            node: node.node,
            role: text(label::ROLE),
            state: node.state,
            ip: text(label::IP),
            rpc: text(label::RPC),
            metrics: text(label::METRICS),
            access: access(&env),
        }))
    }

    async fn find(&self, action: &str, name: Option<&str>) -> Result<Found, EngineError> {
        let filters = labelled(label::NAME, name);
        let networks = ListNetworksOptionsBuilder::default()
            .filters(&filters)
            .build();
        let volumes = ListVolumesOptionsBuilder::default()
            .filters(&filters)
            .build();
        let (containers, networks, volumes) = futures::try_join!(
            self.find_containers(action, name),
            bounded(action, ASK, self.docker.list_networks(Some(networks))),
            bounded(action, ASK, self.docker.list_volumes(Some(volumes))),
        )?;
        Ok(Found {
            containers,
            networks,
            volumes: volumes.volumes.unwrap_or_default(),
        })
    }

    pub(super) async fn find_containers(
        &self,
        action: &str,
        name: Option<&str>,
    ) -> Result<Vec<ContainerSummary>, EngineError> {
        containers(&self.docker, action, name).await
    }
}

/// Containers of nodes of the network of that name, or of all.
pub(super) async fn containers(
    docker: &bollard::Docker,
    action: &str,
    name: Option<&str>,
) -> Result<Vec<ContainerSummary>, EngineError> {
    let list = || {
        let filters = labelled(label::NAME, name);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        bounded_or(action, ASK, &[404], docker.list_containers(Some(options)))
    };
    // Engines answer 404 when a container vanishes while they list it.
    for _ in 0..4 {
        if let Some(found) = list().await? {
            return Ok(nodes_of(found));
        }
    }
    Ok(nodes_of(list().await?.unwrap_or_default()))
}

/// Without what merely watches a network.
fn nodes_of(mut containers: Vec<ContainerSummary>) -> Vec<ContainerSummary> {
    containers.retain(|container| {
        let labels = container.labels.as_ref();
        !labels.is_some_and(|labels| labels.contains_key(label::SERVICE))
    });
    containers
}

fn label_of(labels: Option<&Labels>, key: &str) -> String {
    labels
        .and_then(|labels| labels.get(key))
        .cloned()
        .unwrap_or_default()
}

fn observed_network(network: Network) -> Option<ObservedNetwork> {
    let spec = label_of(network.labels.as_ref(), label::SPEC);
    Some(ObservedNetwork {
        id: network.id?,
        spec,
    })
}

fn observed_volume(volume: Volume) -> ObservedVolume {
    let run = label_of(Some(&volume.labels), label::RUN);
    ObservedVolume {
        name: volume.name,
        run,
    }
}

fn observed_node(container: ContainerSummary) -> Option<ObservedNode> {
    let labels = container.labels.as_ref();
    Some(ObservedNode {
        node: label_of(labels, label::NODE),
        spec: label_of(labels, label::SPEC),
        run: label_of(labels, label::RUN),
        state: node_state(container.state),
        id: container.id?,
    })
}

fn node_state(state: Option<ContainerSummaryStateEnum>) -> NodeState {
    use ContainerSummaryStateEnum as State;
    match state {
        Some(State::CREATED) => NodeState::Created,
        Some(State::RUNNING | State::RESTARTING | State::STOPPING) => NodeState::Running,
        Some(State::PAUSED) => NodeState::Paused,
        Some(State::EXITED) => NodeState::Exited,
        Some(State::REMOVING | State::DEAD | State::EMPTY) | None => NodeState::Dead,
    }
}

/// What a container does, from a close look at it.
pub(super) fn state_of(state: Option<&ContainerState>) -> NodeState {
    use ContainerStateStatusEnum as State;
    match state.and_then(|state| state.status) {
        Some(State::CREATED) => NodeState::Created,
        Some(State::RUNNING | State::RESTARTING | State::STOPPING) => NodeState::Running,
        Some(State::PAUSED) => NodeState::Paused,
        Some(State::EXITED) => NodeState::Exited,
        Some(State::REMOVING | State::DEAD | State::EMPTY) | None => NodeState::Dead,
    }
}

fn subnets_of(network: &Network) -> Vec<UsedSubnet> {
    let name = network.name.as_deref().unwrap_or("without a name");
    let configs = network
        .ipam
        .iter()
        .filter_map(|ipam| ipam.config.as_ref())
        .flatten();
    configs
        .filter_map(|config| {
            UsedSubnet::parse(
                config.subnet.as_deref()?,
                format!("network {name} of the engine"),
            )
        })
        .collect()
}

/// Credentials from a container's environment, where its configuration stands.
fn access(env: &[String]) -> Option<RpcAccess> {
    let prefix = format!("{CONFIG_ENV}=");
    let text = env.iter().find_map(|entry| entry.strip_prefix(&prefix))?;
    let config: NodeConfig = serde_yaml::from_str(text).ok()?;
    Some(RpcAccess {
        user: config.rpc.user?,
        password: config.rpc.password?,
    })
}

fn summarise(found: &Found) -> Vec<NetworkSummary> {
    let mut summaries = BTreeMap::new();
    for container in &found.containers {
        if let Some(summary) = summary_of(&mut summaries, container.labels.as_ref()) {
            summary.nodes += 1;
            summary.running += u32::from(node_state(container.state) == NodeState::Running);
        }
    }
    for network in &found.networks {
        summary_of(&mut summaries, network.labels.as_ref());
    }
    for volume in &found.volumes {
        summary_of(&mut summaries, Some(&volume.labels));
    }
    summaries.into_values().collect()
}

/// The summary of the devnet these labels name, with the newest run's data.
fn summary_of<'a>(
    summaries: &'a mut BTreeMap<String, NetworkSummary>,
    labels: Option<&Labels>,
) -> Option<&'a mut NetworkSummary> {
    let name = labels?.get(label::NAME)?;
    let created_at_s = label_of(labels, label::CREATED).parse().unwrap_or(0);
    let summary = summaries
        .entry(name.clone())
        .or_insert_with(|| NetworkSummary {
            name: name.clone(),
            engine: EngineKind::Docker,
            run_id: String::new(),
            created_at_s: 0,
            owner: String::new(),
            nodes: 0,
            running: 0,
        });
    if summary.run_id.is_empty() || created_at_s > summary.created_at_s {
        summary.created_at_s = created_at_s;
        summary.run_id = label_of(labels, label::RUN);
        summary.owner = label_of(labels, label::OWNER);
    }
    Some(summary)
}

#[cfg(test)]
mod tests;
