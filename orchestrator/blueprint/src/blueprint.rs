//! The exact plan of a network. Immutable once made; serialised to JSON it is
//! what the state folder holds and what later calls attach by.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

use minichain_api::config::NodeConfig;
use minichain_api::genesis::GenesisFile;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::plan::digest;
use crate::subnet::Subnet;
use crate::topology::Role;

/// Number of the format below; a file with another one is not read.
pub const FORMAT: u32 = 1;

/// Stands for a host port that was given up.
pub(crate) const RELEASED_PORT: u16 = 0;

/// Everything about a network that is to exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// [`FORMAT`]; reading refuses any other.
    #[serde(deserialize_with = "known_format")]
    pub format: u32,
    /// Name of the devnet.
    pub name: String,
    /// One id for each birth of a network.
    pub run_id: String,
    /// Who brought it up.
    pub owner: String,
    /// Birth, in seconds since 1970; also the genesis time.
    pub created_at_s: u32,
    /// Where every derived key comes from.
    pub seed: u64,
    /// What runs the nodes.
    pub engine: EngineKind,
    /// Addresses the nodes live in: the container network's, or a block of
    /// loopback addresses; none in an empty blueprint.
    pub subnet: Option<Subnet>,
    /// The network the containers share; none for processes.
    pub network: Option<NetworkPlan>,
    /// Rules of the chain; none in an empty blueprint.
    pub genesis: Option<GenesisFile>,
    /// How to sign in at every node's JSON-RPC.
    pub rpc: RpcAccess,
    /// The nodes, in the order of the topology.
    pub nodes: Vec<NodePlan>,
    /// How far the zones of the nodes are apart; empty without zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneLatency>,
}

/// How long what is sent in one zone takes to another, or to its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneLatency {
    /// Zone of the sender.
    pub from: String,
    /// Zone of the receiver.
    pub to: String,
    /// One-way delay in milliseconds.
    pub latency_ms: f64,
    /// Standard deviation of the delay in milliseconds.
    pub jitter_ms: f64,
}

/// What runs the nodes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Containers on a Docker (or Podman) engine.
    Docker,
    /// Plain processes of this host.
    Process,
}

/// A container network to exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkPlan {
    /// `devnet-<name>`.
    pub name: String,
    /// Its addresses.
    pub subnet: Subnet,
    /// The host's address in it.
    pub gateway: Ipv4Addr,
    /// Digest of this plan, also among the labels.
    pub spec: String,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
}

/// Credentials of every node's JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcAccess {
    /// HTTP basic user.
    pub user: String,
    /// HTTP basic password.
    pub password: String,
}

/// One node to exist and run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// Name, such as `miner-0`.
    pub name: String,
    /// Group it belongs to.
    pub group: String,
    /// What it does.
    pub role: Role,
    /// Zone it stands in, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether others know it from the start; such nodes are started first.
    pub is_entry: bool,
    /// Its address in the network.
    pub ip: Ipv4Addr,
    /// Where the other nodes reach it.
    pub inside: InsideEndpoints,
    /// Where the host reaches it.
    pub host: HostEndpoints,
    /// 64 hexadecimal digits the libp2p identity follows from.
    pub identity_seed: String,
    /// The node's whole configuration, genesis inline.
    pub config: NodeConfig,
    /// Where its data is kept.
    pub volume: VolumePlan,
    /// The container or process.
    pub runtime: Runtime,
    /// Digest of all of the above, also among the labels.
    pub spec: String,
    /// Labels to set on the container, or to keep beside the process.
    pub labels: BTreeMap<String, String>,
}

/// Where other nodes reach a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsideEndpoints {
    /// libp2p over TCP.
    pub p2p: SocketAddrV4,
    /// JSON-RPC over HTTP.
    pub rpc: SocketAddrV4,
    /// Prometheus metrics over HTTP.
    pub metrics: SocketAddrV4,
}

/// Where the host reaches a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostEndpoints {
    /// libp2p over TCP; containers publish none.
    pub p2p: Option<SocketAddrV4>,
    /// JSON-RPC over HTTP.
    pub rpc: SocketAddrV4,
    /// Prometheus metrics over HTTP.
    pub metrics: SocketAddrV4,
}

/// A node's durable data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumePlan {
    /// `devnet-<name>-<node>`.
    pub name: String,
    /// Node it belongs to.
    pub node: String,
    /// The folder, where no engine keeps volumes (processes).
    pub folder: Option<PathBuf>,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
}

/// What to run a node as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// A container.
    Container(ContainerPlan),
    /// A process.
    Process(ProcessPlan),
}

/// A container, ready to be asked for. Restart policy: none; `up` brings a
/// dead node back. `no-new-privileges` must stay off: it would break the
/// later use of the one capability left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerPlan {
    /// `devnet-<name>-<node>`.
    pub name: String,
    /// The node's name; also its alias in the network.
    pub hostname: String,
    /// Image reference.
    pub image: String,
    /// Arguments after the image's entry point.
    pub command: Vec<String>,
    /// All environment variables; one holds the configuration.
    pub env: BTreeMap<String, String>,
    /// `uid:gid`.
    pub user: String,
    /// Mount point of the volume.
    pub data_mount: String,
    /// Ports to publish on the host.
    pub published: Vec<PublishedPort>,
    /// Capabilities to drop.
    pub cap_drop: Vec<String>,
    /// Capabilities to add after that.
    pub cap_add: Vec<String>,
    /// Whether the root file system is read-only.
    pub read_only_root: bool,
    /// Memory at most, in bytes; swap is not added to it.
    pub memory_max_bytes: u64,
    /// Processes and threads at most.
    pub pids_max: u32,
    /// Size of one log file at most, in bytes.
    pub log_file_max_bytes: u64,
    /// Log files kept at most.
    pub log_files_max: u32,
    /// Time from SIGTERM to SIGKILL, in seconds.
    pub stop_timeout_s: u32,
}

/// A container's port, published on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedPort {
    /// Port in the container (TCP).
    pub container_port: u16,
    /// Address and port on the host.
    pub host: SocketAddrV4,
}

/// A process, ready to be spawned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessPlan {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables beside the inherited ones.
    pub env: BTreeMap<String, String>,
    /// The node's folder; also the working directory. Everything below lies
    /// in it, the data folder too.
    pub folder: PathBuf,
    /// Files to write before the start, readable by the owner alone.
    pub files: Vec<FilePlan>,
    /// Where standard output and error go.
    pub log_file: PathBuf,
    /// Where the process id and its start time are kept.
    pub pid_file: PathBuf,
    /// Time from SIGTERM to SIGKILL, in seconds.
    pub stop_timeout_s: u32,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePlan {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: String,
}

impl Blueprint {
    /// The plan of nothing: its difference to what exists takes a network down.
    pub fn empty(name: &str, engine: EngineKind) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            run_id: String::new(),
            owner: String::new(),
            created_at_s: 0,
            seed: 0,
            engine,
            subnet: None,
            network: None,
            genesis: None,
            rpc: RpcAccess {
                user: String::new(),
                password: String::new(),
            },
            nodes: Vec::new(),
            zones: Vec::new(),
        }
    }

    /// Whether nothing is to exist.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&NodePlan> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Nodes that mine.
    pub fn miners(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|node| node.config.mining.enabled)
    }

    /// The topology's own conditions: for each direction between two nodes in
    /// zones `(from, to, latency_ms, jitter_ms)`, by name, in the order of the
    /// nodes. The delay is one-way, the jitter its standard deviation.
    pub fn link_conditions(&self) -> Vec<(String, String, f64, f64)> {
        let between: BTreeMap<(&str, &str), &ZoneLatency> = self
            .zones
            .iter()
            .map(|zone| ((zone.from.as_str(), zone.to.as_str()), zone))
            .collect();
        let mut conditions = Vec::new();
        for from in &self.nodes {
            for to in self.nodes.iter().filter(|to| to.name != from.name) {
                let zones = from.zone.as_deref().zip(to.zone.as_deref());
                if let Some(zone) = zones.and_then(|zones| between.get(&zones)) {
                    let (latency_ms, jitter_ms) = (zone.latency_ms, zone.jitter_ms);
                    conditions.push((from.name.clone(), to.name.clone(), latency_ms, jitter_ms));
                }
            }
        }
        conditions
    }

    /// Gives the subnet up, so that planning on from here takes the one of the
    /// new input: for a network that is gone while its subnet was taken by
    /// another. Keys, data and host ports stay.
    pub fn release_subnet(&mut self) {
        self.subnet = None;
    }

    /// Gives a host port up, so that planning on from here takes a new one for
    /// the node that had it: for a port that another program has taken.
    pub fn release_host_port(&mut self, port: u16) {
        for node in &mut self.nodes {
            for endpoint in [&mut node.host.rpc, &mut node.host.metrics] {
                if endpoint.port() == port {
                    endpoint.set_port(RELEASED_PORT);
                }
            }
        }
    }

    /// Digest of the whole blueprint, 32 hexadecimal digits.
    pub fn digest(&self) -> String {
        digest::of(self)
    }
}

impl NodePlan {
    /// The name engines know the node's container by; for a process a name
    /// made the same way.
    pub fn container_name(&self) -> &str {
        match &self.runtime {
            Runtime::Container(container) => &container.name,
            Runtime::Process(_) => &self.volume.name,
        }
    }
}

fn known_format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let format = u32::deserialize(deserializer)?;
    if format == FORMAT {
        return Ok(format);
    }
    Err(serde::de::Error::custom(format_args!(
        "format {format} is of another devnet version, this one reads {FORMAT}; \
         use that version, or `devnet down` to remove the network"
    )))
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Docker => "docker",
            Self::Process => "process",
        })
    }
}
