//! What the gate lets out.

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::DialOpts;

use super::{Delivery, Task};

/// Peers that a node chooses itself at least, where so many are wanted, however
/// many others came in: who came in may all be one.
const CHOSEN_MIN: usize = 4;

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// How many more peers discovery looks for.
    pub(super) fn looked_for(&self) -> usize {
        self.missing(0, 0)
    }

    /// How many more of them may be dialled now, beside those that are being
    /// dialled by us and, so many, by protocols.
    pub(super) fn begun_next(&self, by_protocols: usize) -> usize {
        let all = self.dialer.dialling() + by_protocols;
        self.missing(all, self.dialer.looking() + by_protocols)
    }

    /// The same where so many are under way, and so many of those by choice.
    fn missing(&self, under_way: usize, by_choice: usize) -> usize {
        if !self.config.discovery {
            return 0;
        }
        let wanted = Wanted::new(self.config.target_peers, self.config.max_peers);
        let chosen = self.peers.chosen() + by_choice;
        wanted.missing(self.peers.len() + under_way, chosen)
    }

    /// Peers or dials changed: protocols dial by themselves only as many more as
    /// are looked for, and none once there are enough. Otherwise what begins while
    /// nobody has answered yet would come to twice what is wanted.
    pub(super) fn count_peers(&mut self) {
        let room = match self.config.discovery {
            true => self.begun_next(0),
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

/// How many peers are wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    all: usize,
    /// Of these, such as this node chose itself.
    chosen: usize,
}

impl Wanted {
    /// Of a node with room for `max_peers`; no more of its own choice than the
    /// places that are kept for them.
    fn new(target_peers: u32, max_peers: u32) -> Self {
        let all = target_peers.min(max_peers) as usize;
        let kept = (max_peers / 4) as usize;
        Self {
            all,
            chosen: CHOSEN_MIN.min(all).min(kept),
        }
    }

    /// How many more are to be found.
    fn missing(self, found: usize, chosen: usize) -> usize {
        let all = self.all.saturating_sub(found);
        all.max(self.chosen.saturating_sub(chosen))
    }
}

#[cfg(test)]
mod tests {
    use super::{CHOSEN_MIN, Wanted};

    #[test]
    fn those_who_came_in_are_never_enough_by_themselves() {
        let wanted = Wanted::new(8, 64);
        assert_eq!(wanted.missing(0, 0), 8);
        assert_eq!(wanted.missing(48, 0), CHOSEN_MIN);
        assert_eq!(wanted.missing(48, 3), 1);
        assert_eq!(wanted.missing(48, CHOSEN_MIN), 0);
        assert_eq!(wanted.missing(5, CHOSEN_MIN), 3);
    }

    #[test]
    fn no_more_are_chosen_than_are_wanted_or_have_places_kept() {
        assert_eq!(Wanted::new(2, 64).missing(48, 0), 2);
        assert_eq!(Wanted::new(0, 64).missing(48, 0), 0);
        assert_eq!(Wanted::new(8, 8).missing(8, 0), 2);
    }
}
