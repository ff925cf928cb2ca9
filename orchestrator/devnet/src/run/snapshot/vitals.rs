//! What the engine knows of the nodes' processes, from look to look.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::NodeState;
use devnet_scenario::fault::NodeName;

use super::questions::Silence;
use crate::engine::{Engine, Vitals};

/// The engine is asked for so long; then the last answer serves.
const PATIENCE: Duration = Duration::from_millis(800);

/// Vital signs by node.
pub type Signs = Arc<BTreeMap<NodeName, Vitals>>;

/// Counts starts of processes.
#[derive(Debug, Default)]
pub struct Starts {
    seen: BTreeMap<NodeName, (u64, u32)>,
}

/// Asks the engine; `None` if it does not answer in time.
pub async fn ask(engine: &dyn Engine, network: &str) -> Option<Signs> {
    let answer = tokio::time::timeout(PATIENCE, engine.vitals(network)).await;
    let vitals = answer.ok()?.ok()?;
    let by_name = vitals
        .into_iter()
        .map(|vitals| (vitals.node.clone(), vitals));
    Some(Arc::new(by_name.collect()))
}

/// Why a node cannot answer, by its process: its state, for a snapshot; `None`
/// if it runs, or if nothing is known.
fn silenced(signs: &BTreeMap<NodeName, Vitals>, node: &str) -> Option<&'static str> {
    match signs.get(node).map(|vitals| vitals.state) {
        None => Some("missing"),
        Some(NodeState::Running) => None,
        Some(NodeState::Paused) => Some("paused"),
        Some(NodeState::Created | NodeState::Exited | NodeState::Dead) => Some("exited"),
    }
}

/// The same, in words.
pub(super) fn silence(signs: &BTreeMap<NodeName, Vitals>, node: &str) -> Option<Silence> {
    let state = silenced(signs, node)?;
    let ended = signs.get(node).and_then(Vitals::why_ended);
    let ended = ended.map_or_else(String::new, |why| format!(" ({why})"));
    Some(Silence {
        state,
        why: format!("its process is {state}{ended}"),
    })
}

impl Starts {
    /// Takes new signs in.
    pub fn see(&mut self, signs: &BTreeMap<NodeName, Vitals>) {
        for (node, vitals) in signs {
            let Some(life) = vitals.life else {
                continue;
            };
            let (last, count) = self.seen.entry(node.clone()).or_insert((life, 0));
            if *last != life {
                *last = life;
                *count += 1;
            }
        }
    }

    /// How often a node was started since it was first seen, that start not
    /// counted.
    pub fn restarts(&self, node: &str) -> u32 {
        self.seen.get(node).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(life: Option<u64>, state: NodeState) -> BTreeMap<NodeName, Vitals> {
        let vitals = Vitals {
            node: "a".into(),
            state,
            started_at_ms: life,
            life,
            pid: None,
            exit_code: None,
            was_out_of_memory: false,
            memory_bytes: None,
            memory_max_bytes: None,
            cpu_ms: None,
        };
        BTreeMap::from([("a".to_owned(), vitals)])
    }

    #[test]
    fn a_new_life_is_a_restart_and_the_first_is_none() {
        let mut starts = Starts::default();
        starts.see(&signs(Some(5), NodeState::Running));
        starts.see(&signs(Some(5), NodeState::Running));
        assert_eq!(starts.restarts("a"), 0);
        starts.see(&signs(None, NodeState::Exited));
        starts.see(&signs(Some(9), NodeState::Running));
        assert_eq!(starts.restarts("a"), 1);
        assert_eq!(starts.restarts("b"), 0);
    }

    #[test]
    fn a_host_clock_that_was_set_makes_no_restart() {
        let mut starts = Starts::default();
        let mut seen = signs(Some(5), NodeState::Running);
        starts.see(&seen);
        seen.get_mut("a").expect("it is there").started_at_ms = Some(3_600_005);
        starts.see(&seen);
        assert_eq!(starts.restarts("a"), 0);
    }

    #[test]
    fn only_a_running_node_is_asked() {
        assert_eq!(silenced(&signs(None, NodeState::Running), "a"), None);
        assert_eq!(
            silenced(&signs(None, NodeState::Paused), "a"),
            Some("paused")
        );
        assert_eq!(
            silenced(&signs(None, NodeState::Exited), "a"),
            Some("exited")
        );
        assert_eq!(
            silenced(&signs(None, NodeState::Exited), "b"),
            Some("missing")
        );
    }
}
