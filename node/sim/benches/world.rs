//! How fast worlds run: `cargo bench -p minichain-sim --bench world`.
//!
//! Every figure is the median of five runs of one world, in seconds of the
//! processor: whatever else a machine does counts for nothing. Arguments choose
//! worlds by name; `--once` runs each once, `--unchecked` without the checks.

#![expect(clippy::print_stdout, reason = "a bench tells its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures real time"
)]

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "shared with tests")]
mod support;

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Instant;

use minichain_chain::amount::Amount;
use minichain_chain::params::{Allocation, dev_account_key};
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, SECOND};
use minichain_sim::setup::{Peering, Setup};
use minichain_sim::world::World;

/// A network with 10-minute blocks in which nodes learn of tips by gossip
/// alone: polls and fresh templates are as rare as can be.
fn big(nodes: usize, miners: usize) -> Setup {
    let spacing_s = 600;
    let total = miners as u64 * support::RATE;
    let setups = support::nodes(nodes, miners);
    let mut setup = Setup::new(1, support::params(spacing_s, total), setups);
    setup.peering = Peering::Random { outbound: 4 };
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 20 * MILLI,
        max: 200 * MILLI,
    });
    setup.timing.status_poll_ms = 86_400_000 * 30;
    setup.timing.template_age_ms = 86_400_000 * 30;
    setup
}

/// A devnet with all its daemon's habits and 5-second blocks.
fn devnet(peering: Peering) -> Setup {
    let nodes = 20;
    let mut params = support::params(5, 5 * support::RATE);
    params.allocations = (0..nodes)
        .map(|number| Allocation {
            account: format!("account-{number}"),
            amount: Amount::from_sat(COIN_SATS),
            output_key: account(number).output_key(),
        })
        .collect();
    let mut setup = Setup::new(1, params, support::nodes(nodes, 5));
    setup.peering = peering;
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 5 * MILLI,
        max: 50 * MILLI,
    });
    setup
}

const COIN_SATS: u64 = 1_000_000_000;
const FEE_SATS: u64 = 1_000;

fn account(number: usize) -> SecretKey {
    dev_account_key(&[7; 32], &format!("account-{number}"))
}

/// Every account pays itself what it has, less a fee, again and again.
struct Payer {
    key: SecretKey,
    coin: (OutPoint, TxOut),
}

impl Payer {
    fn all(world: &World, count: usize) -> Vec<Self> {
        let genesis = world.params().genesis_block();
        let funding = &genesis.transactions[0];
        let payer = |number| {
            let key = account(number);
            let lock = Script::p2tr(&key.output_key());
            let owned = (0_u32..).zip(&funding.outputs);
            let mut owned = owned.filter(|(_, output)| output.script_pubkey == lock);
            let (vout, output) = owned.next().expect("every account owns a coin");
            let coin = (funding.outpoint(vout), output.clone());
            Self { key, coin }
        };
        (0..count).map(payer).collect()
    }

    fn pay(&mut self) -> Arc<Transaction> {
        let (previous_output, spent) = self.coin.clone();
        let mut transaction = Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output,
                script_sig: Script::default(),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs: vec![TxOut {
                value: Amount::from_sat(spent.value.to_sat() - FEE_SATS),
                script_pubkey: spent.script_pubkey.clone(),
            }],
            lock_time: 0,
        };
        sign_all_inputs(&mut transaction, &[spent], &self.key, &[0; 32]).expect("it can be signed");
        self.coin = (transaction.outpoint(0), transaction.outputs[0].clone());
        Arc::new(transaction)
    }
}

struct Case {
    name: &'static str,
    setup: fn() -> Setup,
    blocks: u64,
    /// Seconds from a payment to the next.
    pays_every_s: Option<u64>,
}

const CASES: &[Case] = &[
    Case {
        name: "1000x1000",
        setup: || big(1_000, 100),
        blocks: 1_000,
        pays_every_s: None,
    },
    Case {
        name: "6000x100",
        setup: || big(6_000, 600),
        blocks: 100,
        pays_every_s: None,
    },
    Case {
        name: "10000x144",
        setup: || big(10_000, 1_000),
        blocks: 144,
        pays_every_s: None,
    },
    Case {
        name: "devnet-light",
        setup: || devnet(Peering::Random { outbound: 4 }),
        blocks: 2_000,
        pays_every_s: Some(5),
    },
    Case {
        name: "devnet-sparse",
        setup: || devnet(Peering::Random { outbound: 4 }),
        blocks: 2_000,
        pays_every_s: Some(1),
    },
    Case {
        name: "devnet-full",
        setup: || devnet(Peering::Everybody),
        blocks: 2_000,
        pays_every_s: Some(1),
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    let is_once = arguments.iter().any(|one| one == "--once");
    let unchecked = arguments.iter().any(|one| one == "--unchecked");
    let names: Vec<&String> = arguments
        .iter()
        .filter(|one| !one.starts_with("--"))
        .collect();
    for case in CASES {
        if names.is_empty() || names.iter().any(|name| case.name.contains(name.as_str())) {
            let runs = (0..if is_once { 1 } else { 5 }).map(|_| run(case, unchecked));
            let mut runs: Vec<Run> = runs.collect();
            runs.sort_by(|left, right| left.took.total_cmp(&right.took));
            tell(case, &runs);
        }
    }
}

/// What one run came to.
struct Run {
    /// Seconds of the processor.
    took: f64,
    events: u64,
    /// Of these, settled when they were sent.
    settled: u64,
    /// Seconds in the world.
    passed: u64,
    blocks: u32,
    nodes: usize,
    digest: [u8; 32],
}

fn tell(case: &Case, runs: &[Run]) {
    let all: Vec<String> = runs.iter().map(|run| format!("{:.2}", run.took)).collect();
    let run = &runs[runs.len() / 2];
    assert!(runs.iter().all(|other| other.digest == run.digest));
    println!(
        "{:13} {:8.3} s [{}]  {} events, {} settled when sent  {:.0} events/s  {} blocks  {:.2} us per node and block  {:.0} times real time  {:02x}{:02x}{:02x}{:02x}  {} MiB",
        case.name,
        run.took,
        all.join(" "),
        run.events,
        run.settled,
        run.events as f64 / run.took,
        run.blocks,
        run.took * 1e6 / run.nodes as f64 / f64::from(run.blocks),
        run.passed as f64 / run.took,
        run.digest[0],
        run.digest[1],
        run.digest[2],
        run.digest[3],
        peak_mib(),
    );
}

fn run(case: &Case, unchecked: bool) -> Run {
    let setup = (case.setup)();
    let (spacing_s, nodes) = (u64::from(setup.params.spacing_s), setup.nodes.len());
    let mut world = World::new(setup).expect("a world");
    if unchecked {
        world.checks_mut().switch_off();
    }
    world.run_until(60 * SECOND);
    let passed = case.blocks * spacing_s;
    let every_s = case.pays_every_s.unwrap_or(u64::MAX);
    let payments = usize::try_from(passed / every_s).expect("it fits");
    let mut payers = Payer::all(&world, if payments > 0 { nodes } else { 0 });
    // Signing is the wallet's work and not the world's.
    let payments: Vec<_> = (0..payments).map(|at| payers[at % nodes].pay()).collect();
    let before = (world.events(), world.settled_events());
    let begun = processor_s();
    for (at, payment) in payments.into_iter().enumerate() {
        world.run_until((60 + at as u64 * every_s) * SECOND);
        let answer = world.submit(at % nodes, payment).expect("it runs");
        assert_eq!(answer, Ok(()), "payment {at}");
    }
    world.run_until((60 + passed) * SECOND);
    let took = processor_s() - begun;
    world.compare_coins();
    assert_eq!(world.violations().first(), None);
    Run {
        took,
        events: world.events() - before.0,
        settled: world.settled_events() - before.1,
        passed,
        blocks: support::height(&world, 0),
        nodes,
        digest: world.digest(),
    }
}

/// Processor time of this process, in seconds; of the clock where the system
/// does not tell.
fn processor_s() -> f64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    match told {
        Some(nanoseconds) => nanoseconds * 1e-9,
        None => BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64(),
    }
}

/// The most memory this process had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
