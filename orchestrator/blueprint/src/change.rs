//! Changes of a network that runs: another program for a node, fresh nodes in a
//! group, nodes gone, and the way back.
//!
//! Unlike planning anew, a change touches only the nodes it names: all others
//! keep every byte of their plan, and so go on running. The wish that the
//! network was planned from stays as it is; planning it again undoes changes.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use thiserror::Error;

use crate::blueprint::{Blueprint, NodePlan, Runtime};
use crate::nearest::nearest;
use crate::plan::fresh;

/// Why a network cannot be changed, as a whole sentence without the full stop.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// A name that no node has.
    #[error("there is no node `{name}`{}", meant(nearest.as_deref()))]
    UnknownNode {
        /// The name.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A name that no group has.
    #[error("there is no group `{name}`{}", meant(nearest.as_deref()))]
    UnknownGroup {
        /// The name.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A node of that name exists.
    #[error("there is a node `{0}` already")]
    Exists(String),
    /// A name that the group's nodes do not have.
    #[error("a node of the group {group} is called {group}-0, {group}-1 and so on, not `{name}`")]
    ForeignName {
        /// The name.
        name: String,
        /// The group.
        group: String,
    },
    /// Nothing would be left.
    #[error("no node would be left; `devnet down` removes a whole network")]
    NobodyLeft,
    /// No address is left.
    #[error("the network has no address left for `{0}`; it was planned for fewer nodes")]
    NoAddress(String),
    /// No host port is left.
    #[error("no free host port was found for `{0}`")]
    NoPort(String),
    /// A program that the node's engine cannot run.
    #[error("{0}")]
    Program(String),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

impl Blueprint {
    /// The node of that name, or a refusal that names the nearest.
    ///
    /// # Errors
    /// No node is called so.
    pub fn known(&self, name: &str) -> Result<&NodePlan, ChangeError> {
        let names = self.nodes.iter().map(|node| node.name.as_str());
        self.node(name).ok_or_else(|| ChangeError::UnknownNode {
            name: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        })
    }

    /// The blueprint in which these nodes run another program: an image's
    /// reference for containers, the absolute path of a binary for processes.
    /// Their data is kept.
    ///
    /// # Errors
    /// An unknown node, an empty program, a path that is not absolute.
    pub fn with_program(&self, nodes: &[String], program: &str) -> Result<Self, ChangeError> {
        let mut changed = self.clone();
        for name in nodes {
            self.known(name)?;
            let node = changed.nodes.iter_mut().find(|node| node.name == *name);
            if let Some(node) = node {
                set_program(&mut node.runtime, program)?;
                node.seal();
            }
        }
        Ok(changed)
    }

    /// The blueprint without these nodes. Who dials them still does, in vain.
    ///
    /// # Errors
    /// An unknown node; nobody would be left.
    pub fn without_nodes(&self, nodes: &[String]) -> Result<Self, ChangeError> {
        for name in nodes {
            self.known(name)?;
        }
        let mut changed = self.clone();
        changed.nodes.retain(|node| !nodes.contains(&node.name));
        if changed.nodes.is_empty() {
            return Err(ChangeError::NobodyLeft);
        }
        Ok(changed)
    }

    /// The blueprint with fresh nodes of these names in `group`, like the
    /// group's last one; they dial the network's entry nodes, or whom the
    /// others of their group dial where there is no discovery. Addresses and
    /// ports that `reserved` gives to anybody are left alone: those nodes may
    /// come back. `host_ports` must be free; processes need none.
    ///
    /// # Errors
    /// An unknown group, a name in use or not of the group, no address or port
    /// left.
    pub fn with_added(
        &self,
        group: &str,
        names: &[String],
        reserved: &Self,
        host_ports: &[u16],
    ) -> Result<Self, ChangeError> {
        let of_group = |node: &&NodePlan| node.group == group;
        let mut all = self.nodes.iter().chain(&reserved.nodes);
        let like = self.nodes.iter().rfind(of_group).or(all.find(of_group));
        let like = like.ok_or_else(|| self.unknown_group(group, reserved))?;
        let mut changed = self.clone();
        for name in names {
            check_name(&changed, group, name)?;
            let place = changed.free_place(name, reserved, host_ports)?;
            let node = fresh::node(&changed, like, name, place)?;
            let at = changed.nodes.iter().rposition(|node| node.group == group);
            changed
                .nodes
                .insert(at.map_or(changed.nodes.len(), |at| at + 1), node);
        }
        Ok(changed)
    }

    /// The blueprint in which the nodes of these names are as in `other`, an
    /// earlier plan of the same network: back, gone, or with their old program.
    pub fn restored(&self, nodes: &[String], other: &Self) -> Self {
        let mut changed = self.clone();
        let is_named = |node: &NodePlan| nodes.contains(&node.name);
        changed
            .nodes
            .retain(|node| !is_named(node) || other.node(&node.name).is_some());
        for node in other.nodes.iter().filter(|node| is_named(node)) {
            match changed.nodes.iter_mut().find(|now| now.name == node.name) {
                Some(now) => now.clone_from(node),
                None => changed.insert_as_in(node, other),
            }
        }
        changed
    }

    /// Names that `count` fresh nodes of `group` get: counted on from the
    /// highest that this plan or `reserved` has.
    pub fn fresh_names(&self, group: &str, count: u32, reserved: &Self) -> Vec<String> {
        let all = self.nodes.iter().chain(&reserved.nodes);
        let indices = all.filter_map(|node| index_in(group, &node.name));
        let first = indices.max().map_or(0, |index| index.saturating_add(1));
        (first..first.saturating_add(count))
            .map(|index| format!("{group}-{index}"))
            .collect()
    }

    /// Inserts a node before the first that follows it in `other`.
    fn insert_as_in(&mut self, node: &NodePlan, other: &Self) {
        let after = other
            .nodes
            .iter()
            .skip_while(|planned| planned.name != node.name)
            .skip(1);
        let at = after
            .filter_map(|next| self.nodes.iter().position(|now| now.name == next.name))
            .next();
        self.nodes
            .insert(at.unwrap_or(self.nodes.len()), node.clone());
    }

    fn unknown_group(&self, group: &str, reserved: &Self) -> ChangeError {
        let all = self.nodes.iter().chain(&reserved.nodes);
        ChangeError::UnknownGroup {
            name: group.to_owned(),
            nearest: nearest(group, all.map(|node| node.group.as_str())).map(str::to_owned),
        }
    }

    fn free_place(
        &self,
        name: &str,
        reserved: &Self,
        host_ports: &[u16],
    ) -> Result<fresh::Place, ChangeError> {
        let all = || self.nodes.iter().chain(&reserved.nodes);
        let addresses: BTreeSet<Ipv4Addr> = all().map(|node| node.ip).collect();
        let subnet = self.subnet;
        let mut slots = (0..subnet.map_or(0, crate::Subnet::node_capacity))
            .filter_map(|slot| subnet?.node_address(slot));
        let ip = slots
            .find(|ip| !addresses.contains(ip))
            .ok_or_else(|| ChangeError::NoAddress(name.to_owned()))?;
        let used: BTreeSet<u16> = all()
            .flat_map(|node| [node.host.rpc.port(), node.host.metrics.port()])
            .collect();
        let mut free = host_ports.iter().filter(|port| !used.contains(port));
        let mut port = || {
            let port = free.next().copied();
            port.map(|port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
        };
        Ok(fresh::Place {
            ip,
            published: port().zip(port()),
        })
    }
}

fn set_program(runtime: &mut Runtime, program: &str) -> Result<(), ChangeError> {
    if program.is_empty() {
        return Err(ChangeError::Program("no program is named".into()));
    }
    match runtime {
        Runtime::Container(container) => program.clone_into(&mut container.image),
        Runtime::Process(process) => {
            if !Path::new(program).is_absolute() {
                return Err(ChangeError::Program(format!(
                    "the binary `{program}` needs an absolute path"
                )));
            }
            match process.command.first_mut() {
                Some(first) => program.clone_into(first),
                None => process.command.push(program.to_owned()),
            }
        }
    }
    Ok(())
}

fn check_name(blueprint: &Blueprint, group: &str, name: &str) -> Result<(), ChangeError> {
    if index_in(group, name).is_none() {
        return Err(ChangeError::ForeignName {
            name: name.to_owned(),
            group: group.to_owned(),
        });
    }
    match blueprint.node(name) {
        Some(_) => Err(ChangeError::Exists(name.to_owned())),
        None => Ok(()),
    }
}

/// The index of a node of that group, as its name says.
fn index_in(group: &str, name: &str) -> Option<u32> {
    let digits = name.strip_prefix(group)?.strip_prefix('-')?;
    let is_plain = digits == "0" || !digits.starts_with('0');
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && all_digits).then(|| digits.parse().ok())?
}
