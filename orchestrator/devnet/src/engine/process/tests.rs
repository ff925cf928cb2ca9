//! The process engine with real processes; `sleep` stands in for a node.

use std::time::{Duration, Instant};

use devnet_blueprint::action::Removal;
use devnet_blueprint::plan::ProcessInput;
use devnet_blueprint::{EngineInput, PlanInput, Topology, diff, plan};

use devnet_blueprint::NodeState;

use super::*;
use crate::engine::{NodeAct, Silent, perform_plan};

struct World {
    _root: tempfile::TempDir,
    engine: ProcessEngine,
    states: StateFolder,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path().join("state"));
        Self {
            _root: root,
            engine: ProcessEngine::new(states.clone()),
            states,
        }
    }

    /// Three nodes that ignore their arguments and run for a while.
    fn blueprint(&self, name: &str, program: &str) -> Blueprint {
        let mut topology = Topology::from_counts(3, 2).expect("a sound wish");
        topology.name = name.into();
        let input = PlanInput {
            seed: 7,
            created_at_s: 1_800_000_000,
            run_id: "r1".into(),
            owner: "tester".into(),
            rpc_password: "secret".into(),
            engine: EngineInput::Process(ProcessInput {
                block: "127.99.0.0/24".parse().expect("a subnet"),
                state_dir: self.states.network(name).path().to_owned(),
                binary: "/bin/true".into(),
            }),
            previous: None,
        };
        let mut blueprint = plan(&topology, &input).expect("a sound plan");
        for node in &mut blueprint.nodes {
            let Runtime::Process(process) = &mut node.runtime else {
                panic!("planned processes")
            };
            process.command = vec!["/bin/sh".into(), "-c".into(), program.into()];
            process.stop_timeout_s = 1;
        }
        blueprint
    }

    async fn observe(&self, name: &str) -> Observed {
        self.engine
            .observe(name)
            .await
            .expect("/proc and the disk are readable")
    }

    /// Performs what is left to do and returns how much that was.
    async fn bring_to(&self, blueprint: &Blueprint) -> usize {
        let mut observed = self.observe(&blueprint.name).await;
        observed.state = self.states.digest(&blueprint.name);
        let todo = diff(blueprint, &observed);
        perform_plan(&self.engine, &self.states, blueprint, &todo, &Silent)
            .await
            .expect("the host performs the plan")
    }

    async fn take_down(&self, name: &str) {
        self.bring_to(&Blueprint::empty(name, EngineKind::Process))
            .await;
    }

    fn lives(&self, name: &str) -> Vec<NodeProcess> {
        running(self.states.network(name).path()).expect("/proc is readable")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A failing assertion must not leave processes behind.
        for process in processes_under(self.states.root()).unwrap_or_default() {
            if let Some(pid) = rustix::process::Pid::from_raw(process.life.pid) {
                let _ended = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

const SLEEPER: &str = "echo hello from $0; exec sleep 600";

#[tokio::test]
async fn up_runs_every_node_and_up_again_does_nothing() {
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    assert!(world.bring_to(&blueprint).await > 0);
    assert_eq!(world.lives("alpha").len(), 3);
    assert_eq!(world.bring_to(&blueprint).await, 0);
    world.take_down("alpha").await;
}

#[tokio::test]
async fn down_leaves_no_process_and_no_folder() {
    let world = World::new();
    world.bring_to(&world.blueprint("alpha", SLEEPER)).await;
    world.take_down("alpha").await;
    assert!(world.lives("alpha").is_empty());
    assert!(world.observe("alpha").await.is_empty());
    assert!(!world.states.network("alpha").exists());
}

#[tokio::test]
async fn a_killed_node_is_seen_as_exited_and_brought_back_with_its_data() {
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    world.bring_to(&blueprint).await;
    let folder = NodeFolder::at(&world.lives("alpha")[0].folder);
    let node = folder.node();
    std::fs::write(folder.data().join("chain"), b"blocks").expect("a writable data folder");
    stop::stop(&folder).await.expect("a process of ours");
    let state = |observed: &Observed| observed.node(&node).expect("it was created").state;
    assert_eq!(state(&world.observe("alpha").await), NodeState::Exited);
    assert_eq!(world.bring_to(&blueprint).await, 1);
    assert_eq!(state(&world.observe("alpha").await), NodeState::Running);
    assert!(folder.data().join("chain").exists());
    world.take_down("alpha").await;
}

#[tokio::test]
async fn a_stopped_process_is_paused_and_goes_on() {
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    world.bring_to(&blueprint).await;
    let life = world.lives("alpha")[0].life;
    let pid = rustix::process::Pid::from_raw(life.pid).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("a process of ours");
    let node = NodeFolder::at(&world.lives("alpha")[0].folder).node();
    let deadline = Instant::now() + Duration::from_secs(20);
    while world
        .observe("alpha")
        .await
        .node(&node)
        .map(|node| node.state)
        != Some(NodeState::Paused)
    {
        assert!(
            Instant::now() < deadline,
            "a stopped process is seen as paused"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.bring_to(&blueprint).await, 1);
    world.take_down("alpha").await;
}

#[tokio::test]
async fn processes_are_found_and_ended_after_all_files_are_gone() {
    let world = World::new();
    world.bring_to(&world.blueprint("alpha", SLEEPER)).await;
    std::fs::remove_dir_all(world.states.network("alpha").path()).expect("own files");
    assert_eq!(world.observe("alpha").await.nodes.len(), 3);
    let listed = world.engine.list().await.expect("/proc is readable");
    assert_eq!((listed[0].name.as_str(), listed[0].running), ("alpha", 3));
    world.take_down("alpha").await;
    assert!(world.lives("alpha").is_empty());
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed() {
    let world = World::new();
    // An ignored signal stays ignored across exec; a child of the shell would
    // outlive it for a moment and be found instead.
    let stubborn = "trap '' TERM; echo ready; exec sleep 600";
    world.bring_to(&world.blueprint("alpha", stubborn)).await;
    world.take_down("alpha").await;
    assert!(world.lives("alpha").is_empty());
}

#[tokio::test]
async fn a_pid_file_of_another_life_is_no_reason_to_signal_anybody() {
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    world.bring_to(&blueprint).await;
    let folder = NodeFolder::at(&world.lives("alpha")[0].folder);
    stop::stop(&folder).await.expect("a process of ours");
    // The node's number now belongs to a stranger: this test itself.
    let own = i32::try_from(std::process::id()).expect("process ids fit");
    let file = folder.read_node().expect("it was created");
    layout::write_pid_file(&file.pid_file, procfs::life(own).expect("it lives"))
        .expect("a writable disk");
    stop::stop(&folder).await.expect("nothing of ours runs");
    assert_eq!(
        world
            .observe("alpha")
            .await
            .node(&folder.node())
            .map(|n| n.state),
        Some(NodeState::Exited)
    );
    world.take_down("alpha").await;
}

#[tokio::test]
async fn networks_stand_side_by_side_and_go_one_by_one() {
    let world = World::new();
    world.bring_to(&world.blueprint("alpha", SLEEPER)).await;
    world.bring_to(&world.blueprint("beta", SLEEPER)).await;
    let names = || async {
        let listed = world.engine.list().await.expect("/proc is readable");
        listed
            .into_iter()
            .map(|network| network.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["alpha", "beta"]);
    world.take_down("alpha").await;
    assert_eq!(names().await, ["beta"]);
    assert_eq!(world.lives("beta").len(), 3);
    world.take_down("beta").await;
}

#[tokio::test]
async fn configuration_is_private_and_tells_how_to_sign_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    world.bring_to(&blueprint).await;
    let Runtime::Process(process) = &blueprint.nodes[0].runtime else {
        panic!("a process")
    };
    let mode = std::fs::metadata(&process.files[0].path)
        .expect("written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let endpoints = world
        .engine
        .endpoints("alpha")
        .await
        .expect("files are readable");
    assert_eq!(endpoints.len(), 3);
    for endpoint in endpoints {
        let node = blueprint.node(&endpoint.node).expect("planned");
        assert_eq!(endpoint.rpc, node.host.rpc.to_string());
        assert_eq!(endpoint.access.as_ref(), Some(&blueprint.rpc));
    }
    world.take_down("alpha").await;
}

#[tokio::test]
async fn a_program_that_cannot_start_says_what_to_do() {
    let world = World::new();
    let mut blueprint = world.blueprint("alpha", SLEEPER);
    for node in &mut blueprint.nodes {
        if let Runtime::Process(process) = &mut node.runtime {
            process.command = vec!["/nonexistent/minichain".into()];
        }
    }
    let todo = diff(&blueprint, &world.observe("alpha").await);
    let error = perform_plan(&world.engine, &world.states, &blueprint, &todo, &Silent).await;
    let error = error.expect_err("there is no such program");
    assert_eq!(error.kind, ErrorKind::Program);
    assert!(error.to_string().contains("cargo build"), "{error}");
    world.take_down("alpha").await;
}

#[tokio::test]
async fn removing_twice_is_done_once() {
    let world = World::new();
    let blueprint = world.blueprint("alpha", SLEEPER);
    world.bring_to(&blueprint).await;
    let observed = world.observe("alpha").await;
    let action = Action::RemoveNode {
        id: observed.nodes[0].id.clone(),
        node: observed.nodes[0].node.clone(),
        reason: Removal::Unwanted,
    };
    for _ in 0..2 {
        world
            .engine
            .perform(&blueprint, &action)
            .await
            .expect("idempotent");
    }
    assert_eq!(
        world.observe("alpha").await.volumes.len(),
        3,
        "the data stays"
    );
    world.take_down("alpha").await;
}

#[tokio::test]
async fn a_node_that_was_just_started_is_found_running_at_once() {
    // On one processor the parent goes on before the child is wholly born.
    let mut one = rustix::thread::CpuSet::new();
    let all = rustix::thread::sched_getaffinity(None).expect("Linux tells");
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu));
    one.set(first.expect("this thread runs somewhere"));
    rustix::thread::sched_setaffinity(None, &one).expect("one of ours");
    let world = World::new();
    let blueprint = world.blueprint("born", "sleep 60");
    world.bring_to(&blueprint).await;
    for round in 0..30 {
        for act in [NodeAct::Kill, NodeAct::Start] {
            let done = world.engine.act(&blueprint, "miner-0", &act).await;
            done.expect("a node of the plan");
        }
        let observed = world.observe("born").await;
        let state = observed.node("miner-0").map(|node| node.state);
        assert_eq!(state, Some(NodeState::Running), "round {round}");
    }
    world
        .bring_to(&Blueprint::empty("born", EngineKind::Process))
        .await;
}
