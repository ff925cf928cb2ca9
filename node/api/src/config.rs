//! A node's configuration, as written in its YAML file or handed to it inline.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::genesis::GenesisFile;
use crate::port;

/// Name of the environment variable that may hold a whole configuration as
/// YAML; it stands in for the file given by `--config`.
pub const CONFIG_ENV: &str = "MINICHAIN_CONFIG";

/// Name of the file inside the data folder that holds the chain.
pub const STORE_FILE: &str = "chain.redb";

/// A commented configuration in YAML. It parses to [`NodeConfig::default`] and
/// names every field; those unset by default are commented out.
pub const EXAMPLE: &str = include_str!("config_example.yaml");

/// Everything a node needs to know to run.
///
/// Every field has a default, so an empty document is a valid configuration: a
/// node on the built-in network that listens on loopback and does not mine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Name shown in logs and announced to peers. Letters, digits, `-`, `_`.
    pub name: String,
    /// Folder for the chain, keys and peers. Created if missing.
    pub data_dir: PathBuf,
    /// Genesis file (YAML). Neither this nor `genesis`: the built-in network.
    pub genesis_file: Option<PathBuf>,
    /// Genesis given inline; excludes `genesis_file`.
    pub genesis: Option<GenesisFile>,
    /// Peer-to-peer settings.
    pub p2p: P2pConfig,
    /// Mining settings.
    pub mining: MiningConfig,
    /// JSON-RPC settings.
    pub rpc: RpcConfig,
    /// Metrics settings.
    pub metrics: MetricsConfig,
    /// Log settings.
    pub log: LogConfig,
    /// Limits on what the node may hold in memory.
    pub limits: LimitsConfig,
}

/// Peer-to-peer settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P2pConfig {
    /// Address to listen on.
    pub listen: IpAddr,
    /// TCP port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Address told to others. Unset: the listen address where it is a
    /// concrete one, else whatever peers observe.
    pub advertise: Option<IpAddr>,
    /// Peers to dial and keep dialling, `host:port`, `ip:port` or a multiaddr.
    pub bootstrap: Vec<String>,
    /// Find further peers through Kademlia. Off: only `bootstrap` edges.
    pub discovery: bool,
    /// 64 hexadecimal digits from which the libp2p identity is derived. Unset:
    /// a random identity kept in `data_dir`.
    pub identity_seed: Option<String>,
    /// Peers to look for before discovery rests; whoever comes in, up to four are
    /// of the node's own choice.
    pub target_peers: u32,
    /// Connections accepted at most, both directions together.
    pub max_peers: u32,
}

/// Mining settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MiningConfig {
    /// Mine from the start.
    pub enabled: bool,
    /// Double SHA-256 hashes a second the miner may compute; the search is
    /// throttled to this rate.
    pub hash_rate: f64,
    /// Where rewards go: an address of this network. Unset: a key kept in
    /// `data_dir`.
    pub address: Option<String>,
    /// Name of a genesis account that receives rewards; excludes `address`.
    pub account: Option<String>,
}

/// JSON-RPC settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RpcConfig {
    /// Serve JSON-RPC at all.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: IpAddr,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
    /// User for HTTP basic authentication.
    pub user: Option<String>,
    /// Password for HTTP basic authentication. Both unset: a cookie file
    /// `data_dir/.cookie` is written at start and removed at the end.
    pub password: Option<String>,
    /// Also serve the methods of fault injection, see [`crate::admin`], and
    /// answer peers' probes. For test networks only.
    pub admin: bool,
}

/// Metrics settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Serve Prometheus metrics at all.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: IpAddr,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// Log settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// A level (`error` to `trace`) or a tracing filter such as
    /// `info,minichain_node::net=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Limits on what the node may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Bytes of transactions waiting in the mempool at most.
    pub mempool_bytes: u64,
    /// Bytes of the store's cache at most.
    pub store_cache_bytes: u64,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "minichain".into(),
            data_dir: PathBuf::from("minichain-data"),
            genesis_file: None,
            genesis: None,
            p2p: P2pConfig::default(),
            mining: MiningConfig::default(),
            rpc: RpcConfig::default(),
            metrics: MetricsConfig::default(),
            log: LogConfig::default(),
            limits: LimitsConfig::default(),
        }
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            listen: LOOPBACK,
            port: port::P2P,
            advertise: None,
            bootstrap: Vec::new(),
            discovery: true,
            identity_seed: None,
            target_peers: 16,
            max_peers: 64,
        }
    }
}

impl Default for MiningConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            hash_rate: 10_000.0,
            address: None,
            account: None,
        }
    }
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: LOOPBACK,
            port: port::RPC,
            user: None,
            password: None,
            admin: false,
        }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: LOOPBACK,
            port: port::METRICS,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            mempool_bytes: 32 << 20,
            store_cache_bytes: 8 << 20,
        }
    }
}
