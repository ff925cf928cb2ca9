//! Containers beside a network: found, started, removed. They carry the
//! network's label and one of their own, by which engines leave them out of
//! its nodes.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, ContainerSummaryStateEnum, HostConfig, Mount, MountType,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions,
};
use devnet_blueprint::label;
use futures::StreamExt as _;

use super::stack::Service;
use crate::engine::EngineError;
use crate::engine::docker::call::{ASK, CHANGE, bounded, bounded_or};

/// An image of some hundred megabytes, or nothing.
const PULL: Duration = Duration::from_secs(120);

/// Whether the engine has the image.
pub async fn has_image(docker: &Docker, image: &str) -> bool {
    let action = format!("looking for image {image}");
    let look = bounded(&action, ASK, docker.inspect_image(image)).await;
    look.is_ok()
}

/// Gets the image, if it can be had in time.
///
/// # Errors
/// Why not, in the engine's words.
pub async fn pull(docker: &Docker, image: &str) -> Result<(), EngineError> {
    let options = CreateImageOptionsBuilder::default()
        .from_image(&tagged(image))
        .build();
    let pull = async {
        let mut steps = Box::pin(docker.create_image(Some(options), None, None));
        while let Some(step) = steps.next().await {
            step?;
        }
        Ok(())
    };
    bounded(&format!("pulling image {image}"), PULL, pull).await
}

/// Engines take a reference without a tag for one of all tags.
fn tagged(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.contains([':', '@']) {
        true => image.to_owned(),
        false => format!("{image}:latest"),
    }
}

/// Makes sure that the service runs: one that is dead or of another plan is
/// made anew.
///
/// # Errors
/// The engine refused.
pub async fn run(docker: &Docker, network: &str, service: &Service) -> Result<(), EngineError> {
    let spec = spec(service);
    for (id, found) in find(docker, network).await? {
        if found.name == service.name {
            if found.runs && found.spec == spec {
                return Ok(());
            }
            remove(docker, &id).await?;
        }
    }
    let action = format!("starting container {}", service.container);
    let options = CreateContainerOptionsBuilder::default()
        .name(&service.container)
        .build();
    let body = body(network, service, spec);
    bounded(
        &action,
        CHANGE,
        docker.create_container(Some(options), body),
    )
    .await?;
    let start = docker.start_container(&service.container, None::<StartContainerOptions>);
    bounded(&action, CHANGE, start).await
}

/// Removes all services of the network; how many there were.
///
/// # Errors
/// The engine refused.
pub async fn remove_all(docker: &Docker, network: &str) -> Result<usize, EngineError> {
    let found = find(docker, network).await?;
    for (id, _) in &found {
        remove(docker, id).await?;
    }
    Ok(found.len())
}

/// Removes the service of that name, if there is one.
///
/// # Errors
/// The engine refused.
pub async fn remove_one(docker: &Docker, network: &str, name: &str) -> Result<(), EngineError> {
    for (id, found) in find(docker, network).await? {
        if found.name == name {
            remove(docker, &id).await?;
        }
    }
    Ok(())
}

/// A container that was found.
struct Found {
    name: String,
    spec: String,
    runs: bool,
}

async fn find(docker: &Docker, network: &str) -> Result<Vec<(String, Found)>, EngineError> {
    let filters = HashMap::from([(
        "label".to_owned(),
        vec![
            format!("{}={network}", label::NAME),
            label::SERVICE.to_owned(),
        ],
    )]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let action = format!("looking for what watches devnet {network}");
    let listed = bounded(&action, ASK, docker.list_containers(Some(options))).await?;
    let found = listed.into_iter().filter_map(|container| {
        let labels = container.labels.unwrap_or_default();
        let text = |label: &str| labels.get(label).cloned().unwrap_or_default();
        let found = Found {
            name: text(label::SERVICE),
            spec: text(label::SPEC),
            runs: container.state == Some(ContainerSummaryStateEnum::RUNNING),
        };
        Some((container.id?, found))
    });
    Ok(found.collect())
}

async fn remove(docker: &Docker, id: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    let action = format!("removing container {id}");
    let call = docker.remove_container(id, Some(options));
    bounded_or(&action, CHANGE, &[404], call).await.map(drop)
}

fn body(network: &str, service: &Service, spec: String) -> ContainerCreateBody {
    let mount = |(source, target, read_only): &(std::path::PathBuf, String, bool)| Mount {
        typ: Some(MountType::BIND),
        source: Some(source.display().to_string()),
        target: Some(target.clone()),
        read_only: Some(*read_only),
        ..Mount::default()
    };
    let labels = [
        (label::NAME, network.to_owned()),
        (label::SERVICE, service.name.to_owned()),
        (label::SPEC, spec),
    ];
    // The state folder can be read by its owner alone.
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    ContainerCreateBody {
        image: Some(service.image.clone()),
        user: Some(format!("{}:{}", user.as_raw(), group.as_raw())),
        cmd: (!service.command.is_empty()).then(|| service.command.clone()),
        env: Some(
            service
                .env
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect(),
        ),
        labels: Some(labels.map(|(k, v)| (k.to_owned(), v)).into()),
        host_config: Some(HostConfig {
            network_mode: Some("host".to_owned()),
            mounts: Some(service.mounts.iter().map(mount).collect()),
            cap_drop: Some(vec!["ALL".to_owned()]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Digest of the plan, so that a container of another one is known.
fn spec(service: &Service) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("{service:?}"));
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_without_a_tag_means_the_latest() {
        for (image, wanted) in [
            ("prom/prometheus", "prom/prometheus:latest"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
            ("a:1", "a:1"),
            ("a@sha256:0", "a@sha256:0"),
        ] {
            assert_eq!(tagged(image), wanted);
        }
    }
}
