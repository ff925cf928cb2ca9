//! All that a node may order.

use std::sync::Arc;

use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::template::Template;

use crate::event::Event;
use crate::input::{Call, GossipId, InboundRequest, OutboundRequest, Peer};

/// What is gossiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Whole blocks.
    Block,
    /// Single transactions.
    Transaction,
}

/// What becomes of a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Valid and new: pass it on.
    Accept,
    /// Not wanted now: do not pass it on, blame nobody.
    Ignore,
    /// Can never become valid: do not pass it on, blame the sender.
    Reject,
}

/// What a request asks for; for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// Who are you, and what is your tip?
    Status,
    /// Headers after a locator.
    Headers,
    /// Whole blocks by hash.
    Blocks,
    /// Names of the transactions that wait, unless ours are the same.
    Inventory,
    /// Waiting transactions by name.
    Transactions,
}

/// Why a peer is sent away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisconnectReason {
    /// It follows another genesis block.
    OtherGenesis,
    /// It sent bytes that do not decode.
    Malformed,
    /// It sent a block or header that breaks a rule.
    InvalidBlock,
    /// It sent a transaction that can never be valid.
    InvalidTransaction,
    /// It answered something other than what was asked.
    WrongAnswer,
    /// It does not answer.
    Unresponsive,
    /// Its gossip fell silent although its tip moves.
    GossipSilent,
    /// It asks for too much, or gossips too much of no use.
    Flooding,
    /// It offers only headers with too little work.
    LowWork,
    /// It begins to ask and does not go on.
    Slow,
}

impl DisconnectReason {
    /// Every reason, as metric label.
    pub const LABELS: &'static [&'static str] = &[
        "other_genesis",
        "malformed",
        "invalid_block",
        "invalid_transaction",
        "wrong_answer",
        "unresponsive",
        "gossip_silent",
        "flooding",
        "low_work",
        "slow",
    ];

    /// The metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::OtherGenesis => "other_genesis",
            Self::Malformed => "malformed",
            Self::InvalidBlock => "invalid_block",
            Self::InvalidTransaction => "invalid_transaction",
            Self::WrongAnswer => "wrong_answer",
            Self::Unresponsive => "unresponsive",
            Self::GossipSilent => "gossip_silent",
            Self::Flooding => "flooding",
            Self::LowWork => "low_work",
            Self::Slow => "slow",
        }
    }

    /// Whether the peer is to be kept away for a while. The others may redial.
    pub fn is_misbehaviour(&self) -> bool {
        !matches!(self, Self::Unresponsive | Self::GossipSilent)
    }
}

/// Answer to a local client's call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The transaction is in the mempool (newly or already).
    TransactionAccepted {
        /// Its id.
        txid: Txid,
    },
    /// The transaction was refused.
    TransactionRefused {
        /// Why, as one of the mempool's rules.
        error: minichain_chain::mempool::MempoolError,
    },
    /// The block is known and not invalid.
    BlockAccepted {
        /// Its hash.
        hash: BlockHash,
    },
    /// The block was refused.
    BlockRefused {
        /// The broken rule, or `orphan`, `too_new`, `duplicate`, `low_work`.
        rule: &'static str,
        /// The whole sentence.
        message: String,
    },
    /// The chain was steered, or had nothing to change.
    ChainSteered,
    /// The chain was not steered.
    SteeringRefused {
        /// Why.
        error: minichain_chain::state::SteerError,
    },
}

/// All that a node may order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Make every change applied to the store so far durable. Stands before the
    /// orders that announce it. `urgent` is false while catching up, when the
    /// driver may gather several.
    Persist {
        /// Whether peers are about to be told.
        urgent: bool,
    },
    /// Gossip these bytes.
    Publish {
        /// Under which topic.
        topic: Topic,
        /// The encoded block or transaction.
        bytes: Vec<u8>,
    },
    /// Decide what becomes of a received gossip message.
    GossipVerdict {
        /// The message.
        id: GossipId,
        /// Its topic; for counting.
        topic: Topic,
        /// The decision.
        verdict: Verdict,
    },
    /// Ask a peer.
    Request {
        /// Returned with the response or failure.
        id: OutboundRequest,
        /// Whom.
        peer: Peer,
        /// What for; for counting.
        kind: RequestKind,
        /// The encoded request.
        bytes: Vec<u8>,
        /// Give up after this long, in milliseconds.
        timeout_ms: u64,
    },
    /// Answer a peer.
    Respond {
        /// The request answered.
        id: InboundRequest,
        /// What was asked; for counting.
        kind: RequestKind,
        /// The encoded response.
        bytes: Vec<u8>,
    },
    /// Leave a peer's request without an answer (it broke the rules).
    Refuse {
        /// The request.
        id: InboundRequest,
    },
    /// Close a connection.
    Disconnect {
        /// Which.
        peer: Peer,
        /// Why.
        reason: DisconnectReason,
    },
    /// Mine on this template from now on, drop any other.
    Mine {
        /// What to solve.
        template: Arc<Template>,
    },
    /// Stop mining.
    StopMining,
    /// Answer a local client.
    Answer {
        /// The call answered.
        call: Call,
        /// The answer.
        answer: Answer,
    },
    /// Send [`crate::input::Input::Woke`] at this monotonic time; replaces any
    /// earlier such order.
    WakeAt {
        /// Milliseconds, as in [`crate::input::Now::monotonic_ms`].
        monotonic_ms: u64,
    },
    /// Something worth a log line or a count happened.
    Event(Event),
}

/// Where a node puts its orders; drained in order by the driver.
#[derive(Debug, Default)]
pub struct Outbox {
    outputs: Vec<Output>,
}

impl Outbox {
    /// Adds an order behind the others.
    pub fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Adds an event behind the others.
    pub fn event(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    /// Takes all orders out, oldest first.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// Whether no order waits.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }
}
