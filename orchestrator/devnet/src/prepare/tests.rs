//! What is chosen on hosts made up by hand.

use devnet_blueprint::plan;

use super::*;
use crate::engine::recording::Recording;
use crate::engine::{Silent, StateKeeper as _};

fn subnet(text: &str) -> Subnet {
    text.parse().expect("a subnet")
}

fn used(text: &str) -> UsedSubnet {
    UsedSubnet::parse(text, "route via eth0").expect("a subnet")
}

struct Host {
    _root: tempfile::TempDir,
    states: StateFolder,
    engine: Recording,
}

impl Host {
    fn new(kind: EngineKind) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path());
        Self {
            _root: root,
            states,
            engine: Recording::new(kind),
        }
    }

    async fn prepare(
        &self,
        topology: &Topology,
        refused: &Refused,
    ) -> Result<PlanInput, EngineError> {
        let request = || Request {
            states: &self.states,
            engine: &self.engine,
            topology,
            previous: None,
            build: false,
        };
        let birth = Birth::draw(Some(1))?;
        let program = program(&request(), &Silent).await?;
        Ok(prepare(request(), &birth, program, refused, &Silent)
            .await?
            .input)
    }
}

fn wish(name: &str) -> Topology {
    let mut topology = Topology::from_counts(3, 2).expect("a sound wish");
    topology.name = name.into();
    topology
}

fn docker(input: &PlanInput) -> &DockerInput {
    match &input.engine {
        EngineInput::Docker(docker) => docker,
        EngineInput::Process(_) => panic!("planned for Docker"),
    }
}

#[test]
fn a_name_gets_the_same_subnet_again_and_another_name_another() {
    let choose = |name| free_subnet(name, 3, &[], &[]).expect("an empty world");
    assert_eq!(choose("alpha"), choose("alpha"));
    assert_ne!(choose("alpha"), choose("beta"));
}

#[test]
fn used_and_refused_subnets_are_passed_over() {
    let first = free_subnet("alpha", 3, &[], &[]).expect("an empty world");
    let second = free_subnet("alpha", 3, &[used(&first.to_string())], &[]).expect("room");
    let third = free_subnet("alpha", 3, &[], &[first, second]).expect("room");
    assert!(!second.overlaps(first) && !third.overlaps(first) && !third.overlaps(second));
}

#[test]
fn where_all_of_ten_is_routed_another_private_range_serves() {
    let found = free_subnet("alpha", 3, &[used("10.0.0.0/8")], &[]).expect("room");
    assert!(
        found.base().is_private() && found.base().octets()[0] == 172,
        "{found}"
    );
}

#[test]
fn no_free_subnet_at_all_says_who_to_ask() {
    let all = [
        used("10.0.0.0/8"),
        used("172.16.0.0/12"),
        used("192.168.0.0/16"),
    ];
    let error = free_subnet("alpha", 3, &all, &[]).expect_err("nothing is free");
    assert!(error.to_string().contains("docker network ls"), "{error}");
}

#[test]
fn a_wished_subnet_that_overlaps_is_refused_with_its_rival() {
    assert!(free_of_others(subnet("10.9.8.0/24"), &[used("10.9.0.0/24")]).is_ok());
    let error = free_of_others(subnet("10.9.8.0/24"), &[used("10.9.0.0/16")]);
    let error = error.expect_err("it overlaps").to_string();
    assert!(error.contains("10.9.0.0/16 (route via eth0)"), "{error}");
}

#[test]
fn ports_are_free_distinct_and_outside_the_ephemeral_range() {
    let taken = BTreeSet::from([20_001]);
    let ports = choose_ports("alpha", 6, &taken, |port| port % 2 == 1);
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 6);
    assert!(
        ports
            .iter()
            .all(|port| port % 2 == 1 && PORTS.contains(port) && *port != 20_001)
    );
}

#[test]
fn too_few_free_ports_are_no_endless_search() {
    assert_eq!(
        choose_ports("alpha", 6, &BTreeSet::new(), |port| port == 20_000),
        [20_000]
    );
}

#[test]
fn an_occupied_port_is_seen() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener
        .local_addr()
        .expect("a bound socket has an address")
        .port();
    assert!(!port_is_free(port));
}

#[test]
fn two_births_share_nothing_but_a_given_seed() {
    let (a, b) = (
        Birth::draw(Some(9)).expect("random"),
        Birth::draw(Some(9)).expect("random"),
    );
    assert_eq!((a.seed, b.seed), (9, 9));
    assert_ne!(a.run_id, b.run_id);
    assert_ne!(a.password, b.password);
    assert!(a.owner.contains('@'), "{}", a.owner);
}

#[tokio::test]
async fn networks_of_the_same_user_avoid_each_other_even_when_stopped() {
    let host = Host::new(EngineKind::Docker);
    let alpha = wish("alpha");
    let input = host
        .prepare(&alpha, &Refused::default())
        .await
        .expect("an empty world");
    let mut planned = plan(&alpha, &input).expect("a sound plan");
    let (subnet, ports) = (docker(&input).subnet, docker(&input).host_ports.clone());
    // A stopped network under a name that hashes to the same place.
    planned.name = "other".into();
    host.states.save(&planned).expect("a writable disk");
    let again = host
        .prepare(&alpha, &Refused::default())
        .await
        .expect("room");
    assert!(!docker(&again).subnet.overlaps(subnet));
    assert!(
        docker(&again)
            .host_ports
            .iter()
            .all(|port| !ports.contains(port))
    );
}

#[tokio::test]
async fn what_the_engine_refused_is_not_chosen_again() {
    let host = Host::new(EngineKind::Docker);
    let topology = wish("alpha");
    let input = host
        .prepare(&topology, &Refused::default())
        .await
        .expect("an empty world");
    let first = docker(&input).clone();
    let refused = Refused {
        subnets: vec![first.subnet],
        ports: first.host_ports.iter().copied().collect(),
    };
    let input = host.prepare(&topology, &refused).await.expect("room");
    assert!(!docker(&input).subnet.overlaps(first.subnet));
    assert!(
        docker(&input)
            .host_ports
            .iter()
            .all(|port| !refused.ports.contains(port))
    );
}

#[tokio::test]
async fn each_binary_of_its_own_gets_an_image() {
    let host = Host::new(EngineKind::Docker);
    let mut topology = wish("alpha");
    topology.groups[1].binary = Some("/opt/old/minichain".into());
    let input = host
        .prepare(&topology, &Refused::default())
        .await
        .expect("an empty world");
    assert!(docker(&input).images.contains_key("/opt/old/minichain"));
}

#[tokio::test]
async fn processes_get_a_loopback_block_and_the_state_folder() {
    let host = Host::new(EngineKind::Process);
    let input = host
        .prepare(&wish("alpha"), &Refused::default())
        .await
        .expect("an idle host");
    let EngineInput::Process(process) = &input.engine else {
        panic!("planned for processes")
    };
    assert!(process.block.base().is_loopback());
    assert_eq!(process.state_dir, host.states.network("alpha").path());
}

/// A network on Docker as planned, and everything of it as it would exist.
async fn planned_before() -> (Blueprint, Observed) {
    let host = Host::new(EngineKind::Docker);
    let topology = wish("alpha");
    let input = host
        .prepare(&topology, &Refused::default())
        .await
        .expect("an empty world");
    let blueprint = plan(&topology, &input).expect("a sound plan");
    let mut observed = Observed::default();
    for action in devnet_blueprint::diff(&blueprint, &observed).actions() {
        observed
            .apply(&blueprint, action)
            .expect("plans can be performed");
    }
    (blueprint, observed)
}

#[tokio::test]
async fn a_running_network_keeps_its_place_though_it_is_in_use_by_itself() {
    let (before, observed) = planned_before().await;
    let own = used(&before.subnet.expect("a subnet").to_string());
    let mut after = before.clone();
    release_what_is_lost(&mut after, &observed, &[own], |_| false);
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_stopped_node_gives_up_the_port_another_program_took() {
    let (before, mut observed) = planned_before().await;
    observed.nodes[1].state = NodeState::Exited;
    let name = observed.nodes[1].node.clone();
    let lost = before.node(&name).expect("planned").host.rpc.port();
    let mut after = before.clone();
    release_what_is_lost(&mut after, &observed, &[], |port| port != lost);
    let host = |blueprint: &Blueprint, node: &str| blueprint.node(node).expect("planned").host;
    assert_ne!(host(&after, &name).rpc, host(&before, &name).rpc);
    assert_eq!(host(&after, &name).metrics, host(&before, &name).metrics);
    let others = before.nodes.iter().filter(|node| node.name != name);
    assert!(
        others
            .into_iter()
            .all(|node| host(&after, &node.name) == node.host)
    );
}

#[tokio::test]
async fn a_network_that_is_gone_gives_up_the_subnet_another_took() {
    let (before, mut observed) = planned_before().await;
    observed.networks.clear();
    let taken = used(&before.subnet.expect("a subnet").to_string());
    let mut after = before.clone();
    release_what_is_lost(&mut after, &observed, &[taken], |_| true);
    assert_eq!(after.subnet, None);
}

#[test]
fn the_account_is_found_by_its_number() {
    let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
    assert_eq!(account_name(accounts, 1000).as_deref(), Some("ann"));
    assert_eq!(account_name(accounts, 100), None);
}
