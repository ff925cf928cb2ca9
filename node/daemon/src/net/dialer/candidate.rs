//! A peer known by its id, and which of many to dial first. Pure.

use std::collections::BTreeMap;

use ipnet::IpNet;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use super::Motive;
use super::backoff::Backoff;
use crate::net::dice::Dice;
use crate::net::{addresses, places};

/// A peer known by its id.
#[derive(Debug)]
pub struct Candidate {
    addresses: Vec<Multiaddr>,
    /// Of its first address; who tells of any address still has few of its own.
    host: Option<IpNet>,
    /// Known only because it came in.
    pub came_in: bool,
    /// Dialled even when enough peers are connected.
    pub is_wanted_back: bool,
    /// Why it was dialled last.
    pub motive: Motive,
    /// When it is dialled next.
    pub backoff: Backoff,
}

impl Candidate {
    /// A peer whose address is still to be told.
    pub const fn new(came_in: bool, backoff: Backoff) -> Self {
        Self {
            addresses: Vec::new(),
            host: None,
            came_in,
            is_wanted_back: false,
            motive: Motive::Choice,
            backoff,
        }
    }

    /// Notes where it listens.
    pub fn is_at(&mut self, addresses: Vec<Multiaddr>) {
        let socket = addresses.first().and_then(addresses::to_socket);
        self.host = socket.map(|socket| places::host(socket.ip()));
        self.addresses = addresses;
    }

    /// Whether it is being dialled by our own choice.
    pub fn is_looked_for(&self) -> bool {
        self.backoff.is_dialling && self.motive != Motive::Return
    }

    /// How to dial it.
    pub fn options(&self, peer: PeerId) -> DialOpts {
        DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(self.addresses.clone())
            .build()
    }
}

/// Those that are not connected, in the order in which to dial them; where no
/// peers are looked for, those alone that are wanted back.
///
/// Who came in by itself stands last, and among equals each host has its turn,
/// those first where fewest are connected: an attacker with many names and few
/// hosts gets no more of our dials than others.
pub fn ranked(
    candidates: &BTreeMap<PeerId, Candidate>,
    is_connected: impl Fn(&PeerId) -> bool,
    is_looking: bool,
    dice: &mut Dice,
) -> Vec<PeerId> {
    let away = candidates.iter().filter(|(peer, _)| !is_connected(peer));
    if !is_looking {
        let wanted = away.filter(|(_, one)| one.is_wanted_back);
        return wanted.map(|(peer, _)| *peer).collect();
    }
    let mut taken = BTreeMap::<Option<IpNet>, usize>::new();
    let here = candidates.iter().filter(|(peer, _)| is_connected(peer));
    for (_, one) in here {
        *taken.entry(one.host).or_default() += 1;
    }
    let mut drawn: Vec<_> = away
        .map(|(peer, one)| (one.came_in, dice.number(), peer, one.host))
        .collect();
    drawn.sort_unstable_by_key(|(came_in, number, ..)| (*came_in, *number));
    let mut turns: Vec<_> = drawn
        .into_iter()
        .map(|(came_in, _, peer, host)| {
            let turn = taken.entry(host).or_default();
            *turn += 1;
            (came_in, *turn, *peer)
        })
        .collect();
    turns.sort_by_key(|(came_in, turn, _)| (*came_in, *turn));
    turns.into_iter().map(|(_, _, peer)| peer).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn candidate(host: u8, came_in: bool) -> (PeerId, Candidate) {
        let second = Duration::from_secs(1);
        let backoff = Backoff::new(Instant::now(), second, second);
        let mut candidate = Candidate::new(came_in, backoff);
        let address = format!("/ip4/10.0.0.{host}/tcp/9000");
        candidate.is_at(vec![address.parse().expect("a multiaddr")]);
        (PeerId::random(), candidate)
    }

    #[test]
    fn one_host_with_many_names_gets_one_turn_in_every_round() {
        let mut all: BTreeMap<_, _> = (0..200).map(|_| candidate(66, false)).collect();
        let others: Vec<_> = (1..=5).map(|host| candidate(host, false)).collect();
        let honest: Vec<PeerId> = others.iter().map(|(peer, _)| *peer).collect();
        all.extend(others);
        for seed in 0..20 {
            let first = ranked(&all, |_| false, true, &mut Dice::new(seed));
            assert_eq!(first.len(), all.len());
            let found = first[..6].iter().filter(|peer| honest.contains(peer));
            assert_eq!(found.count(), honest.len(), "seed {seed}");
        }
    }

    #[test]
    fn hosts_that_hold_connections_stand_behind_those_that_hold_none() {
        let (there, held) = candidate(1, false);
        let (same_host, second) = candidate(1, false);
        let (elsewhere, other) = candidate(2, false);
        let all = BTreeMap::from([(there, held), (same_host, second), (elsewhere, other)]);
        for seed in 0..20 {
            let order = ranked(&all, |peer| *peer == there, true, &mut Dice::new(seed));
            assert_eq!(order, [elsewhere, same_host], "seed {seed}");
        }
    }

    #[test]
    fn who_came_in_by_itself_stands_last() {
        let (guest, came) = candidate(1, true);
        let mut all: BTreeMap<_, _> = (0..9).map(|_| candidate(2, false)).collect();
        all.insert(guest, came);
        let order = ranked(&all, |_| false, true, &mut Dice::new(1));
        assert_eq!(order.last(), Some(&guest));
    }

    #[test]
    fn where_nobody_is_looked_for_only_those_wanted_back_remain() {
        let (lost, mut wanted) = candidate(1, true);
        wanted.is_wanted_back = true;
        let (known, other) = candidate(2, false);
        let all = BTreeMap::from([(lost, wanted), (known, other)]);
        let order = ranked(&all, |_| false, false, &mut Dice::new(1));
        assert_eq!(order, [lost]);
    }
}
