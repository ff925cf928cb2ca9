//! One node's configuration and plan.

use std::net::{IpAddr, Ipv4Addr};

use minichain_api::config::{
    LimitsConfig, LogConfig, LogFormat, MetricsConfig, MiningConfig, NodeConfig, P2pConfig,
    RpcConfig,
};
use minichain_api::genesis::GenesisFile;

use super::address::Place;
use super::{Birth, EngineInput, PlanError, PlanInput, RPC_USER, digest, runtime, volume};
use crate::blueprint::NodePlan;
use crate::label;
use crate::topology::{DEFAULT_HASH_RATE, Member, Peers, Role, Topology};

/// Nodes that every other node dials at first, at most. More would only make
/// more connections nobody needs; discovery finds the rest.
pub const ENTRIES_DIALLED_MAX: usize = 3;
/// Members that dial the entry nodes; those behind them dial members before them,
/// so that no node is everybody's peer. See decision 0019.
const AT_ENTRIES_MAX: usize = 32;
/// Connections a node accepts at least; more where the topology gives it more
/// neighbours.
const MAX_PEERS: u32 = 64;
/// Connections beyond the neighbours a topology gives a node.
const SPARE_PEERS: u32 = 16;

/// In a network no larger everybody may hold a connection to everybody.
const EVERYBODY_MAX: usize = 17;
/// Peers to look for in a larger one: more than gossip's mesh wants (6), and as
/// few as may be, since polls, pings and heartbeats are paid for each.
const OF_MANY: u32 = 8;

/// What all nodes of one plan have in common.
pub struct Context<'a> {
    pub topology: &'a Topology,
    pub input: &'a PlanInput,
    pub birth: &'a Birth,
    pub genesis: &'a GenesisFile,
}

impl Context<'_> {
    /// The plan of every member, in their order.
    pub fn nodes(&self, members: &[Member], places: &[Place]) -> Result<Vec<NodePlan>, PlanError> {
        let roster = Roster::new(members, places);
        (0..members.len())
            .map(|at| self.node(&roster, at))
            .collect()
    }

    fn node(&self, roster: &Roster<'_>, at: usize) -> Result<NodePlan, PlanError> {
        let (member, place) = (&roster.members[at], roster.places[at]);
        let names = [self.topology.name.as_str(), member.name.as_str()];
        let identity_seed = digest::derive("devnet/identity", self.birth.seed, &names);
        let config = self.config(roster, at, &identity_seed);
        let runtime = runtime::runtime(self, member, &place, &config)?;
        let volume = volume(self.topology, self.birth, &member.name, &runtime);
        let mut labels = self.birth.labels(&self.topology.name);
        labels.extend([
            (label::NODE.into(), member.name.clone()),
            (label::ROLE.into(), member.role.to_string()),
            (label::IP.into(), place.ip.to_string()),
            (label::RPC.into(), place.host.rpc.to_string()),
            (label::METRICS.into(), place.host.metrics.to_string()),
        ]);
        let mut node = NodePlan {
            name: member.name.clone(),
            group: member.group.clone(),
            role: member.role,
            zone: member.settings.zone.clone(),
            is_entry: roster.entries.contains(&at),
            ip: place.ip,
            inside: place.inside,
            host: place.host,
            identity_seed,
            config,
            volume,
            runtime,
            spec: String::new(),
            labels,
        };
        node.seal();
        Ok(node)
    }

    /// Peers that a node looks for; about as many look for it. Whoever is there
    /// goes on as planned: a network that grows does not start anew for it.
    fn target_peers(&self, member: &Member, roster: &Roster<'_>, usual: u32) -> u32 {
        let before = self.input.previous.as_deref();
        if let Some(planned) = before.and_then(|before| before.node(&member.name)) {
            planned.config.p2p.target_peers
        } else if roster.members.len() > EVERYBODY_MAX {
            usual.min(OF_MANY)
        } else {
            usual
        }
    }

    /// What a node of a mesh was planned to dial before, where all of it is there
    /// still: a network that grows does not start anew for it.
    fn still_dialled(&self, member: &Member, roster: &Roster<'_>) -> Option<Vec<String>> {
        let planned = self.input.previous.as_deref()?.node(&member.name)?;
        let dialled = &planned.config.p2p.bootstrap;
        let is_there = |address: &String| {
            let mut places = roster.places.iter();
            places.any(|place| place.inside.p2p.to_string() == *address)
        };
        let is_kept = self.topology.peers == Peers::Mesh
            && roster.members.len() > AT_ENTRIES_MAX
            && !dialled.is_empty()
            && dialled.iter().all(is_there);
        is_kept.then(|| dialled.clone())
    }

    fn config(&self, roster: &Roster<'_>, at: usize, identity_seed: &str) -> NodeConfig {
        let (member, place) = (&roster.members[at], roster.places[at]);
        // In a container the published ports arrive on an address of the
        // engine's choice; a process has its own address on the host.
        let listen = match self.input.engine {
            EngineInput::Docker(_) => Ipv4Addr::UNSPECIFIED,
            EngineInput::Process(_) => place.ip,
        };
        let mut neighbours = roster.neighbours(&self.topology.peers, at);
        if let Some(planned) = self.still_dialled(member, roster) {
            neighbours.dialled = planned;
        }
        let default = NodeConfig::default();
        NodeConfig {
            name: member.name.clone(),
            data_dir: runtime::data_dir(&self.input.engine, &member.name),
            genesis_file: None,
            genesis: Some(self.genesis.clone()),
            p2p: P2pConfig {
                listen: IpAddr::V4(listen),
                port: place.inside.p2p.port(),
                advertise: Some(IpAddr::V4(place.ip)),
                bootstrap: neighbours.dialled,
                discovery: self.topology.peers == Peers::Mesh,
                identity_seed: Some(identity_seed.into()),
                target_peers: self.target_peers(member, roster, default.p2p.target_peers),
                max_peers: neighbours.max_peers,
            },
            mining: MiningConfig {
                enabled: member.role == Role::Miner,
                hash_rate: member.settings.hash_rate.unwrap_or(DEFAULT_HASH_RATE),
                address: None,
                account: None,
            },
            rpc: RpcConfig {
                enabled: true,
                listen: IpAddr::V4(listen),
                port: place.inside.rpc.port(),
                user: Some(RPC_USER.into()),
                password: Some(self.birth.rpc_password.clone()),
                admin: true,
            },
            metrics: MetricsConfig {
                enabled: true,
                listen: IpAddr::V4(listen),
                port: place.inside.metrics.port(),
            },
            log: LogConfig {
                filter: member
                    .settings
                    .log_filter
                    .clone()
                    .unwrap_or(default.log.filter),
                format: LogFormat::Text,
            },
            limits: LimitsConfig::default(),
        }
    }
}

impl NodePlan {
    /// Recomputes the digest, and its label, after a change. It covers all that
    /// an engine has to make anew where it differs.
    pub(crate) fn seal(&mut self) {
        self.spec = digest::of(&(
            &self.name,
            self.ip,
            self.inside,
            self.host,
            &self.runtime,
            &self.volume,
        ));
        self.labels.insert(label::SPEC.into(), self.spec.clone());
    }
}

/// All members with their places, and those known to all from the start.
struct Roster<'a> {
    members: &'a [Member],
    places: &'a [Place],
    /// Positions of the entry nodes.
    entries: Vec<usize>,
}

struct Neighbours {
    dialled: Vec<String>,
    max_peers: u32,
}

impl<'a> Roster<'a> {
    fn new(members: &'a [Member], places: &'a [Place]) -> Self {
        Self {
            members,
            places,
            entries: entries(members),
        }
    }

    fn neighbours(&self, peers: &Peers, at: usize) -> Neighbours {
        match peers {
            Peers::Mesh => self.mesh_neighbours(at),
            Peers::Edges(edges) => self.edge_neighbours(edges, at),
        }
    }

    /// Entry nodes dial those before them; the first few of all others dial the
    /// first few of them, and the rest two members before them: a tree with a
    /// second way up from every node.
    fn mesh_neighbours(&self, at: usize) -> Neighbours {
        let is_entry = self.entries.contains(&at);
        let entries = self.entries.iter().copied();
        let entries = entries.filter(|entry| !is_entry || *entry < at);
        let dialled: Vec<usize> = match is_entry || at < AT_ENTRIES_MAX {
            true => entries.take(ENTRIES_DIALLED_MAX).collect(),
            false => vec![at / 2, at / 3],
        };
        let dialled = dialled.into_iter().map(|at| self.address(at)).collect();
        Neighbours {
            dialled,
            // Entry nodes are dialled by everybody, and a fault is proven by
            // probes between any two.
            max_peers: max_peers(self.members.len()),
        }
    }

    fn edge_neighbours(&self, edges: &[(String, String)], at: usize) -> Neighbours {
        let name = &self.members[at].name;
        let position = |name: &String| self.members.iter().position(|member| member.name == *name);
        let dialled = edges
            .iter()
            .filter(|(from, _)| from == name)
            .filter_map(|(_, to)| position(to))
            .map(|to| self.address(to))
            .collect();
        let degree = edges
            .iter()
            .filter(|(from, to)| from == name || to == name)
            .count();
        Neighbours {
            dialled,
            max_peers: max_peers(degree),
        }
    }

    fn address(&self, at: usize) -> String {
        self.places[at].inside.p2p.to_string()
    }
}

/// The bootstrap nodes; where there is none the first that does not mine; where
/// all mine the first.
fn entries(members: &[Member]) -> Vec<usize> {
    let with = |wanted: fn(&Member) -> bool| {
        members
            .iter()
            .enumerate()
            .filter(move |(_, member)| wanted(member))
            .map(|(at, _)| at)
    };
    let bootstraps: Vec<usize> = with(|member| member.role == Role::Bootstrap).collect();
    if bootstraps.is_empty() {
        with(|member| member.role != Role::Miner)
            .chain(0..members.len())
            .take(1)
            .collect()
    } else {
        bootstraps
    }
}

/// Rounded up to a power of two, so that a network that grows by a few nodes
/// does not change, and thus restart, the nodes that are there.
fn max_peers(neighbours: usize) -> u32 {
    let neighbours = u32::try_from(neighbours).unwrap_or(u32::MAX);
    // Of its places a node keeps a quarter for those that it dials itself.
    let places = neighbours.saturating_add(neighbours.div_ceil(3));
    let wanted = places.saturating_add(SPARE_PEERS);
    wanted
        .checked_next_power_of_two()
        .unwrap_or(u32::MAX)
        .max(MAX_PEERS)
}
