//! The libp2p protocols a node speaks, all named after its network, and their
//! settings.

use std::time::Duration;

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::kad::{self, store::MemoryStore};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{StreamProtocol, identify, ping};

use super::bans::Bans;
use super::gate::Gate;
use super::kademlia::Kademlia;
use super::pace::Pace;
use super::places::{self, Places};
use super::probe::ProbeCodec;
use super::sync_codec::SyncCodec;
use super::{Config, StartError, gossip};

/// Everything a node speaks. Those who may refuse a connection stand first.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gate: Gate,
    pub blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub limits: connection_limits::Behaviour,
    pub places: Places,
    pub ping: ping::Behaviour,
    pub identify: identify::Behaviour,
    pub kad: Toggle<Kademlia>,
    pub gossip: gossip::Behaviour,
    pub sync: request_response::Behaviour<SyncCodec>,
    pub probe: Toggle<request_response::Behaviour<ProbeCodec>>,
}

/// The core sets its own, shorter time limits; this one only bounds how long a
/// forgotten stream lives.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// Requests at once on one connection, both directions together.
const REQUESTS_MAX: usize = 64;
/// Two, because both sides may dial at the same moment.
const CONNECTIONS_PER_PEER: u32 = 2;
/// Handshakes at once in each direction; of those that others begin, one address
/// may have half.
const PENDING_MAX: u32 = 128;
/// The same where every peer may be probed at once, by everybody.
const PENDING_PROBED_MAX: u32 = 4_096;
/// No round of probes takes longer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Probes at once on one connection, both directions together.
const PROBES_MAX: usize = 256;

/// What identify announces; peers of another network see it and part.
pub fn identify_protocol(network: &str) -> String {
    format!("/minichain/{network}/1")
}

/// Kademlia's protocol name.
///
/// # Errors
/// When the network's name does not fit.
pub fn kad_protocol(network: &str) -> Result<StreamProtocol, StartError> {
    protocol(format!("/minichain/{network}/kad/1"))
}

/// Sets all protocols up, behind the bans; probes only where they are asked
/// for.
///
/// # Errors
/// When gossipsub refuses its settings or the network's name does not fit.
pub fn build(
    config: &Config,
    topics: &gossip::Topics,
    bans: Bans,
    with_probes: bool,
) -> Result<Behaviour, StartError> {
    let id = config.keypair.public().to_peer_id();
    let mut kad = None;
    if config.discovery {
        let mut settings = kad::Config::new(kad_protocol(&config.network)?);
        // Nobody stores anything here; the discovery timer decides when to
        // look around.
        settings
            .set_record_filtering(kad::StoreInserts::FilterBoth)
            .set_periodic_bootstrap_interval(None)
            .set_query_timeout(Duration::from_secs(20));
        let mut inner = kad::Behaviour::with_config(id, MemoryStore::new(id), settings);
        // Left to itself it stays a client wherever no address is public.
        inner.set_mode(Some(kad::Mode::Server));
        kad = Some(Kademlia { inner });
    }
    let sync = protocol(format!("/minichain/{}/sync/1", config.network))?;
    let codec = SyncCodec::new(Pace::new(config.spacing).question);
    let sync_settings = request_response::Config::default()
        .with_request_timeout(REQUEST_TIMEOUT)
        .with_max_concurrent_streams(REQUESTS_MAX);
    Ok(Behaviour {
        gate: Gate::new(bans),
        blocked: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(limits(with_probes)),
        places: Places::new(places(config.max_peers, with_probes)),
        ping: ping::Behaviour::new(ping(config.spacing)),
        identify: identify(config),
        kad: kad.into(),
        gossip: gossip(config, topics)?,
        sync: request_response::Behaviour::with_codec(
            codec,
            [(sync, ProtocolSupport::Full)],
            sync_settings,
        ),
        probe: with_probes.then(|| probe(config)).transpose()?.into(),
    })
}

fn ping(spacing: Duration) -> ping::Config {
    let pace = Pace::new(spacing);
    ping::Config::new()
        .with_interval(pace.ping)
        .with_timeout(pace.ping_timeout)
}

fn probe(config: &Config) -> Result<request_response::Behaviour<ProbeCodec>, StartError> {
    let name = protocol(format!("/minichain/{}/probe/1", config.network))?;
    let settings = request_response::Config::default()
        .with_request_timeout(PROBE_TIMEOUT)
        .with_max_concurrent_streams(PROBES_MAX);
    Ok(request_response::Behaviour::new(
        [(name, ProtocolSupport::Full)],
        settings,
    ))
}

const fn pending_max(with_probes: bool) -> u32 {
    if with_probes {
        PENDING_PROBED_MAX
    } else {
        PENDING_MAX
    }
}

fn limits(with_probes: bool) -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_outgoing(Some(pending_max(with_probes)))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
}

const fn places(max_peers: u32, with_probes: bool) -> places::Config {
    places::Config {
        all_max: max_peers as usize,
        inbound_max: (max_peers - max_peers / 4) as usize,
        pending_max: pending_max(with_probes) as usize,
    }
}

fn identify(config: &Config) -> identify::Behaviour {
    let settings =
        identify::Config::new(identify_protocol(&config.network), config.keypair.public())
            .with_agent_version(config.user_agent.clone())
            .with_interval(Duration::from_secs(60))
            // Only addresses found to be reachable are told, see `addresses`.
            .with_hide_listen_addrs(true)
            .with_cache_size(0);
    identify::Behaviour::new(settings)
}

fn gossip(config: &Config, topics: &gossip::Topics) -> Result<gossip::Behaviour, StartError> {
    gossip::behaviour(&config.network, topics).map_err(StartError::Setup)
}

fn protocol(name: String) -> Result<StreamProtocol, StartError> {
    StreamProtocol::try_from_owned(name).map_err(|error| StartError::Setup(error.to_string()))
}
