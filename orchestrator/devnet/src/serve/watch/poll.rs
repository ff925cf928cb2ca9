//! Asks nodes for what they do not tell by themselves: peers, mempool, miner;
//! and the engine how those are that do not answer.

use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::NodeState;
use devnet_scenario::fault::NodeName;
use futures::future::join_all;
use minichain_api::rpc::{MempoolInfo, MiningInfo, PeerInfo, method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Watch, news};
use crate::probe::NodeAddress;
use crate::serve::view::{Condition, EventView};

/// A node of this machine answers within milliseconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Between two rounds while a page is open, for each 20 nodes, and while none is.
const PAUSE: Duration = Duration::from_secs(2);
const NODES_A_PAUSE: usize = 20;
const PAUSE_UNWATCHED: Duration = Duration::from_secs(15);
/// Between rounds at least, however much is asked for.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// Between two looks whether a page was opened.
const TURN: Duration = Duration::from_millis(250);

const METHODS: &[&str] = &[
    method::GET_PEER_INFO,
    method::GET_MEMPOOL_INFO,
    method::GET_MINING_INFO,
];

/// Asks again and again.
pub async fn poll(watch: Arc<Watch>) {
    loop {
        let layout = watch.live.layout();
        let asked = layout.nodes.iter().map(|node| ask(&watch, node));
        let is_silent = join_all(asked).await.contains(&false);
        if is_silent {
            explain(&watch).await;
        }
        tokio::time::sleep(PAUSE_MIN).await;
        rest(&watch, layout.nodes.len(), is_silent).await;
    }
}

/// Waits for the next round: until it is time, somebody hurries, or a page is
/// opened.
async fn rest(watch: &Watch, nodes: usize, is_silent: bool) {
    let rounds = u32::try_from(nodes.div_ceil(NODES_A_PAUSE)).unwrap_or(1);
    let watched = match is_silent {
        true => PAUSE / 4,
        false => PAUSE * rounds.max(1),
    };
    let mut rested = Duration::ZERO;
    loop {
        let pause = match watch.board.is_watched() {
            true => watched,
            false => PAUSE_UNWATCHED,
        };
        if rested >= pause {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(TURN) => rested += TURN,
            () = watch.hurry.notified() => return,
        }
    }
}

/// Asks one node; whether it answers.
async fn ask(watch: &Watch, address: &NodeAddress) -> bool {
    let name = &address.name;
    let Some(client) = watch.live.layout().client(name, PATIENCE) else {
        return false;
    };
    let answers = match client.batch(METHODS).await {
        Ok(answers) => answers,
        Err(error) => {
            news::lost(watch, name, error.to_string());
            return false;
        }
    };
    let mut answers = answers.into_iter();
    let peers: Option<Vec<PeerInfo>> = read(answers.next());
    let mempool: Option<MempoolInfo> = read(answers.next());
    let mining: Option<MiningInfo> = read(answers.next());
    watch.board.change_node(name, |node| {
        if node.tip.is_some() {
            node.condition = Condition::Up;
            node.why.clear();
        }
        if let Some(peers) = peers {
            node.peers = names(&peers);
        }
        if let Some(mempool) = mempool {
            (node.mempool, node.mempool_bytes) = (mempool.size, mempool.bytes);
        }
        if let Some(mining) = mining {
            let rate = if mining.mining { mining.hashrate } else { 0.0 };
            (node.hashrate, node.found) = (rate, mining.blocksfound);
        }
    });
    true
}

fn read<T: DeserializeOwned>(answer: Option<Value>) -> Option<T> {
    serde_json::from_value(answer?).ok()
}

/// Names of peers, sorted, each once: nodes announce them behind their version.
fn names(peers: &[PeerInfo]) -> Vec<NodeName> {
    let name = |peer: &PeerInfo| {
        let (_, rest) = peer.subver.split_once('(')?;
        let (name, _) = rest.split_once(')')?;
        Some(name.to_owned())
    };
    let mut names: Vec<NodeName> = peers.iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// Asks the engine how nodes are that do not answer, and tells what changed.
async fn explain(watch: &Watch) {
    let Ok(vitals) = watch.live.engine().vitals(watch.live.name()).await else {
        return;
    };
    for name in watch.live.layout().roster() {
        let Some(before) = watch.board.node(&name) else {
            continue;
        };
        if before.condition == Condition::Up {
            continue;
        }
        let found = vitals.iter().find(|vitals| vitals.node == name);
        let condition = match found.map(|vitals| vitals.state) {
            Some(NodeState::Running) => Condition::Silent,
            Some(NodeState::Paused) => Condition::Paused,
            _ => Condition::Down,
        };
        if before.condition == condition {
            continue;
        }
        watch
            .board
            .change_node(&name, |node| node.condition = condition);
        let what = match condition {
            Condition::Paused => "is frozen",
            Condition::Down => "does not run",
            _ => "does not answer",
        };
        watch.board.event(EventView {
            kind: "node",
            title: format!("{name} {what}"),
            node: Some(name),
            ..EventView::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_known_by_the_names_they_announce() {
        let peer = |subver: &str| PeerInfo {
            subver: subver.into(),
            ..PeerInfo::default()
        };
        let peers = [
            "/minichain:0.1.0(b)/",
            "",
            "/minichain:0.1.0(a)",
            "/x(b)/",
            "/x/",
        ];
        let peers: Vec<PeerInfo> = peers.iter().map(|text| peer(text)).collect();
        assert_eq!(names(&peers), ["a", "b"]);
    }
}
