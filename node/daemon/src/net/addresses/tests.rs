//! Addresses in, addresses out.

use std::net::IpAddr;

use libp2p::{Multiaddr, PeerId};

use super::{Advertised, PER_PEER_MAX, believable, display, parse, split_peer_id, to_socket};

fn multi(text: &str) -> Multiaddr {
    text.parse().expect(text)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

#[test]
fn usual_forms_are_read() {
    for (text, expected) in [
        ("127.0.0.1:8999", "/ip4/127.0.0.1/tcp/8999"),
        ("[::1]:9000", "/ip6/::1/tcp/9000"),
        ("localhost:1", "/dns/localhost/tcp/1"),
        ("bootstrap-0.lab:65535", "/dns/bootstrap-0.lab/tcp/65535"),
        ("/ip4/10.0.0.1/tcp/9000", "/ip4/10.0.0.1/tcp/9000"),
        ("/dns4/node/tcp/9000", "/dns4/node/tcp/9000"),
    ] {
        assert_eq!(parse(text).expect(text), multi(expected));
    }
}

#[test]
fn everything_else_is_refused_with_what_to_write() {
    for text in [
        "",
        "host",
        "host:",
        ":9000",
        "host:0",
        "host:65536",
        "::1:9000",
        "1.2.3.4:0",
        "a b:1",
        "http://host:9000",
        "/ip4/10.0.0.1",
        "/ip4/10.0.0.1/udp/9000",
        "/nonsense",
    ] {
        let message = parse(text).expect_err(text).to_string();
        assert!(message.contains("host:port"), "{message}");
    }
}

#[test]
fn a_peer_id_is_split_off() {
    let peer = PeerId::random();
    let (address, split) = split_peer_id(multi(&format!("/ip4/10.0.0.1/tcp/9000/p2p/{peer}")));
    assert_eq!(
        (address.to_string().as_str(), split),
        ("/ip4/10.0.0.1/tcp/9000", Some(peer))
    );
    assert_eq!(split_peer_id(address.clone()), (address, None));
}

#[test]
fn sockets_are_shown_as_such_and_names_as_multiaddrs() {
    assert_eq!(display(&multi("/ip4/10.0.0.1/tcp/9000")), "10.0.0.1:9000");
    assert_eq!(display(&multi("/ip6/::1/tcp/9000")), "[::1]:9000");
    assert_eq!(display(&multi("/dns/node/tcp/9000")), "/dns/node/tcp/9000");
    assert_eq!(to_socket(&multi("/ip4/10.0.0.1/udp/9000")), None);
}

#[test]
fn strangers_cannot_make_us_dial_ourselves_or_nonsense() {
    let told: Vec<Multiaddr> = [
        "/ip4/127.0.0.1/tcp/9000",
        "/ip6/::1/tcp/9000",
        "/ip4/0.0.0.0/tcp/9000",
        "/ip4/224.0.0.1/tcp/9000",
        "/ip4/169.254.1.1/tcp/9000",
        "/ip6/fe80::1/tcp/9000",
        "/ip4/10.0.0.7/tcp/0",
        "/ip4/10.0.0.7/udp/9000",
        "/dns/evil/tcp/9000",
        "/ip4/10.0.0.7/tcp/9000",
    ]
    .map(multi)
    .to_vec();
    assert_eq!(
        believable(&told, Some(ip("10.0.0.7"))),
        [multi("/ip4/10.0.0.7/tcp/9000")]
    );
    assert_eq!(believable(&told, None), [multi("/ip4/10.0.0.7/tcp/9000")]);
}

#[test]
fn peers_on_this_machine_may_tell_loopback_addresses() {
    let told = [multi("/ip4/127.3.2.1/tcp/9000")];
    assert_eq!(believable(&told, Some(ip("127.0.0.1"))), told);
}

#[test]
fn only_a_few_addresses_are_kept() {
    let told: Vec<_> = (1..100)
        .map(|i| multi(&format!("/ip4/10.0.0.{i}/tcp/9000")))
        .collect();
    assert_eq!(believable(&told, None).len(), PER_PEER_MAX);
}

#[test]
fn a_concrete_listen_address_is_told_and_observations_are_not() {
    let mut own = Advertised::new(ip("127.0.0.1"), None);
    let socket = "127.0.0.1:9000".parse().expect("socket");
    assert_eq!(
        own.on_listening(socket),
        Some(multi("/ip4/127.0.0.1/tcp/9000"))
    );
    assert_eq!(own.on_listening(socket), None, "told once");
    assert_eq!(own.on_observed(ip("10.9.9.9"), PeerId::random()), None);
    assert_eq!(own.on_observed(ip("10.9.9.9"), PeerId::random()), None);
}

#[test]
fn the_advertised_address_wins_over_the_listen_address() {
    let mut own = Advertised::new(ip("0.0.0.0"), Some(ip("192.0.2.1")));
    let told = own.on_listening("172.17.0.1:9000".parse().expect("socket"));
    assert_eq!(told, Some(multi("/ip4/192.0.2.1/tcp/9000")));
    assert_eq!(
        own.on_listening("127.0.0.1:9000".parse().expect("socket")),
        None
    );
}

#[test]
fn on_all_interfaces_only_what_a_peer_sees_is_told() {
    let mut own = Advertised::new(ip("0.0.0.0"), None);
    for socket in ["127.0.0.1:9000", "172.17.0.1:9000", "10.1.0.5:9000"] {
        assert_eq!(own.on_listening(socket.parse().expect("socket")), None);
    }
    let told = own.on_observed(ip("10.1.0.5"), PeerId::random());
    assert_eq!(told, Some(multi("/ip4/10.1.0.5/tcp/9000")));
}

#[test]
fn behind_a_translator_two_peers_must_agree() {
    let mut own = Advertised::new(ip("0.0.0.0"), None);
    own.on_listening("10.1.0.5:9000".parse().expect("socket"));
    let (a, b) = (PeerId::random(), PeerId::random());
    assert_eq!(own.on_observed(ip("198.51.100.7"), a), None);
    assert_eq!(
        own.on_observed(ip("198.51.100.7"), a),
        None,
        "one peer counts once"
    );
    let told = own.on_observed(ip("198.51.100.7"), b);
    assert_eq!(told, Some(multi("/ip4/198.51.100.7/tcp/9000")));
}
