//! Two ends of a pipe, one conditioned.

use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::PeerId;
use tokio::io::{DuplexStream, duplex};
use tokio::time::Instant;

use super::super::{Condition, Links, Table};
use super::{Conditioned, WAITING_MAX};
use crate::net::link_conditioner::stream::tests::compat::Compat;

const CUT: Condition = Condition {
    is_cut: true,
    latency_ms: 0.0,
    jitter_ms: 0.0,
    loss: 0.0,
    rate_bytes_s: None,
};
const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    links: Links,
    peer: PeerId,
    near: Conditioned<Compat>,
    far: Compat,
}

fn bench(condition: Condition) -> Bench {
    let links = Links::new(1);
    let peer = PeerId::random();
    links.set(Table::from([(peer, condition)]));
    let (near, far) = duplex(64 << 10);
    Bench {
        near: Conditioned::new(Compat(near), &links, peer),
        far: Compat(far),
        links,
        peer,
    }
}

async fn nothing_arrives(far: &mut Compat) {
    let mut byte = [0];
    let arrival = tokio::time::timeout(Duration::from_millis(100), far.read_exact(&mut byte));
    assert!(arrival.await.is_err(), "a byte got through");
}

async fn arrives(far: &mut Compat, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    let arrival = tokio::time::timeout(PATIENCE, far.read_exact(&mut bytes)).await;
    arrival.expect("in time").expect("whole");
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn bytes_pass_straight_through_a_free_link_and_reads_are_never_held_up() {
    let mut bench = bench(Condition::default());
    bench.near.write_all(b"there").await.expect("written");
    bench.near.flush().await.expect("flushed");
    arrives(&mut bench.far, b"there").await;
    bench.links.set(Table::from([(bench.peer, CUT)]));
    bench.far.write_all(b"back").await.expect("written");
    let mut bytes = [0; 4];
    bench.near.read_exact(&mut bytes).await.expect("read");
    assert_eq!(&bytes, b"back");
}

#[tokio::test]
async fn cut_holds_bytes_and_healing_lets_them_out_without_anybody_polling() {
    let mut bench = bench(CUT);
    bench.near.write_all(b"held").await.expect("taken");
    bench.near.flush().await.expect("counts as sent");
    nothing_arrives(&mut bench.far).await;
    bench.links.set(Table::new());
    arrives(&mut bench.far, b"held").await;
    bench.near.write_all(b"on").await.expect("written");
    bench.near.flush().await.expect("flushed");
    arrives(&mut bench.far, b"on").await;
}

#[tokio::test]
async fn delayed_bytes_flow_by_themselves_and_in_order() {
    let mut bench = bench(Condition {
        is_cut: false,
        latency_ms: 50.0,
        jitter_ms: 20.0,
        ..CUT
    });
    let start = Instant::now();
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    for chunk in bytes.chunks(700) {
        bench.near.write_all(chunk).await.expect("taken");
    }
    arrives(&mut bench.far, &bytes).await;
    assert!(start.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn writer_waits_when_too_much_does_and_goes_on_after_healing() {
    let mut bench = bench(CUT);
    let bytes = vec![7; WAITING_MAX + 100_000];
    let (links, peer, mut far) = (bench.links, bench.peer, bench.far);
    let wrote = tokio::spawn(async move {
        bench.near.write_all(&bytes).await.expect("taken");
        bench.near.flush().await.expect("flushed");
        (bench.near, bytes)
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!wrote.is_finished(), "the queue is bounded");
    links.set(Table::from([(peer, Condition::default())]));
    arrives(&mut far, &vec![7; WAITING_MAX + 100_000]).await;
    wrote.await.expect("the writer went on");
}

#[tokio::test]
async fn closing_does_not_wait_for_a_cut_and_what_waits_arrives_after_healing() {
    let mut bench = bench(CUT);
    bench.near.write_all(b"bye").await.expect("taken");
    tokio::time::timeout(PATIENCE, bench.near.close())
        .await
        .expect("at once")
        .expect("closed");
    assert!(bench.near.write_all(b"more").await.is_err());
    drop(bench.near);
    nothing_arrives(&mut bench.far).await;
    bench.links.set(Table::new());
    arrives(&mut bench.far, b"bye").await;
    assert_eq!(bench.far.read(&mut [0]).await.expect("the end"), 0);
}

#[tokio::test]
async fn dropping_ends_the_pump_and_the_socket() {
    let mut bench = bench(CUT);
    bench.near.write_all(b"lost").await.expect("taken");
    let shared = Arc::downgrade(&bench.near.shared);
    drop(bench.near);
    assert_eq!(bench.far.read(&mut [0]).await.expect("the end"), 0);
    assert!(shared.upgrade().is_none());
}

#[tokio::test]
async fn broken_socket_is_told_to_the_writer() {
    let mut bench = bench(CUT);
    bench.near.write_all(b"lost").await.expect("taken");
    drop(bench.far);
    bench.links.set(Table::new());
    let fails = async {
        while bench.near.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, fails).await.expect("told");
}

/// The test's pipe has tokio's traits, libp2p's sockets those of futures.
mod compat {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures::{AsyncRead, AsyncWrite};
    use tokio::io::ReadBuf;

    use super::DuplexStream;

    pub struct Compat(pub DuplexStream);

    impl AsyncRead for Compat {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let mut read = ReadBuf::new(buffer);
            tokio::io::AsyncRead::poll_read(Pin::new(&mut self.0), cx, &mut read)
                .map_ok(|()| read.filled().len())
        }
    }

    impl AsyncWrite for Compat {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            tokio::io::AsyncWrite::poll_write(Pin::new(&mut self.0), cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            tokio::io::AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
        }

        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            tokio::io::AsyncWrite::poll_shutdown(Pin::new(&mut self.0), cx)
        }
    }
}
