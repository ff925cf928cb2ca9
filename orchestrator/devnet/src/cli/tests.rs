//! Verbs against doubles: an engine in memory, nodes that always agree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use devnet_blueprint::{EngineKind, NodeState};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Cli, Verb, down, node, up};
use crate::console::Console;
use crate::engine::recording::Recording;
use crate::engine::{Engine, EngineError, ErrorKind};
use crate::exit::{Exit, Failure};
use crate::health::tests_support::facts_of;
use crate::monitoring::stack::{Images, Ports, Stack};
use crate::probe::{Depth, NodeAddress, Round, Silence};
use crate::state::StateFolder;
use crate::world::{Engines, Prober, World};

/// A world in which everything is a double but the state folder.
pub struct Stage {
    _root: tempfile::TempDir,
    pub world: World,
    pub docker: Arc<Recording>,
    pub process: Arc<Recording>,
    pub nodes: Arc<FakeNodes>,
    pub reach: Arc<Reach>,
}

/// Engines in memory; Docker may be away.
pub struct Reach {
    docker: Arc<Recording>,
    process: Arc<Recording>,
    pub is_docker_away: Mutex<bool>,
}

/// Nodes that agree, except those made silent.
#[derive(Default)]
pub struct FakeNodes {
    pub silent: Mutex<Vec<String>>,
    /// Who does not run there does not answer either.
    pub engines: Vec<Arc<Recording>>,
    rounds: Mutex<u64>,
}

impl Stage {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let docker = Arc::new(Recording::new(EngineKind::Docker));
        let process = Arc::new(Recording::new(EngineKind::Process));
        let reach = Arc::new(Reach {
            docker: docker.clone(),
            process: process.clone(),
            is_docker_away: Mutex::new(false),
        });
        let nodes = Arc::new(FakeNodes {
            engines: vec![docker.clone(), process.clone()],
            ..FakeNodes::default()
        });
        let world = World {
            states: StateFolder::at(root.path().join("state")),
            engines: reach.clone(),
            prober: nodes.clone(),
            console: Console {
                mute: true,
                ..Console::detect(false, false)
            },
        };
        Self {
            _root: root,
            world,
            docker,
            process,
            nodes,
            reach,
        }
    }

    pub fn lose_docker(&self) {
        *self.reach.is_docker_away.lock().expect("nobody panicked") = true;
    }

    pub async fn up(&self, arguments: &[&str]) -> Result<Exit, Failure> {
        self.up_until(
            arguments,
            super::interrupts::Interrupts::new(|| std::future::pending().boxed()),
        )
        .await
    }

    pub async fn up_until(
        &self,
        arguments: &[&str],
        interrupts: super::interrupts::Interrupts,
    ) -> Result<Exit, Failure> {
        match parse("up", arguments) {
            Verb::Up(args) => up::run(&self.world, args, interrupts).await,
            other => panic!("parsed {other:?}"),
        }
    }

    pub async fn down(&self, arguments: &[&str]) -> Result<Exit, Failure> {
        match parse("down", arguments) {
            Verb::Down(args) => down::run(&self.world, args).await,
            other => panic!("parsed {other:?}"),
        }
    }

    /// Runs a verb that does something to nodes.
    pub async fn node(&self, verb: &str, arguments: &[&str]) -> Result<Exit, Failure> {
        match parse(verb, arguments) {
            Verb::Node(verb) => node::run(&self.world, verb).await,
            other => panic!("parsed {other:?}"),
        }
    }

    /// What engines were asked to do, without looks.
    pub fn done(&self) -> Vec<String> {
        let calls = [self.docker.calls(), self.process.calls()].concat();
        calls
            .into_iter()
            .filter(|call| !call.starts_with("observe"))
            .collect()
    }

    pub fn is_empty(&self, name: &str) -> bool {
        let engines = [&self.docker, &self.process];
        engines
            .iter()
            .all(|engine| engine.observed(name).nodes.is_empty())
            && !self.world.states.network(name).exists()
    }
}

fn parse(verb: &str, arguments: &[&str]) -> Verb {
    let line = ["devnet", verb]
        .into_iter()
        .chain(arguments.iter().copied());
    Cli::try_parse_from(line).expect("sound arguments").verb
}

impl Engines for Reach {
    fn connect(&self, kind: EngineKind) -> BoxFuture<'_, Result<Arc<dyn Engine>, EngineError>> {
        async move {
            let is_away = *self.is_docker_away.lock().expect("nobody panicked");
            let engine: Arc<dyn Engine> = match kind {
                EngineKind::Docker if is_away => {
                    return Err(EngineError::new(
                        ErrorKind::Unreachable,
                        "connecting",
                        "nobody",
                    ));
                }
                EngineKind::Docker => self.docker.clone(),
                EngineKind::Process => self.process.clone(),
            };
            Ok(engine)
        }
        .boxed()
    }
}

impl Prober for FakeNodes {
    fn probe<'a>(&'a self, nodes: &'a [NodeAddress], _depth: Depth) -> BoxFuture<'a, Round> {
        let mut rounds = self.rounds.lock().expect("nobody panicked");
        *rounds += 1;
        let hashes = *rounds;
        let silent = self.silent.lock().expect("nobody panicked").clone();
        let answer = |node: &NodeAddress| {
            let runs =
                |engine: &Arc<Recording>| engine.state_of(&node.name) == Some(NodeState::Running);
            let is_down = !self.engines.is_empty() && !self.engines.iter().any(runs);
            if is_down || silent.contains(&node.name) {
                return Err(Silence("does not answer".into()));
            }
            let peers: Vec<&str> = node.dials.iter().map(String::as_str).collect();
            Ok(facts_of(&node.name, &peers, 7, hashes))
        };
        let answers: BTreeMap<_, _> = nodes
            .iter()
            .map(|node| (node.name.clone(), answer(node)))
            .collect();
        std::future::ready(Round {
            nodes: answers,
            common_height: Some(7),
        })
        .boxed()
    }
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[tokio::test]
async fn down_removes_what_up_has_made_and_again_does_nothing() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage.down(&["--name", "alpha"]).await.expect("all is well");
    assert!(stage.is_empty("alpha"));
    let before = stage.done().len();
    stage
        .down(&["--name", "alpha"])
        .await
        .expect("nothing to do");
    assert_eq!(stage.done().len(), before);
}

#[tokio::test]
async fn down_does_not_forget_a_network_whose_engine_is_away() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage.lose_docker();
    let failure = stage
        .down(&["--name", "alpha"])
        .await
        .expect_err("the engine is away");
    assert_eq!(failure.exit(), Exit::WorldBroke);
    assert!(stage.world.states.network("alpha").exists());
}

/// What is meant to watch a network.
fn watched(stage: &Stage, name: &str, made_containers: bool) {
    let stack = Stack {
        network: name.into(),
        images: Images {
            prometheus: "p:1".into(),
            grafana: "g:1".into(),
        },
        ports: Ports {
            exporter: 1,
            prometheus: 2,
            grafana: 3,
        },
        prometheus: None,
        has_grafana: false,
        made_containers,
    };
    let folder = stage.world.states.network(name);
    folder.write_stack(&stack).expect("a writable disk");
}

#[tokio::test]
async fn down_does_not_forget_containers_that_watch_processes() {
    let stage = Stage::new();
    stage.lose_docker();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    watched(&stage, "alpha", true);
    let failure = stage.down(&["--name", "alpha"]).await;
    let failure = failure.expect_err("nobody can remove the containers");
    assert_eq!(failure.exit(), Exit::WorldBroke);
    let told = failure.to_string();
    assert!(told.contains("the containers that watch alpha"), "{told}");
    assert!(told.contains("Start Docker"), "{told}");
    assert_eq!(stage.process.observed("alpha").nodes.len(), 3);
    let file = stage.world.states.network("alpha").stack_file();
    assert!(told.contains(&file.display().to_string()), "{told}");
    *stage.reach.is_docker_away.lock().expect("nobody panicked") = false;
    stage.down(&["--name", "alpha"]).await.expect("all is well");
    assert!(stage.is_empty("alpha"));
}

#[tokio::test]
async fn down_needs_no_docker_where_no_container_was_made() {
    let stage = Stage::new();
    stage.lose_docker();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    watched(&stage, "alpha", false);
    stage.down(&["--name", "alpha"]).await.expect("all is well");
    assert!(stage.is_empty("alpha"));
}

#[tokio::test]
async fn down_finds_nodes_whose_state_folder_is_lost() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage
        .world
        .states
        .network("alpha")
        .remove()
        .expect("own folder");
    stage.down(&["--name", "alpha"]).await.expect("all is well");
    assert!(stage.is_empty("alpha"));
}

#[tokio::test]
async fn down_removes_a_folder_whose_plan_cannot_be_read() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    let folder = stage.world.states.network("alpha");
    folder.write_record(&"broken").expect("a writable disk");
    let failure = stage
        .up(&["--name", "alpha"])
        .await
        .expect_err("no plan to go by");
    assert!(
        failure.to_string().contains("devnet down --name alpha"),
        "{failure}"
    );
    stage.down(&["--name", "alpha"]).await.expect("all is well");
    assert!(stage.is_empty("alpha"));
}

#[tokio::test]
async fn down_all_leaves_younger_networks_alone() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage
        .down(&["--all", "--older-than", "1h"])
        .await
        .expect("nothing to do");
    assert!(!stage.is_empty("alpha"));
    stage.up(&["--name", "beta"]).await.expect("all is well");
    stage.down(&["--all"]).await.expect("all is well");
    assert!(stage.is_empty("alpha") && stage.is_empty("beta"));
}

#[tokio::test]
async fn down_does_not_work_on_a_network_somebody_else_is_changing() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    let _held = stage
        .world
        .states
        .network("alpha")
        .lock()
        .expect("nobody holds it");
    let failure = stage
        .down(&["--name", "alpha"])
        .await
        .expect_err("it is held");
    assert!(
        failure.message().contains("another devnet call"),
        "{failure}"
    );
    let failure = stage
        .up(&["--name", "alpha"])
        .await
        .expect_err("it is held");
    assert!(
        failure.message().contains("another devnet call"),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn down_looks_again_for_what_the_daemon_finished_after_up_was_killed() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    let late = stage.docker.observed("alpha").nodes;
    let locks = stage.world.states.root().join(".locks");
    std::fs::write(locks.join("alpha.lock"), b"12345").expect("a writable disk");
    let daemon = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        stage
            .docker
            .disturb("alpha", |observed| observed.nodes = late);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = stage.down(&["--name", "alpha"]) => outcome.expect("all is well"),
        () = daemon => panic!("it never ends"),
    };
    assert!(stage.is_empty("alpha"));
}
