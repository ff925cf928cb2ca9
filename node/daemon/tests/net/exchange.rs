//! Questions and answers.

use std::time::Duration;

use minichain_node::net::Command;
use minichain_protocol::input::{InboundRequest, Input, OutboundRequest, Peer, RequestFailure};

use crate::support::{Net, config, edges_only};

const ID: OutboundRequest = OutboundRequest(42);

async fn pair() -> (Net, Peer, Net, Peer) {
    let mut a = Net::start(config(&[])).await;
    let mut b = Net::start(config(&[&a])).await;
    let (b_at_a, a_at_b) = (a.connected().await, b.connected().await);
    (a, b_at_a, b, a_at_b)
}

async fn ask(net: &Net, peer: Peer, bytes: &[u8], timeout: Duration) {
    net.command(Command::Request {
        id: ID,
        peer,
        bytes: bytes.to_vec(),
        timeout,
    })
    .await;
}

async fn asked(net: &mut Net) -> (InboundRequest, Peer, Vec<u8>) {
    net.expect("request", |input| match input {
        Input::RequestReceived { id, peer, bytes } => Some((*id, *peer, bytes.clone())),
        _ => None,
    })
    .await
}

async fn failure(net: &mut Net) -> (OutboundRequest, Peer, RequestFailure) {
    net.expect("failure", |input| match input {
        Input::RequestFailed { id, peer, failure } => Some((*id, *peer, *failure)),
        _ => None,
    })
    .await
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn any_bytes_reach_the_other_core_and_the_answer_comes_back() {
    let (a, b_at_a, mut b, a_at_b) = pair().await;
    let mut a = a;
    for garbage in [&b"\xff\x00garbage"[..], b"", &[0xee; 8_192]] {
        ask(&a, b_at_a, garbage, LONG).await;
        let (id, peer, bytes) = asked(&mut b).await;
        assert_eq!((peer, bytes.as_slice()), (a_at_b, garbage));
        b.command(Command::Respond {
            id,
            bytes: garbage.to_vec(),
        })
        .await;
        let answer = a
            .expect("response", |input| match input {
                Input::ResponseReceived {
                    id: ID,
                    peer,
                    bytes,
                } => Some((*peer, bytes.clone())),
                _ => None,
            })
            .await;
        assert_eq!(answer, (b_at_a, garbage.to_vec()));
    }
}

#[tokio::test]
async fn a_refused_request_fails_at_once() {
    let (mut a, b_at_a, mut b, _) = pair().await;
    ask(&a, b_at_a, b"?", LONG).await;
    let (id, ..) = asked(&mut b).await;
    b.command(Command::Refuse { id }).await;
    assert_eq!(
        failure(&mut a).await,
        (ID, b_at_a, RequestFailure::BadResponse)
    );
}

#[tokio::test]
async fn an_answer_given_before_the_goodbye_still_arrives() {
    let (mut a, b_at_a, mut b, a_at_b) = pair().await;
    ask(&a, b_at_a, b"who are you?", LONG).await;
    let (id, ..) = asked(&mut b).await;
    let bytes = b"not your kind".to_vec();
    b.command(Command::Respond { id, bytes }).await;
    let keep_away = Some(LONG);
    b.command(Command::Disconnect {
        peer: a_at_b,
        keep_away,
    })
    .await;
    let is_answer = |input: &Input| matches!(input, Input::ResponseReceived { .. });
    a.expect("response", |input| is_answer(input).then_some(()))
        .await;
    a.disconnected(b_at_a).await;
    b.disconnected(a_at_b).await;
}

#[tokio::test]
async fn no_answer_in_time_is_a_failure_and_a_late_one_is_dropped() {
    let (mut a, b_at_a, mut b, _) = pair().await;
    ask(&a, b_at_a, b"?", Duration::from_millis(200)).await;
    let (id, ..) = asked(&mut b).await;
    assert_eq!(
        failure(&mut a).await,
        (ID, b_at_a, RequestFailure::TimedOut)
    );
    b.command(Command::Respond {
        id,
        bytes: b"late".to_vec(),
    })
    .await;
    let late = a.drain(Duration::from_millis(300)).await;
    assert!(late.is_empty(), "{late:?}");
}

#[tokio::test]
async fn requests_to_a_peer_that_goes_fail_before_its_going_is_told() {
    let mut a = Net::start(edges_only(&[])).await;
    let mut b = Net::start(edges_only(&[&a])).await;
    let b_at_a = a.connected().await;
    ask(&a, b_at_a, b"?", LONG).await;
    asked(&mut b).await;
    b.stop().await;
    let inputs = a.drain(Duration::from_secs(2)).await;
    let failed = inputs.iter().position(|input| {
        matches!(
            input,
            Input::RequestFailed {
                id: ID,
                failure: RequestFailure::Disconnected,
                ..
            }
        )
    });
    let gone = inputs
        .iter()
        .position(|input| matches!(input, Input::PeerDisconnected { .. }));
    assert!(failed.is_some() && failed < gone, "{inputs:?}");
    let count = inputs
        .iter()
        .filter(|i| matches!(i, Input::RequestFailed { .. }))
        .count();
    assert_eq!(count, 1, "{inputs:?}");
}

#[tokio::test]
async fn a_request_to_nobody_fails() {
    let mut a = Net::start(config(&[])).await;
    ask(&a, Peer(77), b"?", LONG).await;
    assert_eq!(
        failure(&mut a).await,
        (ID, Peer(77), RequestFailure::Disconnected)
    );
}

#[tokio::test]
async fn orders_are_taken_while_the_driver_reads_nothing() {
    let (a, b_at_a, b, _) = pair().await;
    // More requests than b's inbox and queue hold, and nobody reads there.
    for _ in 0..2_000 {
        ask(&a, b_at_a, &[0; 1_000], LONG).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let orders = async {
        for id in 0..1_000 {
            b.command(Command::Refuse {
                id: InboundRequest(id),
            })
            .await;
        }
    };
    assert!(
        tokio::time::timeout(LONG, orders).await.is_ok(),
        "the network side is stuck"
    );
}
