//! Takes the probes that prove a fault: TCP connections and packet counters in
//! the nodes' namespaces, and pings through the nodes' conditioners.

pub mod before;
mod chance;
pub mod rates;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::time::Duration;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Link, NodeName};

use super::admin::{self, Answers, Ping};
use super::apply::Applied;
use super::links::{Holding, plain};
use super::live::{Layout, Live};
use super::proof::delay::{self, Trip};
use super::proof::{Goals, Seen};
use crate::clock::now_ms;
use crate::engine::fault::{FilterRules, ProbeResult};
use crate::engine::{EngineError, ErrorKind, FilterAnswer, FilterOrder};
use crate::exit::Failure;

/// A connection within one host takes microseconds; what did not come about
/// after so long does not come about.
const PROBE_TIMEOUT: Duration = Duration::from_millis(300);
/// And where nothing is in the way, the machine may have been busy.
const AGAIN_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Connections that one core sets up in a small part of that time.
const AT_ONCE: usize = 200;
const ATTEMPTS_MAX: usize = 4;
/// Added to what a ping should take.
const PING_SLACK: Duration = Duration::from_millis(200);
/// A connection takes so many round trips to set up, the ping counted.
const SETUP_TRIPS: f64 = 8.0;

/// Whom a probe knocks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// The node.
    Node,
    /// A port of its address where nobody listens: the kernel refuses, which is
    /// one packet each way, and the node has no work with it.
    Nobody,
}

/// A port that nothing in a node's image listens on.
const NOBODYS_PORT: u16 = 1;

/// What each node probes, in order.
type Probes = BTreeMap<NodeName, Vec<(Link, Aim)>>;

/// Puts filters in force and takes the probes from inside the namespaces; does
/// nothing on engines without.
///
/// # Errors
/// The engine cannot filter.
pub async fn filter(
    live: &Live,
    applied: &mut Applied,
    wanted: &BTreeMap<NodeName, Holding>,
    goals: Goals,
    held: &mut BTreeMap<NodeName, Holding>,
) -> Result<(), Failure> {
    let mut probes = Probes::new();
    let loss = applied.choice.loss.iter().filter(|_| goals.loss);
    let loss = loss.flat_map(|(link, count)| std::iter::repeat_n((link, Aim::Nobody), *count));
    let reach = applied.choice.reach.iter().filter(|_| goals.reach);
    for (link, aim) in reach.map(|link| (link, Aim::Node)).chain(loss) {
        let of_node = probes.entry(link.from.clone()).or_default();
        of_node.push((link.clone(), aim));
    }
    let orders = orders(applied, Some(wanted), &probes, PROBE_TIMEOUT);
    let Some(answers) = live.engine().filter(&applied.layout.blueprint, &orders) else {
        return Ok(());
    };
    let answers = answers.await?;
    let is_waiting = goals.reach && has_cuts(applied) || goals.loss;
    let waited_ms = if is_waiting {
        PROBE_TIMEOUT.as_millis()
    } else {
        0
    };
    let waited_ms = u64::try_from(waited_ms).unwrap_or_default();
    applied.in_force_at_ms = now_ms().saturating_sub(waited_ms);
    take_in(applied, &orders, answers, &probes, Some(held))?;
    if !goals.reach {
        return Ok(());
    }
    for _ in 1..ATTEMPTS_MAX {
        let again = unreached(applied);
        if again.is_empty() {
            break;
        }
        let mut probes = Probes::new();
        for link in again {
            let of_node = probes.entry(link.from.clone()).or_default();
            of_node.push((link, Aim::Node));
        }
        let orders = self::orders(applied, None, &probes, AGAIN_TIMEOUT);
        let blueprint = &applied.layout.blueprint;
        let Some(answers) = live.engine().filter(blueprint, &orders) else {
            break;
        };
        let answers = answers.await?;
        take_in(applied, &orders, answers, &probes, None)?;
    }
    Ok(())
}

/// Reads the rules of running nodes back; empty on engines without filters.
///
/// # Errors
/// The engine cannot filter.
pub async fn rules(
    live: &Live,
    layout: &Layout,
    running: &[NodeName],
) -> Result<Answers<FilterRules>, Failure> {
    let order = |node: &NodeName| FilterOrder {
        node: node.clone(),
        rules: None,
        probes: Vec::new(),
        probe_timeout: PROBE_TIMEOUT,
    };
    let orders: Vec<FilterOrder> = running.iter().map(order).collect();
    let Some(answers) = live.engine().filter(&layout.blueprint, &orders) else {
        return Ok(BTreeMap::new());
    };
    let answers = answers.await?.into_iter().zip(&orders);
    answers
        .map(|(answer, order)| {
            let rules = told(answer)?.map(|answer| answer.rules.unwrap_or_default());
            Ok((order.node.clone(), rules))
        })
        .collect()
}

/// Takes the probes that go through the nodes' conditioners: round trips, and
/// where there is no filter, everything.
pub async fn pings(applied: &mut Applied, goals: Goals) {
    let has_filters = applied.layout.blueprint.engine == EngineKind::Docker;
    if goals.reach && !has_filters {
        let links = applied.choice.reach.clone();
        let timeout = ping_timeout(applied, &links, 3.0).max(PROBE_TIMEOUT);
        applied.measured.probes = ping_in_turns(applied, &links, timeout).await;
        for _ in 1..ATTEMPTS_MAX {
            let again = unreached(applied);
            if again.is_empty() {
                break;
            }
            ping_again(applied, &again).await;
        }
    }
    if goals.delay {
        round_trips(applied).await;
        chance::spreads(applied).await;
    }
    if goals.loss && !has_filters {
        chance::losses(applied).await;
    }
}

/// All of them, so many at a time as the machine bears.
pub async fn ping_in_turns(
    applied: &Applied,
    links: &[Link],
    timeout: Duration,
) -> BTreeMap<Link, Seen> {
    let mut seen = BTreeMap::new();
    for some in links.chunks(AT_ONCE) {
        seen.extend(ping(applied, some, timeout).await);
    }
    seen
}

/// Some at a time: a busy machine did not answer all at once.
async fn ping_again(applied: &mut Applied, links: &[Link]) {
    let timeout = ping_timeout(applied, links, SETUP_TRIPS).max(AGAIN_TIMEOUT);
    for some in links.chunks(AT_ONCE) {
        let seen = ping(applied, some, timeout).await;
        let is_any = seen
            .values()
            .any(|seen| matches!(seen, Seen::Reached { .. }));
        applied.measured.probes.extend(seen);
        if !is_any {
            break;
        }
    }
}

async fn round_trips(applied: &mut Applied) {
    for _ in 0..ATTEMPTS_MAX {
        let chosen = &applied.choice.delay;
        let again = delay::to_repeat(chosen, &applied.states, &applied.measured);
        if again.is_empty() {
            break;
        }
        let timeout = ping_timeout(applied, &again, SETUP_TRIPS).max(AGAIN_TIMEOUT);
        for (link, seen) in ping(applied, &again, timeout).await {
            applied.measured.rtts.entry(link).or_default().push(seen);
        }
    }
}

pub async fn ping(applied: &Applied, links: &[Link], timeout: Duration) -> BTreeMap<Link, Seen> {
    ping_bytes(applied, links, timeout, None).await
}

async fn ping_bytes(
    applied: &Applied,
    links: &[Link],
    timeout: Duration,
    payload_bytes: Option<u32>,
) -> BTreeMap<Link, Seen> {
    let ids = applied.ends.iter();
    let ids = ids.filter_map(|(node, end)| Some((node.clone(), end.peer_id.clone()?)));
    let peer_ids = ids.collect();
    let how = Ping {
        peer_ids: &peer_ids,
        dial: true,
        timeout,
        payload_bytes,
    };
    admin::ping(&applied.layout, links, how).await
}

/// So many of the longest of those round trips.
fn ping_timeout(applied: &Applied, links: &[Link], trips: f64) -> Duration {
    let ceilings = links
        .iter()
        .map(|link| Trip::over(link, &applied.states).ceiling_ms());
    let longest_ms = ceilings.max_by(f64::total_cmp).unwrap_or_default();
    let most = admin::PROBE_TIMEOUT_MAX;
    let timeout = Duration::try_from_secs_f64(trips * longest_ms / 1_000.0);
    (timeout.unwrap_or(most) + PING_SLACK).min(most)
}

/// Links whose probe should have passed and did not, or was not told.
fn unreached(applied: &Applied) -> Vec<Link> {
    let is_cut = |link: &Link| {
        applied
            .states
            .get(link)
            .is_some_and(|state| plain(state).cut)
    };
    let open = |link: &&Link| !is_cut(link) && !is_cut(&link.reversed());
    let is_reached = |link: &&Link| {
        matches!(
            applied.measured.probes.get(*link),
            Some(Seen::Reached { .. })
        )
    };
    let failed = applied.choice.reach.iter().filter(open);
    failed.filter(|link| !is_reached(link)).cloned().collect()
}

fn has_cuts(applied: &Applied) -> bool {
    applied.states.values().any(|state| plain(state).cut)
}

/// One order for each running node; without rules, only for nodes that probe
/// or are probed, because those count.
fn orders(
    applied: &Applied,
    rules: Option<&BTreeMap<NodeName, Holding>>,
    probes: &Probes,
    probe_timeout: Duration,
) -> Vec<FilterOrder> {
    let targets = probes.values().flatten().map(|(link, _)| &link.to);
    let targets: BTreeSet<&NodeName> = targets.collect();
    let p2p = |node: &NodeName| applied.layout.blueprint.node(node).map(|n| n.inside.p2p);
    let order = |node: &NodeName| {
        let links = probes.get(node).map_or(&[][..], Vec::as_slice);
        let address = |(link, aim): &(Link, Aim)| {
            let p2p = p2p(&link.to)?;
            Some(match aim {
                Aim::Node => p2p,
                Aim::Nobody => SocketAddrV4::new(*p2p.ip(), NOBODYS_PORT),
            })
        };
        let probes: Vec<SocketAddrV4> = links.iter().filter_map(address).collect();
        FilterOrder {
            node: node.clone(),
            rules: rules.map(|rules| {
                let held = rules.get(node);
                held.map(|held| held.filter.clone()).unwrap_or_default()
            }),
            probes,
            probe_timeout,
        }
    };
    let takes_part =
        |node: &&NodeName| rules.is_some() || probes.contains_key(*node) || targets.contains(node);
    applied
        .running
        .iter()
        .filter(takes_part)
        .map(order)
        .collect()
}

/// Files what the namespaces answered.
fn take_in(
    applied: &mut Applied,
    orders: &[FilterOrder],
    answers: Vec<Result<FilterAnswer, EngineError>>,
    probes: &Probes,
    mut held: Option<&mut BTreeMap<NodeName, Holding>>,
) -> Result<(), Failure> {
    for (order, answer) in orders.iter().zip(answers) {
        let node = &order.node;
        let answer = match told(answer)? {
            Ok(answer) => answer,
            Err(why) => {
                applied.measured.deaf.insert(node.clone(), why);
                continue;
            }
        };
        for (other, end) in &applied.ends {
            if let Some(packets) = answer.packets.get(&end.ip) {
                let link = Link::new(other, node);
                applied.measured.packets.insert(link, *packets);
            }
        }
        let links = probes.get(node).map_or(&[][..], Vec::as_slice);
        for ((link, _), result) in links.iter().zip(&answer.probes) {
            // Of several probes of one link the first that passed counts.
            let known = applied.measured.probes.entry(link.clone());
            let seen = known.or_insert(Seen::Silent);
            if !matches!(seen, Seen::Reached { .. }) {
                *seen = of_probe(*result);
            }
        }
        if let Some(held) = &mut held {
            let rules = answer.rules.unwrap_or_default();
            held.entry(node.clone()).or_default().filter = rules;
        }
    }
    Ok(())
}

/// A node that went away in the midst is that node's matter; that nothing can
/// be filtered is the world's.
fn told(
    answer: Result<FilterAnswer, EngineError>,
) -> Result<Result<FilterAnswer, String>, Failure> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Err(format!(
            "would not be told: {}: {}",
            error.action, error.detail
        ))),
        Err(error) => Err(error.into()),
    }
}

fn of_probe(result: ProbeResult) -> Seen {
    match result {
        ProbeResult::Connected { rtt_us } | ProbeResult::Refused { rtt_us } => Seen::Reached {
            rtt_ms: rtt_us as f64 / 1_000.0,
        },
        ProbeResult::TimedOut => Seen::Silent,
        ProbeResult::Failed => Seen::Untold("the system refused to send".to_owned()),
    }
}
