//! The tree of blocks as the nodes tell it, read block by block from their tips
//! back to what is known.

use std::collections::{BTreeSet, HashMap};

use devnet_scenario::world::BlockFact;
use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::hex;
use minichain_chain::pow::{Chainwork, Target};
use minichain_chain::script::Script;

/// Transactions whose block is remembered at most; more are forgotten, oldest
/// block first.
const TRANSACTIONS_MAX: usize = 1_000_000;
/// Blocks read and not yet joined to the tree, at most.
const LOOSE_MAX: usize = 10_000;

/// Every block that a node has told.
#[derive(Debug, Default)]
pub struct Tree {
    known: HashMap<BlockHash, Known>,
    /// Read, but their parents are not yet.
    loose: HashMap<BlockHash, Read>,
    /// Blocks that hold a transaction.
    holders: HashMap<Txid, Vec<BlockHash>>,
    /// Blocks in the order they became known, with their transactions; for
    /// forgetting.
    indexed: std::collections::VecDeque<(BlockHash, Vec<Txid>)>,
    indexed_count: usize,
    fresh: Vec<BlockFact>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    parent: BlockHash,
    height: u32,
    work: Chainwork,
}

/// A block as read from a node.
#[derive(Clone, Debug)]
pub struct Read {
    hash: BlockHash,
    parent: BlockHash,
    work: Chainwork,
    miner: Option<String>,
    time_s: u32,
    transactions: Vec<Txid>,
    count: u32,
}

/// What a look at one tip found to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// All is known down to genesis.
    Known,
    /// This block is to be read next.
    Missing(BlockHash),
}

impl Read {
    /// Reads a block in hexadecimal, as `getblock` with verbosity 0 tells it.
    ///
    /// # Errors
    /// The bytes are no block, or that of another name.
    pub fn of_hex(text: &str, expected: BlockHash) -> Result<Self, String> {
        let bytes = hex::decode(text).map_err(|error| error.to_string())?;
        let block: Block = decode(&bytes).map_err(|error| error.to_string())?;
        let hash = block.hash();
        if hash != expected {
            return Err(format!("asked for block {expected}, got {hash}"));
        }
        Ok(Self::of_block(&block))
    }

    /// Takes in a block that is at hand.
    pub fn of_block(block: &Block) -> Self {
        Self {
            hash: block.hash(),
            parent: block.header.previous,
            work: block
                .header
                .bits
                .to_target()
                .map_or(Chainwork::ZERO, Target::work),
            miner: miner(block),
            time_s: block.header.time.0,
            // Nobody asks for a coinbase.
            transactions: block
                .transactions
                .iter()
                .skip(1)
                .map(minichain_chain::transaction::Transaction::txid)
                .collect(),
            count: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Tree {
    /// What is yet to be read below `tip`.
    pub fn walk(&self, tip: BlockHash) -> Walk {
        let mut at = tip;
        // A chain of loose blocks is no longer than there are loose blocks.
        for _ in 0..=self.loose.len() {
            if at == BlockHash::ZERO || self.known.contains_key(&at) {
                return Walk::Known;
            }
            match self.loose.get(&at) {
                Some(read) => at = read.parent,
                None => return Walk::Missing(at),
            }
        }
        Walk::Known
    }

    /// Takes a block in. It is told once its parents are known.
    pub fn add(&mut self, read: Read) {
        if self.known.contains_key(&read.hash) {
            return;
        }
        if self.loose.len() >= LOOSE_MAX {
            self.loose.clear();
        }
        self.loose.insert(read.hash, read);
    }

    /// Joins what was read to the tree, down from `tip`.
    pub fn join(&mut self, tip: BlockHash) {
        let mut path = Vec::new();
        let mut at = tip;
        while let Some(read) = self.loose.get(&at) {
            path.push(at);
            at = read.parent;
            if path.len() > self.loose.len() {
                return;
            }
        }
        let is_rooted = at == BlockHash::ZERO || self.known.contains_key(&at);
        if !is_rooted {
            return;
        }
        for hash in path.into_iter().rev() {
            if let Some(read) = self.loose.remove(&hash) {
                self.know(read);
            }
        }
    }

    fn know(&mut self, read: Read) {
        let below = self.known.get(&read.parent).copied();
        let known = Known {
            parent: read.parent,
            height: below.map_or(0, |below| below.height + 1),
            work: below.map_or(read.work, |below| below.work + read.work),
        };
        self.known.insert(read.hash, known);
        self.fresh.push(BlockFact {
            hash: read.hash.to_string(),
            parent: below.map(|_| read.parent.to_string()),
            height: known.height,
            work: known.work.to_string(),
            miner: read.miner.filter(|_| below.is_some()),
            time_ms: u64::from(read.time_s) * 1_000,
            transactions: read.count,
        });
        self.index(read.hash, read.transactions);
    }

    fn index(&mut self, block: BlockHash, transactions: Vec<Txid>) {
        if transactions.is_empty() {
            return;
        }
        for txid in &transactions {
            self.holders.entry(*txid).or_default().push(block);
        }
        self.indexed_count += transactions.len();
        self.indexed.push_back((block, transactions));
        while self.indexed_count > TRANSACTIONS_MAX {
            let Some((block, transactions)) = self.indexed.pop_front() else {
                break;
            };
            self.indexed_count -= transactions.len();
            for txid in transactions {
                if let Some(blocks) = self.holders.get_mut(&txid) {
                    blocks.retain(|holder| *holder != block);
                    if blocks.is_empty() {
                        self.holders.remove(&txid);
                    }
                }
            }
        }
    }

    /// Blocks that became known since the last call, parents before children.
    pub fn take_fresh(&mut self) -> Vec<BlockFact> {
        std::mem::take(&mut self.fresh)
    }

    /// The chain that ends in `tip`.
    pub fn chain(&self, tip: BlockHash) -> BTreeSet<BlockHash> {
        let mut chain = BTreeSet::new();
        let mut at = tip;
        while let Some(known) = self.known.get(&at) {
            chain.insert(at);
            at = known.parent;
        }
        chain
    }

    /// Height of the block of `chain` that holds a transaction.
    pub fn height_of(&self, txid: &Txid, chain: &BTreeSet<BlockHash>) -> Option<u32> {
        let blocks = self.holders.get(txid)?;
        let holder = blocks.iter().find(|block| chain.contains(*block))?;
        Some(self.known.get(holder)?.height)
    }
}

/// The name that a miner wrote into the block's coinbase.
pub fn miner(block: &Block) -> Option<String> {
    let coinbase = block.transactions.first()?;
    miner_of(&coinbase.inputs.first()?.script_sig)
}

/// The name in a coinbase's script: the script holds the height,
/// a number, and the name, each as one push.
fn miner_of(script: &Script) -> Option<String> {
    let mut rest = script.as_bytes();
    let mut last = None;
    while let Some((&first, tail)) = rest.split_first() {
        let length = match first {
            1..=75 => usize::from(first),
            // Numbers up to 16 have codes of their own, without data.
            0 | 0x51..=0x60 => 0,
            _ => return None,
        };
        let (data, after) = tail.split_at_checked(length)?;
        if length > 0 {
            last = Some(data);
        }
        rest = after;
    }
    let name = std::str::from_utf8(last?).ok()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use minichain_chain::height::Height;

    use super::*;

    fn hash(number: u8) -> BlockHash {
        BlockHash::from_bytes([number; 32])
    }

    fn read(number: u8, parent: u8, transactions: &[u8]) -> Read {
        let txid = |number: &u8| Txid::from_bytes([*number; 32]);
        Read {
            hash: hash(number),
            parent: hash(parent),
            work: Chainwork::from_be_bytes([0; 32]),
            miner: Some("miner-0".into()),
            time_s: u32::from(number),
            transactions: transactions.iter().map(txid).collect(),
            count: 1,
        }
    }

    fn told(tree: &mut Tree) -> Vec<(u32, u64)> {
        let fresh = tree.take_fresh();
        fresh
            .iter()
            .map(|block| (block.height, block.time_ms))
            .collect()
    }

    #[test]
    fn the_miner_stands_in_the_coinbase() {
        for height in [0, 1, 16, 17, 300, 70_000] {
            let script = Script::coinbase(Height(height), 7, b"miner-12");
            assert_eq!(miner_of(&script).as_deref(), Some("miner-12"), "{height}");
        }
        for odd in [&b"\x4c\x01a"[..], b"\x05ab", b"", b"\x01\xff"] {
            assert_eq!(miner_of(&Script::from_bytes(odd)), None, "{odd:?}");
        }
    }

    //   0 - 1 - 2
    //        \- 3
    #[test]
    fn blocks_are_told_once_parents_before_children() {
        let mut tree = Tree::default();
        for block in [read(2, 1, &[]), read(1, 9, &[]), read(9, 0, &[])] {
            assert_eq!(tree.walk(hash(2)), Walk::Missing(block.hash));
            tree.add(block);
        }
        assert_eq!(tree.walk(hash(2)), Walk::Known);
        assert_eq!(told(&mut tree), [], "not before they are joined");
        tree.join(hash(2));
        assert_eq!(told(&mut tree), [(0, 9_000), (1, 1_000), (2, 2_000)]);
        assert_eq!(tree.walk(hash(2)), Walk::Known);
        tree.add(read(3, 1, &[]));
        tree.join(hash(3));
        assert_eq!(told(&mut tree), [(2, 3_000)]);
        tree.add(read(3, 1, &[]));
        tree.join(hash(3));
        assert_eq!(told(&mut tree), []);
    }

    #[test]
    fn a_transaction_is_where_the_chain_says() {
        let mut tree = Tree::default();
        for block in [
            read(9, 0, &[]),
            read(1, 9, &[50]),
            read(2, 9, &[]),
            read(3, 2, &[50]),
        ] {
            let hash = block.hash;
            tree.add(block);
            tree.join(hash);
        }
        let txid = Txid::from_bytes([50; 32]);
        assert_eq!(tree.height_of(&txid, &tree.chain(hash(1))), Some(1));
        assert_eq!(tree.height_of(&txid, &tree.chain(hash(2))), None);
        assert_eq!(tree.height_of(&txid, &tree.chain(hash(3))), Some(2));
    }

    #[test]
    fn bytes_that_are_no_block_are_refused() {
        for text in ["", "zz", "00", &"00".repeat(81)] {
            assert!(Read::of_hex(text, hash(1)).is_err(), "{text}");
        }
    }
}
