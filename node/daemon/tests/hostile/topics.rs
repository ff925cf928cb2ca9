//! Gossip below the core: what gossipsub itself would remember.

use std::time::Duration;

use crate::frame;
use crate::raw::{Answers, On, Pour, RawFoe};
use crate::support::{PATIENCE, wait_for};
use crate::victim::{NOISE_MB, Neighbour, Victim};

/// Data begins with a time that is not part of a message's name.
const STAMP: usize = 8;
/// How long a flood lasts. A debug build takes some megabytes a second.
const FLOOD: Duration = Duration::from_secs(10);

/// Lets the victim take what it can in the time, and be it too little; how many
/// bytes that was, in kB.
fn taken_kb(foe: &RawFoe, min_kb: u64) -> u64 {
    std::thread::sleep(FLOOD);
    wait_for("something to be taken", || {
        (foe.sent() / 1_000 >= min_kb).then_some(())
    });
    assert!(foe.is_connected());
    foe.sent() / 1_000
}

#[test]
fn messages_on_topics_of_nobody_are_not_remembered() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    let data = vec![7; 1_000_000];
    let (bytes, data_at) = frame::publish("/minichain/hostile/nobody/1", &data);
    foe.pour(Pour {
        on: On::Gossip,
        bytes,
        mark_at: Some(data_at + STAMP),
        times: u64::MAX,
        hangs: true,
    });
    neighbour.converges_with(&victim);
    let taken_kb = taken_kb(&foe, 1_000);
    neighbour.converges_with(&victim);
    let sent = format!("{} messages of 1 MB in 10 s", taken_kb / 1_000);
    let how = "dropped unread; the sender stays";
    victim.stayed_within(2 * NOISE_MB, "gossip of nobody's", &sent, how);
}

#[test]
fn subscriptions_without_end_are_not_remembered() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    let name = format!("{}{}", "n".repeat(8), "topic".repeat(100));
    let (bytes, name_at) = frame::subscribe(&name);
    let len = bytes.len() as u64;
    foe.pour(Pour {
        on: On::Gossip,
        bytes,
        mark_at: Some(name_at),
        times: u64::MAX,
        hangs: true,
    });
    neighbour.converges_with(&victim);
    let taken_kb = taken_kb(&foe, 100);
    neighbour.converges_with(&victim);
    let sent = format!("{} topics of 508 letters in 10 s", taken_kb * 1_000 / len);
    let how = "dropped unread; the sender stays";
    victim.stayed_within(NOISE_MB, "subscriptions", &sent, how);
}

#[test]
fn frames_of_many_messages_and_frames_without_end_are_cut() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    foe.pour(Pour::once(
        On::Gossip,
        frame::publish_many("/minichain/hostile/block/1", 5_000),
    ));
    // Announces 4 GB.
    let endless = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 1_000_000]].concat();
    foe.pour(Pour {
        times: 40,
        ..Pour::once(On::Gossip, endless)
    });
    std::thread::sleep(PATIENCE / 20);
    neighbour.converges_with(&victim);
    assert!(victim.peers().len() <= 2);
    let sent = "5,000 messages in one frame; 40 MB of a frame of 4 GB";
    let how = "stream closed";
    victim.stayed_within(NOISE_MB, "frames of gossip", sent, how);
}
