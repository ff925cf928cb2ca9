//! What the gate lets out.

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::DialOpts;

use super::{Delivery, Task};

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// Peers changed: with enough of them, only what [`Task::dial_out`] dials is
    /// let out.
    pub(super) fn count_peers(&mut self) {
        let is_full = self.config.discovery && self.looked_for() == 0;
        self.swarm.behaviour_mut().gate.is_full = is_full;
    }

    /// How many more peers may be dialled for having been connected once. They
    /// may be strangers who came in to be dialled back, so they get no more than
    /// the places that strangers alone cannot take.
    pub(super) fn wanted_max(&self) -> usize {
        let reserved = (self.config.max_peers / 4).max(self.config.target_peers);
        (reserved as usize).saturating_sub(self.peers.dialled())
    }

    /// Dials by our own word: an edge, a peer looked for, a probe.
    pub(super) fn dial_out(&mut self, options: DialOpts) -> Result<(), DialError> {
        self.swarm.behaviour_mut().gate.own = Some(options.connection_id());
        let dialled = self.swarm.dial(options);
        self.swarm.behaviour_mut().gate.own = None;
        dialled
    }
}
