//! Chains that are shared against chains that are not.

use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::store::Store;
use minichain_chain::template;

use super::*;
use crate::check::tests::params;
use crate::random::Stream;

/// A tree of valid blocks, parents before children; many have brothers.
fn blocks(chance: &mut Stream, count: u32) -> Vec<Arc<Block>> {
    let mut blocks: Vec<Arc<Block>> = vec![Arc::new(params().genesis_block())];
    let mut above = vec![None];
    for number in 1..=count {
        let back = 1 + chance.below(3).min(blocks.len() as u64 - 1);
        let parent = blocks.len() - usize::try_from(back).expect("small");
        let mut way = vec![parent];
        while let Some(below) = above[way[way.len() - 1]] {
            way.push(below);
        }
        let mut state = State::open(params(), Archive::default().store()).expect("it opens");
        for at in way.iter().rev().skip(1) {
            let taken = state.accept_block(Arc::clone(&blocks[*at]), LATE);
            taken.expect("memory does not fail");
        }
        assert_eq!(state.tip().hash, blocks[parent].hash());
        let pool = Mempool::new(MempoolLimits::default());
        let extra = u64::from(number);
        let template = template::build(&state, &pool, [2; 32], extra, b"x", TIME);
        let mut block = template.block;
        block.header.nonce = number;
        above.push(Some(parent));
        blocks.push(Arc::new(block));
    }
    blocks.split_off(1)
}

const TIME: UnixSeconds = UnixSeconds(1_700_000_100);
/// Later than every block.
const LATE: UnixSeconds = UnixSeconds(1_700_100_000);

/// One node twice: on a chain that it shares, and alone.
struct Pair {
    shared: NodeChain,
    alone: State<NodeStore>,
    journal: Vec<archive::Change>,
    next: usize,
}

impl Pair {
    fn open(chains: &mut Chains, archive: &Archive, disks: Option<[NodeStore; 2]>) -> Self {
        let [disk, other] = match disks {
            Some([one, other]) => [Some(one), Some(other)],
            None => [None, None],
        };
        let plant = |_: &mut State<NodeStore>| ();
        let shared = chains.open(&params(), archive, disk, plant);
        let store = other.unwrap_or_else(|| Archive::default().store());
        let mut alone = State::open(params(), store).expect("it opens");
        Self {
            shared: shared.expect("it opens"),
            journal: alone.store_mut().take_journal(),
            alone,
            next: 0,
        }
    }

    fn take_block(&mut self, block: &Arc<Block>, now: UnixSeconds) {
        let shared = self.shared.accept_block(block.hash(), block, now);
        let alone = self.alone.accept_block(Arc::clone(block), now);
        assert_eq!(shared, alone);
        while self.alone.can_advance() || self.shared.can_advance() {
            assert_eq!(self.shared.advance(), self.alone.advance());
        }
        self.compare();
    }

    fn take_header(&mut self, header: &Header, now: UnixSeconds) {
        let shared = self.shared.accept_header(header, now);
        assert_eq!(shared, self.alone.accept_header(*header, now));
        self.compare();
    }

    fn steer(&mut self, hash: &BlockHash) {
        assert_eq!(self.shared.invalidate(hash), self.alone.invalidate(hash));
        self.compare();
        assert_eq!(self.shared.reconsider(hash), self.alone.reconsider(hash));
        self.compare();
    }

    fn commit(&mut self) {
        self.shared.commit();
        self.journal.clear();
    }

    /// What is on the two disks.
    fn durable(&self) -> [NodeStore; 2] {
        let mut alone = self.alone.store().clone();
        alone.revert(&self.journal);
        [self.shared.durable(), alone]
    }

    fn compare(&mut self) {
        self.journal.extend(self.alone.store_mut().take_journal());
        let all = |state: &State<NodeStore>| {
            let entries = state.tree().iter();
            let entries = entries.map(|one| (one.hash, one.sequence, one.status));
            entries.collect::<Vec<_>>()
        };
        assert_eq!(all(&self.shared), all(&self.alone));
        assert_eq!(self.shared.tip().hash, self.alone.tip().hash);
        let [shared, alone] = [self.shared.coin_stats(), self.alone.coin_stats()];
        assert_eq!((shared.count, shared.total), (alone.count, alone.total));
        let [shared, alone] = self.durable();
        assert_eq!(shared.headers(), alone.headers());
        let hash = |store: &NodeStore| store.tip().map(|tip| tip.map(|tip| tip.hash));
        assert_eq!(hash(&shared), hash(&alone));
    }

    /// The same coins to the digest, which takes some milliseconds.
    fn compare_digests(&self) {
        let value = |state: &State<NodeStore>| state.coin_stats().muhash.finished().digest();
        assert_eq!(value(&self.shared), value(&self.alone));
    }
}

/// Nodes mostly get the same blocks in the same order; some get a header first,
/// or a block early, twice, or while their clock is behind; some are steered,
/// and some crash.
fn play(seed: u64) -> usize {
    let mut chance = Stream::new(seed, "share", &[]);
    let blocks = blocks(&mut chance, 40);
    let (mut chains, archive) = (Chains::default(), Archive::default());
    let open = |chains: &mut Chains, disks| Pair::open(chains, &archive, disks);
    let mut pairs: Vec<Pair> = (0..4).map(|_| open(&mut chains, None)).collect();
    let mut together = 0;
    while pairs.iter().any(|pair| pair.next < blocks.len()) {
        let at = usize::try_from(chance.below(4)).expect("small");
        let pair = &mut pairs[at];
        let any = usize::try_from(chance.below(blocks.len() as u64)).expect("small");
        match chance.below(60) {
            0 => pair.take_block(&blocks[any], LATE),
            1 => pair.take_header(&blocks[any].header, LATE),
            2 => pair.take_block(&blocks[any], UnixSeconds(TIME.0 - 1_000)),
            3 => pair.steer(&blocks[any].hash()),
            4..10 => pair.commit(),
            10 => {
                pair.compare_digests();
                let (disks, next) = (pair.durable(), pair.next);
                *pair = open(&mut chains, Some(disks));
                // What was lost comes again.
                pair.next = next.saturating_sub(4);
            }
            11 => {
                let next = pair.next;
                *pair = open(&mut chains, None);
                pair.next = next.min(3);
            }
            _ if pair.next < blocks.len() => {
                pair.take_block(&blocks[pair.next], LATE);
                pair.next += 1;
            }
            _ => {}
        }
        together += usize::from(pairs[at].shared.company() > 1);
    }
    pairs.iter().for_each(Pair::compare_digests);
    together
}

#[test]
fn a_shared_chain_is_what_each_node_would_have_alone() {
    let mut together = 0;
    for seed in 0..30 {
        together += play(seed);
    }
    assert!(together > 300, "{together} steps in company");
}

#[test]
fn nodes_that_follow_one_who_has_gone_ahead_stand_at_one_point() {
    let blocks = blocks(&mut Stream::new(7, "share", &[]), 3);
    let (mut chains, archive) = (Chains::default(), Archive::default());
    let open = |chains: &mut Chains| Pair::open(chains, &archive, None);
    let mut pairs: Vec<Pair> = (0..4).map(|_| open(&mut chains)).collect();
    for block in &blocks {
        pairs[0].take_block(block, LATE);
    }
    for pair in &mut pairs[1..] {
        pair.take_block(&blocks[0], LATE);
    }
    assert!(pairs[1..].iter().all(|pair| pair.shared.company() == 3));
}

#[test]
fn nodes_that_see_the_same_stand_at_one_point() {
    let blocks = blocks(&mut Stream::new(7, "share", &[]), 20);
    let (mut chains, archive) = (Chains::default(), Archive::default());
    let open = |chains: &mut Chains| Pair::open(chains, &archive, None);
    let mut pairs: Vec<Pair> = (0..5).map(|_| open(&mut chains)).collect();
    for block in &blocks {
        for pair in &mut pairs {
            pair.take_block(block, LATE);
        }
        // Once more changes nothing, nor parts anybody from the others.
        for pair in &mut pairs {
            pair.take_block(block, LATE);
        }
        assert!(pairs.iter().all(|pair| pair.shared.company() == 5));
    }
    pairs[0].steer(&blocks[19].hash());
    assert_eq!(pairs[0].shared.company(), 1);
    assert_eq!(pairs[1].shared.company(), 4);
}
