//! What is in force, read back from the nodes, beside what is intended.

use std::collections::BTreeMap;

use devnet_scenario::fault::{CutShape, Fault, Heal, Link, NodeName};
use devnet_scenario::links::LinkState;
use minichain_api::admin::AdminInfo;
use serde::Serialize;

use super::apply::{self, base, ends};
use super::intent::{Active, Intent};
use super::links;
use super::live::Live;
use super::proof::{spell_deaf, spell_state};
use crate::exit::Failure;
use crate::world::World;

/// Everything that is in force, and everything that is meant to be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InForce {
    /// What is intended.
    pub intended: Vec<Active>,
    /// Every link that is not as the topology has it.
    pub links: Vec<LinkForce>,
    /// Every node that is not as planned.
    pub nodes: BTreeMap<NodeName, NodeForce>,
    /// Where intent and force differ, as whole sentences.
    pub differences: Vec<String>,
}

/// What is in force on a link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkForce {
    /// Which direction.
    pub link: Link,
    /// What the nodes hold.
    pub state: LinkState,
}

/// What is in force on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeForce {
    /// Whether it runs.
    pub runs: bool,
    /// Its clock is off by so many milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// Its hash rate, where it is not the planned one.
    pub hashrate: Option<f64>,
    /// Bytes its data folder may hold, where that is limited.
    pub quota_bytes: Option<u64>,
}

/// Reads back what is in force.
///
/// # Errors
/// The engine does not answer, or the intent cannot be read.
pub async fn in_force(world: &World, live: &Live) -> Result<InForce, Failure> {
    let folder = world.states.network(live.name());
    let mut intent = Intent::load(&folder)?;
    let layout = live.layout();
    let running = live.running().await?;
    let held = apply::read(live, &running).await?;
    let ids = held.infos.iter();
    intent.learn(
        &ids.map(|(node, info)| (node.clone(), info.peerid.clone()))
            .collect(),
    );
    let ends = ends(&layout, &intent);
    let found = links::states(&held.holdings, &ends);
    let base = base(&layout);
    let own = intent.table(base.clone(), &layout.roster()).states();
    let free = devnet_scenario::links::LinkTable::new(base).states();
    let runs = |link: &Link| running.contains(&link.from) && running.contains(&link.to);
    let mut differences: Vec<String> = links::differences(&own, &found)
        .into_iter()
        .filter(|(link, _)| runs(link))
        .map(|(link, (wanted, found))| {
            let (wanted, found) = (spell_state(&wanted), spell_state(&found));
            format!(
                "{} -> {} should be {wanted} and is {found}.",
                link.from, link.to
            )
        })
        .collect();
    let deaf = spell_deaf(&held.deaf);
    differences.extend(deaf.into_iter().map(|text| format!("{text}.")));
    let mut nodes = BTreeMap::new();
    for plan in &layout.blueprint.nodes {
        let info = held.infos.get(&plan.name);
        let force = NodeForce {
            runs: running.contains(&plan.name),
            ..info.map_or_else(NodeForce::default, |info| of_info(info, plan))
        };
        differences.extend(node_differences(&intent, &plan.name, &force, info));
        let as_planned = NodeForce {
            runs: true,
            ..NodeForce::default()
        };
        if force != as_planned {
            nodes.insert(plan.name.clone(), force);
        }
    }
    Ok(InForce {
        intended: intent.faults().to_vec(),
        links: links::differences(&free, &found)
            .into_iter()
            .filter(|(link, _)| runs(link))
            .map(|(link, (_, state))| LinkForce { link, state })
            .collect(),
        nodes,
        differences,
    })
}

fn of_info(info: &AdminInfo, plan: &devnet_blueprint::NodePlan) -> NodeForce {
    let mining = &plan.config.mining;
    let is_planned = |rate: &f64| {
        let planned = if mining.enabled {
            mining.hash_rate
        } else {
            0.0
        };
        (rate - planned).abs() <= 1e-6 * planned.max(1.0)
    };
    NodeForce {
        runs: true,
        clock_offset_ms: Some(info.clock_offset_ms).filter(|offset_ms| *offset_ms != 0),
        hashrate: info.hashrate.filter(|rate| !is_planned(rate)),
        quota_bytes: info.disk.quota_bytes,
    }
}

/// Faults of a node that are meant and not there. The other way round the
/// table of nodes tells.
fn node_differences(
    intent: &Intent,
    node: &str,
    force: &NodeForce,
    info: Option<&AdminInfo>,
) -> Vec<String> {
    use devnet_scenario::fault::NodeFault;
    let missing = |what: &NodeFault| match what {
        NodeFault::Kill | NodeFault::Stop | NodeFault::Pause => force
            .runs
            .then(|| format!("{node} should not run and does.")),
        NodeFault::ClockSkew { offset_ms } => info
            .filter(|info| info.clock_offset_ms != *offset_ms)
            .map(|_| format!("{node}'s clock should be off by {offset_ms} ms and is not.")),
        NodeFault::HashRate { hashes_per_second } => info
            .filter(|info| info.hashrate != Some(*hashes_per_second))
            .map(|_| format!("{node} should make {hashes_per_second} hashes/s and does not.")),
        NodeFault::FillDisk => info
            .filter(|info| info.disk.quota_bytes.is_none())
            .map(|_| format!("{node}'s disk should be full and is not.")),
        _ => None,
    };
    intent.of_node(node).filter_map(missing).collect()
}

impl InForce {
    /// Whether nothing is in force and nothing is intended.
    pub fn is_nothing(&self) -> bool {
        self.intended.is_empty() && self.links.is_empty() && self.nodes.is_empty()
    }

    /// What is in force in a few words each; empty if nothing is.
    pub fn spell(&self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .intended
            .iter()
            .map(|active| spell_fault(&active.fault))
            .collect();
        if texts.is_empty() && !self.links.is_empty() {
            texts.push(format!("{} links are not free", self.links.len()));
        }
        if texts.is_empty() {
            let nodes = self.nodes.iter();
            texts.extend(nodes.map(|(node, force)| format!("{node} {force}")));
        }
        texts
    }
}

impl std::fmt::Display for NodeForce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.runs {
            parts.push("does not run".to_owned());
        }
        if let Some(offset_ms) = self.clock_offset_ms {
            parts.push(format!("clock off by {offset_ms} ms"));
        }
        if let Some(rate) = self.hashrate {
            parts.push(format!("{rate} hashes/s"));
        }
        if let Some(bytes) = self.quota_bytes {
            parts.push(format!("disk limited to {bytes} bytes"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// What is healed, in a few words.
pub fn spell_heal(heal: &Heal) -> String {
    match heal {
        Heal::All => "heal everything".to_owned(),
        Heal::Cuts => "heal cuts".to_owned(),
        Heal::Conditions => "heal links that are slow, lossy or narrow".to_owned(),
        Heal::Nodes(nodes) => format!("heal {}", nodes.join(", ")),
    }
}

/// A fault in a few words.
pub fn spell_fault(fault: &Fault) -> String {
    match fault {
        Fault::Cut(cut) => match &cut.shape {
            CutShape::Groups(_) | CutShape::Bridge { .. } => format!("partition {}", cut.shape),
            shape => format!("cut {shape}"),
        },
        Fault::Condition { links, with } => {
            let state = LinkState {
                cut: false,
                condition: *with,
            };
            let which = match links.len() {
                1 | 2 => links
                    .iter()
                    .map(|link| format!("{} -> {}", link.from, link.to))
                    .collect::<Vec<_>>()
                    .join(", "),
                count => format!("{count} links"),
            };
            format!("{} on {which}", spell_state(&state))
        }
        Fault::Node { nodes, what } => {
            format!("{what} {}", nodes.join(", "))
        }
    }
}
