//! Addresses and ports. A node that was planned before keeps its own; the
//! others take the lowest that are free, in the order of the topology.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use minichain_api::port;

use super::{EngineInput, HOST_PORTS_PER_NODE, PlanError};
use crate::blueprint::{Blueprint, HostEndpoints, InsideEndpoints, RELEASED_PORT};
use crate::subnet::Subnet;
use crate::topology::Member;

/// Where a node lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub ip: Ipv4Addr,
    pub inside: InsideEndpoints,
    pub host: HostEndpoints,
}

/// One place for each member, in their order.
pub fn places(
    members: &[Member],
    subnet: Subnet,
    engine: &EngineInput,
    previous: Option<&Blueprint>,
) -> Result<Vec<Place>, PlanError> {
    let addresses = addresses(members, subnet, previous)?;
    let inside = addresses.iter().map(|ip| inside(*ip));
    let places = match engine {
        EngineInput::Docker(docker) => {
            let published = published(members, &docker.host_ports, previous)?;
            inside
                .zip(published)
                .map(|(inside, host)| place(inside, host))
                .collect()
        }
        EngineInput::Process(_) => inside.map(|inside| place(inside, own(inside))).collect(),
    };
    Ok(places)
}

fn place(inside: InsideEndpoints, host: HostEndpoints) -> Place {
    Place {
        ip: *inside.p2p.ip(),
        inside,
        host,
    }
}

fn addresses(
    members: &[Member],
    subnet: Subnet,
    previous: Option<&Blueprint>,
) -> Result<Vec<Ipv4Addr>, PlanError> {
    let kept = |member: &Member| {
        let ip = previous?.node(&member.name)?.ip;
        subnet.slot_of(ip).map(|_| ip)
    };
    let kept: BTreeMap<&str, Ipv4Addr> = members
        .iter()
        .filter_map(|member| Some((member.name.as_str(), kept(member)?)))
        .collect();
    let taken: BTreeSet<Ipv4Addr> = kept.values().copied().collect();
    let mut free = (0..subnet.node_capacity())
        .filter_map(|slot| subnet.node_address(slot))
        .filter(|ip| !taken.contains(ip));
    let full = || PlanError::SubnetFull {
        subnet,
        nodes: members.len(),
        capacity: subnet.node_capacity(),
    };
    members
        .iter()
        .map(|member| match kept.get(member.name.as_str()) {
            Some(ip) => Ok(*ip),
            None => free.next().ok_or_else(full),
        })
        .collect()
}

/// Where the other nodes reach a node with that address.
pub fn inside(ip: Ipv4Addr) -> InsideEndpoints {
    InsideEndpoints {
        p2p: SocketAddrV4::new(ip, port::P2P),
        rpc: SocketAddrV4::new(ip, port::RPC),
        metrics: SocketAddrV4::new(ip, port::METRICS),
    }
}

/// A process is reached from the host at its own address.
pub fn own(inside: InsideEndpoints) -> HostEndpoints {
    HostEndpoints {
        p2p: Some(inside.p2p),
        rpc: inside.rpc,
        metrics: inside.metrics,
    }
}

/// Host ports of containers.
fn published(
    members: &[Member],
    offered: &[u16],
    previous: Option<&Blueprint>,
) -> Result<Vec<HostEndpoints>, PlanError> {
    let mut seen = BTreeSet::from([RELEASED_PORT]);
    if let Some(port) = offered.iter().find(|port| !seen.insert(**port)) {
        return Err(PlanError::BadHostPort { port: *port });
    }
    let kept: Vec<[Option<u16>; HOST_PORTS_PER_NODE as usize]> = members
        .iter()
        .map(|member| kept_ports(member, previous))
        .collect();
    let taken: BTreeSet<u16> = kept.iter().flatten().copied().flatten().collect();
    let needed = kept.iter().flatten().filter(|port| port.is_none()).count();
    let mut free = offered.iter().copied().filter(|port| !taken.contains(port));
    let given = free.clone().count();
    let mut port = |kept: Option<u16>| {
        let port = kept.or_else(|| free.next());
        let port = port.ok_or(PlanError::TooFewHostPorts { needed, given })?;
        Ok::<_, PlanError>(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    };
    kept.iter()
        .map(|[rpc, metrics]| {
            Ok(HostEndpoints {
                p2p: None,
                rpc: port(*rpc)?,
                metrics: port(*metrics)?,
            })
        })
        .collect()
}

/// Ports for JSON-RPC and metrics from an earlier plan, unless given up.
fn kept_ports(member: &Member, previous: Option<&Blueprint>) -> [Option<u16>; 2] {
    let host = previous
        .and_then(|before| before.node(&member.name))
        .map(|node| node.host);
    let kept = |port: u16| (port != RELEASED_PORT).then_some(port);
    [
        host.and_then(|host| kept(host.rpc.port())),
        host.and_then(|host| kept(host.metrics.port())),
    ]
}
