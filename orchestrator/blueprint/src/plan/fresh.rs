//! A fresh node, planned after the example of another one.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use super::{address, digest, runtime, volume_name};
use crate::blueprint::{Blueprint, EngineKind, HostEndpoints, NodePlan, PublishedPort, Runtime};
use crate::change::ChangeError;
use crate::label;

/// Where a fresh node will live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Address in the network.
    pub ip: Ipv4Addr,
    /// Host ports of JSON-RPC and metrics, where two were free.
    pub published: Option<(SocketAddrV4, SocketAddrV4)>,
}

/// A node like `like`, with a name, identity and place of its own, and no data.
///
/// # Errors
/// A container without host ports.
pub fn node(
    network: &Blueprint,
    like: &NodePlan,
    name: &str,
    place: Place,
) -> Result<NodePlan, ChangeError> {
    let inside = address::inside(place.ip);
    let host = match network.engine {
        EngineKind::Process => address::own(inside),
        EngineKind::Docker => {
            let published = place.published;
            let (rpc, metrics) = published.ok_or_else(|| ChangeError::NoPort(name.to_owned()))?;
            HostEndpoints {
                p2p: None,
                rpc,
                metrics,
            }
        }
    };
    let names = [network.name.as_str(), name];
    let mut node = NodePlan {
        name: name.to_owned(),
        is_entry: false,
        ip: place.ip,
        inside,
        host,
        identity_seed: digest::derive("devnet/identity", network.seed, &names),
        ..like.clone()
    };
    configure(network, like, &mut node);
    node.volume.name = volume_name(&network.name, name);
    name.clone_into(&mut node.volume.node);
    node.volume.labels.insert(label::NODE.into(), name.into());
    house(network, &mut node);
    node.labels.extend([
        (label::NODE.into(), name.into()),
        (label::IP.into(), place.ip.to_string()),
        (label::RPC.into(), host.rpc.to_string()),
        (label::METRICS.into(), host.metrics.to_string()),
    ]);
    node.seal();
    Ok(node)
}

fn configure(network: &Blueprint, like: &NodePlan, node: &mut NodePlan) {
    let config = &mut node.config;
    config.name.clone_from(&node.name);
    config.p2p.identity_seed = Some(node.identity_seed.clone());
    config.p2p.advertise = Some(IpAddr::V4(node.ip));
    if network.engine == EngineKind::Process {
        let listen = IpAddr::V4(node.ip);
        config.p2p.listen = listen;
        config.rpc.listen = listen;
        config.metrics.listen = listen;
    }
    config.p2p.bootstrap = dialled(network, like);
}

/// The entry nodes, where discovery does the rest; else the very neighbours of
/// the example, or the example itself where it dials nobody.
fn dialled(network: &Blueprint, like: &NodePlan) -> Vec<String> {
    let config = &like.config.p2p;
    if !config.discovery {
        return match config.bootstrap.as_slice() {
            [] => vec![like.inside.p2p.to_string()],
            neighbours => neighbours.to_vec(),
        };
    }
    let entries = network.nodes.iter().filter(|node| node.is_entry);
    let dialled: Vec<String> = entries
        .take(super::node::ENTRIES_DIALLED_MAX)
        .map(|node| node.inside.p2p.to_string())
        .collect();
    if !dialled.is_empty() {
        return dialled;
    }
    // The entries are gone; whoever is there leads to the others.
    let others = network.nodes.iter().take(super::node::ENTRIES_DIALLED_MAX);
    others.map(|node| node.inside.p2p.to_string()).collect()
}

/// Gives the node a container or folder of its own.
fn house(network: &Blueprint, node: &mut NodePlan) {
    let name = volume_name(&network.name, &node.name);
    match &mut node.runtime {
        Runtime::Container(container) => {
            container.name = name;
            container.hostname.clone_from(&node.name);
            container.published = vec![
                PublishedPort {
                    container_port: node.inside.rpc.port(),
                    host: node.host.rpc,
                },
                PublishedPort {
                    container_port: node.inside.metrics.port(),
                    host: node.host.metrics,
                },
            ];
        }
        Runtime::Process(process) => {
            let nodes = process.folder.parent().unwrap_or(&process.folder);
            let folder = nodes.join(&node.name);
            let data = folder.join(runtime::DATA_FOLDER);
            runtime::rehouse(process, folder);
            node.config.data_dir.clone_from(&data);
            node.volume.folder = Some(data);
        }
    }
    runtime::write_config(&mut node.runtime, &node.config);
}
