//! A node put together, run, and taken apart again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minichain_api::config::{LogFormat, NodeConfig};
use minichain_chain::address::Address;
use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::Params;
use minichain_chain::state::{self, State};
use minichain_chain::time::UnixSeconds;
use minichain_protocol::config::{Config, MiningConfig, Timing};
use minichain_protocol::node::Node;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::driver::{self, Handle, Parts, RunError};
use crate::exit::Failure;
use crate::miner::{Miner, MinerConfig};
use crate::observe::{self, Observer, Setup};
use crate::reward::{self, Reward};
use crate::shutdown::Shutdown;
use crate::store::{self, RedbStore};
use crate::{net, panic, rpc, verifier, wallet};

/// How long last answers may take to get out after the node has ended.
const LAST_ANSWERS: Duration = Duration::from_millis(300);
/// How long background tasks may take to notice the end.
const LAST_TASKS: Duration = Duration::from_millis(200);
/// Tasks are short; the chain, the miner and the disk have threads of their own.
const WORKER_THREADS: usize = 1;

/// Runs a node until SIGTERM, SIGINT, the RPC method `stop` or a failure.
pub fn run(config: NodeConfig, params: Params) -> Result<(), Failure> {
    observe::log::install(&config.log)?;
    panic::install();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::world(format!("cannot start threads: {error}")))?;
    let format = config.log.format;
    let result = runtime.block_on(live(config, params));
    runtime.shutdown_timeout(LAST_TASKS);
    match &result {
        Ok(()) => tracing::info!("ended"),
        // People read the message that the program ends with.
        Err(failure) if format == LogFormat::Json => tracing::error!(%failure, "failed"),
        Err(_) => {}
    }
    result
}

async fn live(config: NodeConfig, params: Params) -> Result<(), Failure> {
    let shutdown = Shutdown::default();
    shutdown.on_signals()?;
    let config = Arc::new(config);
    let params = Arc::new(params);
    let reward = reward::find(&config, &params)?;
    let state = open_state(&config, &params)?;
    claim_folder(&config)?;
    let reward_key = reward_key(&config, reward)?;

    let (handle, inbox) = driver::channel();
    let clock = Clock::default();
    let miner = start_miner(&config, &clock, &handle)?;
    let observer = Arc::new(observer(&config, &state, &miner)?);
    let (operator, operator_end) = net::operator();
    let mut context = rpc_context(
        (&config, &params),
        operator,
        reward_key,
        &handle,
        &observer,
        &clock,
        &shutdown,
    )?;
    let levers = if config.rpc.admin {
        let (admin, levers) = admin(&config, &clock, &miner, &state)?;
        context.admin = Some(admin);
        Some(levers)
    } else {
        None
    };
    let parts = Parts {
        config: Arc::clone(&config),
        network_id: params.network.clone(),
        genesis_hash: params.genesis_hash(),
        node: node(&config, &params, state, reward_key)?,
        miner,
        observer: Arc::clone(&observer),
        clock,
        ends: net::Ends {
            levers,
            operator: Some(operator_end),
        },
        shutdown: shutdown.clone(),
    };

    let servers = Servers::start(&config, context, &observer, &handle, &shutdown).await?;
    log_start(&config, &params, &servers);
    let result = driver::run(parts, inbox).await;
    // The driver may have failed by itself; then the servers must end too.
    shutdown.request();
    servers.ended().await;
    result.map_err(|error| match error {
        RunError::Config(error) => Failure::bad_input(error),
        RunError::Store(error) => Failure::world(store::explain(&config.data_dir, &error)),
        error => Failure::world(error),
    })
}

/// Opens a chain that must be there already.
pub fn open_existing(config: &NodeConfig, params: &Params) -> Result<State<RedbStore>, Failure> {
    let file = config.data_dir.join(store::FILE);
    if !file.exists() {
        return Err(Failure::bad_input(format!(
            "there is no chain at {}; name the node's folder with --data-dir",
            file.display()
        )));
    }
    open_state(config, params)
}

/// Opens the chain of the data folder, new or not.
pub fn open_state(config: &NodeConfig, params: &Params) -> Result<State<RedbStore>, Failure> {
    let dir = &config.data_dir;
    let store = RedbStore::open(dir, config.limits.store_cache_bytes).map_err(Failure::world)?;
    let state = State::open_with(params.clone(), store, verifier::on_all_cores()?);
    let mut state = state.map_err(|error| match error {
        state::OpenError::OtherGenesis { stored, ours } => Failure::bad_input(format!(
            "the data folder {} holds the chain of another network: its genesis block is \
             {stored}, that of the configured network {} is {ours}; put this node's own folder \
             back, choose another with --data-dir, or that network's genesis file with \
             --genesis. Nothing in it was changed",
            dir.display(),
            params.network
        )),
        state::OpenError::Store(error) => Failure::world(store::explain(dir, &error)),
        other => Failure::world(other),
    })?;
    // A new store holds the genesis block before anybody hears of the node.
    let stored = state.store_mut().commit();
    stored.map_err(|error| Failure::world(store::explain(dir, &error)))?;
    Ok(state)
}

/// Refuses the data folder of a node with another identity. Asked when the store
/// is open, so that no two nodes claim a folder at once.
fn claim_folder(config: &NodeConfig) -> Result<(), Failure> {
    let Some(seed) = &config.p2p.identity_seed else {
        return Ok(());
    };
    net::owner::claim(&config.data_dir, &config.name, seed).map_err(|error| match error {
        net::owner::OwnerError::Io { .. } => Failure::world(error),
        error => Failure::bad_input(error),
    })
}

fn reward_key(config: &NodeConfig, reward: Reward) -> Result<Option<[u8; 32]>, Failure> {
    if !config.mining.enabled {
        return Ok(None);
    }
    Ok(Some(match reward {
        Reward::OutputKey(key) => key,
        Reward::KeyFile => wallet::load_or_create(&config.data_dir)?.output_key(),
    }))
}

fn start_miner(config: &NodeConfig, clock: &Clock, handle: &Handle) -> Result<Miner, Failure> {
    let miner = MinerConfig {
        hash_rate: config.mining.hash_rate,
        first_nonce: u32::from_le_bytes(wallet::random()?),
    };
    let handle = handle.clone();
    Miner::start(miner, clock.clone(), move |block| {
        if handle.block_mined(block).is_err() {
            tracing::debug!("a block was found after the node had ended");
        }
    })
    .map_err(|error| Failure::world(format!("cannot start the miner's thread: {error}")))
}

/// All that can be made worse, and the network side's end of it.
fn admin(
    config: &NodeConfig,
    clock: &Clock,
    miner: &Miner,
    state: &State<RedbStore>,
) -> Result<(rpc::Admin, net::LeversEnd), Failure> {
    tracing::info!("rpc.admin is on: whoever may call this node may make it worse");
    let (net, end) = net::levers(u64::from_le_bytes(wallet::random()?));
    let admin = rpc::Admin {
        net,
        clock: clock.clone(),
        rate: config.mining.enabled.then(|| miner.rate_lever()),
        quota: state.store().quota(),
    };
    Ok((admin, end))
}

fn observer(
    config: &NodeConfig,
    state: &State<RedbStore>,
    miner: &Miner,
) -> Result<Observer, Failure> {
    let (params, tip) = (state.params(), state.tip());
    // The genesis block's time is the file's and says nothing about the chain.
    let tip_age = if tip.hash == state.tree().genesis().hash {
        Duration::ZERO
    } else {
        since(tip.header.time)
    };
    let setup = Setup {
        name: config.name.clone(),
        network: params.network.clone(),
        spacing_s: params.spacing_s,
        tip_age,
        block_weight_max: params.block_weight_max,
        mempool_bytes_max: config.limits.mempool_bytes,
        store_file: config.data_dir.join(store::FILE),
    };
    Observer::new(&setup, miner.stats_reader())
        .map_err(|error| Failure::world(format!("cannot set up metrics: {error}")))
}

fn node(
    config: &NodeConfig,
    params: &Params,
    state: State<RedbStore>,
    reward_key: Option<[u8; 32]>,
) -> Result<Node<RedbStore>, Failure> {
    let mining = reward_key.map(|output_key| MiningConfig {
        output_key,
        tag: config.name.clone().into_bytes(),
    });
    let config = Config {
        user_agent: user_agent(config),
        mining,
        mempool: MempoolLimits {
            bytes_max: config.limits.mempool_bytes,
            ..MempoolLimits::default()
        },
        timing: Timing::from_spacing_s(params.spacing_s),
    };
    Ok(Node::new(
        config,
        state,
        u64::from_le_bytes(wallet::random()?),
    ))
}

fn rpc_context(
    (config, params): (&NodeConfig, &Arc<Params>),
    operator: net::Operator,
    reward_key: Option<[u8; 32]>,
    driver: &Handle,
    observer: &Arc<Observer>,
    clock: &Clock,
    shutdown: &Shutdown,
) -> Result<rpc::Context, Failure> {
    let reward_address = reward_key
        .map(|key| Address::new(&params.address_prefix, key))
        .transpose()
        .map_err(Failure::bad_input)?;
    Ok(rpc::Context {
        driver: driver.clone(),
        observer: Arc::clone(observer),
        params: Arc::clone(params),
        wallet: wallet::NodeWallet::new(&config.data_dir, reward::account_key(config)?),
        reward_address,
        user_agent: user_agent(config),
        mempool_bytes_max: config.limits.mempool_bytes,
        admin: None,
        clock: clock.clone(),
        store_file: config.data_dir.join(store::FILE),
        operator,
        scanner: Arc::default(),
        limits: rpc::Limits::default(),
        shutdown: shutdown.clone(),
    })
}

/// The HTTP servers.
struct Servers {
    rpc: Option<rpc::Server>,
    metrics: Option<(SocketAddr, JoinHandle<()>)>,
}

impl Servers {
    async fn start(
        config: &NodeConfig,
        context: rpc::Context,
        observer: &Arc<Observer>,
        driver: &Handle,
        shutdown: &Shutdown,
    ) -> Result<Self, Failure> {
        let mut servers = Self {
            rpc: None,
            metrics: None,
        };
        if config.metrics.enabled {
            let address = SocketAddr::new(config.metrics.listen, config.metrics.port);
            let (observer, driver) = (Arc::clone(observer), driver.clone());
            let started = observe::http::start(address, observer, driver, shutdown).await?;
            servers.metrics = Some(started);
        }
        if config.rpc.enabled {
            servers.rpc = Some(rpc::start(&config.rpc, &config.data_dir, context).await?);
        }
        Ok(servers)
    }

    /// Waits a little for answers under way; `stop` is one of them.
    async fn ended(self) {
        let Self { rpc, metrics } = self;
        let both = async {
            if let Some(mut rpc) = rpc {
                // A panic there has ended the process already.
                let _ = (&mut rpc.task).await;
            }
            if let Some((_, task)) = metrics {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(LAST_ANSWERS, both).await;
    }
}

fn log_start(config: &NodeConfig, params: &Params, servers: &Servers) {
    let shown = |address: Option<SocketAddr>| match address {
        Some(address) => format!("http://{address}"),
        None => "off".to_owned(),
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        name = %config.name,
        network = %params.network,
        genesis = %params.genesis_hash(),
        data_dir = %config.data_dir.display(),
        rpc = %shown(servers.rpc.as_ref().map(|rpc| rpc.address)),
        metrics = %shown(servers.metrics.as_ref().map(|(address, _)| *address)),
        mining = config.mining.enabled,
        "starting"
    );
}

fn user_agent(config: &NodeConfig) -> String {
    format!("minichain/{} ({})", env!("CARGO_PKG_VERSION"), config.name)
}

fn since(time: UnixSeconds) -> Duration {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(u64::from(time.0)))
        .and_then(|time| SystemTime::now().duration_since(time).ok())
        .unwrap_or_default()
}
