//! Packet filters inside containers, set and proven by the helper that ships in
//! the node's image.
//!
//! One `exec` a node carries a whole call, since starting one takes most of the
//! time: first all nodes' rules are set, then all probes go out, then all
//! packet counters are read. A node that fails does not hold up the others. The
//! helpers then wait some seconds for a next call.

mod explain;
mod helpers;
mod neighbours;
mod session;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_blueprint::Blueprint;
use devnet_netfault::wire::{self, Command, PROBES_MAX, Reply};
use futures::future::{BoxFuture, FutureExt as _, join_all};
use futures::stream::{self, StreamExt as _};

pub use self::helpers::Helpers;
use self::session::Session;
use super::{DockerEngine, node_of};
use crate::engine::fault::{FilterRules, Packets, ProbeResult};
use crate::engine::{EngineError, ErrorKind, FilterAnswer, FilterOrder};

/// Helpers started at a time; more only get in each other's way.
const STARTS_MAX: usize = 16;

/// For one answer of the kernel by way of helper and engine.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A node whose rules are as ordered, with the helper waiting.
struct Opened<'a> {
    order: &'a FilterOrder,
    container: String,
    session: Session,
    state: wire::State,
    probes: Vec<ProbeResult>,
}

impl DockerEngine {
    pub(super) async fn filter_nodes(
        &self,
        blueprint: &Blueprint,
        orders: &[FilterOrder],
    ) -> Vec<Result<FilterAnswer, EngineError>> {
        let opening: Vec<BoxFuture<'_, _>> = orders
            .iter()
            .map(|order| self.open(blueprint, order).boxed())
            .collect();
        let opened: Vec<_> = stream::iter(opening).buffered(STARTS_MAX).collect().await;
        if orders.iter().all(|order| order.probes.is_empty()) {
            let answer = |node: Result<Opened<'_>, _>| node.map(|node| self.dismiss(node));
            return opened.into_iter().map(answer).collect();
        }
        let probed = join_all(opened.into_iter().map(|node| async {
            match node {
                Ok(node) => node.probe().await,
                Err(error) => Err(error),
            }
        }))
        .await;
        join_all(probed.into_iter().map(|node| async {
            match node {
                Ok(node) => node.read().await.map(|node| self.dismiss(node)),
                Err(error) => Err(error),
            }
        }))
        .await
    }

    /// Starts the helper and has it set the rules, or read them.
    async fn open<'a>(
        &self,
        blueprint: &Blueprint,
        order: &'a FilterOrder,
    ) -> Result<Opened<'a>, EngineError> {
        let node = node_of(blueprint, &order.node)?;
        if let Some(rules) = &order.rules {
            refuse_gateway(blueprint, &order.node, rules)?;
        }
        let command = match &order.rules {
            Some(rules) => Command::Apply(rules.into()),
            None => Command::Read {},
        };
        let container = node.container_name();
        let mut session = match self.helpers.take(container).await {
            Some(session) => session,
            None => Session::start(&self.docker, &order.node, container).await?,
        };
        match session.ask(&command, ANSWER_MAX).await? {
            Reply::Applied(state) | Reply::Read(state) => Ok(Opened {
                order,
                container: container.to_owned(),
                session,
                state,
                probes: Vec::new(),
            }),
            other => Err(session.unexpected(&other)),
        }
    }

    /// The answer of a node; its helper is left to wait.
    fn dismiss(&self, node: Opened<'_>) -> FilterAnswer {
        self.helpers.keep(&node.container, node.session);
        FilterAnswer {
            node: node.order.node.clone(),
            rules: node.state.rules.map(FilterRules::from),
            packets: packets(node.state.packets),
            probes: node.probes,
        }
    }
}

impl Opened<'_> {
    async fn probe(mut self) -> Result<Self, EngineError> {
        if self.order.probes.is_empty() {
            return Ok(self);
        }
        let limit = self.order.probe_timeout;
        for targets in self.order.probes.chunks(PROBES_MAX) {
            let command = Command::Probe(wire::Probe {
                targets: targets.to_vec(),
                timeout_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            });
            let answer = self.session.ask(&command, ANSWER_MAX.saturating_add(limit));
            match answer.await? {
                Reply::Probed(probes) if probes.len() == targets.len() => {
                    self.probes
                        .extend(probes.into_iter().map(ProbeResult::from));
                }
                other => return Err(self.session.unexpected(&other)),
            }
        }
        Ok(self)
    }

    async fn read(mut self) -> Result<Self, EngineError> {
        match self.session.ask(&Command::Read {}, ANSWER_MAX).await? {
            Reply::Read(state) => {
                self.state = state;
                Ok(self)
            }
            other => Err(self.session.unexpected(&other)),
        }
    }
}

/// The host reaches the nodes by the gateway's address; no rule may stand in
/// its way.
fn refuse_gateway(
    blueprint: &Blueprint,
    node: &str,
    rules: &FilterRules,
) -> Result<(), EngineError> {
    let gateway = blueprint.network.as_ref().map(|network| network.gateway);
    let is_hit = gateway.is_some_and(|gateway| rules.drops.contains_key(&gateway));
    if !is_hit {
        return Ok(());
    }
    Err(EngineError::new(
        ErrorKind::Refused,
        format!("filtering packets of {node}"),
        "a rule would drop what the host sends, and with it RPC and metrics",
    ))
}

fn packets(found: BTreeMap<Ipv4Addr, wire::Packets>) -> BTreeMap<Ipv4Addr, Packets> {
    let convert = |packets: wire::Packets| Packets {
        passed: packets.passed,
        dropped: packets.dropped,
    };
    found
        .into_iter()
        .map(|(sender, packets)| (sender, convert(packets)))
        .collect()
}

impl From<&FilterRules> for wire::Rules {
    fn from(rules: &FilterRules) -> Self {
        Self {
            drops: rules.drops.clone(),
            counted: rules.counted.clone(),
        }
    }
}

impl From<wire::Rules> for FilterRules {
    fn from(rules: wire::Rules) -> Self {
        Self {
            drops: rules.drops,
            counted: rules.counted,
        }
    }
}

impl From<wire::Probed> for ProbeResult {
    fn from(probed: wire::Probed) -> Self {
        match probed {
            wire::Probed::Connected { rtt_us } => Self::Connected { rtt_us },
            wire::Probed::Refused { rtt_us } => Self::Refused { rtt_us },
            wire::Probed::TimedOut => Self::TimedOut,
            wire::Probed::Failed => Self::Failed,
        }
    }
}
