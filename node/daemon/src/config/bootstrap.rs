//! What may stand for a peer to dial.

use libp2p::Multiaddr;

/// Whether `address` is `host:port`, `ip:port`, `[ipv6]:port` or a multiaddr
/// with a TCP port; else what to write instead.
pub fn check(address: &str) -> Result<(), String> {
    if address.contains("://") {
        return Err("write host:port, without a scheme".into());
    }
    if address.starts_with('/') {
        return check_multiaddr(address);
    }
    if let Ok(socket) = address.parse::<std::net::SocketAddr>() {
        return check_port(socket.port());
    }
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err("has no port; write host:port, for example 127.0.0.1:8999".into());
    };
    check_host(host)?;
    let port = port
        .parse()
        .map_err(|_| "the port must be a number from 1 to 65535".to_owned())?;
    check_port(port)
}

fn check_multiaddr(address: &str) -> Result<(), String> {
    let parsed: Multiaddr = address
        .parse()
        .map_err(|error| format!("is not a multiaddr: {error}"))?;
    let has_tcp = parsed
        .iter()
        .any(|part| matches!(part, libp2p::multiaddr::Protocol::Tcp(1..)));
    if has_tcp {
        Ok(())
    } else {
        Err("has no TCP port; write /ip4/ADDRESS/tcp/PORT".into())
    }
}

fn check_port(port: u16) -> Result<(), String> {
    if port == 0 {
        Err("port 0 cannot be dialled".into())
    } else {
        Ok(())
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if host.contains(':') {
        return Err("an IPv6 address needs brackets: [::1]:8999".into());
    }
    let is_name = (1..=253).contains(&host.len())
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
    if is_name {
        Ok(())
    } else {
        Err("is not a host name or IP address".into())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn usual_forms_are_accepted() {
        for address in [
            "127.0.0.1:8999",
            "localhost:1",
            "bootstrap-0.lab:65535",
            "[::1]:9000",
            "/ip4/10.0.0.1/tcp/9000",
            "/dns4/node/tcp/9000",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn slips_are_refused_with_a_hint() {
        for (address, word) in [
            ("127.0.0.1", "no port"),
            ("127.0.0.1:0", "port 0"),
            ("host:70000", "65535"),
            ("host:", "65535"),
            (":9000", "host name"),
            ("http://host:9000", "without"),
            ("::1:9000", "brackets"),
            ("ho st:9000", "host name"),
            ("/ip4/10.0.0.1", "TCP port"),
            ("/ip4/10.0.0.1/udp/9000", "TCP port"),
            ("/nonsense", "multiaddr"),
        ] {
            let why = check(address).expect_err(address);
            assert!(why.contains(word), "{address}: {why}");
        }
    }
}
