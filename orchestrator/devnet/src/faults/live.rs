//! A network that exists, held for as long as faults are done to it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use devnet_blueprint::{Blueprint, NodeState, Observed};
use devnet_scenario::fault::NodeName;

use crate::client::Client;
use crate::engine::Engine;
use crate::exit::Failure;
use crate::probe::NodeAddress;
use crate::world::World;

/// A network, and how to reach its parts. Its plan changes when nodes are
/// added, removed or upgraded: [`Live::reload`] takes the new one in, and who
/// holds a [`Layout`] goes on with the one he has.
pub struct Live {
    name: String,
    engine: Arc<dyn Engine>,
    layout: RwLock<Arc<Layout>>,
}

/// The plan of a network at one moment, and where its nodes are.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The plan.
    pub blueprint: Blueprint,
    /// Its nodes, in the plan's order.
    pub nodes: Vec<NodeAddress>,
}

impl Live {
    /// Holds the network called `name`.
    ///
    /// # Errors
    /// There is none, its engine does not answer, or its plan is lost: what a
    /// node shall be healed to is known from there alone.
    pub async fn attach(world: &World, name: &str) -> Result<Self, Failure> {
        let attached = world.attach_or_fail(name).await?;
        let blueprint = attached.blueprint.ok_or_else(|| lost(name))?;
        Ok(Self::new(attached.engine, blueprint))
    }

    /// Holds a network of which plan and engine are at hand.
    pub fn new(engine: Arc<dyn Engine>, blueprint: Blueprint) -> Self {
        Self {
            name: blueprint.name.clone(),
            engine,
            layout: RwLock::new(Arc::new(Layout::new(blueprint))),
        }
    }

    /// Takes in the plan as it is in the state folder now.
    ///
    /// # Errors
    /// The plan cannot be read, or is gone.
    pub fn reload(&self, world: &World) -> Result<(), Failure> {
        let blueprint = world.states.load(&self.name)?;
        self.replace(blueprint.ok_or_else(|| lost(&self.name))?);
        Ok(())
    }

    /// Takes in the plan where its file was changed since `read`; whether it
    /// was, or `None` once the network is gone.
    ///
    /// # Errors
    /// The plan cannot be read.
    pub fn follow(
        &self,
        world: &World,
        read: &mut Option<SystemTime>,
    ) -> Result<Option<bool>, Failure> {
        let record = world.states.network(&self.name).record();
        let Some(changed) = record.metadata().ok().and_then(|file| file.modified().ok()) else {
            return Ok(None);
        };
        if *read == Some(changed) {
            return Ok(Some(false));
        }
        let Some(blueprint) = world.states.load(&self.name)? else {
            return Ok(None);
        };
        self.replace(blueprint);
        *read = Some(changed);
        Ok(Some(true))
    }

    /// Takes in another plan of the same network.
    pub fn replace(&self, blueprint: Blueprint) {
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        *layout = Arc::new(Layout::new(blueprint));
    }

    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What carries it.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// What carries it, to be kept.
    pub fn engine_handle(&self) -> Arc<dyn Engine> {
        self.engine.clone()
    }

    /// The plan as it is now.
    pub fn layout(&self) -> Arc<Layout> {
        self.layout
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What exists of it now.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn observe(&self) -> Result<Observed, Failure> {
        Ok(self.engine.observe(&self.name).await?)
    }

    /// Names of planned nodes that run now, in the plan's order.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn running(&self) -> Result<Vec<NodeName>, Failure> {
        let observed = self.observe().await?;
        let runs = |name: &NodeName| {
            let found = observed.node(name);
            found.is_some_and(|node| node.state == NodeState::Running)
        };
        Ok(self.layout().roster().into_iter().filter(runs).collect())
    }
}

impl Layout {
    /// The layout of that plan.
    pub fn new(blueprint: Blueprint) -> Self {
        let nodes = NodeAddress::of_blueprint(&blueprint);
        Self { blueprint, nodes }
    }

    /// Names of all nodes, in the plan's order.
    pub fn roster(&self) -> Vec<NodeName> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Where a node is.
    pub fn address(&self, node: &str) -> Option<&NodeAddress> {
        self.nodes.iter().find(|address| address.name == node)
    }

    /// A client for a node's JSON-RPC whose calls may take `timeout`.
    pub fn client(&self, node: &str, timeout: Duration) -> Option<Client> {
        let address = self.address(node)?;
        let credentials = address.credentials.clone();
        Some(Client::new(address.rpc?, credentials, timeout))
    }
}

fn lost(name: &str) -> Failure {
    Failure::world(format!(
        "the plan of network `{name}` is lost with its state folder; without it no fault can be \
         undone"
    ))
    .next(format!(
        "`devnet down --name {name}` removes it, `devnet up` brings up a new one."
    ))
}
