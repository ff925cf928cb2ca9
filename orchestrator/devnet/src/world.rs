//! What every verb works with: the state folder, the engines, the nodes and the
//! console; and how to attach to a network that exists.

use std::sync::Arc;

use clap::ValueEnum;
use devnet_blueprint::{Blueprint, EngineKind, Observed};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::console::Console;
use crate::engine::docker::DockerEngine;
use crate::engine::process::ProcessEngine;
use crate::engine::{Engine, EngineError, ErrorKind};
use crate::exit::Failure;
use crate::probe::{self, Depth, NodeAddress, Round};
use crate::state::{StateError, StateFolder};

/// Which engine the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// Docker where it answers, else plain processes.
    #[default]
    Auto,
    /// Containers on a Docker (or Podman) engine.
    Docker,
    /// Plain processes of this host.
    Process,
}

/// Everything outside that verbs act on; tests put doubles in its place.
#[derive(Clone)]
pub struct World {
    /// Where networks keep their state.
    pub states: StateFolder,
    /// How to reach engines.
    pub engines: Arc<dyn Engines>,
    /// How to ask nodes.
    pub prober: Arc<dyn Prober>,
    /// How to speak to the user.
    pub console: Console,
}

/// Reaches engines.
pub trait Engines: Send + Sync {
    /// Connects to the engine of that kind.
    fn connect(&self, kind: EngineKind) -> BoxFuture<'_, Result<Arc<dyn Engine>, EngineError>>;
}

/// Asks nodes how they are.
pub trait Prober: Send + Sync {
    /// Asks every node at once.
    fn probe<'a>(&'a self, nodes: &'a [NodeAddress], depth: Depth) -> BoxFuture<'a, Round>;
}

/// The engines of this host.
pub struct HostEngines {
    states: StateFolder,
}

/// Asks over HTTP.
pub struct HttpProber;

/// A network that exists, and how to reach its parts.
pub struct Attached {
    /// What carries it.
    pub engine: Arc<dyn Engine>,
    /// Its plan; `None` if the state folder is lost.
    pub blueprint: Option<Blueprint>,
    /// Its nodes.
    pub nodes: Vec<NodeAddress>,
    /// What exists of it.
    pub observed: Observed,
}

impl World {
    /// This host, with the state folder that the environment names.
    pub fn of_host(console: Console) -> Result<Self, Failure> {
        let states = StateFolder::locate(|name| std::env::var_os(name))?;
        let engines = Arc::new(HostEngines {
            states: states.clone(),
        });
        Ok(Self {
            states,
            engines,
            prober: Arc::new(HttpProber),
            console,
        })
    }

    /// The engine for a new network. A fall-back to processes is told to the
    /// user in one line.
    pub async fn engine(&self, choice: EngineChoice) -> Result<Arc<dyn Engine>, Failure> {
        match choice {
            EngineChoice::Docker => Ok(self.engines.connect(EngineKind::Docker).await?),
            EngineChoice::Process => Ok(self.engines.connect(EngineKind::Process).await?),
            EngineChoice::Auto => match self.engines.connect(EngineKind::Docker).await {
                Ok(docker) => Ok(docker),
                Err(error) => {
                    let why = error.detail.lines().next().unwrap_or_default();
                    self.console.remark(&format!(
                        "No Docker engine can be used ({why}); using plain processes instead."
                    ));
                    Ok(self.engines.connect(EngineKind::Process).await?)
                }
            },
        }
    }

    /// What exists of the network on that engine, with its state folder.
    pub async fn observe(&self, engine: &dyn Engine, name: &str) -> Result<Observed, EngineError> {
        let mut observed = engine.observe(name).await?;
        observed.state = self.states.digest(name);
        Ok(observed)
    }

    /// Every engine that may carry networks already: those that can be reached,
    /// and why the others cannot.
    pub async fn all_engines(
        &self,
        choice: EngineChoice,
    ) -> (Vec<Arc<dyn Engine>>, Vec<EngineError>) {
        let kinds: &[EngineKind] = match choice {
            EngineChoice::Auto => &[EngineKind::Docker, EngineKind::Process],
            EngineChoice::Docker => &[EngineKind::Docker],
            EngineChoice::Process => &[EngineKind::Process],
        };
        let (mut reached, mut failed) = (Vec::new(), Vec::new());
        for kind in kinds {
            match self.engines.connect(*kind).await {
                Ok(engine) => reached.push(engine),
                Err(error) => failed.push(error),
            }
        }
        (reached, failed)
    }

    /// Attaches to the network called `name`; `None` if there is none.
    pub async fn attach(&self, name: &str) -> Result<Option<Attached>, Failure> {
        Ok(self.find(name).await?.ok())
    }

    /// The network called `name`, or which engines could not be asked for it.
    async fn find(&self, name: &str) -> Result<Result<Attached, Vec<EngineError>>, Failure> {
        if let Some(blueprint) = self.states.load(name)? {
            let engine = self.engines.connect(blueprint.engine).await?;
            let observed = self.observe(&*engine, name).await?;
            let nodes = NodeAddress::of_blueprint(&blueprint);
            return Ok(Ok(Attached {
                engine,
                blueprint: Some(blueprint),
                nodes,
                observed,
            }));
        }
        let (engines, unreachable) = self.all_engines(EngineChoice::Auto).await;
        for engine in engines {
            let observed = self.observe(&*engine, name).await?;
            if observed.nodes.is_empty() {
                continue;
            }
            let endpoints = engine.endpoints(name).await?;
            let nodes = endpoints.iter().map(NodeAddress::of_endpoint).collect();
            return Ok(Ok(Attached {
                engine,
                blueprint: None,
                nodes,
                observed,
            }));
        }
        Ok(Err(unreachable))
    }

    /// As [`World::attach`]; no such network is a failure that names others.
    pub async fn attach_or_fail(&self, name: &str) -> Result<Attached, Failure> {
        let unreachable = match self.find(name).await? {
            Ok(attached) => return Ok(attached),
            Err(unreachable) => unreachable,
        };
        let mut others = self.states.names()?;
        others.retain(|other| other != name);
        let failure = Failure::failed(format!("there is no network `{name}`"))
            .next(format!("`devnet up --name {name}` brings one up."));
        let failure = match others.as_slice() {
            [] => failure,
            _ => failure.next(format!("There are others: {}.", others.join(", "))),
        };
        Err(unreachable.iter().fold(failure, |failure, error| {
            let why = error.detail.lines().next().unwrap_or_default();
            failure.next(format!(
                "It may be where nobody could ask ({}: {why}).",
                error.action
            ))
        }))
    }
}

impl Engines for HostEngines {
    fn connect(&self, kind: EngineKind) -> BoxFuture<'_, Result<Arc<dyn Engine>, EngineError>> {
        async move {
            let engine: Arc<dyn Engine> = match kind {
                EngineKind::Docker => Arc::new(DockerEngine::connect().await?),
                EngineKind::Process => Arc::new(ProcessEngine::new(self.states.clone())),
            };
            Ok(engine)
        }
        .boxed()
    }
}

impl Prober for HttpProber {
    fn probe<'a>(&'a self, nodes: &'a [NodeAddress], depth: Depth) -> BoxFuture<'a, Round> {
        probe::probe(nodes, depth).boxed()
    }
}

impl EngineChoice {
    /// The choice of exactly that engine.
    pub const fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Docker => Self::Docker,
            EngineKind::Process => Self::Process,
        }
    }

    /// Whether a network on that engine is meant.
    pub fn allows(self, kind: EngineKind) -> bool {
        self == Self::Auto || self == Self::of(kind)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let failure = Self::world(format!("{}: {}", error.action, error.detail));
        error.remedy.lines().fold(failure, Self::next)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let name = match &error {
            StateError::Broken { path, .. } => {
                let folder = if path.is_dir() {
                    Some(path.as_path())
                } else {
                    path.parent()
                };
                folder
                    .and_then(|folder| folder.file_name())
                    .map(std::ffi::OsStr::to_os_string)
            }
            _ => None,
        };
        let failure = Self::from(EngineError::from(error));
        match name {
            Some(name) => failure.next(format!(
                "`devnet down --name {}` removes the network and its folder.",
                name.to_string_lossy()
            )),
            None => failure,
        }
    }
}

/// Whether another attempt with other addresses or ports may work.
pub const fn is_worth_another_choice(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::SubnetOverlap | ErrorKind::PortOccupied)
}
