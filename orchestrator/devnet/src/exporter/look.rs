//! One look at a network: who answers, on which tip.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_blueprint::NodeState;
use devnet_blueprint::metric::STATES;
use devnet_scenario::fault::NodeName;
use futures::future::join_all;
use minichain_api::rpc::{BlockchainInfo, method};
use serde_json::json;

use crate::client::Client;
use crate::engine::Engine;
use crate::fork::{Tip, last_shared};
use crate::probe::NodeAddress;

/// A node of this machine answers within milliseconds.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What a look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many nodes of each role are in each state.
    pub nodes: BTreeMap<(String, &'static str), u32>,
    /// The tips of those that answer.
    pub tips: Vec<Tip>,
    /// Names of those that do not.
    pub silent: Vec<NodeName>,
    /// Height of the last block that all of them share, where it is known.
    pub common_height: Option<u32>,
}

impl Seen {
    /// Height of the highest tip.
    pub fn height(&self) -> Option<u32> {
        self.tips.iter().map(|tip| tip.height).max()
    }

    /// Height of the highest tip above the lowest one's.
    pub fn spread(&self) -> Option<u32> {
        let lowest = self.tips.iter().map(|tip| tip.height).min()?;
        Some(self.height()?.saturating_sub(lowest))
    }

    /// Whether one chain is followed by all nodes but those that are meant to
    /// be down. Who should answer and does not may be anywhere.
    pub fn is_agreed(&self, is_meant_down: impl Fn(&str) -> bool) -> bool {
        self.different_tips() == 1 && self.silent.iter().all(|node| is_meant_down(node))
    }

    /// How many different tips there are.
    pub fn different_tips(&self) -> usize {
        let mut hashes: Vec<&str> = self.tips.iter().map(|tip| tip.hash.as_str()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.len()
    }

    /// Height of the highest tip above the last block that all share.
    pub fn fork_depth(&self) -> Option<u32> {
        Some(self.height()?.saturating_sub(self.common_height?))
    }
}

/// Looks at all nodes at once. Only if one is silent is the engine asked why.
pub async fn look(engine: &dyn Engine, network: &str, nodes: &[NodeAddress]) -> Seen {
    let answers = join_all(nodes.iter().map(ask)).await;
    let is_silent = answers.iter().any(Option::is_none);
    let observed = match is_silent {
        true => engine.observe(network).await.ok(),
        false => None,
    };
    let mut seen = Seen::default();
    for (at, (node, answer)) in nodes.iter().zip(answers).enumerate() {
        let state = match &answer {
            Some(_) => STATES[0],
            None => {
                let observed = observed.as_ref();
                let found = observed.and_then(|observed| observed.node(&node.name));
                silence(observed.is_some(), found.map(|found| found.state))
            }
        };
        *seen.nodes.entry((node.role.clone(), state)).or_default() += 1;
        match answer {
            Some(chain) => seen.tips.push(Tip {
                height: chain.blocks,
                hash: chain.bestblockhash,
                node: at,
            }),
            None => seen.silent.push(node.name.clone()),
        }
    }
    let ask = |node: usize, height: u32| hash_at(nodes.get(node), height);
    let shared = last_shared(&seen.tips, ask).await;
    seen.common_height = shared.map(|(height, _)| height);
    seen
}

/// The word for a node that gave no answer.
const fn silence(is_engine_known: bool, state: Option<NodeState>) -> &'static str {
    match state {
        Some(NodeState::Running) => STATES[1],
        Some(NodeState::Paused) => STATES[2],
        Some(NodeState::Created | NodeState::Exited | NodeState::Dead) => STATES[3],
        None if is_engine_known => STATES[3],
        None => STATES[1],
    }
}

async fn ask(node: &NodeAddress) -> Option<BlockchainInfo> {
    let client = client(node)?;
    let answer = client.call(method::GET_BLOCKCHAIN_INFO, json!([])).await;
    answer.ok()
}

async fn hash_at(node: Option<&NodeAddress>, height: u32) -> Option<String> {
    let client = client(node?)?;
    let answer = client.call(method::GET_BLOCK_HASH, json!([height])).await;
    answer.ok()
}

fn client(node: &NodeAddress) -> Option<Client> {
    Some(Client::new(node.rpc?, node.credentials.clone(), PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(hashes: &[&str], silent: &[&str]) -> Seen {
        let tip = |(node, hash): (usize, &&str)| Tip {
            height: 1,
            hash: (*hash).to_owned(),
            node,
        };
        Seen {
            tips: hashes.iter().enumerate().map(tip).collect(),
            silent: silent.iter().map(|&name| name.to_owned()).collect(),
            ..Seen::default()
        }
    }

    #[test]
    fn a_node_that_should_answer_and_does_not_is_no_agreement() {
        let nobody = |_: &str| false;
        assert!(seen(&["x", "x"], &[]).is_agreed(nobody));
        assert!(!seen(&["x", "x"], &["c"]).is_agreed(nobody));
        assert!(seen(&["x", "x"], &["c"]).is_agreed(|node| node == "c"));
        assert!(!seen(&["x", "x"], &["c", "d"]).is_agreed(|node| node == "c"));
        assert!(!seen(&["x", "y"], &[]).is_agreed(nobody));
        assert!(!seen(&[], &["c"]).is_agreed(|_| true), "nobody agrees");
    }
}
