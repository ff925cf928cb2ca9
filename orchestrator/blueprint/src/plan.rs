//! Planning: from a checked wish and a few facts about the host to every last
//! detail. Nothing is left to whoever executes.

mod address;
pub(crate) mod digest;
mod error;
mod genesis;
mod node;
mod resume;
mod runtime;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::blueprint::{
    Blueprint, EngineKind, FORMAT, NetworkPlan, RpcAccess, Runtime, VolumePlan,
};
use crate::label;
use crate::subnet::Subnet;
use crate::topology::Topology;

pub use error::PlanError;
pub use resume::rule as describe_rule;

/// User of every node's JSON-RPC.
pub const RPC_USER: &str = "devnet";
/// Host ports a container needs: JSON-RPC and metrics.
pub const HOST_PORTS_PER_NODE: u32 = 2;

/// What planning needs beside the wish. Same topology and input, same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanInput {
    /// Seed where the topology names none.
    pub seed: u64,
    /// Now, in seconds since 1970; becomes birth and genesis time.
    pub created_at_s: u32,
    /// An id no other run has: 1 to 64 letters, digits or `-`.
    pub run_id: String,
    /// Who asks, for the labels; such as a user name.
    pub owner: String,
    /// Password of every node's JSON-RPC.
    pub rpc_password: String,
    /// What runs the nodes, and what is free on the host.
    pub engine: EngineInput,
    /// The blueprint of the same network as it was brought up before, where
    /// there is one. Its run id, birth, seed, password and genesis stay, and
    /// every node that stays keeps address and ports; only what is new is
    /// taken from this input. See [`Blueprint::release_subnet`] and
    /// [`Blueprint::release_host_port`] for what can no longer be kept. `None`
    /// or an empty one: a birth.
    pub previous: Option<Box<Blueprint>>,
}

/// What runs the nodes, and what is free on the host.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineInput {
    /// Containers.
    Docker(DockerInput),
    /// Processes.
    Process(ProcessInput),
}

/// Facts for containers.
#[derive(Clone, Debug, PartialEq)]
pub struct DockerInput {
    /// Subnet free of the host's and of other networks.
    pub subnet: Subnet,
    /// Ports free on 127.0.0.1: [`HOST_PORTS_PER_NODE`] for each new node.
    pub host_ports: Vec<u16>,
    /// Image of nodes that ask for none.
    pub image: String,
    /// Image of each binary among [`Topology::binaries`].
    pub images: BTreeMap<String, String>,
}

/// Facts for processes.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessInput {
    /// Block of loopback addresses in which nothing listens, within 127.0.0.0/8.
    pub block: Subnet,
    /// Absolute state folder of this network; nodes live in `nodes/<name>`.
    pub state_dir: PathBuf,
    /// Binary of nodes that ask for none.
    pub binary: PathBuf,
}

/// Makes the exact plan.
///
/// # Errors
/// The topology does not pass [`Topology::check`]; the input lacks room (ports,
/// addresses, images); or `input.previous` is another network than the one
/// wished now.
pub fn plan(topology: &Topology, input: &PlanInput) -> Result<Blueprint, PlanError> {
    topology.check()?;
    error::check_input(topology, input)?;
    let previous = input
        .previous
        .as_deref()
        .filter(|before| !before.is_empty());
    let birth = Birth::of(topology, input, previous);
    let wished = genesis::genesis(topology, &birth);
    let genesis = match previous {
        Some(before) => resume::resume(topology, input.engine.kind(), before, wished)?,
        None => wished,
    };
    let members = topology.members();
    let subnet = previous
        .and_then(|before| before.subnet)
        .unwrap_or(input.engine.subnet());
    let places = address::places(&members, subnet, &input.engine, previous)?;
    let context = node::Context {
        topology,
        input,
        birth: &birth,
        genesis: &genesis,
    };
    let nodes = context.nodes(&members, &places)?;
    let engine = input.engine.kind();
    let network = (engine == EngineKind::Docker).then(|| network(topology, &birth, subnet));
    Ok(Blueprint {
        format: FORMAT,
        name: topology.name.clone(),
        run_id: birth.run_id,
        owner: birth.owner,
        created_at_s: birth.created_at_s,
        seed: birth.seed,
        engine,
        subnet: Some(subnet),
        network,
        genesis: Some(genesis),
        rpc: RpcAccess {
            user: RPC_USER.into(),
            password: birth.rpc_password,
        },
        nodes,
        zones: topology.zone_latencies(),
    })
}

/// What is settled when a network is born and stays until it is taken down.
#[derive(Clone, Debug)]
struct Birth {
    run_id: String,
    owner: String,
    created_at_s: u32,
    seed: u64,
    rpc_password: String,
}

impl Birth {
    fn of(topology: &Topology, input: &PlanInput, previous: Option<&Blueprint>) -> Self {
        match previous {
            Some(before) => Self {
                run_id: before.run_id.clone(),
                owner: before.owner.clone(),
                created_at_s: before.created_at_s,
                seed: before.seed,
                rpc_password: before.rpc.password.clone(),
            },
            None => Self {
                run_id: input.run_id.clone(),
                owner: input.owner.clone(),
                created_at_s: input.created_at_s,
                seed: topology.seed.unwrap_or(input.seed),
                rpc_password: input.rpc_password.clone(),
            },
        }
    }

    /// Labels that everything of this network carries.
    fn labels(&self, name: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            (label::NAME.into(), name.into()),
            (label::RUN.into(), self.run_id.clone()),
            (label::OWNER.into(), self.owner.clone()),
            (label::CREATED.into(), self.created_at_s.to_string()),
        ])
    }
}

impl EngineInput {
    /// Which engine this is for.
    pub const fn kind(&self) -> EngineKind {
        match self {
            Self::Docker(_) => EngineKind::Docker,
            Self::Process(_) => EngineKind::Process,
        }
    }

    const fn subnet(&self) -> Subnet {
        match self {
            Self::Docker(docker) => docker.subnet,
            Self::Process(process) => process.block,
        }
    }
}

/// Name of the network, and of everything in it followed by `-<node>`.
pub fn network_name(name: &str) -> String {
    format!("devnet-{name}")
}

/// Name of a node's volume, and of its container.
pub fn volume_name(network: &str, node: &str) -> String {
    format!("{}-{node}", network_name(network))
}

fn network(topology: &Topology, birth: &Birth, subnet: Subnet) -> NetworkPlan {
    let name = network_name(&topology.name);
    let spec = digest::of(&(&name, subnet, &birth.run_id));
    let mut labels = birth.labels(&topology.name);
    labels.insert(label::ROLE.into(), "network".into());
    labels.insert(label::SPEC.into(), spec.clone());
    NetworkPlan {
        name,
        subnet,
        gateway: subnet.gateway(),
        spec,
        labels,
    }
}

fn volume(topology: &Topology, birth: &Birth, node: &str, runtime: &Runtime) -> VolumePlan {
    let name = volume_name(&topology.name, node);
    let folder = match runtime {
        Runtime::Container(_) => None,
        Runtime::Process(process) => Some(process.folder.join(runtime::DATA_FOLDER)),
    };
    let mut labels = birth.labels(&topology.name);
    labels.insert(label::NODE.into(), node.into());
    VolumePlan {
        name,
        node: node.into(),
        folder,
        labels,
    }
}
