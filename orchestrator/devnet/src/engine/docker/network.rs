//! The bridge network a devnet's containers share.

use std::time::Duration;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptionsBuilder};
use devnet_blueprint::blueprint::NetworkPlan;
use devnet_blueprint::{Blueprint, label};

use super::call::{ASK, CHANGE, bounded, bounded_or};
use super::{DockerEngine, Filters, labelled};
use crate::engine::{EngineError, ErrorKind};

/// How often and how long to wait for endpoints of containers that are just
/// being removed.
const EMPTY_LOOKS: u32 = 15;
const EMPTY_PAUSE: Duration = Duration::from_millis(200);

impl DockerEngine {
    pub(super) async fn create_network(&self, blueprint: &Blueprint) -> Result<(), EngineError> {
        let plan = plan_of(blueprint, "creating the network")?;
        let action = format!("creating network {} ({})", plan.name, plan.subnet);
        if self
            .find_network(&blueprint.name, plan, &action)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let call = self.docker.create_network(create_request(plan));
        bounded(&action, CHANGE, call).await?;
        // An engine that hung may do only now what an earlier call has asked for,
        // and cannot tell two networks of one name apart.
        let made = self.find_networks(&blueprint.name, plan, &action).await?;
        for twin in made.iter().skip(1) {
            self.remove_network(twin).await?;
        }
        Ok(())
    }

    /// The id of the network that was made from the blueprint's plan.
    pub(super) async fn network_id(
        &self,
        blueprint: &Blueprint,
        action: &str,
    ) -> Result<String, EngineError> {
        let plan = plan_of(blueprint, action)?;
        self.find_network(&blueprint.name, plan, action)
            .await?
            .ok_or_else(|| {
                EngineError::new(
                    ErrorKind::NotFound,
                    action,
                    format!("its network {} does not exist any more", plan.name),
                )
            })
    }

    async fn find_network(
        &self,
        name: &str,
        plan: &NetworkPlan,
        action: &str,
    ) -> Result<Option<String>, EngineError> {
        let found = self.find_networks(name, plan, action).await?;
        Ok(found.into_iter().next())
    }

    /// Looked for by labels: names of networks are not unique. Their ids in
    /// order, so that of several every caller takes the same one.
    async fn find_networks(
        &self,
        name: &str,
        plan: &NetworkPlan,
        action: &str,
    ) -> Result<Vec<String>, EngineError> {
        let mut filters = labelled(label::NAME, Some(name));
        if let Some(labels) = filters.get_mut("label") {
            labels.push(format!("{}={}", label::SPEC, plan.spec));
        }
        self.ids_by(&filters, action).await
    }

    async fn ids_by(&self, filters: &Filters, action: &str) -> Result<Vec<String>, EngineError> {
        let options = ListNetworksOptionsBuilder::default()
            .filters(filters)
            .build();
        let found = bounded(action, ASK, self.docker.list_networks(Some(options))).await?;
        let ids = found.into_iter().filter_map(|network| network.id);
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        Ok(ids)
    }

    /// Removes whatever networks its devnet has beside the one that a container was
    /// made for. What fails is tried again by the caller, or told by the start.
    pub(super) async fn remove_twins_of_network(&self, container: &str) {
        let action = format!("looking for the network of container {container}");
        let look = self.docker.inspect_container(container, None);
        let Ok(found) = bounded(&action, ASK, look).await else {
            return;
        };
        let own = found.host_config.and_then(|host| host.network_mode);
        let labels = found.config.and_then(|config| config.labels);
        let name = labels.and_then(|mut labels| labels.remove(label::NAME));
        let (Some(own), Some(name)) = (own, name) else {
            return;
        };
        let filters = labelled(label::NAME, Some(&name));
        let ids = self.ids_by(&filters, &action).await.unwrap_or_default();
        if !ids.contains(&own) {
            return;
        }
        for twin in ids.iter().filter(|id| **id != own) {
            let call = self.docker.remove_network(twin);
            let _ = bounded_or(&action, CHANGE, &[404], call).await;
        }
    }

    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let action = format!("removing network {}", short(id));
        let mut looks = 0;
        loop {
            match bounded_or(&action, CHANGE, &[404], self.docker.remove_network(id)).await {
                Err(error) if error.detail.contains("active endpoints") && looks < EMPTY_LOOKS => {
                    looks += 1;
                    tokio::time::sleep(EMPTY_PAUSE).await;
                }
                Err(error) if error.detail.contains("active endpoints") => {
                    return Err(self.still_attached(error, id).await);
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Names who is still attached, because the engine does not.
    async fn still_attached(&self, error: EngineError, id: &str) -> EngineError {
        let look = self
            .docker
            .inspect_network(id, None::<InspectNetworkOptions>);
        let names = match bounded(&error.action, ASK, look).await {
            Ok(network) => attached(network),
            Err(_) => return error,
        };
        let detaching = names
            .iter()
            .map(|name| format!("`docker network disconnect -f {} {name}`", short(id)))
            .collect::<Vec<_>>();
        EngineError {
            detail: format!("still attached: {}", names.join(", ")),
            ..error.remedy(format!("Detach them: {}.", detaching.join(", ")))
        }
    }
}

fn attached(network: NetworkInspect) -> Vec<String> {
    let mut names: Vec<String> = network
        .containers
        .unwrap_or_default()
        .into_iter()
        .map(|(id, endpoint)| endpoint.name.unwrap_or(id))
        .collect();
    names.sort();
    names
}

fn plan_of<'a>(blueprint: &'a Blueprint, action: &str) -> Result<&'a NetworkPlan, EngineError> {
    blueprint.network.as_ref().ok_or_else(|| {
        EngineError::new(
            ErrorKind::Unsupported,
            action,
            format!(
                "the blueprint of `{}` plans no container network",
                blueprint.name
            ),
        )
    })
}

/// A bridge of its own subnet. It is not closed to the outside ("internal"),
/// because an engine publishes no ports of such a network.
fn create_request(plan: &NetworkPlan) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: plan.name.clone(),
        driver: Some("bridge".into()),
        internal: Some(false),
        attachable: Some(false),
        ipam: Some(Ipam {
            driver: Some("default".into()),
            config: Some(vec![IpamConfig {
                subnet: Some(plan.subnet.to_string()),
                gateway: Some(plan.gateway.to_string()),
                ..IpamConfig::default()
            }]),
            options: None,
        }),
        labels: Some(plan.labels.clone().into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}

/// An id as people are used to see it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
