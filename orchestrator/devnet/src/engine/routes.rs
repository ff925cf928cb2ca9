//! Subnets that are in use on this host, and so must not be chosen for a
//! network of ours.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;

use devnet_blueprint::Subnet;

/// Where Linux shows its IPv4 routes.
const ROUTES: &str = "/proc/net/route";

/// A range of addresses in use, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedSubnet {
    /// First address.
    pub base: Ipv4Addr,
    /// Length of the prefix in bits, 0 to 32.
    pub prefix: u8,
    /// Who uses it, such as `docker network bridge` or `route via eth0`.
    pub by: String,
}

impl UsedSubnet {
    /// From a text such as `172.17.0.0/16`; `None` if it is none, or IPv6.
    pub fn parse(text: &str, by: impl Into<String>) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        let base = base.parse().ok()?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Self {
            base,
            prefix,
            by: by.into(),
        })
    }

    /// Whether any address lies in both. A range of all addresses (the default
    /// route) overlaps nothing: it is what is left over by the others.
    pub fn overlaps(&self, subnet: Subnet) -> bool {
        if self.prefix == 0 {
            return false;
        }
        let bits = self.prefix.min(subnet.prefix());
        let mask = u32::MAX << (32 - u32::from(bits));
        (u32::from(self.base) ^ u32::from(subnet.base())) & mask == 0
    }
}

impl fmt::Display for UsedSubnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({})", self.base, self.prefix, self.by)
    }
}

/// Subnets this host has routes to, without the default route; empty where the
/// system shows none in Linux's way.
pub fn host_routes() -> Vec<UsedSubnet> {
    read_routes(Path::new(ROUTES))
}

fn read_routes(path: &Path) -> Vec<UsedSubnet> {
    let Ok(table) = std::fs::read_to_string(path) else {
        return Vec::new();
    };
    table
        .lines()
        .skip(1)
        .filter_map(route)
        .filter(|route| route.prefix > 0)
        .collect()
}

/// One line of the table: interface, destination, …, mask in the eighth
/// column; addresses as hexadecimal words in the host's byte order.
fn route(line: &str) -> Option<UsedSubnet> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let address = |index: usize| {
        let word = u32::from_str_radix(columns.get(index)?, 16).ok()?;
        Some(u32::from_be_bytes(word.to_ne_bytes()))
    };
    let interface = columns.first()?;
    let base = Ipv4Addr::from(address(1)?);
    let mask = address(7)?;
    let prefix = u8::try_from(mask.leading_ones()).ok()?;
    Some(UsedSubnet {
        base,
        prefix,
        by: format!("route via {interface}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
        eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\n\
        eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n\
        docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\n\
        broken line\n";

    #[test]
    fn routes_are_read_and_the_default_route_is_left_out() {
        if cfg!(target_endian = "big") {
            return; // The table above was written on a little-endian host.
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("route");
        std::fs::write(&path, TABLE).unwrap();
        let found: Vec<String> = read_routes(&path).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "10.0.0.0/24 (route via eth0)",
                "172.17.0.0/16 (route via docker0)"
            ]
        );
    }

    #[test]
    fn no_route_table_is_no_route() {
        assert!(read_routes(Path::new("/nonexistent/route")).is_empty());
    }

    #[test]
    fn overlap_is_seen_in_both_directions() {
        let subnet = |text: &str| text.parse::<Subnet>().unwrap();
        let used = |text: &str| UsedSubnet::parse(text, "test").unwrap();
        assert!(used("172.16.0.0/12").overlaps(subnet("172.30.5.0/24")));
        assert!(used("172.30.5.128/32").overlaps(subnet("172.30.5.0/24")));
        assert!(used("172.30.5.0/24").overlaps(subnet("172.30.0.0/16")));
        assert!(!used("172.30.4.0/24").overlaps(subnet("172.30.5.0/24")));
        assert!(!used("0.0.0.0/0").overlaps(subnet("172.30.5.0/24")));
    }

    #[test]
    fn what_is_no_ipv4_subnet_is_not_read() {
        for text in ["", "172.17.0.0", "172.17.0.0/33", "fd00::/64", "x/8"] {
            assert_eq!(UsedSubnet::parse(text, "test"), None, "{text}");
        }
    }
}
