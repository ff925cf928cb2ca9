//! The stores of all nodes, over one archive.
//!
//! What is true of a block is true for everybody: its bytes, its place, what it
//! spends and makes. The archive keeps that once. A node's own store holds only
//! which headers it knows and which tip it has; an output is unspent there if
//! the tip has a block below that made it and none that spent it. So ten
//! thousand nodes cost hardly more than one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::store::{Batch, Status, Store, StoreError, StoredHeader, StoredTip};
use minichain_chain::transaction::{OutPoint, TxOut};

/// Number of a header in the archive.
type Number = u32;

/// Everything any node ever stored. A handle; clones share one archive.
#[derive(Clone, Debug, Default)]
pub struct Archive(Rc<RefCell<Records>>);

#[derive(Debug, Default)]
struct Records {
    blocks: Vec<Record>,
    numbers: BTreeMap<BlockHash, Number>,
    /// The header last asked for; nodes ask for the same one in a row.
    last: Number,
    outputs: BTreeMap<OutPoint, Output>,
    /// Headers whose body is here, in the order the bodies came.
    kept: Vec<Number>,
}

#[derive(Debug)]
struct Record {
    header: Header,
    hash: BlockHash,
    parent: Option<Number>,
    height: u32,
    /// A far ancestor, for logarithmic walks.
    skip: Number,
    block: Option<Arc<Block>>,
    undo: Option<Undo>,
}

/// An output, made or only heard of: bodies may come before their parents'.
#[derive(Debug, Default)]
struct Output {
    made: Option<(TxOut, bool)>,
    makers: Vec<Number>,
    spenders: Vec<Number>,
}

/// One node's store.
#[derive(Clone, Debug)]
pub struct NodeStore {
    archive: Archive,
    known: BTreeMap<Number, (u64, Status)>,
    tip: Option<Box<(Number, StoredTip)>>,
    /// What has changed since it was last asked, oldest first.
    journal: Vec<Change>,
}

/// What to put back.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Header(Number, Option<(u64, Status)>),
    Tip(Option<Box<(Number, StoredTip)>>),
}

impl Archive {
    /// A new node's empty store.
    #[must_use]
    pub fn store(&self) -> NodeStore {
        NodeStore {
            archive: self.clone(),
            known: BTreeMap::new(),
            tip: None,
            journal: Vec::new(),
        }
    }

    /// A block that some node stored.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        let records = self.0.borrow();
        let number = *records.numbers.get(hash)?;
        records.blocks[number as usize].block.clone()
    }

    /// Bodies in the order they came, from the `first` on.
    #[must_use]
    pub fn bodies_from(&self, first: usize) -> Vec<(BlockHash, Arc<Block>)> {
        let records = self.0.borrow();
        let kept = records.kept.iter().skip(first);
        let bodies = kept.filter_map(|number| {
            let record = &records.blocks[*number as usize];
            Some((record.hash, record.block.clone()?))
        });
        bodies.collect()
    }

    /// Whether a block lies on the way from another down to genesis, or is it.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: &BlockHash, of: &BlockHash) -> bool {
        let records = self.0.borrow();
        let number = |hash| records.numbers.get(hash).copied();
        let pair = number(ancestor).zip(number(of));
        pair.is_some_and(|(ancestor, of)| records.is_below(ancestor, of))
    }

    /// A block's parent and height; none for an unknown block.
    #[must_use]
    pub fn place(&self, hash: &BlockHash) -> Option<(BlockHash, Height)> {
        let records = self.0.borrow();
        let record = &records.blocks[*records.numbers.get(hash)? as usize];
        Some((record.header.previous, Height(record.height)))
    }
}

impl Records {
    /// The header's number; it gets one if it has none.
    fn number(&mut self, header: &Header) -> Result<Number, StoreError> {
        let last = self.blocks.get(self.last as usize);
        if last.is_some_and(|record| record.header == *header) {
            return Ok(self.last);
        }
        let hash = header.hash();
        if let Some(number) = self.numbers.get(&hash) {
            self.last = *number;
            return Ok(*number);
        }
        let number = u32::try_from(self.blocks.len())
            .map_err(|_| StoreError::io("the archive holds 2^32 headers"))?;
        let parent = self.numbers.get(&header.previous).copied();
        if parent.is_none() && header.previous != BlockHash::ZERO {
            return Err(StoreError::corrupt(format!(
                "{hash} came before its parent"
            )));
        }
        let height = parent.map_or(0, |parent| self.blocks[parent as usize].height + 1);
        let skip = parent.map_or(number, |parent| self.walk_down(parent, skip_height(height)));
        self.blocks.push(Record {
            header: *header,
            hash,
            parent,
            height,
            skip,
            block: None,
            undo: None,
        });
        self.numbers.insert(hash, number);
        self.last = number;
        Ok(number)
    }

    fn find(&self, hash: &BlockHash) -> Result<Number, StoreError> {
        let last = self.blocks.get(self.last as usize);
        if last.is_some_and(|record| record.hash == *hash) {
            return Ok(self.last);
        }
        let unknown = || StoreError::corrupt(format!("{hash} has no header"));
        self.numbers.get(hash).copied().ok_or_else(unknown)
    }

    fn walk_down(&self, mut from: Number, height: u32) -> Number {
        loop {
            let record = &self.blocks[from as usize];
            let Some(parent) = record.parent.filter(|_| record.height > height) else {
                return from;
            };
            let is_skip_short = self.blocks[record.skip as usize].height >= height;
            from = if is_skip_short { record.skip } else { parent };
        }
    }

    fn is_below(&self, ancestor: Number, tip: Number) -> bool {
        ancestor == tip || self.walk_down(tip, self.blocks[ancestor as usize].height) == ancestor
    }

    /// Keeps a body and notes what it makes and spends.
    fn keep(&mut self, number: Number, block: &Arc<Block>) {
        let record = &mut self.blocks[number as usize];
        if record.block.is_some() {
            return;
        }
        let is_genesis = record.height == 0;
        record.block = Some(Arc::clone(block));
        self.kept.push(number);
        for (index, transaction) in block.transactions.iter().enumerate() {
            let txid = transaction.txid();
            for (vout, output) in (0..).zip(&transaction.outputs) {
                if output.script_pubkey.is_op_return() {
                    continue;
                }
                let known = self.outputs.entry(OutPoint { txid, vout }).or_default();
                let is_coinbase = index == 0 && !is_genesis;
                known.made.get_or_insert((output.clone(), is_coinbase));
                known.makers.push(number);
            }
        }
        for input in block
            .transactions
            .iter()
            .skip(1)
            .flat_map(|one| &one.inputs)
        {
            let known = self.outputs.entry(input.previous_output).or_default();
            known.spenders.push(number);
        }
    }

    fn coin(&self, outpoint: &OutPoint, tip: Number) -> Option<Coin> {
        let output = self.outputs.get(outpoint)?;
        let mut makers = output.makers.iter();
        let maker = *makers.find(|maker| self.is_below(**maker, tip))?;
        if output.spenders.iter().any(|one| self.is_below(*one, tip)) {
            return None;
        }
        let (made, is_coinbase) = output.made.clone()?;
        Some(Coin {
            output: made,
            height: Height(self.blocks[maker as usize].height),
            is_coinbase,
        })
    }
}

impl NodeStore {
    /// What has changed since it was last asked, oldest first.
    pub(crate) fn take_journal(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.journal)
    }

    /// Takes changes back, the last ones first.
    pub(crate) fn revert(&mut self, changes: &[Change]) {
        for change in changes.iter().rev() {
            match change {
                Change::Tip(before) => self.tip.clone_from(before),
                Change::Header(number, Some(before)) => {
                    self.known.insert(*number, *before);
                }
                Change::Header(number, None) => {
                    self.known.remove(number);
                }
            }
        }
    }

    /// Whether nothing is stored, not even the genesis block.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.tip.is_none()
    }

    /// Loses a header, or what is said of the tip; `draw` tells which, as a
    /// number below its argument. Whether there was anything to lose.
    pub(crate) fn tear(&mut self, draw: impl FnOnce(u64) -> u64) -> bool {
        let count = self.known.len();
        let drawn = usize::try_from(draw(count as u64 + 1)).unwrap_or(count);
        match self.known.keys().nth(drawn).copied() {
            Some(number) => self.known.remove(&number).is_some(),
            None => self.tip.take().is_some(),
        }
    }

    fn note(&mut self, number: Number, now: Option<(u64, Status)>) {
        let before = match now {
            Some(now) => self.known.insert(number, now),
            None => self.known.remove(&number),
        };
        self.journal.push(Change::Header(number, before));
    }
}

impl Store for NodeStore {
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError> {
        let records = self.archive.0.borrow();
        let known = self
            .known
            .iter()
            .map(|(number, (sequence, status))| StoredHeader {
                header: records.blocks[*number as usize].header,
                sequence: *sequence,
                status: *status,
            });
        let mut headers: Vec<_> = known.collect();
        headers.sort_by_key(|stored| stored.sequence);
        Ok(headers)
    }

    fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        Ok(self.tip.as_ref().map(|tip| tip.1.clone()))
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        let records = self.archive.0.borrow();
        let Ok(number) = records.find(hash) else {
            return Ok(None);
        };
        let known = self.known.get(&number);
        Ok(known
            .filter(|(_, status)| status.has_body())
            .and_then(|_| records.blocks[number as usize].block.clone()))
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        let records = self.archive.0.borrow();
        let Ok(number) = records.find(hash) else {
            return Ok(None);
        };
        let known = self.known.get(&number);
        Ok(known
            .filter(|(_, status)| *status == Status::Valid)
            .and_then(|_| records.blocks[number as usize].undo.clone()))
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let tip = self.tip.as_ref();
        Ok(tip.and_then(|tip| self.archive.0.borrow().coin(outpoint, tip.0)))
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        let archive = self.archive.clone();
        let mut records = archive.0.borrow_mut();
        for hash in &batch.headers_removed {
            let number = records.find(hash)?;
            self.note(number, None);
        }
        for stored in &batch.headers {
            let number = records.number(&stored.header)?;
            self.note(number, Some((stored.sequence, stored.status)));
        }
        for (hash, block) in batch.blocks {
            let number = records.find(&hash)?;
            records.keep(number, &block);
        }
        for (hash, undo) in batch.undos {
            let number = records.find(&hash)?;
            records.blocks[number as usize].undo.get_or_insert(undo);
        }
        // The coins follow from the tip.
        if let Some(tip) = batch.tip {
            let number = records.find(&tip.hash)?;
            let before = self.tip.replace(Box::new((number, tip)));
            self.journal.push(Change::Tip(before));
        }
        Ok(())
    }
}

/// As in the header tree: lower heights with few bits set.
const fn skip_height(height: u32) -> u32 {
    const fn without_lowest_bit(number: u32) -> u32 {
        number & number.wrapping_sub(1)
    }
    if height < 2 {
        0
    } else if height & 1 == 1 {
        without_lowest_bit(without_lowest_bit(height - 1)) + 1
    } else {
        without_lowest_bit(height)
    }
}
