//! Addresses and ports. A node that was planned before keeps its own; the
//! others take the lowest that are free, in the order of the topology.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use minichain_api::port;

use super::{EngineInput, HOST_PORTS_PER_NODE, PlanError};
use crate::blueprint::{Blueprint, HostEndpoints, InsideEndpoints};
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
    let kept = kept_places(members, subnet, previous);
    let mut addresses = free_addresses(subnet, &kept);
    let mut ports = FreePorts::new(engine, members.len() - kept.len(), &kept)?;
    let mut place = |member: &Member| {
        if let Some(place) = kept.get(member.name.as_str()) {
            return Ok(*place);
        }
        let no_room = || PlanError::SubnetFull {
            subnet,
            nodes: members.len(),
            capacity: subnet.node_capacity(),
        };
        let ip = addresses.next().ok_or_else(no_room)?;
        let inside = inside(ip);
        let host = match engine {
            EngineInput::Docker(_) => ports.take()?,
            EngineInput::Process(_) => HostEndpoints {
                p2p: Some(inside.p2p),
                rpc: inside.rpc,
                metrics: inside.metrics,
            },
        };
        Ok(Place { ip, inside, host })
    };
    members.iter().map(&mut place).collect()
}

/// Places of those members that were planned before and still fit the subnet.
fn kept_places<'a>(
    members: &'a [Member],
    subnet: Subnet,
    previous: Option<&Blueprint>,
) -> BTreeMap<&'a str, Place> {
    let kept = |member: &'a Member| {
        let node = previous?.node(&member.name)?;
        subnet.slot_of(node.ip)?;
        let place = Place {
            ip: node.ip,
            inside: node.inside,
            host: node.host,
        };
        Some((member.name.as_str(), place))
    };
    members.iter().filter_map(kept).collect()
}

fn free_addresses(
    subnet: Subnet,
    kept: &BTreeMap<&str, Place>,
) -> impl Iterator<Item = Ipv4Addr> + use<> {
    let taken: BTreeSet<Ipv4Addr> = kept.values().map(|place| place.ip).collect();
    (0..subnet.node_capacity())
        .filter_map(move |slot| subnet.node_address(slot))
        .filter(move |address| !taken.contains(address))
}

fn inside(ip: Ipv4Addr) -> InsideEndpoints {
    InsideEndpoints {
        p2p: SocketAddrV4::new(ip, port::P2P),
        rpc: SocketAddrV4::new(ip, port::RPC),
        metrics: SocketAddrV4::new(ip, port::METRICS),
    }
}

/// Host ports not yet given to a node.
struct FreePorts {
    ports: std::vec::IntoIter<u16>,
    needed: usize,
    given: usize,
}

impl FreePorts {
    /// Refuses a list that is too short, names a port twice or holds port 0.
    fn new(
        engine: &EngineInput,
        nodes: usize,
        kept: &BTreeMap<&str, Place>,
    ) -> Result<Self, PlanError> {
        let EngineInput::Docker(docker) = engine else {
            return Ok(Self {
                ports: Vec::new().into_iter(),
                needed: 0,
                given: 0,
            });
        };
        let mut seen = BTreeSet::from([0]);
        if let Some(port) = docker.host_ports.iter().find(|port| !seen.insert(**port)) {
            return Err(PlanError::BadHostPort { port: *port });
        }
        let of_kept: BTreeSet<u16> = kept
            .values()
            .flat_map(|place| [place.host.rpc.port(), place.host.metrics.port()])
            .collect();
        let ports: Vec<u16> = docker
            .host_ports
            .iter()
            .copied()
            .filter(|port| !of_kept.contains(port))
            .collect();
        let needed = nodes * HOST_PORTS_PER_NODE as usize;
        if ports.len() < needed {
            return Err(PlanError::TooFewHostPorts {
                needed,
                given: ports.len(),
            });
        }
        let given = ports.len();
        Ok(Self {
            ports: ports.into_iter(),
            needed,
            given,
        })
    }

    fn take(&mut self) -> Result<HostEndpoints, PlanError> {
        let (needed, given) = (self.needed, self.given);
        let mut next = || {
            let port = self
                .ports
                .next()
                .ok_or(PlanError::TooFewHostPorts { needed, given })?;
            Ok::<_, PlanError>(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
        };
        Ok(HostEndpoints {
            p2p: None,
            rpc: next()?,
            metrics: next()?,
        })
    }
}
