use futures::executor::block_on;
use futures::io::Cursor;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId};

use super::counted::Counted;
use super::*;

fn address(port: u16) -> Multiaddr {
    format!("/ip4/10.0.0.1/tcp/{port}")
        .parse()
        .expect("multiaddr")
}

fn figures(totals: Totals) -> (u64, u64) {
    (totals.bytes_sent, totals.bytes_received)
}

#[test]
fn what_is_written_and_read_is_counted_and_what_fails_is_not() {
    let [own, all] = [(); 2].map(|()| Arc::new(Meter::default()));
    let mut room = [0; 5];
    let io = Cursor::new(&mut room[..]);
    let mut counted = Counted::new(io, [Arc::clone(&own), Arc::clone(&all)]);
    let before = unix_s();
    assert_eq!(own.totals(), Totals::default());
    block_on(counted.write_all(&[7; 3])).expect("room for 3");
    assert_eq!(figures(own.totals()), (3, 0));
    assert!(block_on(counted.write_all(&[7; 9])).is_err(), "room for 2");
    assert_eq!(figures(own.totals()), (5, 0));
    assert_eq!(own.totals().received_at_unix_s, 0);
    assert!((before..=unix_s()).contains(&own.totals().sent_at_unix_s));

    let io = Cursor::new([1, 2, 3, 4]);
    let mut counted = Counted::new(io, [Arc::clone(&own), Arc::clone(&all)]);
    let mut read = Vec::new();
    block_on(counted.read_to_end(&mut read)).expect("bytes are there");
    assert_eq!(figures(own.totals()), (5, 4));
    assert!((before..=unix_s()).contains(&own.totals().received_at_unix_s));
    assert_eq!(all.totals(), own.totals());
}

#[test]
fn a_peer_is_the_sum_of_its_connections_open_and_closed() {
    let [first, second] = [(); 2].map(|()| Arc::new(Meter::default()));
    let mut peer = PeerMeter::default();
    peer.opened(Arc::clone(&first));
    first.sent(10, 100);
    peer.opened(Arc::clone(&second));
    second.received(5, 101);
    assert_eq!(figures(peer.totals()), (10, 5));
    peer.closed(&first);
    assert_eq!(Arc::strong_count(&first), 1, "a closed meter is let go");
    second.sent(1, 103);
    let expected = Totals {
        bytes_sent: 11,
        bytes_received: 5,
        sent_at_unix_s: 103,
        received_at_unix_s: 101,
    };
    assert_eq!(peer.totals(), expected);
    peer.closed(&second);
    assert_eq!(peer.totals(), expected);
}

#[test]
fn each_connection_has_its_own_meter_and_refused_ones_leave_nothing() {
    let meters = Meters::default();
    let [one, other] = [(); 2].map(|()| PeerId::random());
    let with_id = address(1).with_p2p(one).expect("no id yet");
    let first = meters.metered(one, &with_id, ());
    let second = meters.metered(one, &address(2), ());
    let foreign = meters.metered(other, &address(1), ());
    for (connection, bytes) in [(&first, 1), (&second, 2), (&foreign, 4)] {
        for meter in connection.meters() {
            meter.sent(bytes, 100);
        }
    }
    assert_eq!(meters.claim(&one, &address(2)).totals().bytes_sent, 2);
    assert_eq!(meters.claim(&one, &address(1)).totals().bytes_sent, 1);
    assert_eq!(meters.claim(&one, &address(1)).totals().bytes_sent, 0);
    assert_eq!(meters.all().totals().bytes_sent, 7);
    assert_eq!(meters.lock().len(), 1);
    drop(foreign);
    assert_eq!(meters.claim(&other, &address(1)).totals().bytes_sent, 0);
    assert_eq!(meters.lock().len(), 0);
}
