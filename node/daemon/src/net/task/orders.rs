//! What the operator wants, done.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};

use super::super::addresses::split_peer_id;
use super::super::bans::{Ban, Bans, Subject};
use super::super::dialer;
use super::super::operator::{Order, Refusal, Until, Whom, Wish};
use super::{Delivery, Task, unix_s};

/// Dials under way by the operator's word.
pub type Tries = BTreeSet<ConnectionId>;

impl<E: From<Delivery> + Send + 'static> Task<E> {
    pub(super) fn on_order(&mut self, order: Order) {
        self.upkeep.changed();
        // Whoever asked may have gone meanwhile.
        let _unheard = match order {
            Order::Wish(wish, reply) => {
                tracing::debug!(?wish, "asked by the operator");
                let answer = self.grant(wish);
                reply.send(answer).is_err()
            }
            Order::ListBans(reply) => {
                let bans = self.bans();
                bans.sweep(unix_s());
                reply.send(bans.iter().copied().collect()).is_err()
            }
        };
    }

    fn grant(&mut self, wish: Wish) -> Result<(), Refusal> {
        match wish {
            Wish::Try(address) => self.try_once(address),
            Wish::Add(address) => {
                let there = self.peers.at(&split_peer_id(address.clone()).0);
                let there = there.first().copied();
                self.dialer.add(address, there, Instant::now())
            }
            Wish::Remove(address) => self.dialer.remove_edge(&address),
            Wish::Disconnect(whom) => self.dismiss(&whom),
            Wish::Ban { subject, until } => self.ban(subject, until),
            Wish::Unban(subject) => {
                self.bans().sweep(unix_s());
                if !self.bans().remove(&subject) {
                    return Err(Refusal::NotBanned);
                }
                self.save_bans()
            }
            Wish::ClearBans => {
                self.bans().clear();
                self.save_bans()
            }
        }
    }

    /// Dials where nobody known is connected. A second connection to a peer
    /// would look like one that replaces a dead one.
    fn try_once(&mut self, address: Multiaddr) -> Result<(), Refusal> {
        let (address, peer) = split_peer_id(address);
        let gate = &self.swarm.behaviour().gate;
        if gate.bars(peer.as_ref(), Some(&address)) {
            return Err(Refusal::Banned);
        }
        let is_there = match peer {
            Some(peer) => self.peers.contains(&peer),
            None => !self.peers.at(&address).is_empty(),
        };
        if is_there {
            return Ok(());
        }
        let options = match peer {
            Some(peer) => {
                self.forgive(&peer);
                DialOpts::peer_id(peer)
                    .condition(PeerCondition::Disconnected)
                    .addresses(vec![address])
                    .build()
            }
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        let connection = options.connection_id();
        let dialled = self.dial_out(options);
        dialled.map_err(|error| Refusal::NotDialled(dialer::cause(&error)))?;
        self.tries.insert(connection);
        Ok(())
    }

    /// A dial failed, perhaps the operator's.
    pub(super) fn on_try_failed(&mut self, connection: ConnectionId, error: &DialError) {
        if self.tries.remove(&connection) {
            let error = dialer::cause(error);
            tracing::info!(%error, "the peer the operator named was not reached");
        }
    }

    /// Closes all connections to peers; we do not dial them again by ourselves
    /// unless they are configured or added.
    fn dismiss(&mut self, whom: &Whom) -> Result<(), Refusal> {
        let found: Vec<PeerId> = match whom {
            Whom::Number(number) => self.peers.id(*number).into_iter().collect(),
            Whom::Id(id) => vec![*id],
            Whom::Address(address) => {
                let (address, id) = split_peer_id(address.clone());
                let mut at = self.peers.at(&address);
                at.retain(|found| id.is_none_or(|id| id == *found));
                at
            }
        };
        let mut is_any = false;
        for id in found {
            is_any |= self.send_off(id);
        }
        if is_any {
            Ok(())
        } else {
            Err(Refusal::NotConnected)
        }
    }

    fn ban(&mut self, subject: Subject, until: Until) -> Result<(), Refusal> {
        let now_unix_s = unix_s();
        let until_unix_s = match until {
            Until::InSeconds(seconds) => now_unix_s.saturating_add(seconds),
            Until::UnixSeconds(end) => end,
        };
        if until_unix_s <= now_unix_s {
            return Err(Refusal::Past);
        }
        let bans = self.bans();
        bans.sweep(now_unix_s);
        if bans.covers(&subject) {
            return Err(Refusal::AlreadyBanned);
        }
        let ban = Ban {
            subject,
            created_unix_s: now_unix_s,
            until_unix_s,
        };
        bans.insert(ban).map_err(|_full| Refusal::TooManyBans)?;
        tracing::info!(%subject, until_unix_s, "banned");
        let banned: Vec<PeerId> = match subject {
            Subject::Peer(peer) => vec![peer],
            Subject::Net(net) => {
                let is_banned = |ip: IpAddr| net.contains(&ip.to_canonical());
                self.peers.seen_within(is_banned)
            }
        };
        for id in banned {
            self.book.remove(&id);
            if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
                kad.inner.remove_peer(&id);
            }
            self.send_off(id);
        }
        self.save_bans()
    }

    /// Closes all connections to a peer for good; whether there were any.
    fn send_off(&mut self, id: PeerId) -> bool {
        self.dialer.remove(&id);
        let is_connected = self.peers.contains(&id);
        if is_connected {
            self.partings.dismissed(id);
            // Fails only when the peer is gone already.
            let _gone = self.swarm.disconnect_peer_id(id);
        }
        is_connected
    }

    pub(super) fn bans(&mut self) -> &mut Bans {
        &mut self.swarm.behaviour_mut().gate.bans
    }

    fn save_bans(&mut self) -> Result<(), Refusal> {
        let saved = self.bans().save();
        saved.map_err(|error| Refusal::NotSaved(error.to_string()))
    }
}
