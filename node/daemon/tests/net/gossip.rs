//! What is said aloud.

use std::time::Duration;

use minichain_chain::time::UnixMillis;
use minichain_node::net::{Command, gossip};
use minichain_protocol::input::{GossipId, Input, Peer};
use minichain_protocol::output::{Topic, Verdict};

use crate::support::{Net, config, edges_only, until};

struct Heard {
    id: GossipId,
    peer: Peer,
    topic: Topic,
    sent_at: Option<UnixMillis>,
}

async fn hear(net: &mut Net, payload: &[u8]) -> Heard {
    net.expect("gossip", |input| match input {
        Input::GossipReceived {
            id,
            peer,
            topic,
            sent_at,
            bytes,
        } if bytes == payload => Some(Heard {
            id: *id,
            peer: *peer,
            topic: *topic,
            sent_at: *sent_at,
        }),
        _ => None,
    })
    .await
}

async fn publish(net: &Net, topic: Topic, payload: &[u8]) {
    net.command(Command::Publish {
        topic,
        bytes: payload.to_vec(),
        sent_at_ms: 1_234,
    })
    .await;
}

/// Repeats until it is heard: right after the connection nobody is known to
/// listen yet. Each attempt differs, as repeated words are not heard twice.
async fn say_until_heard(from: &Net, to: &mut Net) {
    for attempt in 0_u32..600 {
        publish(from, Topic::Block, &attempt.to_le_bytes()).await;
        let inputs = to.drain(Duration::from_millis(100)).await;
        if inputs
            .iter()
            .any(|input| matches!(input, Input::GossipReceived { .. }))
        {
            return;
        }
    }
    panic!("nothing was heard");
}

/// ```text
/// a ── b ── c
/// ```
async fn line() -> (Net, Net, Net) {
    let mut a = Net::start(edges_only(&[])).await;
    let mut b = Net::start(edges_only(&[&a])).await;
    say_until_heard(&a, &mut b).await;
    let mut c = Net::start(edges_only(&[&b])).await;
    say_until_heard(&b, &mut c).await;
    a.drain(Duration::ZERO).await;
    (a, b, c)
}

#[tokio::test]
async fn a_message_is_passed_on_only_after_its_verdict_with_its_first_stamp() {
    let (a, mut b, mut c) = line().await;
    publish(&a, Topic::Transaction, b"hello").await;
    let heard = hear(&mut b, b"hello").await;
    assert_eq!(
        (heard.topic, heard.sent_at),
        (Topic::Transaction, Some(UnixMillis(1_234)))
    );
    let early = c.drain(Duration::from_millis(300)).await;
    assert!(early.is_empty(), "{early:?}");

    b.command(Command::Verdict {
        id: heard.id,
        verdict: Verdict::Accept,
    })
    .await;
    let passed_on = hear(&mut c, b"hello").await;
    assert_eq!(passed_on.sent_at, Some(UnixMillis(1_234)));
    assert!(
        c.handle
            .view
            .borrow()
            .connections
            .contains_key(&passed_on.peer)
    );
}

#[tokio::test]
async fn a_message_ignored_or_rejected_goes_no_further() {
    let (a, mut b, mut c) = line().await;
    for verdict in [Verdict::Ignore, Verdict::Reject] {
        let payload = format!("{verdict:?}").into_bytes();
        publish(&a, Topic::Block, &payload).await;
        let heard = hear(&mut b, &payload).await;
        b.command(Command::Verdict {
            id: heard.id,
            verdict,
        })
        .await;
    }
    publish(&a, Topic::Block, b"wanted").await;
    let heard = hear(&mut b, b"wanted").await;
    b.command(Command::Verdict {
        id: heard.id,
        verdict: Verdict::Accept,
    })
    .await;
    hear(&mut c, b"wanted").await;
    let others = c.drain(Duration::from_millis(300)).await;
    assert!(
        !others
            .iter()
            .any(|input| matches!(input, Input::GossipReceived { .. }))
    );
}

#[tokio::test]
async fn the_largest_block_passes_and_the_topic_lives_on() {
    let mut a = Net::start(config(&[])).await;
    let mut b = Net::start(config(&[&a])).await;
    say_until_heard(&a, &mut b).await;
    for fill in 0..3 {
        let block = vec![fill; gossip::payload_max(Topic::Block)];
        publish(&a, Topic::Block, &block).await;
        hear(&mut b, &block).await;
    }
    let transaction = vec![7; gossip::payload_max(Topic::Transaction)];
    publish(&a, Topic::Transaction, &transaction).await;
    hear(&mut b, &transaction).await;
    a.drain(Duration::ZERO).await;
}

#[tokio::test]
async fn a_message_too_large_is_not_sent_and_silences_nobody() {
    let a = Net::start(config(&[])).await;
    let mut b = Net::start(config(&[&a])).await;
    say_until_heard(&a, &mut b).await;
    for topic in [Topic::Block, Topic::Transaction] {
        publish(&a, topic, &vec![1; gossip::payload_max(topic) + 1]).await;
    }
    publish(&a, Topic::Block, b"still here").await;
    hear(&mut b, b"still here").await;
    let others = b.drain(Duration::from_millis(300)).await;
    assert!(
        !others
            .iter()
            .any(|input| matches!(input, Input::GossipReceived { .. }))
    );
}

#[tokio::test]
async fn what_nobody_hears_is_counted() {
    let alone = Net::start(config(&[])).await;
    publish(&alone, Topic::Block, b"anybody?").await;
    until("it is counted", || {
        alone.handle.view.borrow().publishes_unheard == 1
    })
    .await;
}
