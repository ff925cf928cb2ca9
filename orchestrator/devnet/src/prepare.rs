//! Gathers what the planner needs to know of this host: what is free, what the
//! nodes shall run, and everything random.
//!
//! Choices start at a place that follows from the network's name, so that one
//! network tends to get the same addresses again, and two that are brought up
//! at the same moment different ones.

mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};

use devnet_blueprint::plan::HOST_PORTS_PER_NODE;
use devnet_blueprint::{
    Blueprint, DockerInput, EngineInput, EngineKind, NodePlan, NodeState, Observed, PlanInput,
    ProcessInput, Subnet, Topology,
};
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::engine::process::free_block;
use crate::engine::{Engine, EngineError, ErrorKind, Program, ProgramWish, Report, UsedSubnet};
use crate::state::StateFolder;

use self::others::Others;
pub use self::others::ports_for_more;

/// Host ports are taken from here, below those the system gives to outgoing
/// connections, so that a stopped container finds its ports free again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const RUN_ID_BYTES: usize = 6;
const PASSWORD_BYTES: usize = 16;

/// What to plan for.
pub struct Request<'a> {
    /// Where networks keep their state.
    pub states: &'a StateFolder,
    /// What will run the nodes.
    pub engine: &'a dyn Engine,
    /// The wish.
    pub topology: &'a Topology,
    /// The network as it was planned before, if it was.
    pub previous: Option<Blueprint>,
    /// Build what has yet to be built; else only name it.
    pub build: bool,
}

/// What was found unusable in earlier attempts.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    /// Subnets the engine would not take.
    pub subnets: Vec<Subnet>,
    /// Host ports that turned out to be occupied.
    pub ports: BTreeSet<u16>,
}

/// What the planner needs, and where the nodes' program comes from.
pub struct Prepared {
    /// For the planner.
    pub input: PlanInput,
    /// The nodes' program, for people.
    pub program: Program,
}

/// Everything random of a network's birth, and who is its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    run_id: String,
    seed: u64,
    password: String,
    owner: String,
    created_at_s: u32,
}

/// Finds the program the nodes shall run.
pub async fn program(request: &Request<'_>, report: &dyn Report) -> Result<Program, EngineError> {
    let hints = &request.topology.engine;
    let wish = ProgramWish {
        image: hints.image.clone(),
        binary: hints.binary.clone().map(Into::into),
    };
    find(request, &wish, report).await
}

/// Gathers what the planner needs.
pub async fn prepare(
    request: Request<'_>,
    birth: &Birth,
    program: Program,
    refused: &Refused,
    report: &dyn Report,
) -> Result<Prepared, EngineError> {
    let engine = match request.engine.kind() {
        EngineKind::Docker => docker_input(&request, &program, refused, report).await?,
        EngineKind::Process => process_input(&request, &program)?,
    };
    let input = PlanInput {
        seed: birth.seed,
        created_at_s: birth.created_at_s,
        run_id: birth.run_id.clone(),
        owner: birth.owner.clone(),
        rpc_password: birth.password.clone(),
        engine,
        previous: request.previous.map(Box::new),
    };
    Ok(Prepared { input, program })
}

impl Birth {
    /// Draws what is random; `seed` stands in for the seed.
    pub fn draw(seed: Option<u64>) -> Result<Self, EngineError> {
        let random = random::<{ RUN_ID_BYTES + 4 + PASSWORD_BYTES }>()?;
        let (run_id, rest) = random.split_at(RUN_ID_BYTES);
        let (drawn, password) = rest.split_at(4);
        // A drawn seed is short, because people copy it by hand.
        let drawn = drawn
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        Ok(Self {
            run_id: hex(run_id),
            seed: seed.unwrap_or(drawn),
            password: hex(password),
            owner: owner(),
            created_at_s: u32::try_from(clock::now_s()).unwrap_or(u32::MAX),
        })
    }
}

impl Birth {
    /// Where everything random follows from.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The id of this birth, hexadecimal.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }
}

/// Who is at work: `user@host`.
pub fn owner() -> String {
    let uid = rustix::process::getuid().as_raw();
    let from_environment = || {
        let set = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
        set("USER").or_else(|| set("LOGNAME"))
    };
    // The environment may tell of another user, under sudo for instance.
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = account_name(&accounts, uid)
        .or_else(from_environment)
        .unwrap_or_else(|| format!("uid{uid}"));
    let host = rustix::system::uname();
    format!("{user}@{}", host.nodename().to_string_lossy())
}

/// The name of the account with that number, from the text of passwd(5).
fn account_name(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let mut lines = accounts.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

async fn find(
    request: &Request<'_>,
    wish: &ProgramWish,
    report: &dyn Report,
) -> Result<Program, EngineError> {
    if request.build {
        request.engine.prepare_program(wish, report).await
    } else {
        request.engine.resolve_program(wish).await
    }
}

async fn docker_input(
    request: &Request<'_>,
    program: &Program,
    refused: &Refused,
    report: &dyn Report,
) -> Result<EngineInput, EngineError> {
    let mut images = BTreeMap::new();
    for binary in request.topology.binaries() {
        let wish = ProgramWish {
            image: None,
            binary: Some(binary.clone().into()),
        };
        images.insert(binary, find(request, &wish, report).await?.reference);
    }
    let others = Others::read(request.states, &request.topology.name)?;
    let used = request.engine.used_subnets().await?;
    let nodes = request.topology.node_count();
    // An existing network keeps its subnet; the planner sees to it.
    let kept = request.previous.as_ref().and_then(|before| before.subnet);
    let wished = request.topology.engine.subnet;
    let subnet = match (kept, wished) {
        (Some(kept), _) => kept,
        (None, Some(wished)) => free_of_others(wished, &used)?,
        (None, None) => {
            let avoid = [others.subnets, refused.subnets.clone()].concat();
            free_subnet(&request.topology.name, nodes, &used, &avoid)?
        }
    };
    let taken: BTreeSet<u16> = others.ports.union(&refused.ports).copied().collect();
    let count = nodes.saturating_mul(HOST_PORTS_PER_NODE) as usize;
    let host_ports = free_ports(&request.topology.name, count, &taken);
    let image = program.reference.clone();
    Ok(EngineInput::Docker(DockerInput {
        subnet,
        host_ports,
        image,
        images,
    }))
}

fn process_input(request: &Request<'_>, program: &Program) -> Result<EngineInput, EngineError> {
    let others = Others::read(request.states, &request.topology.name)?;
    let block = match request.previous.as_ref().and_then(|before| before.subnet) {
        Some(kept) => kept,
        None => {
            let name = &request.topology.name;
            free_block(
                name_number(name),
                request.topology.node_count(),
                &others.subnets,
            )?
        }
    };
    Ok(EngineInput::Process(ProcessInput {
        block,
        state_dir: request
            .states
            .network(&request.topology.name)
            .path()
            .to_owned(),
        binary: program.reference.clone().into(),
    }))
}

fn free_of_others(wished: Subnet, used: &[UsedSubnet]) -> Result<Subnet, EngineError> {
    match used.iter().find(|used| used.overlaps(wished)) {
        None => Ok(wished),
        Some(used) => Err(EngineError::new(
            ErrorKind::SubnetOverlap,
            format!("cannot use the subnet {wished}"),
            format!("it overlaps {used}"),
        )
        .remedy("Choose another `engine.subnet`, or leave it out to get one that is free.")),
    }
}

/// A private subnet with room for so many nodes that overlaps nothing known.
pub fn free_subnet(
    name: &str,
    nodes: u32,
    used: &[UsedSubnet],
    avoid: &[Subnet],
) -> Result<Subnet, EngineError> {
    let action = "cannot find a free subnet";
    let prefix = Subnet::prefix_for(nodes).ok_or_else(|| {
        EngineError::new(
            ErrorKind::Refused,
            action,
            format!("{nodes} nodes are too many"),
        )
    })?;
    let is_free = |subnet: &Subnet| {
        !used.iter().any(|used| used.overlaps(*subnet))
            && !avoid.iter().any(|other| other.overlaps(*subnet))
    };
    subnets(name_number(name), prefix)
        .find(is_free)
        .ok_or_else(|| {
            EngineError::new(
                ErrorKind::Refused,
                action,
                "every private range is routed or in use",
            )
            .remedy(
                "`ip route` and `docker network ls` show by whom; `docker network prune` removes \
                 networks without a use, `devnet ls` lists those of devnet.",
            )
        })
}

/// Every private subnet of that prefix. 10.0.0.0/8 comes first, from a place
/// that follows from `number`; Docker's own pools lie in the other two.
fn subnets(number: u64, prefix: u8) -> impl Iterator<Item = Subnet> {
    let ranges = [
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
    ];
    ranges.into_iter().flat_map(move |(base, range_prefix)| {
        let count = 1_u64 << (prefix - range_prefix);
        (0..count).filter_map(move |step| {
            let at = u32::try_from((number + step) % count).ok()?;
            let base = u32::from(base) + (at << (32 - u32::from(prefix)));
            Subnet::new(Ipv4Addr::from(base), prefix).ok()
        })
    })
}

/// Ports of 127.0.0.1 on which nothing listens; fewer than wished if there are
/// no more, which the planner reports.
pub fn free_ports(name: &str, count: usize, taken: &BTreeSet<u16>) -> Vec<u16> {
    choose_ports(name, count, taken, port_is_free)
}

fn choose_ports(
    name: &str,
    count: usize,
    taken: &BTreeSet<u16>,
    is_free: impl Fn(u16) -> bool,
) -> Vec<u16> {
    let total = u64::from(PORTS.end - PORTS.start);
    let number = name_number(name);
    (0..total)
        .filter_map(|step| u16::try_from((number % total + step) % total).ok())
        .map(|offset| PORTS.start + offset)
        .filter(|port| !taken.contains(port) && is_free(*port))
        .take(count)
        .collect()
}

/// Gives up what a network that was planned before has lost to others while its
/// nodes did not run: their host ports, and its subnet. Processes have neither.
pub fn release_what_is_lost(
    previous: &mut Blueprint,
    observed: &Observed,
    used: &[UsedSubnet],
    port_is_free: impl Fn(u16) -> bool,
) {
    if previous.engine != EngineKind::Docker {
        return;
    }
    if let Some(subnet) = previous.subnet
        && observed.networks.is_empty()
        && used.iter().any(|used| used.overlaps(subnet))
    {
        previous.release_subnet();
    }
    let holds_its_ports = |node: &&NodePlan| {
        let state = observed.node(&node.name).map(|node| node.state);
        matches!(state, Some(NodeState::Running | NodeState::Paused))
    };
    let stopped = previous.nodes.iter().filter(|node| !holds_its_ports(node));
    let lost: Vec<u16> = stopped
        .flat_map(|node| [node.host.rpc.port(), node.host.metrics.port()])
        .filter(|port| !port_is_free(*port))
        .collect();
    for port in lost {
        previous.release_host_port(port);
    }
}

/// Whether nothing listens on that port of 127.0.0.1.
pub fn port_is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A number that follows from the name and is spread evenly.
fn name_number(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    digest
        .iter()
        .take(6)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn random<const N: usize>() -> Result<[u8; N], EngineError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        EngineError::new(ErrorKind::Refused, "cannot draw random numbers", error)
    })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
