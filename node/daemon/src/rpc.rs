//! JSON-RPC over HTTP, in the shapes of Bitcoin Core.
//!
//! A call passes: Host check → authentication → envelope → concurrency limit →
//! arguments → method, each bounded in time. Methods that look at the chain run a short closure on
//! the node's thread and render its result here.
//!
//! Methods of fault injection exist only where the configuration says so; they
//! move levers that other rooms hand out.
//!
//! This room must never touch the store or the peers by itself; it asks the
//! driver.

mod admin;
mod arguments;
mod auth;
mod chain;
mod descriptor;
mod envelope;
mod events;
mod examine;
mod find;
mod limits;
mod mempool;
mod method;
mod mining;
mod network;
mod peers;
mod raw;
mod render;
mod scan;
mod server;
mod spec;
mod stats;
mod steering;
mod transactions;
mod trial;
mod wallet;
mod work;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_api::config::RpcConfig;
use minichain_api::rpc::RpcError;
use minichain_chain::address::Address;
use minichain_chain::params::Params;
use tokio::task::JoinHandle;

pub use self::admin::Admin;
use self::auth::Access;
pub use self::auth::{COOKIE_FILE, URL_FILE};
pub use self::examine::examine;
pub use self::limits::Limits;
pub use self::scan::Scanner;
pub use self::spec::{is_text_name, is_text_parameter, may_be_number};
use crate::clock::Clock;
use crate::driver::{Handle, Stopped, View};
use crate::exit::Failure;
use crate::listen;
use crate::net::Operator;
use crate::observe::Observer;
use crate::shutdown::Shutdown;
use crate::store::Snapshot;
use crate::wallet::NodeWallet;

/// What methods may use.
pub struct Context {
    /// The way to the node.
    pub driver: Handle,
    /// The numbers of the miner and the clock.
    pub observer: Arc<Observer>,
    /// The network's rules.
    pub params: Arc<Params>,
    /// The node's own keys and coins.
    pub wallet: NodeWallet,
    /// Where rewards go, if this node mines.
    pub reward_address: Option<Address>,
    /// What the node calls itself to peers.
    pub user_agent: String,
    /// Bytes of transactions the mempool may hold.
    pub mempool_bytes_max: u64,
    /// What the methods of fault injection move; none: they do not exist.
    pub admin: Option<Admin>,
    /// The node's clock.
    pub clock: Clock,
    /// The file that holds the chain.
    pub store_file: PathBuf,
    /// The operator's say in who is a peer.
    pub operator: Operator,
    /// Reads all coins for `scantxoutset`.
    pub scanner: Arc<Scanner>,
    /// How much may be in work at once.
    pub limits: Limits,
    /// How `stop` stops.
    pub shutdown: Shutdown,
}

impl Context {
    /// Runs a short, read-only look on the node's thread.
    async fn look<R: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> R + Send + 'static,
    ) -> Result<R, RpcError> {
        self.driver.query(look).await.map_err(|Stopped| ending())
    }

    /// A short look, and all that the store held at that moment.
    async fn snapshot<R: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<R, RpcError> + Send + 'static,
    ) -> Result<(R, Snapshot), RpcError> {
        let both = self.look(|view| {
            let seen = look(view)?;
            let snapshot = view.node.state().store().snapshot();
            Ok((seen, snapshot.map_err(server::internal)?))
        });
        both.await?
    }
}

/// Does what takes long on a thread of its own, beside the chain.
async fn outside<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, RpcError> + Send + 'static,
) -> Result<R, RpcError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(server::internal)?
}

/// A server at work.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Ends after shutdown, when the last answer is out.
    pub task: JoinHandle<()>,
    /// Removes the cookie file when dropped.
    _access: Arc<Access>,
}

/// Listens, writes the cookie file if no password is configured, and serves in
/// the background until shutdown.
pub async fn start(
    config: &RpcConfig,
    data_dir: &Path,
    context: Context,
) -> Result<Server, Failure> {
    let wanted = SocketAddr::new(config.listen, config.port);
    let (listener, address) = listen::bind(wanted, "JSON-RPC", "--rpc-port").await?;
    let access = Arc::new(Access::new(config, data_dir)?);
    access.tell_address(data_dir, address);
    let shutdown = context.shutdown.clone();
    let router = server::router(
        Arc::new(context),
        Arc::clone(&access),
        config.listen.is_loopback(),
    );
    let task = tokio::spawn(listen::serve(listener, router, shutdown));
    Ok(Server {
        address,
        task,
        _access: access,
    })
}

fn error(code: i32, message: impl Into<String>) -> RpcError {
    RpcError {
        code,
        message: message.into(),
    }
}

fn ending() -> RpcError {
    error(minichain_api::rpc::code::INTERNAL, "the node is ending")
}
