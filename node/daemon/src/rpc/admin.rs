//! Methods of fault injection, see [`minichain_api::admin`].

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use minichain_api::admin::{
    AdminInfo, Conditions, DiskQuota, LinkConditions, ProbeAnswer, ProbeRequest, ProbeTarget,
};
use minichain_api::rpc::{RpcError, code};

use super::arguments::Arguments;
use super::server::internal;
use super::{Context, ending, error};
use crate::clock::Clock;
use crate::miner::RateLever;
use crate::net::link_conditioner::{Condition, Table};
use crate::net::{self, Levers, Outcome, Target};
use crate::store::Quota;

/// All that can be made worse.
pub struct Admin {
    /// Links and probes.
    pub net: Levers,
    /// The node's clock.
    pub clock: Clock,
    /// The miner's rate; none on a node that does not mine.
    pub rate: Option<RateLever>,
    /// The data folder's limit.
    pub quota: Quota,
}

const LINKS_MAX: usize = 1_024;
const DELAY_MAX_MS: f64 = 60_000.0;
const TARGETS_MAX: usize = 1_024;
/// Bytes all probes of one round carry together, at most.
const PAYLOADS_MAX: usize = 32 * 1_024 * 1_024;
const PROBE_TIMEOUT_MAX_MS: u64 = 10_000;
/// Ten years.
const OFFSET_MAX_MS: i64 = 10 * 365 * 86_400 * 1_000;
/// More than any processor computes.
const RATE_MAX: f64 = 1e12;

/// `getadmininfo`.
pub async fn info(context: &Context, admin: &Admin) -> Result<AdminInfo, RpcError> {
    Ok(AdminInfo {
        peerid: context.look(|view| view.net.peer_id.clone()).await?,
        conditions: shown(&admin.net.links().table()),
        clock_offset_ms: admin.clock.offset_ms(),
        hashrate: admin.rate.as_ref().map(RateLever::get),
        disk: disk(admin)?,
    })
}

/// `setconditions`.
pub fn set_conditions(
    context: &Context,
    admin: &Admin,
    arguments: &Arguments,
) -> Result<Conditions, RpcError> {
    let wanted: Conditions = arguments.decoded(0)?;
    let in_force = admin.net.condition(table(&wanted)?);
    context.observer.links_conditioned(in_force.len());
    tracing::info!(links = in_force.len(), "link conditions set");
    Ok(shown(&in_force))
}

/// `probepeers`.
pub async fn probe(admin: &Admin, arguments: &Arguments) -> Result<Vec<ProbeAnswer>, RpcError> {
    let request: ProbeRequest = arguments.decoded(0)?;
    if request.targets.len() > TARGETS_MAX {
        let count = request.targets.len();
        return Err(refused(format!(
            "{count} targets; at most {TARGETS_MAX} at once"
        )));
    }
    if !(1..=PROBE_TIMEOUT_MAX_MS).contains(&request.timeout_ms) {
        return Err(refused(format!(
            "timeout_ms {} must be from 1 to {PROBE_TIMEOUT_MAX_MS}",
            request.timeout_ms
        )));
    }
    let bytes = request
        .payload_bytes
        .map_or(net::PAYLOAD_MIN, |bytes| bytes as usize);
    if !(net::PAYLOAD_MIN..=net::PAYLOAD_MAX).contains(&bytes) {
        return Err(refused(format!(
            "payload_bytes {bytes} must be from {} to {}",
            net::PAYLOAD_MIN,
            net::PAYLOAD_MAX
        )));
    }
    if bytes * request.targets.len() > PAYLOADS_MAX {
        return Err(refused(format!(
            "{bytes} bytes to each of {} targets; at most {PAYLOADS_MAX} bytes together",
            request.targets.len()
        )));
    }
    let targets = request.targets.iter().map(target).collect::<Result<_, _>>();
    let timeout = Duration::from_millis(request.timeout_ms);
    let outcomes = admin.net.probe(targets?, timeout, bytes).await;
    let outcomes = outcomes.map_err(|net::Ended| ending())?;
    let answers = request.targets.into_iter().zip(outcomes);
    Ok(answers
        .map(|(target, outcome)| answer(target, outcome))
        .collect())
}

/// `setclockoffset`.
pub fn set_clock_offset(
    context: &Context,
    admin: &Admin,
    arguments: &Arguments,
) -> Result<i64, RpcError> {
    let offset_ms: i64 = arguments.decoded(0)?;
    if offset_ms.unsigned_abs() > OFFSET_MAX_MS.unsigned_abs() {
        return Err(refused(format!(
            "offset_ms {offset_ms} must lie within {OFFSET_MAX_MS} either way"
        )));
    }
    admin.clock.set_offset_ms(offset_ms);
    context.observer.clock_set(offset_ms);
    tracing::info!(offset_ms, "clock offset set");
    Ok(admin.clock.offset_ms())
}

/// `sethashrate`.
pub fn set_hash_rate(admin: &Admin, arguments: &Arguments) -> Result<f64, RpcError> {
    let rate: f64 = arguments.decoded(0)?;
    if !(0.0..=RATE_MAX).contains(&rate) {
        return Err(refused(format!(
            "hashes_per_second {rate} must be from 0 to {RATE_MAX}"
        )));
    }
    let Some(lever) = &admin.rate else {
        let why = "this node does not mine; set mining.enabled and start it again";
        return Err(error(code::MISC, why));
    };
    lever.set(rate);
    tracing::info!(hashes_per_second = rate, "hash rate set");
    Ok(lever.get())
}

/// `setdiskquota`.
pub fn set_disk_quota(admin: &Admin, arguments: &Arguments) -> Result<DiskQuota, RpcError> {
    admin.quota.set(arguments.decoded_or_none(0)?);
    tracing::info!(quota_bytes = admin.quota.get(), "disk quota set");
    disk(admin)
}

fn disk(admin: &Admin) -> Result<DiskQuota, RpcError> {
    Ok(DiskQuota {
        quota_bytes: admin.quota.get(),
        used_bytes: admin.quota.used().map_err(internal)?,
    })
}

fn table(wanted: &Conditions) -> Result<Table, RpcError> {
    if wanted.links.len() > LINKS_MAX {
        let count = wanted.links.len();
        return Err(refused(format!("{count} links; at most {LINKS_MAX}")));
    }
    let mut table = Table::new();
    for link in &wanted.links {
        if table
            .insert(peer(&link.peerid)?, condition(link)?)
            .is_some()
        {
            return Err(refused(format!("peerid {} is named twice", link.peerid)));
        }
    }
    Ok(table)
}

fn condition(link: &LinkConditions) -> Result<Condition, RpcError> {
    let within = |name: &str, value: f64, max: f64| {
        if (0.0..=max).contains(&value) {
            return Ok(value);
        }
        let peer = &link.peerid;
        Err(refused(format!(
            "{name} {value} of the link to {peer} must be from 0 to {max}"
        )))
    };
    if link.rate_bytes_s == Some(0) {
        return Err(refused(format!(
            "rate_bytes_s of the link to {} must be at least 1; to stop everything set cut",
            link.peerid
        )));
    }
    Ok(Condition {
        is_cut: link.cut,
        latency_ms: within("latency_ms", link.latency_ms, DELAY_MAX_MS)?,
        jitter_ms: within("jitter_ms", link.jitter_ms, DELAY_MAX_MS)?,
        loss: within("loss", link.loss, 1.0)?,
        rate_bytes_s: link.rate_bytes_s,
    })
}

fn shown(table: &Table) -> Conditions {
    let link = |(peer, condition): (&PeerId, &Condition)| {
        let peerid = peer.to_string();
        let link = LinkConditions {
            peerid: peerid.clone(),
            cut: condition.is_cut,
            latency_ms: condition.latency_ms,
            jitter_ms: condition.jitter_ms,
            loss: condition.loss,
            rate_bytes_s: condition.rate_bytes_s,
        };
        (peerid, link)
    };
    let sorted: BTreeMap<_, _> = table.iter().map(link).collect();
    Conditions {
        links: sorted.into_values().collect(),
    }
}

fn target(target: &ProbeTarget) -> Result<Target, RpcError> {
    let address = target
        .address
        .as_deref()
        .map(|text| net::addresses::parse(text).map_err(|why| refused(format!("address: {why}"))));
    Ok(Target {
        peer: peer(&target.peerid)?,
        address: address.transpose()?,
    })
}

fn answer(target: ProbeTarget, outcome: Outcome) -> ProbeAnswer {
    ProbeAnswer {
        peerid: target.peerid,
        reachable: outcome.is_ok(),
        rtt_ms: outcome.as_ref().ok().map(|rtt| rtt.as_secs_f64() * 1e3),
        why: outcome.err(),
    }
}

fn peer(text: &str) -> Result<PeerId, RpcError> {
    text.parse()
        .map_err(|why| refused(format!("peerid {text:?}: {why}")))
}

fn refused(why: String) -> RpcError {
    error(code::INVALID_PARAMETER, why)
}

#[cfg(test)]
mod tests {
    use minichain_api::admin::{Conditions, LinkConditions};
    use minichain_api::rpc::code;

    use super::{LINKS_MAX, PeerId, shown, table};

    fn link() -> LinkConditions {
        LinkConditions {
            peerid: PeerId::random().to_string(),
            cut: false,
            latency_ms: 12.5,
            jitter_ms: 3.1,
            loss: 0.25,
            rate_bytes_s: Some(1),
        }
    }

    #[test]
    fn conditions_come_back_as_they_went_in_sorted_by_peer() {
        let mut links: Vec<_> = (0..20).map(|_| link()).collect();
        let table = table(&Conditions {
            links: links.clone(),
        });
        links.sort_by(|a, b| a.peerid.cmp(&b.peerid));
        assert_eq!(shown(&table.unwrap()), Conditions { links });
    }

    #[test]
    fn senseless_conditions_are_refused() {
        let changes: [fn(&mut LinkConditions); 9] = [
            |link| link.peerid = "nobody".into(),
            |link| link.latency_ms = f64::NAN,
            |link| link.latency_ms = -1.0,
            |link| link.latency_ms = 60_000.1,
            |link| link.jitter_ms = f64::INFINITY,
            |link| link.jitter_ms = -0.1,
            |link| link.loss = 1.01,
            |link| link.loss = f64::NAN,
            |link| link.rate_bytes_s = Some(0),
        ];
        for change in changes {
            let mut bad = link();
            change(&mut bad);
            let links = vec![link(), bad];
            let error = table(&Conditions { links }).unwrap_err();
            assert_eq!(error.code, code::INVALID_PARAMETER, "{error:?}");
        }
        let twice = link();
        let links = vec![twice.clone(), twice];
        assert!(table(&Conditions { links }).is_err());
        let links = (0..=LINKS_MAX).map(|_| link()).collect();
        assert!(table(&Conditions { links }).is_err());
    }
}
