//! From a topology to a simulated network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devnet_blueprint::topology::Peers;
use devnet_blueprint::{Blueprint, EngineInput, NodePlan, PlanInput, ProcessInput, Subnet};
use devnet_blueprint::{Topology, plan};
use devnet_scenario::fault::NodeName;
use minichain_chain::params::Params;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::Micros;
use minichain_sim::setup::{NodeSetup, Peering, Planted, Setup};

use super::ENGINE;
use super::genesis::{params, scaled};

/// When every simulated network is born, seconds since 1970 (the begin of
/// 2026): a run shall not depend on the day it is made.
pub const EPOCH_S: u32 = 1_767_225_600;
/// One-way latency between nodes that nothing slows, as on one host.
const LATENCY: Micros = 250;
/// In larger networks nodes find this many others by themselves, not all.
const MESH_MAX: usize = 64;
const OUTBOUND: usize = 8;

/// A network that can be simulated.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Every node and the genesis file, as they would run as processes.
    pub blueprint: Blueprint,
    /// The rules of its chain.
    pub params: Params,
    /// A mistake that its nodes make on purpose.
    pub planted: Option<Planted>,
    peering: Peering,
    seed: u64,
}

impl Planned {
    /// Plans the network of a checked topology.
    ///
    /// # Errors
    /// A whole sentence that says what cannot be planned.
    pub fn new(topology: &Topology, name: &str, seed: u64) -> Result<Self, String> {
        let topology = &without_programs(topology, name);
        let block = Subnet::new([127, 64, 0, 0].into(), 16).map_err(|error| error.to_string())?;
        let input = PlanInput {
            seed,
            created_at_s: EPOCH_S,
            run_id: ENGINE.into(),
            owner: ENGINE.into(),
            rpc_password: ENGINE.into(),
            engine: EngineInput::Process(ProcessInput {
                block,
                state_dir: PathBuf::from("/").join(ENGINE),
                binary: PathBuf::from("/").join(ENGINE),
            }),
            previous: None,
        };
        let blueprint = plan(topology, &input).map_err(|error| error.to_string())?;
        let genesis = blueprint
            .genesis
            .as_ref()
            .ok_or("there is no genesis file")?;
        Ok(Self {
            params: params(genesis)?,
            planted: None,
            peering: peering(topology, &blueprint),
            seed,
            blueprint,
        })
    }

    /// The network for the simulator.
    pub fn setup(&self) -> Setup {
        let nodes = self.blueprint.nodes.iter().map(node_setup).collect();
        let mut setup = Setup::new(self.seed, self.params.clone(), nodes);
        setup.peering = self.peering.clone();
        setup.planted = self.planted;
        setup.links.paths = Paths::Everywhere(Latency::Constant(LATENCY));
        setup
    }
}

/// One node for the simulator.
pub fn node_setup(plan: &NodePlan) -> NodeSetup {
    let mining = &plan.config.mining;
    NodeSetup {
        name: plan.name.clone(),
        hash_rate: match mining.enabled {
            true => scaled(mining.hash_rate),
            false => 0,
        },
        reward_key: mining.enabled.then_some(minichain_sim::setup::NOBODY),
        ..NodeSetup::default()
    }
}

/// Which programs nodes run has no meaning here.
fn without_programs(topology: &Topology, name: &str) -> Topology {
    let mut topology = topology.clone();
    name.clone_into(&mut topology.name);
    topology.engine = devnet_blueprint::topology::EngineHints::default();
    for group in &mut topology.groups {
        (group.image, group.binary) = (None, None);
    }
    for settings in topology.nodes.values_mut() {
        (settings.image, settings.binary) = (None, None);
    }
    topology
}

fn peering(topology: &Topology, blueprint: &Blueprint) -> Peering {
    match &topology.peers {
        Peers::Mesh if blueprint.nodes.len() <= MESH_MAX => Peering::Everybody,
        Peers::Mesh => Peering::Random { outbound: OUTBOUND },
        Peers::Edges(edges) => {
            let names = blueprint.nodes.iter().map(|node| &node.name).zip(0..);
            let places: BTreeMap<&NodeName, usize> = names.collect();
            let place = |name: &NodeName| places.get(name).copied();
            let known = edges.iter();
            let known = known.filter_map(|(from, to)| Some((place(from)?, place(to)?)));
            Peering::Edges(known.collect())
        }
    }
}
