//! The network task: the swarm, and what is remembered beside it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::gossipsub::PublishError;
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Swarm, gossipsub, swarm};
use minichain_protocol::input::{GossipId, Input, RequestFailure};
use minichain_protocol::output::{Topic, Verdict};
use tokio::sync::{mpsc, watch};

use super::addresses::{self, Advertised};
use super::bans::Bans;
use super::behaviour::{self, Behaviour};
use super::book::Book;
use super::dialer::Dialer;
use super::dice::Dice;
use super::exchange::{Exchange, Outbound};
use super::gossip::{self, Pending, Topics};
use super::meter::Meters;
use super::operator;
use super::outlet::{Delivery, Outlet};
use super::pace::Pace;
use super::peers::Peers;
use super::probe::Order;
use super::view::View;
use super::{Command, Config, Ends, StartError, transport, unix_s};

mod events;
mod gatekeeping;
mod orders;
mod partings;
mod probing;
mod questions;
mod upkeep;

use orders::Tries;
use partings::Partings;
use probing::Probing;
use upkeep::Upkeep;

/// All the network side owns.
pub struct Task<E> {
    config: Config,
    pace: Pace,
    topics: Topics,
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    outlet: Outlet<E>,
    view: watch::Sender<Arc<View>>,
    is_view_stale: bool,
    /// Stale in what no one waits for: told with the next look at what is due.
    has_view_aged: bool,
    peers: Peers,
    meters: Meters,
    exchange: Exchange,
    pending: Pending,
    dialer: Dialer,
    book: Book,
    advertised: Advertised,
    partings: Partings,
    probes: Option<mpsc::Receiver<Order>>,
    probing: Probing,
    orders: Option<mpsc::Receiver<operator::Order>>,
    tries: Tries,
    upkeep: Upkeep,
    look_around: LookAround,
    saved_at: Instant,
    publishes_unheard: u64,
}

/// When to ask Kademlia for more peers.
struct LookAround {
    next_at: Instant,
    wait: Duration,
    /// Draws where to look.
    dice: Dice,
}

/// Connections close by the ping, never for being idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3_600);
/// Time the system may take to say which addresses are listened on.
const BIND_TIMEOUT: Duration = Duration::from_secs(5);
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// Nodes asked by one look at least, where so many are known.
const LOOKED_AT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
const LOOK_WAIT_MIN: Duration = Duration::from_secs(1);
const LOOK_WAIT_MAX: Duration = Duration::from_secs(60);

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// Sets everything up; nothing is bound or dialled yet.
    pub fn new(
        config: Config,
        ends: Ends,
        inbox: mpsc::Sender<E>,
        commands: mpsc::Receiver<Command>,
        view: watch::Sender<Arc<View>>,
    ) -> Result<Self, StartError> {
        let now = Instant::now();
        let topics = Topics::new(&config.network);
        let pace = Pace::new(config.spacing);
        let levers = ends.levers.map(|end| (end.links, end.orders));
        let (links, probes) = levers.unzip();
        let bans = Bans::open(config.bans_file.clone(), unix_s());
        let behaviour = behaviour::build(&config, &topics, bans, links.is_some())?;
        let meters = Meters::default();
        let transport = transport::build(&config.keypair, pace.set_up, links, meters.clone())
            .map_err(|error| StartError::Setup(error.to_string()))?;
        let settings =
            swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE_TIMEOUT);
        let id = config.keypair.public().to_peer_id();
        // Explicit edges alone: what was known before does not count.
        let book = Book::open(config.peers_file.clone().filter(|_| config.discovery));
        let mut dialer = Dialer::new(&config.bootstrap, pace, seed(&id), now);
        dialer.add_known(&book, now);
        Ok(Self {
            swarm: Swarm::new(transport, behaviour, id, settings),
            advertised: Advertised::new(config.listen, config.advertise),
            outlet: Outlet::new(inbox),
            upkeep: Upkeep::new(now),
            look_around: LookAround {
                next_at: now,
                wait: LOOK_WAIT_MIN,
                dice: Dice::new(!seed(&id)),
            },
            saved_at: now,
            config,
            pace,
            topics,
            commands,
            view,
            is_view_stale: true,
            has_view_aged: false,
            peers: Peers::default(),
            meters,
            exchange: Exchange::default(),
            pending: Pending::default(),
            dialer,
            book,
            partings: Partings::default(),
            probes,
            probing: Probing::default(),
            orders: ends.operator.map(|end| end.orders),
            tries: Tries::default(),
            publishes_unheard: 0,
        })
    }

    /// Binds the port and waits until the system names an address.
    pub async fn bind(&mut self) -> Result<(), StartError> {
        let address = SocketAddr::new(self.config.listen, self.config.port);
        let failed = |reason: String| StartError::Listen { address, reason };
        self.swarm
            .listen_on(addresses::from_socket(address))
            .map_err(|error| failed(innermost(&error)))?;
        let deadline = tokio::time::Instant::now() + BIND_TIMEOUT;
        while self.swarm.listeners().next().is_none() {
            let event = tokio::time::timeout_at(deadline, self.swarm.select_next_some()).await;
            match event.map_err(|_| failed("no address came up in time".into()))? {
                SwarmEvent::ListenerClosed {
                    reason: Err(error), ..
                }
                | SwarmEvent::ListenerError { error, .. } => return Err(failed(error.to_string())),
                event => self.on_event(event),
            }
        }
        self.publish_view();
        Ok(())
    }

    /// Serves until the driver is gone, then writes the address book.
    ///
    /// Orders come first: they empty what the driver waits for. Peers are read
    /// from last, and not at all while the driver is behind.
    pub async fn run(mut self) {
        let tick = tokio::time::sleep_until(self.upkeep.next_at().into());
        tokio::pin!(tick);
        loop {
            let next_at = self.upkeep.next_at().into();
            if tick.deadline() != next_at {
                tick.as_mut().reset(next_at);
            }
            let has_room = self.outlet.has_room();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                delivered = self.outlet.deliver() => if delivered.is_err() {
                    break;
                },
                Some(order) = next(&mut self.probes) => self.probe(order),
                Some(order) = next(&mut self.orders) => self.on_order(order),
                () = until(self.probing.deadline()) => self.end_probes(Instant::now()),
                () = &mut tick => self.on_tick(Instant::now()),
                event = self.swarm.select_next_some(), if has_room => self.on_event(event),
            }
            self.publish_view();
        }
        self.book.save();
    }

    fn on_command(&mut self, command: Command) {
        self.upkeep.changed();
        match command {
            Command::Publish {
                topic,
                bytes,
                sent_at_ms,
            } => self.publish(topic, &bytes, sent_at_ms),
            Command::Verdict { id, verdict } => self.report(id, verdict),
            Command::Request {
                id,
                peer,
                bytes,
                timeout,
            } => self.request(id, peer, bytes, timeout),
            Command::Respond { id, bytes } => self.respond(id, bytes),
            Command::Refuse { id } => self.exchange.refuse(id),
            Command::Disconnect { peer, keep_away } => self.disconnect(peer, keep_away),
        }
    }

    fn publish(&mut self, topic: Topic, bytes: &[u8], sent_at_ms: u64) {
        if bytes.len() > gossip::payload_max(topic) {
            tracing::error!(?topic, len = bytes.len(), "message too large to gossip");
            return;
        }
        let message = gossip::stamp(sent_at_ms, bytes);
        let topic_hash = self.topics.get(topic).hash();
        match self
            .swarm
            .behaviour_mut()
            .gossip
            .publish(topic_hash, message)
        {
            Ok(_) | Err(PublishError::Duplicate) => {}
            Err(error) => {
                self.publishes_unheard += 1;
                self.is_view_stale = true;
                tracing::debug!(?topic, %error, "nobody heard; peers will fetch it");
            }
        }
    }

    fn report(&mut self, id: GossipId, verdict: Verdict) {
        if let Some((message, source)) = self.pending.remove(id) {
            self.report_message(&message, &source, verdict);
        }
    }

    fn report_message(&mut self, id: &gossipsub::MessageId, source: &PeerId, verdict: Verdict) {
        let acceptance = gossip::acceptance(verdict);
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        // False when gossipsub has forgotten the message; then nothing is
        // forwarded, and others pull it by request.
        gossip.report_message_validation_result(id, source, acceptance);
    }

    fn on_tick(&mut self, now: Instant) {
        for Outbound { id, peer, .. } in self.exchange.expired(now) {
            let failure = RequestFailure::TimedOut;
            self.outlet.push(Input::RequestFailed { id, peer, failure });
        }
        for connection in self.peers.silent(now, self.pace.silence) {
            tracing::debug!(%connection, "no ping was answered; closing the connection");
            self.swarm.close_connection(connection);
        }
        self.part_and_forgive(now);
        self.end_probes(now);
        self.bans().sweep(unix_s());
        self.dial(now);
        self.look_around(now);
        if now.duration_since(self.saved_at) >= SAVE_INTERVAL {
            self.saved_at = now;
            self.book.save();
        }
        self.is_view_stale |= std::mem::take(&mut self.has_view_aged);
        let due = self.due(now);
        self.upkeep.looked(now, due);
    }

    fn dial(&mut self, now: Instant) {
        let by_protocols = self.swarm.behaviour().gate.under_way();
        let looked_for = self.begun_next(by_protocols);
        self.dialer.limit_wanted(self.wanted_max());
        let dials = self
            .dialer
            .due(now, |id| self.peers.contains(id), looked_for);
        for options in dials {
            let connection = options.connection_id();
            if let Err(error) = self.dial_out(options) {
                self.dialer.on_failed(connection, &error, now);
            }
        }
        self.count_peers();
    }

    /// Asks Kademlia while peers are looked for, ever more seldom while it
    /// finds none.
    fn look_around(&mut self, now: Instant) {
        if self.look_around.next_at > now || self.looked_for() == 0 {
            return;
        }
        let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() else {
            return;
        };
        if self.peers.len() > 0 {
            // Not Kademlia's bootstrap, which looks for the own id and then
            // through every bucket: a mesh needs somebody, not its neighbours
            // by name.
            let somewhere = self.look_around.dice.number().to_le_bytes();
            kad.inner.get_n_closest_peers(somewhere.to_vec(), LOOKED_AT);
            self.look_around.wait = (self.look_around.wait * 2).min(LOOK_WAIT_MAX);
        }
        self.look_around.next_at = now + self.look_around.wait;
    }

    /// Peers changed: look around soon, whatever was found before.
    fn look_around_soon(&mut self) {
        self.look_around.wait = LOOK_WAIT_MIN;
        self.look_around.next_at = Instant::now() + LOOK_WAIT_MIN;
    }

    fn publish_view(&mut self) {
        if !std::mem::take(&mut self.is_view_stale) {
            return;
        }
        let mut own: Vec<String> = self
            .swarm
            .listeners()
            .chain(self.swarm.external_addresses())
            .map(ToString::to_string)
            .collect();
        own.sort();
        own.dedup();
        let view = View {
            peer_id: self.swarm.local_peer_id().to_string(),
            addresses: own,
            connections: self.peers.connections(),
            publishes_unheard: self.publishes_unheard,
            meter: self.meters.all(),
        };
        self.view.send_replace(Arc::new(view));
    }
}

/// The next order; none where there is no way in.
async fn next<T>(orders: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match orders {
        Some(orders) => orders.recv().await,
        None => None,
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// A seed of one's own, so that two nodes do not keep step.
fn seed(id: &PeerId) -> u64 {
    let bytes = id.to_bytes();
    bytes.last_chunk().copied().map_or(0, u64::from_le_bytes)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
