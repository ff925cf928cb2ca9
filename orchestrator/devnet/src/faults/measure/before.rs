//! What got through before a fault: a link that was silent anyway proves nothing,
//! and what is slow now is told beside what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::time::Duration;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Link, NodeName};
use minichain_api::admin::AdminInfo;

use super::super::admin::{Answers, PROBE_TIMEOUT_MAX};
use super::super::apply::Applied;
use super::super::links::{self, Holding, cut_links, plain};
use super::super::live::Live;
use super::super::proof::delay::Trip;
use super::super::proof::{Earlier, Seen};
use super::{
    AGAIN_TIMEOUT, PROBE_TIMEOUT, SETUP_TRIPS, of_probe, ping, ping_in_turns, ping_timeout, told,
};
use crate::engine::FilterOrder;
use crate::exit::Failure;

/// Round trips taken before a condition, at most.
const TRIPS_MAX: usize = 1_000;

/// Probes the links that are about to be cut, all but those that were meant to
/// be cut already, `cut_earlier`: of these counts whether the nodes hold it.
///
/// # Errors
/// The engine cannot filter.
pub async fn take(
    live: &Live,
    applied: &mut Applied,
    infos: &Answers<AdminInfo>,
    cut_earlier: &BTreeSet<Link>,
) -> Result<(), Failure> {
    let is_in = |links: &BTreeSet<Link>, link: &Link| {
        links.contains(link) || links.contains(&link.reversed())
    };
    let is_cut = |link: &Link| {
        let state = |link: &Link| applied.states.get(link).map(plain).unwrap_or_default();
        state(link).cut || state(&link.reversed()).cut
    };
    let across = applied.choice.reach.iter().filter(|link| is_cut(link));
    let (meant, anew): (Vec<Link>, Vec<Link>) =
        across.cloned().partition(|link| is_in(cut_earlier, link));
    let (seen, held) = match applied.layout.blueprint.engine {
        EngineKind::Docker => in_namespaces(live, applied, &anew).await?,
        EngineKind::Process => {
            let timeout = ping_timeout(applied, &anew, SETUP_TRIPS).max(AGAIN_TIMEOUT);
            let seen = ping_in_turns(applied, &anew, timeout).await;
            (seen, told_by(infos))
        }
    };
    let held = cut_links(&links::states(&held, &applied.ends));
    let earlier = &mut applied.measured.earlier;
    earlier.extend(anew.into_iter().map(|link| {
        let untold = || Seen::Untold("it was not probed".to_owned());
        let seen = seen.get(&link).cloned().unwrap_or_else(untold);
        (link, Earlier::Probed(seen))
    }));
    earlier.extend(meant.into_iter().map(|link| {
        let state = match is_in(&held, &link) {
            true => Earlier::Cut,
            false => Earlier::Probed(Seen::Untold("it was meant to be cut".to_owned())),
        };
        (link, state)
    }));
    Ok(())
}

/// Takes round trips of those links that will be measured, while they are as
/// they were.
pub async fn round_trips(
    applied: &mut Applied,
    infos: &Answers<AdminInfo>,
    links: &BTreeSet<Link>,
) {
    let measured = applied.choice.measured_of(links).take(TRIPS_MAX);
    let chosen: BTreeSet<Link> = measured.cloned().collect();
    if chosen.is_empty() {
        return;
    }
    let held = links::states(&told_by(infos), &applied.ends);
    let trips = chosen.iter().map(|link| Trip::over(link, &held));
    let longest_ms = trips.map(|trip| trip.ceiling_ms()).fold(0.0, f64::max);
    let timeout = Duration::try_from_secs_f64(SETUP_TRIPS * longest_ms / 1_000.0);
    let timeout = timeout.unwrap_or(PROBE_TIMEOUT_MAX) + AGAIN_TIMEOUT;
    let chosen: Vec<Link> = chosen.into_iter().collect();
    let seen = ping(applied, &chosen, timeout.min(PROBE_TIMEOUT_MAX)).await;
    let seen = seen.into_iter();
    let earlier = seen.map(|(link, seen)| (link, Earlier::Probed(seen)));
    applied.measured.earlier.extend(earlier);
}

type Before = (BTreeMap<Link, Seen>, BTreeMap<NodeName, Holding>);

/// Connections from inside the namespaces, and the filters there.
async fn in_namespaces(live: &Live, applied: &Applied, links: &[Link]) -> Result<Before, Failure> {
    let plan = &applied.layout.blueprint;
    let p2p = |link: &Link| Some(plan.node(&link.to)?.inside.p2p);
    let order = |node: &NodeName| FilterOrder {
        node: node.clone(),
        rules: None,
        probes: of_node(links, node)
            .filter_map(p2p)
            .collect::<Vec<SocketAddrV4>>(),
        probe_timeout: PROBE_TIMEOUT,
    };
    let orders: Vec<FilterOrder> = applied.running.iter().map(order).collect();
    let (mut seen, mut held) = Before::default();
    let Some(answers) = live.engine().filter(plan, &orders) else {
        return Ok((seen, held));
    };
    for (order, answer) in orders.iter().zip(answers.await?) {
        // Who does not answer now is named when it is told what to hold.
        let Ok(answer) = told(answer)? else {
            continue;
        };
        let results = of_node(links, &order.node).zip(&answer.probes);
        seen.extend(results.map(|(link, result)| (link.clone(), of_probe(*result))));
        let holding = Holding {
            filter: answer.rules.unwrap_or_default(),
            ..Holding::default()
        };
        held.insert(order.node.clone(), holding);
    }
    Ok((seen, held))
}

fn of_node<'a>(links: &'a [Link], node: &'a NodeName) -> impl Iterator<Item = &'a Link> {
    links.iter().filter(move |link| link.from == *node)
}

/// The conditioners, as the nodes told.
fn told_by(infos: &Answers<AdminInfo>) -> BTreeMap<NodeName, Holding> {
    let holding = |info: &AdminInfo| Holding {
        conditions: info.conditions.clone(),
        ..Holding::default()
    };
    let told = infos.iter();
    told.filter_map(|(node, info)| Some((node.clone(), holding(info.as_ref().ok()?))))
        .collect()
}
