//! Bytes that mean nothing.

use std::time::Duration;

use minichain_chain::codec::encode;
use minichain_protocol::output::Topic;
use minichain_protocol::wire::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::bridge;
use crate::foe::{Foe, Manner, RUNTIME, humble, plain, polite};
use crate::support::{PATIENCE, wait_for};
use crate::victim::{NOISE_MB, Neighbour, Victim};

/// Bytes without sense that follow from a seed: Sebastiano Vigna's `SplitMix64`.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// `HOSTILE_SEED` repeats a run.
fn seed() -> u64 {
    let seed = match std::env::var("HOSTILE_SEED") {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => getrandom::u64().expect("the system has randomness"),
    };
    eprintln!("HOSTILE_SEED={seed}");
    seed
}

const CONNECTIONS: u64 = 300;
const BYTES: usize = 64 << 10;

#[test]
fn noise_in_place_of_a_handshake_is_hung_up_on() {
    let (victim, seed) = (Victim::start(), seed());
    let neighbour = Neighbour::of(&victim);
    let target = victim.address();
    let source = "127.0.0.1:0".parse().expect("an address");
    let ended = RUNTIME.block_on(async {
        let mut callers = JoinSet::new();
        for number in 0..CONNECTIONS {
            callers.spawn(async move {
                // Refused, reset or closed: all are ends.
                if let Ok(mut stream) = bridge::connect(source, target).await {
                    let _cut = stream.write_all(&noise(seed ^ number, BYTES)).await;
                    let _cut = stream.read_to_end(&mut Vec::new()).await;
                }
            });
        }
        let ended = tokio::time::timeout(PATIENCE, callers.join_all()).await;
        ended.is_ok()
    });
    assert!(ended, "somebody was listened to");
    neighbour.converges_with(&victim);
    assert_eq!(victim.peers().len(), 1);
    let lines = victim.node.log_lines();
    let refused = lines
        .iter()
        .find(|line| line["message"] == "inbound connection refused" && line["error"].is_string());
    assert!(refused.is_some(), "the log says why");
    let sent = format!("{CONNECTIONS} connections of 64 KiB");
    let how = "hung up on: handshake failed (anonymous)";
    victim.stayed_within(NOISE_MB, "noise as handshake", &sent, how);
}

/// One kind of nonsense, and how it is said.
struct Babble {
    what: &'static str,
    manner: Manner,
    say: Box<dyn Fn(&Foe)>,
}

fn babble(victim: &Victim, what: &'static str, say: impl Fn(&Foe) + 'static) -> Babble {
    Babble {
        what,
        manner: polite(victim),
        say: Box::new(say),
    }
}

fn babbles(victim: &Victim, seed: u64) -> Vec<Babble> {
    let claim = humble(victim);
    let mumble: Manner = Box::new(move |request| {
        let is_first = matches!(request, Request::Status(_));
        let sense = || encode(&plain(&claim, request));
        Some(if is_first { noise(seed, 500) } else { sense() })
    });
    // Twice as many hashes as a locator may have, within the bound of a request.
    let endless = [&[1, 200][..], &[7; 200 * 32], &[0; 32]].concat();
    vec![
        babble(victim, "a question", move |foe| foe.ask(noise(seed, 700))),
        babble(victim, "an unknown request", |foe| foe.ask(vec![99; 40])),
        babble(victim, "an endless locator", move |foe| {
            foe.ask(endless.clone());
        }),
        babble(victim, "a block", move |foe| {
            foe.gossip(Topic::Block, noise(seed, 900));
        }),
        babble(victim, "a transaction", move |foe| {
            foe.gossip(Topic::Transaction, noise(seed, 300));
        }),
        Babble {
            what: "an answer",
            manner: mumble,
            say: Box::new(|_| ()),
        },
    ]
}

#[test]
fn who_sends_noise_as_any_message_is_malformed_and_kept_away() {
    let (victim, seed) = (Victim::start(), seed());
    let neighbour = Neighbour::of(&victim);
    let mut gone = Vec::new();
    for (count, Babble { what, manner, say }) in babbles(&victim, seed).into_iter().enumerate() {
        let foe = Foe::start(&victim, manner);
        wait_for(&format!("noise as {what} to be answered for"), || {
            say(&foe);
            std::thread::sleep(Duration::from_millis(100));
            (victim.partings().len() > count).then_some(())
        });
        gone.push(foe);
    }
    let partings = victim.partings();
    assert!(
        partings.iter().all(|line| line["reason"] == "malformed"),
        "{partings:?}"
    );
    neighbour.converges_with(&victim);
    let ids: Vec<&str> = gone.iter().map(|foe| foe.id.as_str()).collect();
    victim.has_sent_away(&ids, "malformed");
    let sent = "question, unknown request, endless locator, block, transaction, answer";
    victim.stayed_within(NOISE_MB, "noise as messages", sent, "`malformed`");
}
