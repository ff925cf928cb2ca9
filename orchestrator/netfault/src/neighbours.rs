//! Neighbours that the kernel knows for good.
//!
//! It remembers, of all network namespaces together, no more neighbours than
//! `net.ipv4.neigh.default.gc_thresh3` (1,024), which a mesh of thirty containers
//! fills; then nobody on the host is reached any more. Those that were told to it
//! do not count (since Linux 5.0), and need not be asked for.

use std::fs;
use std::net::Ipv4Addr;

use devnet_netfault::wire::{Failure, Meeting, NEIGHBOURS_MAX, Why};
use devnet_netfault::{hardware_address, written};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use crate::netlink::{change_each, explain};

/// What engines call a container's only interface.
const INTERFACE: &str = "eth0";

/// Words, flags and fields of `include/uapi/linux/neighbour.h` and
/// `rtnetlink.h`.
const NEW_NEIGHBOUR: u16 = 28;
const CREATE_OR_REPLACE: u16 = 0x400 | 0x100;
const STATE_PERMANENT: u16 = 0x80;
const DESTINATION: u16 = 1;
const LINK_LAYER_ADDRESS: u16 = 2;

/// Makes the others known.
///
/// # Errors
/// The interface has another hardware address than it should; the kernel refuses.
pub fn meet(meeting: &Meeting) -> Result<(), Failure> {
    if meeting.others.len() > NEIGHBOURS_MAX {
        let detail = format!("more than {NEIGHBOURS_MAX} neighbours");
        return Err(Failure::new(Why::BadCommand, detail));
    }
    must_be(meeting.own)?;
    let index = index().map_err(|error| explain("looking for the interface", error))?;
    change_each(
        NEW_NEIGHBOUR,
        CREATE_OR_REPLACE,
        &meeting.others,
        |writer, other| {
            writer.fields(&index.to_ne_bytes());
            writer.fields(&STATE_PERMANENT.to_ne_bytes());
            writer.fields(&[0, 0]);
            writer.bytes(DESTINATION, &other.octets());
            writer.bytes(LINK_LAYER_ADDRESS, &hardware_address(*other));
        },
    )
    .map_err(|error| match error {
        Errno::PERM => Failure::new(Why::NotPermitted, "making neighbours known"),
        error => Failure::new(Why::Kernel, format!("making neighbours known: {error}")),
    })
}

fn index() -> Result<u32, Errno> {
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    netdevice::name_to_index(any, INTERFACE)
}

/// Refuses where the hardware address does not follow from the IP address.
fn must_be(own: Ipv4Addr) -> Result<(), Failure> {
    let path = format!("/sys/class/net/{INTERFACE}/address");
    let found = fs::read_to_string(&path)
        .map_err(|error| Failure::new(Why::Kernel, format!("reading {path}: {error}")))?;
    let (found, wanted) = (found.trim(), written(hardware_address(own)));
    if found == wanted {
        return Ok(());
    }
    let detail = format!("{INTERFACE} of {own} has the hardware address {found}, not {wanted}");
    Err(Failure::new(Why::Foreign, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_with_another_address_is_left_alone() {
        let meeting = |others| Meeting {
            own: Ipv4Addr::new(10, 255, 254, 253),
            others,
        };
        let refused = meet(&meeting(vec![Ipv4Addr::new(10, 255, 254, 252)])).unwrap_err();
        assert!(
            matches!(refused.why, Why::Foreign | Why::Kernel),
            "{refused:?}"
        );
        let many = vec![Ipv4Addr::LOCALHOST; NEIGHBOURS_MAX + 1];
        assert_eq!(meet(&meeting(many)).unwrap_err().why, Why::BadCommand);
    }
}
