//! Containers: made, started, thawed, removed.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigLogConfig,
    Mount, MountType, MountVolumeOptions, NetworkingConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};
use devnet_blueprint::blueprint::ContainerPlan;
use devnet_blueprint::{Blueprint, NodePlan, Removal, Runtime, label};
use devnet_netfault::{hardware_address, written};

use super::call::{ASK, CHANGE, bounded, bounded_or};
use super::{DockerEngine, Product};
use crate::engine::{EngineError, ErrorKind};

/// Time from SIGTERM to SIGKILL for a container whose data is kept.
const GRACE_S: i32 = 2;

/// How often and how long to wait for a removal that somebody else began.
const GONE_LOOKS: u32 = 50;
const GONE_PAUSE: Duration = Duration::from_millis(200);

/// How often and how long to wait for a second network of one name to go.
const TWIN_LOOKS: u32 = 15;
const TWIN_PAUSE: Duration = Duration::from_millis(200);

/// Scratch space beside the read-only root.
const TMP_OPTIONS: &str = "rw,noexec,nosuid,nodev,size=16m,mode=1777";

impl DockerEngine {
    pub(super) async fn create_container(
        &self,
        blueprint: &Blueprint,
        node: &NodePlan,
    ) -> Result<(), EngineError> {
        let Runtime::Container(container) = &node.runtime else {
            return Err(EngineError::new(
                ErrorKind::Unsupported,
                format!("creating node {}", node.name),
                "the blueprint plans it as a process, not as a container",
            ));
        };
        let action = format!("creating container {}", container.name);
        let network = self.network_id(blueprint, &action).await?;
        let options = CreateContainerOptionsBuilder::default()
            .name(&container.name)
            .build();
        let body = create_body(node, container, &network, self.about.product);
        let call = self.docker.create_container(Some(options), body);
        match bounded_or(&action, CHANGE, &[409], call).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            // Podman's way of saying 409.
            Err(error) if error.detail.contains("name is already in use") => {}
            Err(error) => return Err(error),
        }
        self.accept_existing(&action, blueprint, node, &container.name)
            .await
    }

    /// The name is taken: by the very container that is wanted, or by another.
    async fn accept_existing(
        &self,
        action: &str,
        blueprint: &Blueprint,
        node: &NodePlan,
        name: &str,
    ) -> Result<(), EngineError> {
        let found = bounded(action, ASK, self.docker.inspect_container(name, None)).await?;
        let labels = found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        let is = |label: &str, value: &str| labels.get(label).is_some_and(|found| found == value);
        if is(label::NAME, &blueprint.name) && is(label::SPEC, &node.spec) {
            return Ok(());
        }
        let whose = match labels.get(label::NAME) {
            Some(network) => format!("belongs to another plan of devnet `{network}`"),
            None => "was not created by devnet".into(),
        };
        Err(EngineError::new(
            ErrorKind::ForeignName,
            action,
            format!("a container of that name exists and {whose}"),
        )
        .remedy(format!(
            "Remove it with `docker rm -f {name}`, or choose another --name."
        )))
    }

    /// Waits out a second network of the same name, which an engine that hung makes
    /// and gives up when it does at once what it was asked for twice.
    pub(super) async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        for _ in 0..TWIN_LOOKS {
            match self.start_once(name).await {
                Err(error) if error.detail.contains("is ambiguous") => {
                    self.remove_twins_of_network(name).await;
                    tokio::time::sleep(TWIN_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
        self.start_once(name).await
    }

    async fn start_once(&self, name: &str) -> Result<(), EngineError> {
        let action = format!("starting container {name}");
        // A container that runs already answers 304, which is no error either.
        let call = self
            .docker
            .start_container(name, None::<StartContainerOptions>);
        bounded(&action, CHANGE, call).await
    }

    pub(super) async fn unpause_container(&self, name: &str) -> Result<(), EngineError> {
        let action = format!("thawing container {name}");
        match bounded(&action, CHANGE, self.docker.unpause_container(name)).await {
            Err(error) if error.detail.contains("is not paused") => Ok(()),
            outcome => outcome,
        }
    }

    /// Kills and removes; where the data stays, the node first gets a chance
    /// to close its store.
    pub(super) async fn remove_container(
        &self,
        id: &str,
        node: &str,
        reason: Removal,
    ) -> Result<(), EngineError> {
        let action = format!("removing container of {node}");
        if matches!(reason, Removal::Drifted | Removal::Rehoused) {
            let options = StopContainerOptionsBuilder::default().t(GRACE_S).build();
            let call = self.docker.stop_container(id, Some(options));
            // Whether or not it stopped in peace, it is removed next.
            let _ = bounded(&action, CHANGE, call).await;
        }
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let mut looks = 0;
        loop {
            let call = self.docker.remove_container(id, Some(options.clone()));
            match bounded_or(&action, CHANGE, &[404], call).await {
                Err(error) if error.detail.contains("already in progress") => {
                    return self.wait_until_gone(&action, id).await;
                }
                // Killed already; on a busy machine the engine gives up before
                // the dead process is taken note of.
                Err(error) if error.detail.contains("is zombie") && looks < GONE_LOOKS => {
                    looks += 1;
                    tokio::time::sleep(GONE_PAUSE).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    async fn wait_until_gone(&self, action: &str, id: &str) -> Result<(), EngineError> {
        for _ in 0..GONE_LOOKS {
            let look = self.docker.inspect_container(id, None);
            if bounded_or(action, ASK, &[404], look).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(GONE_PAUSE).await;
        }
        Err(
            EngineError::timed_out(action, GONE_PAUSE * GONE_LOOKS).remedy(format!(
                "Another removal of it hangs; try `docker rm -f {id}`."
            )),
        )
    }
}

fn create_body(
    node: &NodePlan,
    container: &ContainerPlan,
    network: &str,
    product: Product,
) -> ContainerCreateBody {
    let ports = container
        .published
        .iter()
        .map(|port| format!("{}/tcp", port.container_port));
    let endpoint = EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(node.ip.to_string()),
            ..EndpointIpamConfig::default()
        }),
        aliases: Some(vec![container.hostname.clone()]),
        // With a new one at each start, as some engines make them, the host would go
        // on sending to the old one for a minute.
        mac_address: Some(written(hardware_address(node.ip))),
        ..EndpointSettings::default()
    };
    ContainerCreateBody {
        hostname: Some(container.hostname.clone()),
        user: Some(container.user.clone()),
        image: Some(container.image.clone()),
        cmd: (!container.command.is_empty()).then(|| container.command.clone()),
        env: Some(
            container
                .env
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        ),
        exposed_ports: Some(ports.collect()),
        labels: Some(node.labels.clone().into_iter().collect()),
        stop_signal: Some("SIGTERM".into()),
        stop_timeout: Some(container.stop_timeout_s.into()),
        host_config: Some(host_config(node, container, network, product)),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(
    node: &NodePlan,
    container: &ContainerPlan,
    network: &str,
    product: Product,
) -> HostConfig {
    let memory = i64::try_from(container.memory_max_bytes).unwrap_or(i64::MAX);
    let volume = Mount {
        target: Some(container.data_mount.clone()),
        source: Some(node.volume.name.clone()),
        typ: Some(MountType::VOLUME),
        // Should the volume be gone by now, the engine makes it anew; without
        // labels nobody would find that one again.
        volume_options: Some(MountVolumeOptions {
            labels: Some(node.volume.labels.clone().into_iter().collect()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    };
    HostConfig {
        network_mode: Some(network.to_owned()),
        port_bindings: Some(port_bindings(container)),
        mounts: Some(vec![volume]),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), TMP_OPTIONS.to_owned())])),
        readonly_rootfs: Some(container.read_only_root),
        cap_drop: Some(container.cap_drop.clone()),
        cap_add: Some(container.cap_add.clone()),
        memory: Some(memory),
        // The same again would be added as swap if this were unset.
        memory_swap: Some(memory),
        pids_limit: Some(container.pids_max.into()),
        log_config: Some(log_config(container, product)),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

fn port_bindings(container: &ContainerPlan) -> HashMap<String, Option<Vec<PortBinding>>> {
    let binding = |host: &std::net::SocketAddrV4| PortBinding {
        host_ip: Some(host.ip().to_string()),
        host_port: Some(host.port().to_string()),
    };
    container
        .published
        .iter()
        .map(|port| {
            (
                format!("{}/tcp", port.container_port),
                Some(vec![binding(&port.host)]),
            )
        })
        .collect()
}

fn log_config(container: &ContainerPlan, product: Product) -> HostConfigLogConfig {
    let mut config = HashMap::from([(
        "max-size".to_owned(),
        container.log_file_max_bytes.to_string(),
    )]);
    // Podman keeps one file and refuses to be told otherwise.
    if product == Product::Docker {
        config.insert("max-file".to_owned(), container.log_files_max.to_string());
    }
    HostConfigLogConfig {
        typ: Some("json-file".into()),
        config: Some(config),
    }
}

#[cfg(test)]
mod tests;
