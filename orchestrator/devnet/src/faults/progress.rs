//! What each side of a fault of links has mined, and where their chains part:
//! asked of the nodes, which answer the host whatever is cut between them.
//!
//! It never waits for a block, and asks few questions: a tip of every node, and
//! block hashes by height to find the fork.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::fault::{Fault, Heal, NodeName};
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::parting::{Aftermath, Parting, Tips};
use futures::future::join_all;
use minichain_api::rpc::{ChainTip, method};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::intent::{Active, Intent};
use super::live::{Layout, Live};
use crate::crowd;
use crate::exit::Failure;
use crate::fork::{Tip, last_shared};
use crate::world::World;

/// A frozen node takes a call and never answers it.
const CALL_TIMEOUT: Duration = Duration::from_millis(400);

/// The tip of every node that answers.
pub async fn tips(layout: &Layout) -> Tips {
    let asked = layout.nodes.iter().map(|node| async move {
        let tips: Vec<ChainTip> =
            call(layout, &node.name, method::GET_CHAIN_TIPS, json!([])).await?;
        let active = tips.into_iter().find(|tip| tip.status == "active")?;
        let mark = TipMark {
            tip: active.hash,
            height: active.height,
            work: active.chainwork,
        };
        Some((node.name.clone(), mark))
    });
    let told = crowd::at_once(asked).await;
    told.into_iter().flatten().collect()
}

/// How far the sides of the network's cut came, or all of it under the oldest
/// condition, whichever of them `heal` would take out; `None` if it would take
/// out no fault of links.
///
/// # Errors
/// The intent cannot be read.
pub async fn current(world: &World, live: &Live, heal: &Heal) -> Result<Option<Parting>, Failure> {
    let intent = Intent::load(&world.states.network(live.name()))?;
    Ok(match taken_by(heal, intent.faults()) {
        Some(active) => of(&live.layout(), active).await,
        None => None,
    })
}

fn taken_by<'a>(heal: &Heal, faults: &'a [Active]) -> Option<&'a Active> {
    let cut = |x: &&Active| matches!(x.fault, Fault::Cut(_));
    let condition = |x: &&Active| matches!(x.fault, Fault::Condition { .. });
    match heal {
        Heal::All => {
            let cut = faults.iter().find(cut);
            cut.or_else(|| faults.iter().find(condition))
        }
        Heal::Cuts => faults.iter().find(cut),
        Heal::Conditions => faults.iter().find(condition),
        Heal::Nodes(_) => None,
    }
}

/// How far the sides of that fault came, and where they part.
pub async fn of(layout: &Layout, active: &Active) -> Option<Parting> {
    let now = tips(layout).await;
    let mut parting = Parting::new(&active.fault, &layout.roster(), &active.before, &now)?;
    if parting.differs()
        && let Some((height, hash)) = fork(layout, &parting, &now).await
    {
        parting.part_at(height, &hash);
    }
    Some(parting)
}

/// What became of the branches of a fault that was taken out; `None` if there
/// was no fork.
pub async fn aftermath(layout: &Layout, parting: &Parting) -> Option<Aftermath> {
    parting.fork.as_ref().filter(|fork| fork.is_fork)?;
    let asked = layout.nodes.iter().map(|node| async move {
        let sides = parting.sides.iter().map(|side| async move {
            let tip = side.now.as_ref()?;
            // A chain that is not as high yet does not hold it.
            let hash = hash_at(layout, &node.name, tip.height).await;
            (hash.as_ref() == Some(&tip.tip)).then(|| side.label.clone())
        });
        let genesis = hash_at(layout, &node.name, 0);
        let (followed, genesis) = futures::join!(join_all(sides), genesis);
        genesis.map(|_answers| (node.name.clone(), followed))
    });
    let answers = crowd::at_once(asked).await;
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let mut followers: BTreeMap<String, Vec<NodeName>> = BTreeMap::new();
    for (node, followed) in &answers {
        for label in followed.iter().flatten() {
            followers
                .entry(label.clone())
                .or_default()
                .push(node.clone());
        }
    }
    parting.aftermath(followers, answers.len())
}

/// The last block that the chains of all sides share; `None` if a node does not
/// answer, or the chains share none.
async fn fork(layout: &Layout, parting: &Parting, now: &Tips) -> Option<(u32, String)> {
    let speaks = |tip: &TipMark| {
        let (name, mark) = now.iter().find(|(_, mark)| *mark == tip)?;
        Some(Tip {
            height: mark.height,
            hash: mark.tip.clone(),
            node: layout.nodes.iter().position(|node| node.name == *name)?,
        })
    };
    let tips: Vec<Tip> = parting.heads().filter_map(speaks).collect();
    let ask = |node: usize, height: u32| async move {
        hash_at(layout, &layout.nodes.get(node)?.name, height).await
    };
    last_shared(&tips, ask).await
}

async fn hash_at(layout: &Layout, node: &str, height: u32) -> Option<String> {
    call(layout, node, method::GET_BLOCK_HASH, json!([height])).await
}

/// Whoever does not answer tells nothing: other parts of the same call say so.
async fn call<T: DeserializeOwned>(
    layout: &Layout,
    node: &str,
    method: &str,
    params: Value,
) -> Option<T> {
    let timeout = crowd::patience(CALL_TIMEOUT, layout.nodes.len());
    let client = layout.client(node, timeout)?;
    client.call(method, params).await.ok()
}
