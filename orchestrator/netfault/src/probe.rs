//! TCP connections opened side by side, only to see whether they come about.

use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use devnet_netfault::wire::{Failure, PROBE_MS_MAX, PROBES_MAX, Probe, Probed, Why};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

/// What became of each target, in their order.
///
/// # Errors
/// More targets or a longer time than the bounds allow.
pub fn probe(probe: &Probe) -> Result<Vec<Probed>, Failure> {
    let targets = probe.targets.len();
    if targets > PROBES_MAX || probe.timeout_ms > PROBE_MS_MAX {
        let detail = format!(
            "{targets} probes of {} ms; at most {PROBES_MAX} of {PROBE_MS_MAX} ms are possible",
            probe.timeout_ms
        );
        return Err(Failure::new(Why::BadCommand, detail));
    }
    let limit = Duration::from_millis(probe.timeout_ms);
    let mut attempts: Vec<Attempt> = probe.targets.iter().map(Attempt::begin).collect();
    while wait(&mut attempts, limit) {}
    Ok(attempts.iter().map(Attempt::outcome).collect())
}

enum Attempt {
    Open { socket: OwnedFd, since: Instant },
    Done(Probed),
}

impl Attempt {
    fn begin(target: &SocketAddrV4) -> Self {
        let since = Instant::now();
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let Ok(socket) = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None) else {
            return Self::Done(Probed::Failed);
        };
        // Closing resets the connection, so that nothing of it is left.
        let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        match connect(&socket, target) {
            Err(Errno::INPROGRESS) => Self::Open { socket, since },
            outcome => Self::Done(judge(outcome, since)),
        }
    }

    fn remaining(&self, limit: Duration) -> Option<Duration> {
        match self {
            Self::Open { since, .. } => Some(limit.saturating_sub(since.elapsed())),
            Self::Done(_) => None,
        }
    }

    fn look(&mut self, is_ready: bool, limit: Duration) {
        let Self::Open { socket, since } = self else {
            return;
        };
        if is_ready {
            let outcome = sockopt::socket_error(&*socket).unwrap_or_else(Err);
            *self = Self::Done(judge(outcome, *since));
        } else if since.elapsed() >= limit {
            *self = Self::Done(Probed::TimedOut);
        }
    }

    fn outcome(&self) -> Probed {
        match self {
            Self::Open { .. } => Probed::TimedOut,
            Self::Done(probed) => *probed,
        }
    }
}

fn judge(outcome: Result<(), Errno>, since: Instant) -> Probed {
    let rtt_us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    match outcome {
        Ok(()) => Probed::Connected { rtt_us },
        Err(Errno::CONNREFUSED) => Probed::Refused { rtt_us },
        // Nobody answered, be it to SYN or to the question who has the address.
        Err(Errno::TIMEDOUT | Errno::HOSTUNREACH) => Probed::TimedOut,
        Err(_) => Probed::Failed,
    }
}

/// Waits until something happens on an open attempt or the first of them runs
/// out of time; `false` once none is open.
fn wait(attempts: &mut [Attempt], limit: Duration) -> bool {
    let Some(pause) = attempts
        .iter()
        .filter_map(|attempt| attempt.remaining(limit))
        .min()
    else {
        return false;
    };
    let ready = ready(attempts, pause);
    let mut places = ready.into_iter();
    for attempt in attempts.iter_mut() {
        let is_ready = match attempt {
            Attempt::Open { .. } => places.next().unwrap_or_default(),
            Attempt::Done(_) => false,
        };
        attempt.look(is_ready, limit);
    }
    true
}

/// Whether each open attempt has come to an end.
fn ready(attempts: &[Attempt], pause: Duration) -> Vec<bool> {
    let mut places: Vec<PollFd<'_>> = attempts
        .iter()
        .filter_map(|attempt| match attempt {
            Attempt::Open { socket, .. } => Some(PollFd::new(socket, PollFlags::OUT)),
            Attempt::Done(_) => None,
        })
        .collect();
    // An interrupted wait is simply done again.
    let _ = poll(&mut places, Timespec::try_from(pause).ok().as_ref());
    places
        .iter()
        .map(|place| !place.revents().is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};

    use super::*;

    fn listener() -> (TcpListener, SocketAddrV4) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        match listener.local_addr().unwrap() {
            SocketAddr::V4(address) => (listener, address),
            SocketAddr::V6(_) => unreachable!("bound to IPv4"),
        }
    }

    fn outcomes(targets: &[SocketAddrV4], timeout_ms: u64) -> Vec<Probed> {
        let wish = Probe {
            targets: targets.to_vec(),
            timeout_ms,
        };
        probe(&wish).unwrap()
    }

    #[test]
    fn a_listener_connects_and_a_closed_port_refuses() {
        let (_open, open) = listener();
        let (closed, refusing) = listener();
        drop(closed);
        let found = outcomes(&[open, refusing, open], 2000);
        assert!(matches!(found[0], Probed::Connected { .. }), "{found:?}");
        assert!(matches!(found[1], Probed::Refused { .. }), "{found:?}");
        assert!(matches!(found[2], Probed::Connected { .. }), "{found:?}");
    }

    #[test]
    fn an_address_the_system_does_not_send_to_fails() {
        let broadcast = SocketAddrV4::new(Ipv4Addr::BROADCAST, 9);
        assert_eq!(outcomes(&[broadcast], 200), [Probed::Failed]);
    }

    #[test]
    fn no_target_is_no_wait() {
        assert!(outcomes(&[], 30_000).is_empty());
    }

    #[test]
    fn more_than_the_bounds_is_refused() {
        let (_open, open) = listener();
        let long = Probe {
            targets: vec![open],
            timeout_ms: PROBE_MS_MAX + 1,
        };
        let many = Probe {
            targets: vec![open; PROBES_MAX + 1],
            timeout_ms: 1,
        };
        assert_eq!(probe(&long).unwrap_err().why, Why::BadCommand);
        assert_eq!(probe(&many).unwrap_err().why, Why::BadCommand);
    }
}
