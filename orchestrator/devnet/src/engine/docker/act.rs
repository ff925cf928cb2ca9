//! Faults of single containers: killed, stopped, started, frozen, emptied,
//! damaged.

use std::io::{Cursor, Read as _};
use std::time::Duration;

use bollard::body_full;
use bollard::query_parameters::{
    DownloadFromContainerOptions, KillContainerOptionsBuilder, StopContainerOptionsBuilder,
    UploadToContainerOptions,
};
use devnet_blueprint::blueprint::ContainerPlan;
use devnet_blueprint::{Blueprint, NodePlan, NodeState, Removal, Runtime};
use futures::StreamExt as _;
use minichain_api::config::STORE_FILE;

use super::DockerEngine;
use super::call::{ASK, CHANGE, SEND, bounded, bounded_or, translate};
use super::observe::state_of;
use crate::engine::damage::{FILE_BYTES_MAX, damage, is_damaged};
use crate::engine::fault::{cannot, node_to, wrong_state};
use crate::engine::{EngineError, ErrorKind, NodeAct};

/// How often and how long to wait for a killed process to be gone.
const GONE_LOOKS: u32 = 500;
const GONE_PAUSE: Duration = Duration::from_millis(20);
/// How often and how long to wait between two tries to freeze a container.
const FREEZE_TRIES: u32 = 10;
const FREEZE_PAUSE: Duration = Duration::from_millis(300);
/// Bytes of an archive beside the file in it at most.
const ARCHIVE_EXTRA_BYTES: u64 = 64 << 10;

impl DockerEngine {
    pub(super) async fn act_on(
        &self,
        blueprint: &Blueprint,
        node: &str,
        act: &NodeAct,
    ) -> Result<(), EngineError> {
        let plan = node_to(act, blueprint, node)?;
        let Runtime::Container(container) = &plan.runtime else {
            let detail = "it is planned as a process, not as a container";
            return Err(EngineError::new(
                ErrorKind::Unsupported,
                cannot(act, node),
                detail,
            ));
        };
        match act {
            NodeAct::Kill => self.kill(&cannot(act, node), &container.name).await,
            NodeAct::Stop => self.stop(&cannot(act, node), container).await,
            NodeAct::Start => {
                self.start(&container.name).await?;
                self.meet(blueprint, plan).await;
                Ok(())
            }
            NodeAct::Pause => self.pause(blueprint, plan, container).await,
            NodeAct::Unpause => self.unpause_container(&container.name).await,
            NodeAct::Wipe => self.wipe(blueprint, plan, container).await,
            NodeAct::CorruptStore { seed } => {
                self.must_be_down(blueprint, plan, act).await?;
                self.corrupt(&cannot(act, node), container, *seed).await
            }
        }
    }

    async fn kill(&self, action: &str, name: &str) -> Result<(), EngineError> {
        let kill = || {
            let options = KillContainerOptionsBuilder::default()
                .signal("SIGKILL")
                .build();
            // 409: it does not run.
            let call = self.docker.kill_container(name, Some(options));
            bounded_or(action, CHANGE, &[409], call)
        };
        kill().await?;
        if self.state(action, name).await? == Some(NodeState::Paused) {
            // Some engines do not kill what is frozen, and say 409 as well.
            self.unpause_container(name).await?;
            kill().await?;
        }
        self.until_ended(action, name).await
    }

    async fn stop(&self, action: &str, container: &ContainerPlan) -> Result<(), EngineError> {
        let name = &container.name;
        if self.state(action, name).await? == Some(NodeState::Paused) {
            // A frozen process cannot act on SIGTERM.
            self.unpause_container(name).await?;
        }
        let seconds = i32::try_from(container.stop_timeout_s).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        let limit = CHANGE + Duration::from_secs(container.stop_timeout_s.into());
        // One that has ended already answers 304, which is no error.
        bounded(
            action,
            limit,
            self.docker.stop_container(name, Some(options)),
        )
        .await?;
        self.until_ended(action, name).await
    }

    async fn start(&self, name: &str) -> Result<(), EngineError> {
        match self.start_container(name).await {
            Err(error) if error.detail.contains("paused container") => Ok(()),
            outcome => outcome,
        }
    }

    async fn pause(
        &self,
        blueprint: &Blueprint,
        node: &NodePlan,
        container: &ContainerPlan,
    ) -> Result<(), EngineError> {
        let action = cannot(&NodeAct::Pause, &node.name);
        match self.freeze(&action, &container.name).await {
            Err(error) if error.detail.contains("already paused") => Ok(()),
            Err(error)
                if error.detail.contains("is not running")
                    || error.detail.contains("state improper") =>
            {
                // Podman says the same of a frozen one.
                match self.state(&action, &container.name).await? {
                    Some(NodeState::Paused) => Ok(()),
                    _ => {
                        let (act, network) = (&NodeAct::Pause, &blueprint.name);
                        Err(wrong_state(act, &node.name, network, "does not run"))
                    }
                }
            }
            outcome => outcome,
        }
    }

    /// The kernel's older freezer gives up on a busy machine, with processes
    /// that come and go or wait for the disk; the runtime then thaws those that
    /// it had frozen, so another try finds the container as it was.
    async fn freeze(&self, action: &str, name: &str) -> Result<(), EngineError> {
        for _ in 1..FREEZE_TRIES {
            match bounded(action, CHANGE, self.docker.pause_container(name)).await {
                Err(error) if is_freezer_tired(&error) => tokio::time::sleep(FREEZE_PAUSE).await,
                outcome => return outcome,
            }
        }
        bounded(action, CHANGE, self.docker.pause_container(name)).await
    }

    /// An engine empties no volume; it makes an empty one of the same name. The
    /// container goes as well, since it holds the old one.
    async fn wipe(
        &self,
        blueprint: &Blueprint,
        node: &NodePlan,
        container: &ContainerPlan,
    ) -> Result<(), EngineError> {
        self.must_be_down(blueprint, node, &NodeAct::Wipe).await?;
        self.remove_container(&container.name, &node.name, Removal::Rehoused)
            .await?;
        self.remove_volume(&node.volume.name).await?;
        self.create_volume(&node.volume).await?;
        self.create_container(blueprint, node).await
    }

    async fn must_be_down(
        &self,
        blueprint: &Blueprint,
        node: &NodePlan,
        act: &NodeAct,
    ) -> Result<(), EngineError> {
        let action = cannot(act, &node.name);
        match self.state(&action, node.container_name()).await? {
            Some(NodeState::Running | NodeState::Paused) => {
                Err(wrong_state(act, &node.name, &blueprint.name, "runs"))
            }
            _ => Ok(()),
        }
    }

    /// What the container does; `None` if there is none.
    async fn state(&self, action: &str, name: &str) -> Result<Option<NodeState>, EngineError> {
        let look = self.docker.inspect_container(name, None);
        let found = bounded_or(action, ASK, &[404], look).await?;
        Ok(found.map(|found| state_of(found.state.as_ref())))
    }

    async fn until_ended(&self, action: &str, name: &str) -> Result<(), EngineError> {
        for _ in 0..GONE_LOOKS {
            match self.state(action, name).await? {
                Some(NodeState::Running | NodeState::Paused) => {
                    tokio::time::sleep(GONE_PAUSE).await;
                }
                Some(_) => return Ok(()),
                None => return Err(no_container(action, name)),
            }
        }
        Err(
            EngineError::timed_out(action, GONE_PAUSE * GONE_LOOKS).remedy(format!(
                "Its process hangs in the system; `docker inspect {name}` shows which it is."
            )),
        )
    }

    async fn corrupt(
        &self,
        action: &str,
        container: &ContainerPlan,
        seed: u64,
    ) -> Result<(), EngineError> {
        let refused = |why: std::io::Error| EngineError::new(ErrorKind::Refused, action, why);
        let (mut header, mut bytes) = self.read_store(action, container).await?;
        let pages = damage(&mut Cursor::new(&mut bytes[..]), seed).map_err(refused)?;
        let mut archive = tar::Builder::new(Vec::new());
        archive
            .append_data(&mut header, STORE_FILE, &bytes[..])
            .map_err(refused)?;
        let archive = archive.into_inner().map_err(refused)?;
        let options = UploadToContainerOptions {
            path: container.data_mount.clone(),
            ..UploadToContainerOptions::default()
        };
        let (name, body) = (&container.name, body_full(archive.into()));
        let call = self.docker.upload_to_container(name, Some(options), body);
        bounded(action, SEND, call).await?;
        let (_, now) = self.read_store(action, container).await?;
        match is_damaged(&mut Cursor::new(&now[..]), seed, &pages) {
            Ok(true) => Ok(()),
            Ok(false) => Err(EngineError::new(
                ErrorKind::Refused,
                action,
                "the engine took the damaged file and kept the old one",
            )),
            Err(error) => Err(refused(error)),
        }
    }

    /// The store's file with its header, through the engine's archive calls,
    /// which also reach into the volumes of a container that does not run.
    async fn read_store(
        &self,
        action: &str,
        container: &ContainerPlan,
    ) -> Result<(tar::Header, Vec<u8>), EngineError> {
        let options = DownloadFromContainerOptions {
            path: format!("{}/{STORE_FILE}", container.data_mount),
        };
        let name = &container.name;
        let mut parts = Box::pin(self.docker.download_from_container(name, Some(options)));
        let read = async {
            let mut archive = Vec::new();
            while let Some(part) = parts.next().await {
                archive.extend_from_slice(&part.map_err(|error| translate(action, &error))?);
                if archive.len() as u64 > FILE_BYTES_MAX + ARCHIVE_EXTRA_BYTES {
                    return Err(too_large(action));
                }
            }
            Ok(archive)
        };
        let archive = tokio::time::timeout(SEND, read)
            .await
            .map_err(|_| EngineError::timed_out(action, SEND))??;
        first_file(&archive).map_err(|error| EngineError::new(ErrorKind::Refused, action, error))
    }
}

/// The one file of an archive. Its size is bounded by the archive's, which is
/// in memory already.
fn first_file(archive: &[u8]) -> std::io::Result<(tar::Header, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let header = entry.header().clone();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok((header, bytes));
        }
    }
    Err(std::io::Error::other("it has no store"))
}

fn no_container(action: &str, name: &str) -> EngineError {
    EngineError::new(
        ErrorKind::NotFound,
        action,
        format!("there is no container {name}"),
    )
    .remedy("`devnet up` makes it anew.")
}

fn too_large(action: &str) -> EngineError {
    EngineError::new(
        ErrorKind::Refused,
        action,
        format!("its store is larger than {} MB", FILE_BYTES_MAX >> 20),
    )
}

/// Whether the freezer gave up; so runc words it.
fn is_freezer_tired(error: &EngineError) -> bool {
    error.detail.contains("unable to freeze")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freezer_that_gave_up_is_told_from_a_container_that_does_not_run() {
        let refused = |detail: &str| EngineError::new(ErrorKind::Refused, "cannot pause", detail);
        let tired = "Cannot pause container 87e5: OCI runtime pause failed: unable to freeze: \
                     unknown";
        assert!(is_freezer_tired(&refused(tired)));
        assert!(!is_freezer_tired(&refused("Container 87e5 is not running")));
        assert!(!is_freezer_tired(&refused(
            "Container 87e5 is already paused"
        )));
    }
}
