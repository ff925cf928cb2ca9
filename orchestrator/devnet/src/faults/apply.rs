//! Puts the whole intended state of all links in force, on every node that
//! runs, and measures what was asked for. Doing it again changes nothing.
//!
//! A node that does not run is passed over; whoever starts it has this done
//! once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::{Blueprint, EngineKind};
use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::{Condition, LinkState};
use minichain_api::admin::{AdminInfo, Conditions};

use super::admin::{self, Answers};
use super::intent::Intent;
use super::join;
use super::links::{self, End, Ends, Holding};
use super::live::{Layout, Live};
use super::measure::{self, before, rates};
use super::proof::choose::{Choice, Pairs, REACH_DIALLED_MAX, REACH_MAX, choose};
use super::proof::{Goals, Measured};
use crate::clock::now_ms;
use crate::exit::Failure;

/// How the state shall be put in force.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What to measure.
    pub goals: Goals,
    /// How long to try nodes that are starting.
    pub patience: Duration,
    /// Links that were meant to be cut until now, where those that are cut
    /// anew shall be probed first.
    pub cut_earlier: Option<BTreeSet<Link>>,
    /// Links whose round trips shall be taken first, where they are measured.
    pub trips_before: BTreeSet<Link>,
}

/// The state as it was put in force.
#[derive(Debug)]
pub struct Applied {
    /// The plan it was done by.
    pub layout: Arc<Layout>,
    /// Nodes that run.
    pub running: Vec<NodeName>,
    /// Planned nodes that do not.
    pub skipped: Vec<NodeName>,
    /// What shall be.
    pub states: BTreeMap<Link, LinkState>,
    /// How the nodes are known.
    pub ends: Ends,
    /// What was probed.
    pub choice: Choice,
    /// What was measured.
    pub measured: Measured,
    /// When all of it was in force, in milliseconds since 1970.
    pub in_force_at_ms: u64,
}

/// Everything the nodes hold, read back.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Filters and conditioners, of nodes that told.
    pub holdings: BTreeMap<NodeName, Holding>,
    /// What nodes say of themselves.
    pub infos: BTreeMap<NodeName, AdminInfo>,
    /// Nodes that run and would not tell, with the reason.
    pub deaf: BTreeMap<NodeName, String>,
}

/// Puts the intent in force.
///
/// # Errors
/// The engine does not answer, or cannot filter packets at all.
pub async fn apply(live: &Live, intent: &mut Intent, wish: Wish) -> Result<Applied, Failure> {
    let layout = live.layout();
    let roster = layout.roster();
    let running = live.running().await?;
    let states = intent.table(base(&layout), &roster).states();
    let infos = admin::infos(&layout, &running, wish.patience).await;
    intent.learn(&peer_ids(&infos));
    let ends = ends(&layout, intent);
    let kind = layout.blueprint.engine;
    let wanted = links::holdings(kind, &states, &ends);
    let (connectable, joined) = pairs(&layout);
    let sample = match kind {
        EngineKind::Docker => REACH_MAX,
        EngineKind::Process => REACH_DIALLED_MAX,
    };
    let sample = (sample, layout.blueprint.seed);
    let mut applied = Applied {
        skipped: missing(&roster, &running),
        choice: choose(&running, &connectable, &joined, &states, sample),
        layout,
        running,
        states,
        ends,
        measured: Measured::default(),
        in_force_at_ms: 0,
    };
    before::round_trips(&mut applied, &infos, &wish.trips_before).await;
    if let Some(cut_earlier) = &wish.cut_earlier {
        if joined == Pairs::All {
            join::sides(&applied).await;
        }
        before::take(live, &mut applied, &infos, cut_earlier).await?;
    }
    let conditions = condition(&applied, &wanted, &infos, wish.goals).await;
    let mut held: BTreeMap<NodeName, Holding> = BTreeMap::new();
    for (node, conditions) in conditions {
        match conditions {
            Ok(conditions) => held.entry(node).or_default().conditions = conditions,
            Err(why) => {
                applied.measured.deaf.insert(node, why);
            }
        }
    }
    applied.in_force_at_ms = now_ms();
    measure::filter(live, &mut applied, &wanted, wish.goals, &mut held).await?;
    applied.measured.held = links::states(&held, &applied.ends);
    measure::pings(&mut applied, wish.goals).await;
    if wish.goals.rate {
        rates::take(&mut applied).await;
    }
    Ok(applied)
}

/// Reads back what is in force.
///
/// # Errors
/// The engine does not answer.
pub async fn read(live: &Live, running: &[NodeName]) -> Result<Held, Failure> {
    let layout = live.layout();
    let mut held = Held::default();
    for (node, info) in admin::infos(&layout, running, Duration::ZERO).await {
        match info {
            Ok(info) => {
                held.holdings.entry(node.clone()).or_default().conditions = info.conditions.clone();
                held.infos.insert(node, info);
            }
            Err(why) => {
                held.deaf.insert(node, why);
            }
        }
    }
    for (node, rules) in measure::rules(live, &layout, running).await? {
        match rules {
            Ok(rules) => held.holdings.entry(node).or_default().filter = rules,
            Err(why) => {
                held.deaf.entry(node).or_insert(why);
            }
        }
    }
    Ok(held)
}

/// Conditions of the topology itself: how far its zones are apart. Zones that
/// are nowhere apart condition nothing.
pub fn base(layout: &Layout) -> BTreeMap<Link, Condition> {
    base_of(&layout.blueprint)
}

/// As [`base`], of a plan.
pub fn base_of(blueprint: &Blueprint) -> BTreeMap<Link, Condition> {
    let above_zero = |value: f64| (value > 0.0).then_some(value);
    let conditions = blueprint.link_conditions().into_iter();
    conditions
        .map(|(from, to, latency_ms, jitter_ms)| {
            let condition = Condition {
                latency_ms: above_zero(latency_ms),
                jitter_ms: above_zero(jitter_ms),
                ..Condition::default()
            };
            (Link::new(&from, &to), condition)
        })
        .filter(|(_, condition)| *condition != Condition::default())
        .collect()
}

/// How all planned nodes are known.
pub fn ends(layout: &Layout, intent: &Intent) -> Ends {
    let end = |node: &devnet_blueprint::NodePlan| {
        let peer_id = intent.peer_id(&node.name).map(str::to_owned);
        (
            node.name.clone(),
            End {
                ip: node.ip,
                peer_id,
            },
        )
    };
    layout.blueprint.nodes.iter().map(end).collect()
}

/// libp2p ids of the nodes that answered.
pub fn peer_ids(infos: &Answers<AdminInfo>) -> BTreeMap<NodeName, String> {
    let id = |(node, info): (&NodeName, &Result<AdminInfo, String>)| {
        Some((node.clone(), info.as_ref().ok()?.peerid.clone()))
    };
    infos.iter().filter_map(id).collect()
}

fn missing(roster: &[NodeName], running: &[NodeName]) -> Vec<NodeName> {
    let missing = roster.iter().filter(|node| !running.contains(node));
    missing.cloned().collect()
}

/// Which pairs may be connected for a probe, and which are joined.
fn pairs(layout: &Layout) -> (Pairs, Pairs) {
    let plan = &layout.blueprint;
    let is_explicit = plan.nodes.iter().any(|node| !node.config.p2p.discovery);
    let joined = match is_explicit {
        false => Pairs::All,
        true => Pairs::Edges(edges(layout)),
    };
    let connectable = match plan.engine {
        EngineKind::Docker => Pairs::All,
        EngineKind::Process => joined.clone(),
    };
    (connectable, joined)
}

fn edges(layout: &Layout) -> BTreeSet<Link> {
    let dials = |node: &crate::probe::NodeAddress| {
        let links = node.dials.iter().map(|to| Link::new(&node.name, to));
        links
            .flat_map(|link| [link.reversed(), link])
            .collect::<Vec<_>>()
    };
    layout.nodes.iter().flat_map(dials).collect()
}

/// Tells each conditioner what it does not hold yet; what is in force then. A
/// node that does not answer matters only where its conditioner does.
async fn condition(
    applied: &Applied,
    wanted: &BTreeMap<NodeName, Holding>,
    infos: &Answers<AdminInfo>,
    goals: Goals,
) -> Answers<Conditions> {
    let is_all_there_is = applied.layout.blueprint.engine == EngineKind::Process;
    let (mut held, mut orders) = (BTreeMap::new(), BTreeMap::new());
    for (node, info) in infos {
        let wanted = wanted.get(node).map(|held| held.conditions.clone());
        let wanted = wanted.unwrap_or_default();
        match info {
            Ok(info) if links::is_same_conditions(&info.conditions, &wanted) => {
                held.insert(node.clone(), Ok(info.conditions.clone()));
            }
            Ok(_) => {
                orders.insert(node.clone(), wanted);
            }
            Err(why) if is_all_there_is || goals.delay || !wanted.links.is_empty() => {
                held.insert(node.clone(), Err(why.clone()));
            }
            Err(_) => {}
        }
    }
    held.extend(admin::set_conditions(&applied.layout, &orders).await);
    held
}
