//! Where a connection comes from, and whose place goes to whom. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address, or in IPv6 all that one customer has.
    pub host: IpNet,
    /// About what one provider has.
    pub net: IpNet,
}

/// Bits that tell hosts apart, in IPv4 and IPv6.
const HOST_BITS: (u8, u8) = (32, 64);
/// Bits that tell networks apart.
const NET_BITS: (u8, u8) = (16, 32);

impl Origin {
    /// Of the other end; all that is no TCP counts as one.
    pub fn of(remote: Option<SocketAddr>) -> Self {
        let ip = remote.map_or(Ipv4Addr::UNSPECIFIED.into(), |socket| socket.ip());
        Self {
            host: within(ip, HOST_BITS),
            net: within(ip, NET_BITS),
        }
    }
}

/// What counts as the same host as this address.
pub fn host(ip: IpAddr) -> IpNet {
    within(ip, HOST_BITS)
}

fn within(ip: IpAddr, (v4, v6): (u8, u8)) -> IpNet {
    let ip = ip.to_canonical();
    let bits = if ip.is_ipv4() { v4 } else { v6 };
    IpNet::new(ip, bits).map_or(ip.into(), |net| net.trunc())
}

/// Which of the places, named in the order they were taken, goes to a newcomer;
/// none where that would make nothing fairer. Networks count first, then hosts
/// within one; the youngest leaves, for who has stayed long is known to be of
/// use.
pub fn yields<K: Copy + Ord>(
    places: impl Iterator<Item = (K, Origin)>,
    newcomer: Origin,
) -> Option<K> {
    let places: Vec<_> = places.collect();
    let nets = counts(places.iter().map(|(_, origin)| origin.net));
    let crowded = most(&nets)?;
    let is_foreign = is_fairer(&nets, &crowded, &newcomer.net);
    let net = if is_foreign { crowded } else { newcomer.net };
    let inside = places.iter().filter(|(_, origin)| origin.net == net);
    let hosts = counts(inside.clone().map(|(_, origin)| origin.host));
    let host = most(&hosts)?;
    if !is_foreign && !is_fairer(&hosts, &host, &newcomer.host) {
        return None;
    }
    let inside = inside.filter(|(_, origin)| origin.host == host);
    inside.map(|(place, _)| *place).max()
}

fn counts(all: impl Iterator<Item = IpNet>) -> BTreeMap<IpNet, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

fn most(counts: &BTreeMap<IpNet, usize>) -> Option<IpNet> {
    let most = counts.iter().max_by_key(|(_, count)| **count);
    most.map(|(one, _)| *one)
}

/// Whether `from` would not have fewer than `to` afterwards.
fn is_fairer(counts: &BTreeMap<IpNet, usize>, from: &IpNet, to: &IpNet) -> bool {
    let count = |one| counts.get(one).copied().unwrap_or_default();
    count(from) >= count(to) + 2
}

#[cfg(test)]
mod tests {
    use super::{Origin, host, yields};

    fn from(ip: &str) -> Origin {
        Origin::of(Some(format!("{ip}:9").parse().expect("a socket")))
    }

    /// Whose place a newcomer takes, by the order they came in.
    fn taken(places: &[&str], newcomer: &str) -> Option<usize> {
        let places = places.iter().map(|ip| from(ip)).enumerate();
        yields(places, from(newcomer))
    }

    #[test]
    fn youngest_of_the_host_with_most_makes_room_for_another_host() {
        let places = ["10.0.0.1", "10.0.0.9", "10.0.0.9", "10.0.0.2", "10.0.0.9"];
        assert_eq!(taken(&places, "10.0.0.3"), Some(4));
        assert_eq!(taken(&places, "10.0.0.1"), Some(4));
        assert_eq!(taken(&places, "10.0.0.9"), None);
    }

    #[test]
    fn network_on_one_host_or_with_one_place_for_each_is_left_alone() {
        assert_eq!(taken(&["127.0.0.1"; 5], "127.0.0.1"), None);
        let each = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        assert_eq!(taken(&each, "10.0.0.4"), None);
        assert_eq!(taken(&[], "10.0.0.4"), None);
    }

    #[test]
    fn who_owns_a_network_of_addresses_counts_as_one() {
        let many: Vec<String> = (1..9).map(|last| format!("10.0.0.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(taken(&many, "192.0.2.1"), Some(7));
        let both = ["10.0.0.1", "10.0.0.2", "192.0.2.1"];
        assert_eq!(taken(&both, "192.0.2.2"), None);
    }

    #[test]
    fn one_customer_of_ipv6_is_one_host() {
        let of = |text: &str| host(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
