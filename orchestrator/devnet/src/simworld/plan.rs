//! From a topology to a simulated network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devnet_blueprint::topology::Peers;
use devnet_blueprint::{Blueprint, EngineInput, NodePlan, PlanInput, ProcessInput, Subnet};
use devnet_blueprint::{Topology, plan};
use devnet_scenario::fault::NodeName;
use devnet_scenario::model::SimWish;
use minichain_chain::params::Params;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::Micros;
use minichain_sim::setup::{CpuCost, NodeSetup, Peering, Planted, Setup};

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
    /// What the scenario tells of lines and machines.
    pub sim: SimWish,
    peering: Peering,
    seed: u64,
}

impl Planned {
    /// Plans the network of a checked topology, on lines and machines that cost
    /// nothing.
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
            sim: SimWish::default(),
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
        let SimWish {
            latency,
            start_jitter,
            cpu,
        } = self.sim;
        let latency = latency.map_or(LATENCY, |time| time.us);
        setup.links.paths = Paths::Everywhere(Latency::Constant(latency));
        setup.start_jitter = start_jitter.us;
        setup.cpu = CpuCost {
            block_us: cpu.block.us,
            input_us: cpu.input.us,
            kilobyte_us: cpu.kilobyte.us,
        };
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use minichain_protocol::event::Event;
    use minichain_sim::queue::SECOND;
    use minichain_sim::world::{Condition, World};

    use super::*;
    use crate::scenario_file::ScenarioFile;
    use crate::simworld::play::Play;

    /// The world of five nodes that are told this.
    fn world(sim: &str, seed: u64) -> World {
        let text = format!(
            "name: a\ntopology: {{ nodes: 5, miners: 2, block_time: 1s }}\n{sim}\nsteps: [heal]\n"
        );
        let file = ScenarioFile::simulated(Path::new("a.yaml"), text).expect("a sound scenario");
        let planned = Play::planned(&file, "sim-a", seed).expect("a plan");
        World::new(planned.setup()).expect("a world")
    }

    /// When each node starts.
    fn starts(sim: &str, seed: u64) -> Vec<Micros> {
        let mut world = world(sim, seed);
        let mut starts = vec![None; world.len()];
        while starts.iter().any(Option::is_none) && world.step() {
            let (now, world) = (world.now(), &world);
            for (place, start) in starts.iter_mut().enumerate() {
                if start.is_none() && world.condition(place) == Condition::Up {
                    *start = Some(now);
                }
            }
        }
        starts.into_iter().flatten().collect()
    }

    #[test]
    fn nodes_start_late_by_a_lot_that_the_seed_draws() {
        assert_eq!(starts("", 7), [0; 5]);
        let late = "sim: { start_jitter: 2s }";
        let drawn = starts(late, 7);
        let mut apart = drawn.clone();
        apart.sort_unstable();
        apart.dedup();
        assert_eq!(apart.len(), 5, "{drawn:?}");
        assert!(drawn.iter().all(|start| *start <= 2 * SECOND), "{drawn:?}");
        assert_eq!(starts(late, 7), drawn);
        assert_ne!(starts(late, 8), drawn);
    }

    /// The shortest time from a find to another node's having the block.
    fn fastest(sim: &str) -> Micros {
        let mut world = world(sim, 1);
        world.record();
        world.run_until(60 * SECOND);
        let mut found = BTreeMap::new();
        let mut fastest = None;
        for told in world.take_told() {
            match told.event {
                Event::BlockMined { hash, .. } => {
                    found.insert(hash, told.at);
                }
                Event::BlockArrived { hash, .. } => {
                    let took = told.at - found[&hash];
                    fastest = Some(fastest.map_or(took, |least: Micros| least.min(took)));
                }
                _ => {}
            }
        }
        fastest.expect("blocks arrive")
    }

    #[test]
    fn blocks_take_the_way_and_then_their_validation() {
        assert_eq!(fastest(""), LATENCY);
        assert_eq!(fastest("sim: { latency: 20ms }"), 20_000);
        let slow = "sim: { latency: 20ms, cpu: { block: 5ms } }";
        assert_eq!(fastest(slow), 25_000);
        assert_eq!(fastest("sim: { cpu: { block: 60us } }"), LATENCY + 60);
        // A block has some hundred bytes at least.
        let by_byte = fastest("sim: { cpu: { kilobyte: 100ms } }");
        assert!((LATENCY + 10_000..SECOND).contains(&by_byte), "{by_byte}");
    }
}
