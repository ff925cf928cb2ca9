//! Whole nodes inside the test's process: driver, store, miner and network
//! side, without the program around them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minichain_api::config::NodeConfig;
use minichain_chain::amount::Amount;
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::{Params, Proof, Reward};
use minichain_chain::pow::Target;
use minichain_chain::state::State;
use minichain_chain::time::UnixSeconds;
use minichain_node::clock::Clock;
use minichain_node::driver::{self, Handle, Parts, RunError, Stopped, Submission};
use minichain_node::miner::{Miner, MinerConfig};
use minichain_node::net::{Ends, addresses};
use minichain_node::observe::{Observer, Setup};
use minichain_node::shutdown::Shutdown;
use minichain_node::store::RedbStore;
use minichain_protocol::config::{Config, MiningConfig, Timing};
use minichain_protocol::node::Node;
use minichain_protocol::output::Answer;
use tokio::task::JoinHandle;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Hashes a second of a miner here; a block a second.
const HASH_RATE: u32 = 20_000;

fn params() -> Params {
    let target = Target::from_hash_rate(u64::from(HASH_RATE), 1)
        .to_compact()
        .to_target()
        .expect("a target");
    Params {
        network: "driver-test".into(),
        address_prefix: "mini".into(),
        genesis_time: UnixSeconds(1_767_225_600),
        spacing_s: 1,
        difficulty: Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: 10,
        reward: Reward {
            initial: Amount::from_sat(5_000_000_000),
            halving_interval: 0,
        },
        coinbase_maturity: 5,
        block_weight_max: 400_000,
        allocations: Vec::new(),
        proof: Proof::Hash,
    }
    .check()
    .expect("sound parameters")
}

struct Running {
    handle: Handle,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    /// Starts a node in `dir` on a port of the system's choice.
    fn start(dir: &Path, bootstrap: &[String], mines: bool) -> Self {
        let mut config = NodeConfig::default();
        config.p2p.port = 0;
        config.p2p.bootstrap = bootstrap.to_vec();
        Self::start_with(dir, config, mines)
    }

    fn start_with(dir: &Path, mut config: NodeConfig, mines: bool) -> Self {
        dir.clone_into(&mut config.data_dir);
        let params = params();
        let store = RedbStore::open(dir, 1 << 20).expect("the store opens");
        let state = State::open(params.clone(), store).expect("the state opens");
        let (handle, inbox) = driver::channel();
        let sink = handle.clone();
        let miner = Miner::start(
            MinerConfig {
                hash_rate: f64::from(HASH_RATE),
                first_nonce: 0,
            },
            Clock::default(),
            move |block| {
                let _ended = sink.block_mined(block);
            },
        );
        let miner = miner.expect("the miner starts");
        let setup = Setup {
            name: "test".into(),
            network: params.network.clone(),
            spacing_s: params.spacing_s,
            tip_age: Duration::ZERO,
            block_weight_max: 400_000,
            mempool_bytes_max: 5_000_000,
            store_file: "/nonexistent".into(),
        };
        let observer = Observer::new(&setup, miner.stats_reader()).expect("metrics");
        let mining = mines.then(|| MiningConfig {
            output_key: [7; 32],
            tag: b"test".to_vec(),
        });
        let node = Config {
            user_agent: "test/1".into(),
            mining,
            mempool: MempoolLimits::default(),
            timing: Timing::from_spacing_s(params.spacing_s),
        };
        let shutdown = Shutdown::default();
        let parts = Parts {
            config: Arc::new(config),
            network_id: params.network.clone(),
            genesis_hash: params.genesis_hash(),
            node: Node::new(node, state, 1),
            miner,
            observer: Arc::new(observer),
            clock: Clock::default(),
            ends: Ends::default(),
            shutdown: shutdown.clone(),
        };
        Self {
            handle,
            shutdown,
            task: tokio::spawn(driver::run(parts, inbox)),
        }
    }

    async fn address(&self) -> String {
        let address = self
            .handle
            .query(|view| view.net.addresses[0].clone())
            .await;
        let address = address
            .expect("the driver lives")
            .parse()
            .expect("a multiaddr");
        addresses::display(&address)
    }

    async fn tip(&self) -> (Height, BlockHash) {
        let tip = |view: &driver::View<'_>| {
            (view.node.state().tip().height, view.node.state().tip().hash)
        };
        self.handle.query(tip).await.expect("the driver lives")
    }

    async fn hash_at(&self, height: Height) -> Option<BlockHash> {
        let look = move |view: &driver::View<'_>| view.node.state().active_at(height);
        self.handle.query(look).await.expect("the driver lives")
    }

    async fn reach(&self, height: Height) -> BlockHash {
        let wait = async {
            loop {
                if let Some(hash) = self.hash_at(height).await {
                    return hash;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the height is reached in time")
    }

    async fn stop(self) {
        self.shutdown.request();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended
            .expect("it ends in time")
            .expect("no panic")
            .expect("no error");
        assert_eq!(self.handle.query(|_| ()).await, Err(Stopped));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_follows_its_neighbour_that_mines_and_so_do_those_who_come_late() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("temp dir"));
    let miner = Running::start(dirs[0].path(), &[], true);
    let follower = Running::start(dirs[1].path(), &[miner.address().await], false);
    let hash = follower.reach(Height(3)).await;
    assert_eq!(miner.hash_at(Height(3)).await, Some(hash));
    let late = Running::start(dirs[2].path(), &[follower.address().await], false);
    assert_eq!(late.reach(Height(3)).await, hash);
    for node in [late, follower, miner] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_goes_on_from_its_tip() {
    let dir = tempfile::tempdir().expect("temp dir");
    let node = Running::start(dir.path(), &[], true);
    let second = node.reach(Height(2)).await;
    let (height, _) = node.tip().await;
    node.stop().await;
    let node = Running::start(dir.path(), &[], false);
    let (again, _) = node.tip().await;
    assert!(again >= height, "{again} after {height}");
    assert_eq!(node.hash_at(Height(2)).await, Some(second));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_hands_in_is_answered() {
    let dir = tempfile::tempdir().expect("temp dir");
    let node = Running::start(dir.path(), &[], false);
    let genesis = Arc::new(params().genesis_block());
    let coinbase = Arc::new(genesis.transactions[0].clone());
    let block = node
        .handle
        .submit(Submission::Block(Arc::clone(&genesis)))
        .await;
    let is_known = matches!(
        &block,
        Ok(Answer::BlockAccepted { hash }) if *hash == genesis.hash()
    ) || matches!(
        &block,
        Ok(Answer::BlockRefused {
            rule: "duplicate",
            ..
        })
    );
    assert!(is_known, "{block:?}");
    let transaction = node.handle.submit(Submission::Transaction(coinbase)).await;
    assert!(
        matches!(transaction, Ok(Answer::TransactionRefused { .. })),
        "{transaction:?}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_occupied_port_ends_the_driver_with_an_error_that_names_it() {
    let dir = tempfile::tempdir().expect("temp dir");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = holder.local_addr().expect("address");
    let mut config = NodeConfig::default();
    config.p2p.port = address.port();
    let node = Running::start_with(dir.path(), config, false);
    let error = node
        .task
        .await
        .expect("no panic")
        .expect_err("the port is taken")
        .to_string();
    assert!(error.contains(&address.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_nobody_waits_for_any_more_is_left_out() {
    let dir = tempfile::tempdir().expect("temp dir");
    let node = Running::start(dir.path(), &[], false);
    // Keeps the driver busy until it is told to go on.
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let busy = node.handle.query(move |_| held.recv().is_ok());
    let was_seen = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&was_seen);
    let late = node
        .handle
        .query(move |_| seen.store(true, Ordering::Relaxed));
    let given_up = async {
        let late = tokio::time::timeout(Duration::from_millis(200), late).await;
        assert!(late.is_err(), "the driver is busy");
        go_on.send(()).expect("the driver waits");
    };
    let (busy, ()) = tokio::join!(busy, given_up);
    assert_eq!(busy, Ok(true));
    node.handle.query(|_| ()).await.expect("the driver lives");
    assert!(!was_seen.load(Ordering::Relaxed));
    node.stop().await;
}
