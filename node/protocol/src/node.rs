//! The switchboard: every input goes to the sub-protocol it belongs to, then
//! what has become due is done and the alarm is set.

use std::marker::PhantomData;
use std::sync::Arc;

use minichain_chain::hash::BlockHash;
use minichain_chain::mempool::Mempool;
use minichain_chain::pow::Chainwork;
use minichain_chain::state::State;
use minichain_chain::store::{Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::chain::{Chain, Owned};
use crate::config::{Config, Timing};
use crate::event::Event;
use crate::input::{Input, Now, Peer};
use crate::limits::{NETWORK_NAME_MAX, PROTOCOL_VERSION, SAVED_TRANSACTIONS_MAX, USER_AGENT_MAX};
use crate::mining::Miner;
use crate::output::{DisconnectReason, Outbox, Output};
use crate::peers::{PeerSnapshot, Peers};
use crate::relay::Relay;
use crate::requests::Requests;
use crate::saved::{SavedPool, SavedTransaction};
use crate::sync::{Sync, SyncSnapshot};
use crate::wire::{Status, Text};

/// A whole node: chain, mempool, and what it knows of its peers.
///
/// The driver's loop: stamp the time, call [`Node::handle`], carry out every
/// output in order, and only then call again.
#[derive(Debug)]
pub struct Node<S, C = Owned<S>> {
    pub(crate) state: C,
    pub(crate) mempool: Mempool,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) timing: Timing,
    pub(crate) genesis: BlockHash,
    pub(crate) network: Text<NETWORK_NAME_MAX>,
    pub(crate) user_agent: Text<USER_AGENT_MAX>,
    pub(crate) peers: Peers,
    pub(crate) requests: Requests,
    pub(crate) sync: Sync,
    pub(crate) relay: Relay,
    pub(crate) miner: Miner,
    /// The alarm last asked for.
    wake_at_ms: Option<u64>,
    store: PhantomData<S>,
}

impl<S: Store> Node<S> {
    /// A node on `state`. The same seed and inputs give the same outputs.
    pub fn new(config: Config, state: State<S>, seed: u64) -> Self {
        Self::on_chain(config, Owned::from(state), seed)
    }

    /// The store, for the driver's commit. It must not change the chain.
    pub fn store_mut(&mut self) -> &mut S {
        self.state.store_mut()
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// As [`Node::new`], on a chain that may be shared.
    pub fn on_chain(config: Config, state: C, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let params = state.params();
        let genesis = params.genesis_hash();
        let network = Text::lossy(&params.network);
        let miner = Miner::new(config.mining, rng.next_u64());
        Self {
            state,
            mempool: Mempool::new(config.mempool),
            rng,
            timing: config.timing,
            genesis,
            network,
            user_agent: Text::lossy(&config.user_agent),
            peers: Peers::default(),
            requests: Requests::default(),
            sync: Sync::default(),
            relay: Relay::default(),
            miner,
            wake_at_ms: None,
            store: PhantomData,
        }
    }

    /// Takes one input and orders what follows from it.
    ///
    /// # Errors
    /// The store broke. The outbox may hold half of what belongs together; the
    /// program must stop and start again from what is durable.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Outbox) -> Result<(), StoreError> {
        match input {
            Input::Started => {}
            // The alarm is spent; the next one is set anew, even for the same time.
            Input::Woke => self.wake_at_ms = None,
            Input::MempoolRestored { entries } => self.restore_mempool(now, entries, out)?,
            Input::PeerConnected { peer, direction } => {
                self.on_peer_connected(now, peer, direction, out);
            }
            Input::PeerDisconnected { peer } => self.on_peer_disconnected(peer),
            Input::PeerBreached { peer, breach } => self.on_breach(peer, breach, out),
            Input::GossipReceived {
                id,
                peer,
                topic,
                sent_at,
                bytes,
            } => {
                self.on_gossip(now, (id, peer), topic, sent_at, &bytes, out)?;
            }
            Input::GossipDecoded {
                id,
                peer,
                sent_at,
                content,
            } => {
                self.on_decoded_gossip(now, (id, peer), sent_at, content, out)?;
            }
            Input::RequestReceived { id, peer, bytes } => {
                self.on_request(now, id, peer, &bytes, out)?;
            }
            Input::ResponseReceived { id, peer, bytes } => {
                self.on_response(now, id, peer, &bytes, out)?;
            }
            Input::RequestFailed { id, peer, failure } => {
                self.on_request_failed(now, id, peer, failure, out);
            }
            Input::BlockMined { block } => self.on_block_mined(now, &block, out)?,
            Input::TransactionSubmitted { call, transaction } => {
                self.on_transaction_submitted(now, call, &transaction, out)?;
            }
            Input::BlockSubmitted { call, block } => {
                self.on_block_submitted(now, call, &block, out)?;
            }
            Input::ChainSteered { call, hash, order } => {
                self.on_chain_steered(now, call, &hash, order, out)?;
            }
            Input::MiningSwitched { enabled } => self.miner.switch(enabled),
        }
        self.settle(now, out)
    }

    /// The chain. For reading; only inputs change it.
    pub fn state(&self) -> &State<S> {
        &self.state
    }

    /// The chain, for the driver's commit. Only inputs may change what it says.
    pub fn chain_mut(&mut self) -> &mut C {
        &mut self.state
    }

    /// The transactions that wait.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// What of the mempool is worth keeping over a clean end; comes back by
    /// [`Input::MempoolRestored`].
    pub fn saved_pool(&self) -> SavedPool {
        let entries = self.mempool.iter_by_arrival(0);
        let saved = entries.map(|entry| SavedTransaction {
            time: entry.time,
            is_own: self.relay.is_own(&entry.txid),
            transaction: Arc::clone(&entry.tx),
        });
        SavedPool {
            genesis: self.genesis,
            entries: saved.take(SAVED_TRANSACTIONS_MAX).collect(),
        }
    }

    /// What is known of each peer, by number.
    pub fn peers(&self) -> impl Iterator<Item = PeerSnapshot> {
        self.peers.snapshots()
    }

    /// Whether a connection is known and was not closed.
    pub fn has_peer(&self, peer: Peer) -> bool {
        self.peers.contains(peer)
    }

    /// Every block that a peer was asked for and has not brought yet.
    pub fn blocks_asked(&self) -> impl Iterator<Item = (Peer, BlockHash)> {
        self.requests.blocks_asked()
    }

    /// How far the node is behind what it knows of.
    pub fn sync(&self) -> SyncSnapshot {
        self.sync_snapshot()
    }

    /// Whether the node has work out for its miner.
    pub fn is_mining(&self) -> bool {
        self.miner.is_mining()
    }

    /// Reads what most inputs need, and makes a number without meaning of it. Where
    /// many nodes share one thread, memory is slow to answer, and answers better if
    /// it is asked for several nodes before any of them has its turn.
    pub fn glance(&self, peer: Peer) -> u64 {
        let told = [
            self.peers.glance(peer),
            self.mempool.len() as u64,
            self.mempool.min_fee_rate_sat_per_kvb(),
            self.sync.glance(),
            self.relay.glance(),
            u64::from(self.miner.is_mining()),
            self.requests.for_blocks() as u64,
            self.wake_at_ms.unwrap_or_default(),
        ];
        told.into_iter().fold(0, u64::wrapping_add)
    }

    /// What it tells its peers of itself.
    pub fn status(&self) -> Status {
        let tip = self.state.tip();
        Status {
            protocol_version: PROTOCOL_VERSION,
            network: self.network.clone(),
            genesis: self.genesis,
            tip: tip.hash,
            height: tip.height,
            chainwork: tip.chainwork,
            user_agent: self.user_agent.clone(),
        }
    }

    /// Sends a peer away and forgets it. Whatever it still sends is ignored.
    pub(crate) fn drop_peer(
        &mut self,
        peer: Peer,
        reason: DisconnectReason,
        detail: impl Into<String>,
        out: &mut Outbox,
    ) {
        if self.peers.contains(peer) {
            let event_reason = reason.clone();
            self.forget_peer(peer);
            out.event(Event::PeerDropped {
                peer,
                reason: event_reason,
                detail: detail.into(),
            });
            out.push(Output::Disconnect { peer, reason });
        }
    }

    /// Work up to the tip.
    pub(crate) fn tip_work(&self) -> Chainwork {
        self.state.tip().chainwork
    }

    /// Does what has become due and sets the alarm; behind every input.
    fn settle(&mut self, now: Now, out: &mut Outbox) -> Result<(), StoreError> {
        self.expire_stalled(now, out);
        self.pursue_sync(now, out);
        self.poll_peers(now, out);
        self.rebroadcast(now, out);
        self.expire_transactions(now, out);
        self.refresh_mining(now, out)?;
        self.set_alarm(out);
        Ok(())
    }

    fn set_alarm(&mut self, out: &mut Outbox) {
        let due = [
            self.peers.next_poll_ms(),
            self.next_sync_deadline_ms(),
            self.relay.next_rebroadcast_ms(),
            self.relay.next_expiry_ms(),
            self.miner.next_deadline_ms(),
        ];
        let due = due.into_iter().flatten().min();
        if due != self.wake_at_ms {
            self.wake_at_ms = due;
            if let Some(monotonic_ms) = due {
                out.push(Output::WakeAt { monotonic_ms });
            }
        }
    }
}
