//! Well-formed messages in any number, of no use to anybody.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use minichain_chain::codec::encode;
use minichain_chain::hash::BlockHash;
use minichain_protocol::limits::{SERVICE_UNITS_MAX, SERVICE_UNITS_PER_S};
use minichain_protocol::output::Topic;
use minichain_protocol::wire::{GetHeaders, Request};

use crate::foe::{Foe, polite};
use crate::maker::{Maker, funds, nowhere, payment};
use crate::support::wait_for;
use crate::victim::{NOISE_MB, Neighbour, Victim};

/// A flood that the budget does not end by then was too slow to be one.
const FLOOD: Duration = Duration::from_secs(15);
/// The victim's count of those sent away.
const ENDED: &str = "minichain_peer_disconnects_total{reason=\"flooding\"}";
/// Messages between two looks.
const BATCH: u64 = 200;

/// What a flood came to.
struct Outcome {
    /// Messages the victim handled.
    handled: u64,
    was_ended: bool,
}

/// Ends a flood, also where the test fails meanwhile.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Lets a foe say something ever new, as fast as it can, until it is sent away
/// or time is up; meanwhile the neighbour makes blocks.
fn flood(
    victim: &Victim,
    neighbour: &Neighbour,
    (foe, series): (&Foe, &str),
    say: impl Fn(u64) + Sync,
) -> Outcome {
    let (is_over, number) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    // The log is long by then, and counters are not.
    let was_ended = || counted(victim, ENDED) > 0;
    std::thread::scope(|threads| {
        let _over = Over(&is_over);
        threads.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let first = number.fetch_add(BATCH, Ordering::SeqCst);
                (first..first + BATCH).for_each(&say);
                foe.pause();
            }
        });
        neighbour.converges_with(victim);
        while began.elapsed() < FLOOD && !was_ended() {
            std::thread::sleep(Duration::from_millis(200));
        }
        neighbour.converges_with(victim);
    });
    let seconds = began.elapsed().as_secs() + 1;
    let handled = counted(victim, series);
    // Neither the neighbour's own messages nor a stop of the clock count for much.
    let budget = SERVICE_UNITS_MAX + SERVICE_UNITS_PER_S * seconds + 1_000;
    assert!(was_ended() || handled <= budget, "{handled} of {budget}");
    Outcome {
        handled,
        was_ended: was_ended(),
    }
}

/// The value of one of the victim's counters.
fn counted(victim: &Victim, series: &str) -> u64 {
    let (_, text) = victim.node.page("/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    let value = line.and_then(|value| value.trim().parse::<u64>().ok());
    value.unwrap_or_default()
}

fn ending(outcome: &Outcome) -> &'static str {
    if outcome.was_ended {
        "`flooding`"
    } else {
        "slower than the budget refills here, let be"
    }
}

#[test]
fn transactions_without_inputs_fill_no_memory_and_end_with_the_budget() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = Foe::start(&victim, polite(&victim));
    foe.wait_for_victim();
    let orphan = payment(nowhere(), 0);
    let series = "minichain_gossip_messages_total{direction=\"received\",topic=\"transaction\"}";
    let outcome = flood(&victim, &neighbour, (&foe, series), |number| {
        let mut orphan = orphan.clone();
        orphan.version = i32::try_from(number).expect("few") + 2;
        foe.gossip(Topic::Transaction, encode(&orphan));
    });
    if outcome.was_ended {
        victim.has_sent_away(&[&foe.id], "flooding");
    }
    let sent = format!("{} orphans", outcome.handled);
    let how = ending(&outcome);
    // Names of messages are remembered for a minute, and the log is long.
    victim.stayed_within(2 * NOISE_MB, "flood of transactions", &sent, how);
}

#[test]
fn transaction_that_can_never_be_valid_costs_its_sender_the_connection() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = Foe::start(&victim, polite(&victim));
    let mut forged = payment(funds(), 0);
    // What was signed is another sum.
    forged.outputs[0].value = minichain_chain::amount::Amount::from_sat(5_000);
    wait_for("the forgery to be answered for", || {
        foe.gossip(Topic::Transaction, encode(&forged));
        std::thread::sleep(Duration::from_millis(100));
        (!victim.partings().is_empty()).then_some(())
    });
    victim.has_sent_away(&[&foe.id], "invalid_transaction");
    neighbour.converges_with(&victim);
    let sent = "a signature of another sum";
    victim.stayed_within(
        NOISE_MB,
        "forged transaction",
        sent,
        "`invalid_transaction`",
    );
}

const STALE: usize = 40;

#[test]
fn stale_blocks_told_again_end_with_the_budget() {
    let blocks = Maker::new(1).mine(STALE);
    let victim = Victim::with_blocks("", &blocks);
    let neighbour = Neighbour::of(&victim);
    let foe = Foe::start(&victim, polite(&victim));
    foe.wait_for_victim();
    let stored = victim.store_bytes();
    let series = "minichain_gossip_messages_total{direction=\"received\",topic=\"block\"}";
    let outcome = flood(&victim, &neighbour, (&foe, series), |number| {
        // As told before, but for what makes gossip take it for new.
        let mut stale = blocks[usize::try_from(number).expect("few") % STALE].clone();
        stale.transactions[0].lock_time = u32::try_from(number).expect("few");
        foe.gossip(Topic::Block, encode(&stale));
    });
    if outcome.was_ended {
        victim.has_sent_away(&[&foe.id], "flooding");
    }
    assert!(
        victim.store_bytes() < stored + (8 << 20),
        "nothing of it is stored"
    );
    let sent = format!("{} old blocks", outcome.handled);
    let how = ending(&outcome);
    victim.stayed_within(2 * NOISE_MB, "stale gossip", &sent, how);
}

#[test]
fn questions_without_end_are_answered_within_the_budget() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = Foe::start(&victim, polite(&victim));
    foe.wait_for_victim();
    let series = "minichain_requests_total{direction=\"received\",kind=\"headers\"}";
    let outcome = flood(&victim, &neighbour, (&foe, series), |number| {
        let mut unknown = [5; 32];
        unknown[..8].copy_from_slice(&number.to_le_bytes());
        foe.ask(encode(&Request::Headers(GetHeaders {
            locator: vec![BlockHash::from_bytes(unknown); 101],
            stop: BlockHash::ZERO,
        })));
        // More at once its own side would not let out.
        while foe.owed() > 50 && foe.seen().peer.is_some() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    if outcome.was_ended {
        victim.has_sent_away(&[&foe.id], "flooding");
    }
    let asked = foe.seen().answers;
    let sent = format!("{asked} locators of 101 unknown hashes");
    victim.stayed_within(2 * NOISE_MB, "flood of questions", &sent, ending(&outcome));
}
