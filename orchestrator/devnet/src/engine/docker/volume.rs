//! Volumes: each node's durable data.

use std::time::Duration;

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptionsBuilder;
use devnet_blueprint::blueprint::VolumePlan;
use devnet_blueprint::label;

use super::DockerEngine;
use super::call::{CHANGE, bounded, bounded_or};
use crate::engine::{EngineError, ErrorKind};

/// How often and how long to wait for a container that is just being removed.
const FREE_LOOKS: u32 = 15;
const FREE_PAUSE: Duration = Duration::from_millis(200);

impl DockerEngine {
    pub(super) async fn create_volume(&self, plan: &VolumePlan) -> Result<(), EngineError> {
        let action = format!("creating volume {}", plan.name);
        let request = VolumeCreateRequest {
            name: Some(plan.name.clone()),
            labels: Some(plan.labels.clone().into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        // A volume that exists is answered with its own labels, not with ours.
        let volume = bounded(&action, CHANGE, self.docker.create_volume(request)).await?;
        if volume.labels.get(label::NAME) == plan.labels.get(label::NAME) {
            return Ok(());
        }
        Err(EngineError::new(
            ErrorKind::ForeignName,
            action,
            "a volume of that name exists and was not created by this devnet",
        )
        .remedy(format!(
            "Remove it with `docker volume rm {}` (its data is lost), or choose another --name.",
            plan.name
        )))
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let action = format!("removing volume {name}");
        let mut looks = 0;
        loop {
            let options = RemoveVolumeOptionsBuilder::default().force(true).build();
            let call = self.docker.remove_volume(name, Some(options));
            match bounded_or(&action, CHANGE, &[404], call).await {
                Err(error) if error.detail.contains("in use") && looks < FREE_LOOKS => {
                    looks += 1;
                    tokio::time::sleep(FREE_PAUSE).await;
                }
                Err(error) if error.detail.contains("in use") => {
                    return Err(error.remedy(format!(
                        "Remove its user first: `docker ps -a --filter volume={name}`."
                    )));
                }
                outcome => return outcome.map(drop),
            }
        }
    }
}
