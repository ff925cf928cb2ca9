//! Addresses: what may stand in a configuration, what is told to others, what
//! is believed of others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Why a text is not an address to dial.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an address to dial; write `host:port`, `[ipv6]:port` or a multiaddr such as /ip4/10.0.0.1/tcp/9000"
)]
pub struct AddressError {
    text: String,
}

/// Addresses believed of one peer.
pub const PER_PEER_MAX: usize = 4;

/// Reads `ip:port`, `[ipv6]:port`, `host:port` or a multiaddr with a TCP port.
///
/// # Errors
/// When the text is none of these.
pub fn parse(text: &str) -> Result<Multiaddr, AddressError> {
    let refused = || AddressError {
        text: text.to_owned(),
    };
    if text.starts_with('/') {
        let address: Multiaddr = text.parse().map_err(|_| refused())?;
        let has_tcp = address
            .iter()
            .any(|part| matches!(part, Protocol::Tcp(1..)));
        return if has_tcp { Ok(address) } else { Err(refused()) };
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return if socket.port() == 0 {
            Err(refused())
        } else {
            Ok(from_socket(socket))
        };
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
    let port = port
        .parse::<u16>()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(refused)?;
    if host.is_empty() || host.contains([':', '/', ' ']) {
        return Err(refused());
    }
    Ok(Multiaddr::empty()
        .with(Protocol::Dns(host.into()))
        .with(Protocol::Tcp(port)))
}

/// The multiaddr of a TCP socket.
pub fn from_socket(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

/// The TCP socket at the head of a multiaddr, when its host is numeric.
pub fn to_socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// Splits a trailing peer id off.
pub fn split_peer_id(mut address: Multiaddr) -> (Multiaddr, Option<PeerId>) {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            (address, Some(peer))
        }
        _ => (address, None),
    }
}

/// How a peer's end is shown: `ip:port` where it is TCP.
pub fn display(address: &Multiaddr) -> String {
    to_socket(address).map_or_else(|| address.to_string(), |socket| socket.to_string())
}

/// Of the addresses a peer tells, those worth dialling: plain TCP, and none
/// that means another machine to us than to the peer. A peer on loopback may
/// tell loopback addresses, nobody else; link-local ones need a zone and are
/// left out.
pub fn believable(told: &[Multiaddr], seen_at: Option<IpAddr>) -> Vec<Multiaddr> {
    let peer_is_here = seen_at.is_some_and(|ip| ip.is_loopback());
    let mut kept = BTreeSet::new();
    for address in told.iter().take(4 * PER_PEER_MAX) {
        let Some(socket) = to_socket(address) else {
            continue;
        };
        let ip = socket.ip();
        let fits = !ip.is_unspecified()
            && !ip.is_multicast()
            && !is_link_local(ip)
            && socket.port() != 0
            && (!ip.is_loopback() || peer_is_here);
        if fits && kept.len() < PER_PEER_MAX {
            kept.insert(socket);
        }
    }
    kept.into_iter().map(from_socket).collect()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Finds out which of our addresses to tell others.
///
/// Listening on every interface says nothing about which of them the others
/// can reach (a container has loopback, a host has bridges), so an address is
/// told only when peers say they see us there: at once when it is one of our
/// own interfaces, else after two peers agree.
#[derive(Debug)]
pub struct Advertised {
    /// The configured or only possible address.
    fixed: Option<IpAddr>,
    port: u16,
    own: BTreeSet<IpAddr>,
    observers: BTreeMap<IpAddr, BTreeSet<PeerId>>,
    told: BTreeSet<IpAddr>,
}

/// Addresses under observation; peers could invent any number.
const OBSERVED_MAX: usize = 32;
/// Peers that must agree on an address that is none of our interfaces'.
const OBSERVERS_MIN: usize = 2;
/// Addresses told to others.
const TOLD_MAX: usize = 4;

impl Advertised {
    /// What follows from the configuration alone.
    pub fn new(listen: IpAddr, advertise: Option<IpAddr>) -> Self {
        let fixed = advertise.or(if listen.is_unspecified() {
            None
        } else {
            Some(listen)
        });
        Self {
            fixed,
            port: 0,
            own: BTreeSet::new(),
            observers: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Notes an address that is listened on; returns one to tell from now on.
    pub fn on_listening(&mut self, socket: SocketAddr) -> Option<Multiaddr> {
        self.port = socket.port();
        self.own.insert(socket.ip());
        self.fixed.and_then(|ip| self.tell(ip))
    }

    /// Notes where `observer` sees us; returns an address to tell from now on.
    pub fn on_observed(&mut self, ip: IpAddr, observer: PeerId) -> Option<Multiaddr> {
        if self.fixed.is_some() || self.port == 0 || self.told.contains(&ip) || ip.is_unspecified()
        {
            return None;
        }
        if self.own.contains(&ip) {
            return self.tell(ip);
        }
        if self.observers.len() >= OBSERVED_MAX && !self.observers.contains_key(&ip) {
            self.observers.pop_first();
        }
        let observers = self.observers.entry(ip).or_default();
        observers.insert(observer);
        if observers.len() < OBSERVERS_MIN {
            return None;
        }
        self.observers.remove(&ip);
        self.tell(ip)
    }

    fn tell(&mut self, ip: IpAddr) -> Option<Multiaddr> {
        let is_new = self.told.len() < TOLD_MAX && self.told.insert(ip);
        is_new.then(|| from_socket(SocketAddr::new(ip, self.port)))
    }
}

#[cfg(test)]
mod tests;
