//! Messages too large, too slow, and answers that nobody reads.

use minichain_protocol::wire::{GetBlocks, Request};

use crate::maker::Maker;
use crate::raw::{Answers, On, Pour, RawFoe, question};
use crate::support::wait_for;
use crate::victim::{NOISE_MB, Neighbour, Victim};

#[test]
fn question_that_announces_gigabytes_is_malformed_before_it_is_read() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    foe.pour(Pour::once(On::Sync, vec![0xff; 4]));
    victim.has_sent_away(&[&foe.id], "malformed");
    neighbour.converges_with(&victim);
    let sent = "a length of 4 GB";
    victim.stayed_within(NOISE_MB, "giant question", sent, "`malformed`");
}

#[test]
fn answer_that_announces_gigabytes_is_malformed_before_it_is_read() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::WithGiants);
    victim.has_sent_away(&[&foe.id], "malformed");
    neighbour.converges_with(&victim);
    let sent = "a length of 4 GB";
    victim.stayed_within(NOISE_MB, "giant answer", sent, "`malformed`");
}

/// Questions at once of one peer.
const SLOW: usize = 60;

#[test]
fn who_begins_questions_and_does_not_go_on_is_slow() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    for _ in 0..SLOW {
        let mut begun = 8_000_u32.to_be_bytes().to_vec();
        begun.extend([1; 100]);
        foe.pour(Pour::once(On::Sync, begun));
    }
    neighbour.converges_with(&victim);
    victim.has_sent_away(&[&foe.id], "slow");
    neighbour.converges_with(&victim);
    let sent = format!("{SLOW} questions, 100 of 8,000 bytes each");
    victim.stayed_within(NOISE_MB, "slow questions", &sent, "`slow` after 10 s");
}

/// So much larger than need be is each block.
const BALLAST: usize = 900_000;
const BLOCKS: usize = 4;
/// What all of them weigh together, asked for so often, would fill 360 MB.
const QUESTIONS: usize = 100;

#[test]
fn who_asks_and_reads_nothing_is_flooding() {
    let mut maker = Maker::new(1);
    let blocks: Vec<_> = (0..BLOCKS).map(|_| maker.grow(BALLAST)).collect();
    let victim = Victim::with_blocks("", &blocks);
    let neighbour = Neighbour::of(&victim);
    neighbour.converges_with(&victim);
    let foe = RawFoe::start(&victim, Answers::Well);
    let hashes = blocks.iter().map(minichain_chain::block::Block::hash);
    let ask = question(&Request::Blocks(GetBlocks {
        hashes: hashes.collect(),
    }));
    let mut asked = 0;
    wait_for("the deaf one to be sent away", || {
        if asked < QUESTIONS {
            foe.pour(Pour::once(On::Sync, ask.clone()));
            asked += 1;
        }
        let mut partings = victim.partings().into_iter();
        partings.find(|line| line["reason"] == "flooding")
    });
    victim.has_sent_away(&[&foe.id], "flooding");
    neighbour.converges_with(&victim);
    let sent = format!("{asked} questions for 3.6 MB each");
    // Four answers wait, and one more is made to be thrown away.
    let max_mb = NOISE_MB + 5 * 4 + 16;
    victim.stayed_within(max_mb, "unread answers", &sent, "`flooding`");
}
