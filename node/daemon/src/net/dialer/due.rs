//! Who is dialled now, and when to ask again. Pure.

use std::time::Instant;

use libp2p::PeerId;
use libp2p::swarm::dial_opts::DialOpts;

use super::candidate::ranked;
use super::{Aim, DIALLING_MAX, Dialer, Motive, WANTED_BACK_MAX};

impl Dialer {
    /// Whom to dial now, given who is connected and how many more peers may be
    /// dialled to have enough. Every attempt's end must be told.
    pub fn due(
        &mut self,
        now: Instant,
        is_connected: impl Fn(&PeerId) -> bool,
        looked_for: usize,
    ) -> Vec<DialOpts> {
        let mut dials = Vec::new();
        for edge in &mut self.edges {
            if edge.peer.is_some_and(|peer| is_connected(&peer)) {
                edge.backoff.rest(now);
            } else if !edge.is_self && edge.backoff.begin(now) {
                let options = edge.options();
                self.in_flight
                    .insert(options.connection_id(), Aim::Edge(edge.number));
                dials.push(options);
            }
        }
        self.due_known(now, is_connected, looked_for, &mut dials);
        dials
    }

    /// When the first of those waits is over that [`Self::due`] looks at, given
    /// whether peers are looked for.
    pub fn due_at(
        &self,
        is_connected: impl Fn(&PeerId) -> bool,
        is_looking: bool,
    ) -> Option<Instant> {
        let edges = self.edges.iter().filter(|edge| {
            let is_there = edge.peer.is_some_and(|peer| is_connected(&peer));
            !edge.is_self && !is_there
        });
        let known = self.candidates.iter().filter(|(peer, candidate)| {
            (is_looking || candidate.is_wanted_back) && !is_connected(peer)
        });
        let edges = edges.map(|edge| &edge.backoff);
        let known = known.map(|(_, candidate)| &candidate.backoff);
        let waiting = edges.chain(known).filter(|backoff| !backoff.is_dialling);
        waiting.map(|backoff| backoff.next_at).min()
    }

    fn due_known(
        &mut self,
        now: Instant,
        is_connected: impl Fn(&PeerId) -> bool,
        looked_for: usize,
        dials: &mut Vec<DialOpts>,
    ) {
        let mut places = looked_for.min(DIALLING_MAX.saturating_sub(self.looking()));
        let mut wanted = self.wanted_max.saturating_sub(self.dialling());
        let edges = self.edges.iter();
        let hopeful = edges.filter(|edge| edge.backoff.failures < WANTED_BACK_MAX);
        // Dialled by the address that was configured.
        let at_edges: Vec<PeerId> = hopeful.filter_map(|edge| edge.peer).collect();
        for (_, candidate) in self
            .candidates
            .iter_mut()
            .filter(|(peer, _)| is_connected(peer))
        {
            candidate.is_wanted_back &= !candidate.backoff.rest(now);
        }
        for peer in ranked(&self.candidates, &is_connected, places > 0, &mut self.dice) {
            let Some(candidate) = self.candidates.get_mut(&peer) else {
                continue;
            };
            let may = places > 0 || (candidate.is_wanted_back && wanted > 0);
            if at_edges.contains(&peer) || !may || !candidate.backoff.begin(now) {
                continue;
            }
            candidate.motive = if places == 0 && candidate.came_in {
                Motive::Return
            } else {
                Motive::Choice
            };
            places = places.saturating_sub(1);
            wanted = wanted.saturating_sub(1);
            let options = candidate.options(peer);
            self.in_flight
                .insert(options.connection_id(), Aim::Candidate(peer));
            dials.push(options);
        }
    }
}
