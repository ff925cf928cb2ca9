//! What happened, for those who watch. The daemon turns events into log lines
//! and metrics, the simulator into its trace; the node itself logs nothing.

use minichain_chain::amount::Amount;
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;
use minichain_chain::time::UnixSeconds;

use crate::input::{Peer, RequestFailure};
use crate::output::{DisconnectReason, RequestKind};

/// Where a block came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Gossip from a peer.
    Gossip(Peer),
    /// Asked for from a peer.
    Request(Peer),
    /// Found by this node's miner.
    Miner,
    /// Handed in by a local client.
    Local,
}

/// A block as events tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSummary {
    /// Hash.
    pub hash: BlockHash,
    /// Height.
    pub height: Height,
    /// Header time.
    pub time: UnixSeconds,
    /// Seconds by header time since its parent; negative when time went back.
    pub interval_s: i64,
    /// Transactions, coinbase included.
    pub transactions: u32,
    /// Bytes.
    pub size: u64,
    /// Weight units.
    pub weight: u64,
    /// What its coinbase takes beyond the subsidy.
    pub fees: Amount,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The active chain changed.
    TipChanged {
        /// New tip.
        tip: BlockHash,
        /// Its height.
        height: Height,
        /// Work up to it.
        chainwork: Chainwork,
        /// Blocks that left, tip first.
        disconnected: Vec<BlockSummary>,
        /// Blocks that came, lowest first.
        connected: Vec<BlockSummary>,
        /// Where the block came from that caused it.
        source: Source,
    },
    /// A valid block on a branch with less work, or not yet connectable.
    BlockStored {
        /// Hash.
        hash: BlockHash,
        /// Height.
        height: Height,
        /// Whether all its ancestors' bodies are here (a stale block), or
        /// some are awaited.
        is_side_branch: bool,
        /// Where it came from.
        source: Source,
    },
    /// A block whose parent is not known; its sender is asked for headers.
    OrphanReceived {
        /// Hash.
        hash: BlockHash,
        /// The parent.
        missing: BlockHash,
        /// Who sent it.
        peer: Peer,
    },
    /// A block was refused.
    BlockRejected {
        /// Hash.
        hash: BlockHash,
        /// One of the chain's rule names.
        rule: &'static str,
        /// The whole sentence.
        message: String,
        /// Where it came from.
        source: Source,
    },
    /// A gossiped block arrived; a measurement aid, by two clocks.
    BlockArrived {
        /// Hash.
        hash: BlockHash,
        /// Milliseconds from the first sender's stamp to arrival, clamped to
        /// 0…600,000; none when the stamp is missing.
        delay_ms: Option<u64>,
        /// Who passed it on first.
        peer: Peer,
    },
    /// This node found a block and it connected.
    BlockMined {
        /// Hash.
        hash: BlockHash,
        /// Height.
        height: Height,
        /// Fees it collects.
        fees: Amount,
    },
    /// The best header moved.
    HeadersAdvanced {
        /// Height of the best header.
        height: Height,
        /// Headers new in this step.
        count: u32,
        /// Who sent them.
        peer: Peer,
    },
    /// The node began to fetch blocks.
    SyncStarted {
        /// Height of the tip.
        from: Height,
        /// Height of the best header.
        to: Height,
    },
    /// The node has every block that its peers are known to have on the best
    /// branch.
    SyncFinished {
        /// Height of the tip.
        height: Height,
    },
    /// Block bodies asked for and not yet received.
    InFlightChanged {
        /// How many.
        blocks: u32,
    },
    /// A transaction entered the mempool.
    TransactionAccepted {
        /// Its id.
        txid: Txid,
        /// Its fee.
        fee: Amount,
        /// Virtual bytes.
        vsize: u64,
    },
    /// A gossiped transaction arrived and entered the mempool; a measurement
    /// aid, by two clocks.
    TransactionArrived {
        /// Its id.
        txid: Txid,
        /// As for blocks.
        delay_ms: Option<u64>,
        /// Who passed it on first.
        peer: Peer,
    },
    /// Transactions that had waited here were confirmed.
    TransactionsConfirmed {
        /// Milliseconds from entry into the mempool to confirmation, one number
        /// for each.
        waited_ms: Vec<u64>,
    },
    /// Transactions kept aside until their inputs are known.
    OrphansChanged {
        /// How many.
        transactions: u32,
    },
    /// A transaction was refused.
    TransactionRejected {
        /// Its id.
        txid: Txid,
        /// One of the mempool's reason names.
        reason: &'static str,
        /// The whole sentence.
        message: String,
    },
    /// The mempool's size after a change.
    MempoolChanged {
        /// Transactions waiting.
        transactions: u64,
        /// Their virtual bytes.
        vbytes: u64,
    },
    /// A peer told its status and fits.
    PeerReady {
        /// Which.
        peer: Peer,
        /// What it calls itself; printable ASCII only.
        user_agent: String,
        /// Its tip.
        tip: BlockHash,
        /// Its height.
        height: Height,
    },
    /// A peer follows another genesis block.
    PeerOtherGenesis {
        /// Which.
        peer: Peer,
        /// Our genesis hash.
        ours: BlockHash,
        /// Its genesis hash.
        theirs: BlockHash,
        /// Its network's name; printable ASCII only.
        their_network: String,
    },
    /// This node sends a peer away.
    PeerDropped {
        /// Which.
        peer: Peer,
        /// Why.
        reason: DisconnectReason,
        /// More, for the log.
        detail: String,
    },
    /// A peer did not answer a request.
    RequestFailed {
        /// Who.
        peer: Peer,
        /// What was asked.
        kind: RequestKind,
        /// Why.
        failure: RequestFailure,
    },
    /// A peer held back blocks it offered; others come first for a while.
    PeerStalled {
        /// Who.
        peer: Peer,
        /// Blocks now asked of others.
        blocks: u32,
    },
    /// Something that cannot happen did: a bug in this node.
    Fault {
        /// What.
        message: String,
    },
}
