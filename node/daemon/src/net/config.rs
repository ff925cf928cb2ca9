//! From the node's settings to those of the network side.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use minichain_api::config::NodeConfig;

use super::addresses::{self, AddressError};
use super::identity::{self, IdentityError};

/// Name of the address book inside the data folder.
const PEERS_FILE: &str = "peers.json";
/// Name of the list of bans beside it.
const BANS_FILE: &str = "banlist.json";

/// What the network side needs to know.
#[derive(Clone)]
pub struct Config {
    /// Network name; part of every protocol name on the wire.
    pub network: String,
    /// Target time between the network's blocks.
    pub spacing: Duration,
    /// Address to listen on.
    pub listen: IpAddr,
    /// TCP port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Address told to others instead of what is found out.
    pub advertise: Option<IpAddr>,
    /// Peers to dial and keep dialling.
    pub bootstrap: Vec<Multiaddr>,
    /// Whether to look for further peers.
    pub discovery: bool,
    /// Peers to look for before discovery rests; whoever comes in, up to four are
    /// of our own choice.
    pub target_peers: u32,
    /// Connections at most. Of every four, one is kept for peers this node
    /// dials, so that strangers alone cannot take all places.
    pub max_peers: u32,
    /// Who we are.
    pub keypair: Keypair,
    /// Name and version told to peers.
    pub user_agent: String,
    /// Where good addresses are kept over a restart.
    pub peers_file: Option<PathBuf>,
    /// Where bans are kept over a restart.
    pub bans_file: Option<PathBuf>,
}

/// Why the settings make no network side.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A peer to dial is none.
    #[error("p2p.bootstrap: {0}")]
    Bootstrap(#[from] AddressError),
    /// There is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Config {
    /// Takes the node's settings over; draws and keeps an identity where none
    /// is given.
    ///
    /// # Errors
    /// When an address cannot be dialled, or the identity cannot be read or
    /// kept.
    pub fn new(
        node: &NodeConfig,
        network: &str,
        spacing: Duration,
        user_agent: &str,
    ) -> Result<Self, ConfigError> {
        let p2p = &node.p2p;
        let bootstrap = p2p.bootstrap.iter().map(|text| addresses::parse(text));
        let keypair = match &p2p.identity_seed {
            Some(seed) => identity::from_seed(seed)?,
            None => identity::load_or_create(&node.data_dir)?,
        };
        Ok(Self {
            network: network.to_owned(),
            spacing,
            listen: p2p.listen,
            port: p2p.port,
            advertise: p2p.advertise,
            bootstrap: bootstrap.collect::<Result<_, _>>()?,
            discovery: p2p.discovery,
            target_peers: p2p.target_peers,
            max_peers: p2p.max_peers,
            keypair,
            user_agent: user_agent.to_owned(),
            peers_file: Some(node.data_dir.join(PEERS_FILE)),
            bans_file: Some(node.data_dir.join(BANS_FILE)),
        })
    }
}
