//! When the task next looks after what waits for a time.
//!
//! Each look costs a poll of every protocol and every connection, which is most
//! of what an idle node does; so none is taken that finds nothing to do.

use std::time::{Duration, Instant};

use libp2p::ping;
use libp2p::swarm::SwarmEvent;

use super::super::behaviour::BehaviourEvent;
use super::{Delivery, Task};

/// Resolution of everything that waits for a time.
const RESOLUTION: Duration = Duration::from_millis(100);
/// Time between two looks while nothing waits.
const IDLE: Duration = Duration::from_secs(1);

/// When to look.
#[derive(Debug)]
pub struct Upkeep {
    looked_at: Instant,
    next_at: Instant,
}

impl Upkeep {
    /// The first look is taken at once.
    pub const fn new(now: Instant) -> Self {
        Self {
            looked_at: now,
            next_at: now,
        }
    }

    /// When the next look is due.
    pub const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Something changed, so something may wait that did not before.
    pub fn changed(&mut self) {
        self.next_at = self.next_at.min(self.looked_at + RESOLUTION);
    }

    /// A look was taken; what waits is due at `due` first.
    pub fn looked(&mut self, now: Instant, due: Option<Instant>) {
        let (soonest, latest) = (now + RESOLUTION, now + IDLE);
        self.looked_at = now;
        self.next_at = due.map_or(latest, |due| due.clamp(soonest, latest));
    }
}

/// Whether an event leaves everything that waits for a time as it was, or only
/// puts it off.
pub const fn is_routine(event: &SwarmEvent<BehaviourEvent>) -> bool {
    matches!(
        event,
        SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { result: Ok(_), .. }))
    )
}

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// When the first of everything that waits is due.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let by_protocols = self.swarm.behaviour().gate.under_way();
        let is_looking = self.begun_next(by_protocols) > 0;
        let is_connected = |id: &_| self.peers.contains(id);
        let looks_around = self.config.discovery && self.looked_for() > 0;
        let all = [
            self.exchange.due(),
            self.peers.silent_at(self.pace.silence),
            self.partings.due(),
            self.probing.due(now),
            self.dialer.due_at(is_connected, is_looking),
            looks_around.then_some(self.look_around.next_at),
        ];
        all.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{IDLE, RESOLUTION, Upkeep};

    #[test]
    fn what_waits_is_looked_after_when_it_is_due_but_not_more_often_than_the_resolution() {
        let now = Instant::now();
        let mut upkeep = Upkeep::new(now);
        assert_eq!(upkeep.next_at(), now);
        for (due_ms, next_ms) in [(0, 100), (30, 100), (100, 100), (437, 437), (60_000, 1_000)] {
            upkeep.looked(now, Some(now + Duration::from_millis(due_ms)));
            assert_eq!(upkeep.next_at(), now + Duration::from_millis(next_ms));
        }
        upkeep.looked(now + IDLE, Some(now));
        assert_eq!(upkeep.next_at(), now + IDLE + RESOLUTION);
    }

    #[test]
    fn nothing_that_waits_leaves_the_task_in_peace_until_something_changes() {
        let now = Instant::now();
        let mut upkeep = Upkeep::new(now);
        upkeep.looked(now, None);
        assert_eq!(upkeep.next_at(), now + IDLE);
        upkeep.changed();
        assert_eq!(upkeep.next_at(), now + RESOLUTION);
        upkeep.changed();
        assert_eq!(upkeep.next_at(), now + RESOLUTION);
    }
}
