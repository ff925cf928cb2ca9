//! Networks of containers on a Docker engine, or on Podman speaking its API.
//!
//! All it creates carries the planner's labels; all it finds, it finds by them.
//! Networks are named by id, because an engine may hold two of one name. Of an
//! answer that means "already so" or "already gone", none is a failure.

mod act;
pub(crate) mod call;
mod connect;
mod container;
mod facts;
mod filter;
mod image;
mod logs;
mod network;
mod observe;
mod presence;
mod vitals;
mod volume;

use devnet_blueprint::{Action, Blueprint, EngineKind, NodePlan, Observed};
use futures::FutureExt;
use futures::stream::BoxStream;

use super::capacity::{Demand, Host, Neighbours, Shortage};
use super::{
    Answer, Check, Endpoint, Engine, EngineError, ErrorKind, FilterAnswer, FilterOrder, LogStream,
    LogWish, NetworkSummary, NodeAct, Presence, Program, ProgramWish, Report, UsedSubnet, Vitals,
};

/// A connection to a Docker or Podman engine. Cheap to clone.
#[derive(Clone)]
pub struct DockerEngine {
    docker: bollard::Docker,
    about: About,
    /// Packet filters' helpers that wait in containers.
    helpers: filter::Helpers,
    /// How this host stood when the connection was made.
    neighbours: Option<Neighbours>,
}

/// Who answers at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `Docker` or `Podman`.
    pub product: Product,
    /// Version of the engine, such as `20.10.24`.
    pub version: String,
    /// API version agreed on, such as `1.41`.
    pub api: String,
    /// Processor of the engine's host, as Go names it: `amd64`, `arm64`, ….
    pub architecture: String,
    /// Release of the kernel that it runs on; empty if it does not tell.
    pub kernel: String,
    /// Where it was found, such as `unix:///var/run/docker.sock`.
    pub address: String,
}

/// Whose engine it is; they differ in a few details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl DockerEngine {
    /// Connects to the engine that the environment points to (`DOCKER_HOST`,
    /// the chosen Docker context), else to the first that answers in the usual
    /// places, Podman's among them.
    ///
    /// # Errors
    /// Kinds `Unreachable` (nobody there), `PermissionDenied`, `Unsupported`
    /// (too old, not Linux, an address we cannot use) and `TimedOut`, each
    /// with what to do about it.
    pub async fn connect() -> Result<Self, EngineError> {
        Self::connect_by(|name| std::env::var_os(name)).await
    }

    /// As [`DockerEngine::connect`], with `variable` standing in for the
    /// environment.
    ///
    /// # Errors
    /// As [`DockerEngine::connect`].
    pub async fn connect_by(
        variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, EngineError> {
        let connection = connect::connect(variable).await?;
        let version = connection.version;
        let is_podman = version
            .components
            .iter()
            .flatten()
            .any(|part| part.name.contains("Podman"));
        let about = About {
            product: if is_podman {
                Product::Podman
            } else {
                Product::Docker
            },
            version: version.version.unwrap_or_default(),
            api: connection.api,
            architecture: version.arch.unwrap_or_default(),
            kernel: version.kernel_version.unwrap_or_default(),
            address: connection.address,
        };
        Ok(Self {
            docker: connection.docker,
            about,
            helpers: filter::Helpers::default(),
            neighbours: Neighbours::read(),
        })
    }

    /// Who answers at the other end.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The library's client, for what has no word in [`Engine`].
    pub fn client(&self) -> &bollard::Docker {
        &self.docker
    }

    async fn perform_action(
        &self,
        blueprint: &Blueprint,
        action: &Action,
    ) -> Result<(), EngineError> {
        match action {
            Action::SaveState | Action::RemoveState => Ok(()),
            Action::CreateNetwork => self.create_network(blueprint).await,
            Action::RemoveNetwork { id } => self.remove_network(id).await,
            Action::CreateVolume { node } => {
                self.create_volume(&node_of(blueprint, node)?.volume).await
            }
            Action::RemoveVolume { volume } => self.remove_volume(volume).await,
            Action::CreateNode { node } => {
                self.create_container(blueprint, node_of(blueprint, node)?)
                    .await
            }
            Action::StartNode { node } => {
                let node = node_of(blueprint, node)?;
                self.start_container(node.container_name()).await?;
                self.meet(blueprint, node).await;
                Ok(())
            }
            Action::UnpauseNode { node } => {
                self.unpause_container(node_of(blueprint, node)?.container_name())
                    .await
            }
            Action::RemoveNode { id, node, reason } => {
                self.remove_container(id, node, *reason).await
            }
        }
    }
}

impl Engine for DockerEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Docker
    }

    fn observe<'a>(&'a self, network: &'a str) -> Answer<'a, Observed> {
        self.observe_network(network).boxed()
    }

    fn list(&self) -> Answer<'_, Vec<NetworkSummary>> {
        self.list_networks().boxed()
    }

    fn perform<'a>(&'a self, blueprint: &'a Blueprint, action: &'a Action) -> Answer<'a, ()> {
        self.perform_action(blueprint, action).boxed()
    }

    fn logs<'a>(&'a self, network: &'a str, wish: &'a LogWish) -> Answer<'a, LogStream> {
        self.stream_logs(network, wish).boxed()
    }

    fn checks(&self) -> Answer<'_, Vec<Check>> {
        self.check_all().boxed()
    }

    fn used_subnets(&self) -> Answer<'_, Vec<UsedSubnet>> {
        self.subnets_in_use().boxed()
    }

    fn shortages(&self, demand: Demand) -> Vec<Shortage> {
        match self.about.is_this_kernel() {
            true => Host::read().shortages(demand),
            false => Vec::new(),
        }
    }

    fn exhausted(&self) -> Option<Shortage> {
        let now = self.about.is_this_kernel().then(Neighbours::read)?;
        now?.shortage(self.neighbours?)
    }

    fn resolve_program<'a>(&'a self, wish: &'a ProgramWish) -> Answer<'a, Program> {
        self.resolve_image(wish).boxed()
    }

    fn prepare_program<'a>(
        &'a self,
        wish: &'a ProgramWish,
        report: &'a dyn Report,
    ) -> Answer<'a, Program> {
        self.prepare_image(wish, report).boxed()
    }

    fn endpoints<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Endpoint>> {
        self.read_endpoints(network).boxed()
    }

    fn act<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        node: &'a str,
        act: &'a NodeAct,
    ) -> Answer<'a, ()> {
        self.act_on(blueprint, node, act).boxed()
    }

    fn containers(&self) -> Option<bollard::Docker> {
        Some(self.docker.clone())
    }

    fn presence(&self) -> Option<BoxStream<'static, Presence>> {
        Some(presence::presence(self.docker.clone()))
    }

    fn vitals<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Vitals>> {
        self.read_vitals(network).boxed()
    }

    fn filter<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        orders: &'a [FilterOrder],
    ) -> Option<Answer<'a, Vec<Result<FilterAnswer, EngineError>>>> {
        Some(self.filter_nodes(blueprint, orders).map(Ok).boxed())
    }
}

impl About {
    /// Whether the engine runs on the kernel that we run on; one with another
    /// has all else of its own, too.
    fn is_this_kernel(&self) -> bool {
        rustix::system::uname().release().to_string_lossy() == self.kernel
    }
}

impl Product {
    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        }
    }
}

fn node_of<'a>(blueprint: &'a Blueprint, node: &str) -> Result<&'a NodePlan, EngineError> {
    blueprint.node(node).ok_or_else(|| {
        EngineError::new(
            ErrorKind::NotFound,
            format!("looking for node {node}"),
            format!("the blueprint of `{}` has no such node", blueprint.name),
        )
    })
}

/// Filters of the API: one key with its accepted values.
type Filters = std::collections::HashMap<String, Vec<String>>;

/// What carries `label`, or `label=value`.
fn labelled(label: &str, value: Option<&str>) -> Filters {
    let wanted = match value {
        Some(value) => format!("{label}={value}"),
        None => label.to_owned(),
    };
    Filters::from([("label".to_owned(), vec![wanted])])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
