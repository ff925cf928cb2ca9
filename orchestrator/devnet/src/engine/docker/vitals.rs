//! How containers fare: when they started, as which process, in how much
//! memory.

use bollard::models::{ContainerState, ContainerStatsResponse, ContainerSummary};
use bollard::query_parameters::StatsOptionsBuilder;
use devnet_blueprint::{NodeState, label};
use futures::StreamExt as _;
use futures::future::try_join_all;

use super::DockerEngine;
use super::call::{ASK, bounded_or};
use super::observe::state_of;
use crate::clock::parse_rfc3339_ms;
use crate::engine::process::{cpu_ms, resident_bytes};
use crate::engine::{EngineError, Vitals};

impl DockerEngine {
    pub(super) async fn read_vitals(&self, network: &str) -> Result<Vec<Vitals>, EngineError> {
        let action = format!("reading the vital signs of devnet {network}");
        let containers = self.find_containers(&action, Some(network)).await?;
        let reads = containers
            .into_iter()
            .map(|container| self.vitals_of(&action, container));
        let mut vitals: Vec<Vitals> = try_join_all(reads).await?.into_iter().flatten().collect();
        vitals.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(vitals)
    }

    async fn vitals_of(
        &self,
        action: &str,
        container: ContainerSummary,
    ) -> Result<Option<Vitals>, EngineError> {
        let labels = container.labels.unwrap_or_default();
        let (Some(id), Some(node)) = (container.id, labels.get(label::NODE)) else {
            return Ok(None);
        };
        let look = self.docker.inspect_container(&id, None);
        let Some(found) = bounded_or(action, ASK, &[404], look).await? else {
            return Ok(None);
        };
        let state = found.state.unwrap_or_default();
        let mut vitals = vitals_from(node.clone(), &state);
        let limit = found.host_config.and_then(|host| host.memory);
        vitals.memory_max_bytes = memory_limit(limit);
        if let Some(pid) = vitals.pid {
            let is_here = is_in_container(pid, &id);
            vitals.cpu_ms = is_here.then(|| cpu_ms(pid)).flatten();
            vitals.memory_bytes = match is_here.then(|| resident_bytes(pid)).flatten() {
                Some(bytes) => Some(bytes),
                None => self.memory(&id).await,
            };
        }
        Ok(Some(vitals))
    }

    /// What the engine itself tells; a container that ends meanwhile has none.
    async fn memory(&self, id: &str) -> Option<u64> {
        let options = StatsOptionsBuilder::default()
            .stream(false)
            .one_shot(true)
            .build();
        let mut stats = Box::pin(self.docker.stats(id, Some(options)));
        let first = tokio::time::timeout(ASK, stats.next()).await.ok()??;
        memory_in(&first.ok()?)
    }
}

fn vitals_from(node: String, state: &ContainerState) -> Vitals {
    let is_alive = matches!(
        state_of(Some(state)),
        NodeState::Running | NodeState::Paused
    );
    let started = || parse_rfc3339_ms(state.started_at.as_deref()?);
    let pid = || u32::try_from(state.pid?).ok().filter(|pid| *pid > 0);
    let has_ended = state_of(Some(state)) == NodeState::Exited;
    Vitals {
        node,
        state: state_of(Some(state)),
        started_at_ms: if is_alive { started() } else { None },
        // Written down by the engine once, at the start.
        life: if is_alive { started() } else { None },
        pid: if is_alive { pid() } else { None },
        exit_code: if has_ended { state.exit_code } else { None },
        was_out_of_memory: has_ended && state.oom_killed == Some(true),
        memory_bytes: None,
        memory_max_bytes: None,
        cpu_ms: None,
    }
}

/// The engine says 0 where there is no limit.
fn memory_limit(bytes: Option<i64>) -> Option<u64> {
    u64::try_from(bytes?).ok().filter(|bytes| *bytes > 0)
}

/// Whether the process with that number belongs to the container: only where the
/// engine's host is this one.
fn is_in_container(pid: u32, id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| groups.contains(id))
}

/// Memory in use without the files the kernel keeps at hand, as `docker stats`
/// counts it.
fn memory_in(stats: &ContainerStatsResponse) -> Option<u64> {
    let memory = stats.memory_stats.as_ref()?;
    let usage = memory.usage?;
    let cached = memory.stats.as_ref().and_then(|stats| {
        let of = |key: &str| stats.get(key).copied();
        of("total_inactive_file").or_else(|| of("inactive_file"))
    });
    Some(usage.saturating_sub(cached.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard::models::{ContainerMemoryStats, ContainerStateStatusEnum};

    use super::*;

    fn state(status: ContainerStateStatusEnum) -> ContainerState {
        ContainerState {
            status: Some(status),
            pid: Some(4711),
            exit_code: Some(137),
            started_at: Some("2026-01-31T12:00:00.123456789Z".into()),
            ..ContainerState::default()
        }
    }

    #[test]
    fn only_a_living_container_has_a_process_and_only_an_ended_one_an_exit_code() {
        let alive = vitals_from("a".into(), &state(ContainerStateStatusEnum::RUNNING));
        assert_eq!((alive.pid, alive.exit_code), (Some(4711), None));
        assert_eq!(alive.started_at_ms, Some(1_769_860_800_123));
        let ended = vitals_from("a".into(), &state(ContainerStateStatusEnum::EXITED));
        assert_eq!((ended.pid, ended.exit_code), (None, Some(137)));
        assert_eq!(ended.started_at_ms, None);
        assert_eq!(ended.why_ended().as_deref(), Some("exit code 137"));
    }

    #[test]
    fn want_of_memory_is_told_of_an_ended_container_alone() {
        let short = |status| ContainerState {
            oom_killed: Some(true),
            ..state(status)
        };
        let mut ended = vitals_from("a".into(), &short(ContainerStateStatusEnum::EXITED));
        ended.memory_max_bytes = memory_limit(Some(256 << 20));
        let why = ended.why_ended().expect("it has ended");
        let told = ["out of memory, limit 256 MiB", "--memory", "topology"];
        assert!(told.iter().all(|words| why.contains(words)), "{why}");
        ended.memory_max_bytes = memory_limit(Some(0));
        let why = ended.why_ended().expect("it has ended");
        assert!(why.contains("the host has no more"), "{why}");
        let alive = vitals_from("a".into(), &short(ContainerStateStatusEnum::RUNNING));
        assert_eq!(alive.why_ended(), None);
    }

    #[test]
    fn memory_is_told_without_cached_files() {
        let memory = ContainerMemoryStats {
            usage: Some(100),
            stats: Some(HashMap::from([("total_inactive_file".to_owned(), 30)])),
            ..ContainerMemoryStats::default()
        };
        let stats = ContainerStatsResponse {
            memory_stats: Some(memory),
            ..ContainerStatsResponse::default()
        };
        assert_eq!(memory_in(&stats), Some(70));
        assert_eq!(memory_in(&ContainerStatsResponse::default()), None);
    }
}
