//! What can be seen of a world, and what a node's clients can ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::params::Params;
use minichain_chain::transaction::Transaction;
use minichain_protocol::input::{Call, Input};
use minichain_protocol::output::Answer;

use super::{Condition, Place, SimNode, Told, World};
use crate::archive::Archive;
use crate::check::{Checks, Violation};
use crate::queue::Micros;
use crate::setup::NodeSetup;

impl World {
    /// Hands a transaction to a node; tells whether the mempool took it, or the
    /// rule and the sentence by which it did not; none if it does not run.
    pub fn submit(
        &mut self,
        place: Place,
        transaction: Arc<Transaction>,
    ) -> Option<Result<(), (&'static str, String)>> {
        if self.ports[place].condition != Condition::Up {
            return None;
        }
        let txid = transaction.txid();
        self.trace
            .changed(self.now, &format!("submit {place} {txid}"));
        let call = Call(self.hosts[place].number());
        self.feed(place, Input::TransactionSubmitted { call, transaction });
        match self.hosts[place].answers.remove(&call)? {
            Answer::TransactionAccepted { .. } => Some(Ok(())),
            Answer::TransactionRefused { error } => Some(Err((error.rule(), error.to_string()))),
            // Nobody handed in a block or steers.
            Answer::BlockAccepted { .. }
            | Answer::BlockRefused { .. }
            | Answer::ChainSteered
            | Answer::SteeringRefused { .. } => None,
        }
    }

    /// A node's wall clock, milliseconds since 1970.
    #[must_use]
    pub fn clock_of(&self, place: Place) -> u64 {
        self.hosts[place].clock(self.epoch_ms, self.now).unix.0
    }

    /// Number of nodes, removed ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// A node's name.
    #[must_use]
    pub fn name(&self, place: Place) -> &str {
        &self.hosts[place].setup.name
    }

    /// What a node was made of, as it is now.
    #[must_use]
    pub fn setup_of(&self, place: Place) -> &NodeSetup {
        &self.hosts[place].setup
    }

    /// How a node is.
    #[must_use]
    pub fn condition(&self, place: Place) -> Condition {
        self.ports[place].condition
    }

    /// Times a node was started.
    #[must_use]
    pub fn starts(&self, place: Place) -> u32 {
        self.hosts[place].starts
    }

    /// When a node's program last started.
    #[must_use]
    pub fn started_at(&self, place: Place) -> Micros {
        self.hosts[place].started_at
    }

    /// A node, if its program runs or is frozen. For reading.
    #[must_use]
    pub fn node(&self, place: Place) -> Option<&SimNode> {
        self.hosts[place].node.as_ref()
    }

    /// Nodes it is connected with, each once, by number.
    #[must_use]
    pub fn peers_of(&self, place: Place) -> BTreeSet<Place> {
        let conns = self.hosts[place].conns.iter();
        conns
            .map(|conn| {
                let link = &self.conns[*conn as usize];
                link.ends[1 - link.end_of(place)] as usize
            })
            .collect()
    }

    /// The rules of the chain.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Every block of every node.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Things that happened so far, arrivals settled when they were sent included.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.trace.events()
    }

    /// Of these, those that had no place in the queue of their own: arrivals that
    /// could change nothing, since their receivers had the message or were to get it
    /// first, and nodes' looks at what they have to tell outside the mesh.
    #[must_use]
    pub fn settled_events(&self) -> u64 {
        self.trace.settled_events()
    }

    /// Lets every copy of a message arrive by itself, for comparing: it changes no
    /// node's history.
    pub fn settle_nothing(&mut self) {
        self.settles = false;
        self.unsettle();
    }

    /// Gossip messages that are kept because somebody may still pass them on.
    #[must_use]
    pub fn messages_kept(&self) -> usize {
        self.message_order.len()
    }

    /// What faults do to one direction now.
    #[must_use]
    pub fn condition_between(&self, from: Place, to: Place) -> crate::link::Condition {
        self.condition_of(from, to).unwrap_or_default()
    }

    /// Digest over all that happened so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.trace.digest()
    }

    /// Keeps what nodes tell from now on, for [`World::take_told`].
    pub fn record(&mut self) {
        self.is_recording = true;
    }

    /// What nodes told since the last call, oldest first.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// What must never be and was, oldest first.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.checks.violations()
    }

    /// Compares the coins of all nodes that agree on the tip, to the digest.
    /// What differs becomes a violation.
    pub fn compare_coins(&mut self) {
        let nodes = self.hosts.iter().enumerate();
        let nodes = nodes.filter_map(|(place, host)| Some((place, host.node.as_ref()?)));
        self.checks.compare(self.now, nodes);
    }

    /// What watches that nothing unsafe happens.
    pub fn checks_mut(&mut self) -> &mut Checks {
        &mut self.checks
    }
}
