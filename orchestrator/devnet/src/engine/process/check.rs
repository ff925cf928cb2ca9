//! What could keep processes from working here, and which loopback addresses
//! are free.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use devnet_blueprint::Subnet;
use minichain_api::port;

use super::procfs;
use crate::engine::{Check, CheckStatus, EngineError, ErrorKind};

/// Ports of every node.
const PORTS: [u16; 3] = [port::P2P, port::RPC, port::METRICS];
/// Loopback blocks are taken from here on; 127.0.0.0/24 is everybody's.
const FIRST_BLOCK: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 0);
/// Blocks looked at before giving up: whatever listens on every address makes
/// all of them look alike.
const BLOCKS_TRIED_MAX: usize = 128;

/// A block of loopback addresses for so many nodes: none of `taken`, and with
/// nothing that listens on the nodes' ports. The search begins at a place that
/// follows from `number`.
pub fn free_block(number: u64, nodes: u32, taken: &[Subnet]) -> Result<Subnet, EngineError> {
    let action = "cannot find free loopback addresses";
    let prefix = Subnet::prefix_for(nodes).ok_or_else(|| {
        EngineError::new(
            ErrorKind::Refused,
            action,
            format!("{nodes} nodes are too many"),
        )
    })?;
    let mut occupied = None;
    for block in blocks(number, prefix).take(BLOCKS_TRIED_MAX) {
        if taken.iter().any(|other| other.overlaps(block)) {
            continue;
        }
        match occupied_in(block, nodes) {
            Ok(None) => return Ok(block),
            Ok(Some(address)) => occupied = Some(address),
            Err(error) => {
                return Err(
                    EngineError::new(ErrorKind::Unsupported, action, error).remedy(
                        "The process engine needs Linux, where all of 127.0.0.0/8 is local; use \
                     `--engine docker` elsewhere.",
                    ),
                );
            }
        }
    }
    Err(match occupied {
        Some(address) => port_occupied(action, address),
        None => EngineError::new(
            ErrorKind::Refused,
            action,
            "other networks hold all of them",
        )
        .remedy("`devnet ls` lists them, `devnet down --name NAME` removes one."),
    })
}

fn port_occupied(action: &str, address: SocketAddrV4) -> EngineError {
    let port = address.port();
    EngineError::new(
        ErrorKind::PortOccupied,
        action,
        format!("port {port} is occupied on every address tried, {address} the last of them"),
    )
    .remedy(format!(
        "A program seems to listen on 0.0.0.0:{port}; `ss -ltnp 'sport = :{port}'` names it. End \
         it, or use `--engine docker`, which publishes other ports."
    ))
}

/// Blocks of this size from [`FIRST_BLOCK`] on, the one numbered `number` first.
fn blocks(number: u64, prefix: u8) -> impl Iterator<Item = Subnet> {
    let size = 1_u32 << (32 - u32::from(prefix));
    let first = u32::from(FIRST_BLOCK);
    let count = (u32::from(Ipv4Addr::new(127, 255, 0, 0)) - first) / size;
    (0..count).filter_map(move |step| {
        let at = u32::try_from((number + u64::from(step)) % u64::from(count)).ok()?;
        Subnet::new(Ipv4Addr::from(first + at * size), prefix).ok()
    })
}

/// The first address on which something listens that a node would need.
fn occupied_in(block: Subnet, nodes: u32) -> io::Result<Option<SocketAddrV4>> {
    for ip in (0..nodes).filter_map(|slot| block.node_address(slot)) {
        for port in PORTS {
            let address = SocketAddrV4::new(ip, port);
            match TcpListener::bind(address) {
                Ok(_freed_at_once) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Ok(Some(address));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

/// Looks at this host.
pub fn checks() -> Vec<Check> {
    vec![process_table(), loopback()]
}

fn process_table() -> Check {
    let own = i32::try_from(std::process::id())
        .ok()
        .and_then(procfs::life);
    let (status, detail, remedy) = match own {
        Some(_) => (CheckStatus::Ok, "/proc is readable", ""),
        None => (
            CheckStatus::Fail,
            "/proc is not readable",
            "The process engine needs Linux with /proc mounted; use `--engine docker`.",
        ),
    };
    check("process table", status, detail, remedy)
}

fn loopback() -> Check {
    const NODES: u32 = 20;
    match free_block(0, NODES, &[]) {
        Ok(block) => {
            let detail = format!("{block} is free, ports {} to {}", PORTS[0], PORTS[2]);
            check("loopback addresses", CheckStatus::Ok, &detail, "")
        }
        Err(error) => check(
            "loopback addresses",
            CheckStatus::Fail,
            &error.detail,
            &error.remedy,
        ),
    }
}

fn check(name: &str, status: CheckStatus, detail: &str, remedy: &str) -> Check {
    Check {
        name: name.into(),
        status,
        detail: detail.into(),
        remedy: remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Away from where networks of this host are likely to be.
    const NUMBER: u64 = 7_777;

    #[test]
    fn a_free_block_is_loopback_and_none_of_those_taken() {
        let first = free_block(NUMBER, 3, &[]).expect("an idle host");
        assert!(first.base().is_loopback());
        let second = free_block(NUMBER, 3, &[first]).expect("an idle host");
        assert!(!second.overlaps(first));
    }

    #[test]
    fn a_block_in_which_something_listens_is_passed_over() {
        let free = free_block(NUMBER, 3, &[]).expect("an idle host");
        let ip = free.node_address(1).expect("three fit");
        let _listener = TcpListener::bind((ip, port::RPC)).expect("it was free");
        let next = free_block(NUMBER, 3, &[]).expect("an idle host");
        assert!(!next.overlaps(free), "{next} holds the occupied {ip}");
    }

    #[test]
    fn many_nodes_get_a_larger_block() {
        assert_eq!(
            free_block(NUMBER, 300, &[]).expect("an idle host").prefix(),
            23
        );
        assert!(free_block(NUMBER, 70_000, &[]).is_err());
    }

    #[test]
    fn an_occupied_port_is_named_with_the_command_that_finds_its_owner() {
        let address = SocketAddrV4::new(Ipv4Addr::new(127, 77, 0, 10), 9001);
        let error = port_occupied("cannot start", address);
        assert_eq!(error.kind, ErrorKind::PortOccupied);
        assert!(error.to_string().contains("0.0.0.0:9001"), "{error}");
    }
}
