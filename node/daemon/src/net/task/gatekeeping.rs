//! What the gate lets out.

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::DialOpts;

use super::{Delivery, Task};

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// Peers or dials changed: protocols dial by themselves only as many more as
    /// are looked for, and none once there are enough. Otherwise what begins while
    /// nobody has answered yet would come to twice what is wanted.
    pub(super) fn count_peers(&mut self) {
        let room = match self.config.discovery {
            true => self.looked_for().saturating_sub(self.dialer.looking()),
            false => usize::MAX,
        };
        self.swarm.behaviour_mut().gate.room = room;
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
