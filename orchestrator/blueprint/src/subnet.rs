//! An IPv4 subnet and the addresses a devnet uses in it.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// An IPv4 network such as `172.30.5.0/24`. Invariant: no host bits set, prefix
/// between [`Subnet::PREFIX_MIN`] and [`Subnet::PREFIX_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    base: Ipv4Addr,
    prefix: u8,
}

/// Why a text or pair is not a usable subnet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubnetError {
    /// Not of the form `a.b.c.d/n`.
    #[error("`{0}` is not a subnet; write it like 172.30.5.0/24")]
    Form(String),
    /// Larger or smaller than a devnet can use.
    #[error(
        "a /{0} subnet cannot be used; choose from /{min} (large) to /{max} (small)",
        min = Subnet::PREFIX_MIN,
        max = Subnet::PREFIX_MAX
    )]
    Prefix(u8),
    /// Bits are set beyond the prefix.
    #[error("{given} has bits set beyond its prefix; did you mean {meant}?")]
    HostBits {
        /// What was given.
        given: String,
        /// The subnet it lies in.
        meant: Subnet,
    },
}

impl Subnet {
    /// The largest subnet: 65,536 addresses.
    pub const PREFIX_MIN: u8 = 16;
    /// The smallest subnet: 16 addresses.
    pub const PREFIX_MAX: u8 = 28;
    /// Offset of the first node's address; those below are left to the gateway
    /// and to helpers beside the nodes.
    pub const FIRST_NODE: u32 = 10;

    /// A subnet from its first address and prefix length.
    ///
    /// # Errors
    /// The prefix is out of range, or `base` is not the first address.
    pub fn new(base: Ipv4Addr, prefix: u8) -> Result<Self, SubnetError> {
        if !(Self::PREFIX_MIN..=Self::PREFIX_MAX).contains(&prefix) {
            return Err(SubnetError::Prefix(prefix));
        }
        let size = 1_u32 << (32 - prefix);
        let first = Ipv4Addr::from(u32::from(base) & !(size - 1));
        if first == base {
            Ok(Self { base, prefix })
        } else {
            let meant = Self {
                base: first,
                prefix,
            };
            Err(SubnetError::HostBits {
                given: format!("{base}/{prefix}"),
                meant,
            })
        }
    }

    /// First address, which names the network.
    pub const fn base(self) -> Ipv4Addr {
        self.base
    }

    /// Length of the prefix in bits.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Address of the gateway: the one after the base.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.base) + 1)
    }

    /// Nodes that find an address here.
    pub const fn node_capacity(self) -> u32 {
        // The last address is the broadcast one.
        self.size() - Self::FIRST_NODE - 1
    }

    /// Address of the node in `slot`, counted from 0; `None` beyond the
    /// capacity.
    pub fn node_address(self, slot: u32) -> Option<Ipv4Addr> {
        (slot < self.node_capacity())
            .then(|| Ipv4Addr::from(u32::from(self.base) + Self::FIRST_NODE + slot))
    }

    /// The slot whose address this is, where it is a node's address.
    pub fn slot_of(self, address: Ipv4Addr) -> Option<u32> {
        let offset = u32::from(address).checked_sub(u32::from(self.base))?;
        let slot = offset.checked_sub(Self::FIRST_NODE)?;
        (slot < self.node_capacity()).then_some(slot)
    }

    /// Whether the address lies in this subnet.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & !(self.size() - 1) == u32::from(self.base)
    }

    /// Whether any address lies in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.base) || other.contains(self.base)
    }

    /// The longest prefix from /24 to /16 with room for so many nodes; `None`
    /// where even /16 is too small.
    pub fn prefix_for(nodes: u32) -> Option<u8> {
        (Self::PREFIX_MIN..=24)
            .rev()
            .find(|prefix| (1_u32 << (32 - prefix)) - Self::FIRST_NODE > nodes)
    }

    const fn size(self) -> u32 {
        1 << (32 - self.prefix)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let form = || SubnetError::Form(text.into());
        let (base, prefix) = text.split_once('/').ok_or_else(form)?;
        let base = base.parse().map_err(|_| form())?;
        let prefix = prefix.parse().map_err(|_| form())?;
        Self::new(base, prefix)
    }
}

impl Serialize for Subnet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subnet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
