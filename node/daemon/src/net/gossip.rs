//! Gossip: topics, message ids, the send-time stamp, and messages that await
//! their verdict.
//!
//! A message is eight bytes of little-endian milliseconds since 1970, the
//! first sender's clock, then the encoded block or transaction. The stamp is a
//! measurement aid: it is not part of the id, nobody trusts it, and those who
//! forward a message keep it.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{
    self, IdentTopic, MessageAcceptance, MessageAuthenticity, MessageId, TopicHash,
    WhitelistSubscriptionFilter,
};
use minichain_chain::hash;
use minichain_chain::time::UnixMillis;
use minichain_protocol::input::GossipId;
use minichain_protocol::limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX};
use minichain_protocol::output::{Topic, Verdict};

mod filter;

use filter::OurTopics;

/// Gossipsub that knows of no topics but ours.
pub type Behaviour = gossipsub::Behaviour<OurTopics, WhitelistSubscriptionFilter>;

/// Bytes of the send-time stamp.
pub const STAMP_LEN: usize = 8;

/// Bytes a protobuf envelope and the topic's name add to a message at most.
const ENVELOPE_MAX: usize = 256;
/// Gossipsub's read buffer counts against the limit as well.
const READ_BUFFER: usize = 8 << 10;
/// Messages in one frame. Our own nodes send one, and what stands behind one that
/// costs its sender the connection is still looked at.
const MESSAGES_PER_FRAME_MAX: usize = 64;
/// Bytes of a message id: collisions stay out of reach.
const ID_LEN: usize = 20;

/// The topics of one network.
#[derive(Clone, Debug)]
pub struct Topics {
    block: IdentTopic,
    transaction: IdentTopic,
}

impl Topics {
    /// Named after the network.
    pub fn new(network: &str) -> Self {
        Self {
            block: IdentTopic::new(format!("/minichain/{network}/block/1")),
            transaction: IdentTopic::new(format!("/minichain/{network}/transaction/1")),
        }
    }

    /// Both, in fixed order.
    pub fn all(&self) -> [&IdentTopic; 2] {
        [&self.block, &self.transaction]
    }

    /// The one for `topic`.
    pub fn get(&self, topic: Topic) -> &IdentTopic {
        match topic {
            Topic::Block => &self.block,
            Topic::Transaction => &self.transaction,
        }
    }

    /// What a received hash stands for.
    pub fn find(&self, hash: &TopicHash) -> Option<Topic> {
        [Topic::Block, Topic::Transaction]
            .into_iter()
            .find(|topic| self.get(*topic).hash() == *hash)
    }
}

/// Bytes of a message under `topic` without its stamp, at most.
pub fn payload_max(topic: Topic) -> usize {
    match topic {
        Topic::Block => BLOCK_BYTES_MAX,
        Topic::Transaction => TRANSACTION_BYTES_MAX,
    }
}

/// Gossipsub, subscribed to all topics of the network and deaf to others.
///
/// # Errors
/// When it refuses the settings or the network's name.
pub fn behaviour(network: &str, topics: &Topics) -> Result<Behaviour, String> {
    let hashes = topics.all().map(IdentTopic::hash);
    let mut behaviour = Behaviour::new_with_subscription_filter_and_transform(
        MessageAuthenticity::Anonymous,
        config(network, topics)?,
        WhitelistSubscriptionFilter(hashes.iter().cloned().collect()),
        OurTopics::new(hashes),
    )?;
    for topic in topics.all() {
        let subscribed = behaviour.subscribe(topic);
        subscribed.map_err(|error| error.to_string())?;
    }
    Ok(behaviour)
}

/// Gossipsub's settings.
///
/// The global limit stays far above the per-topic ones: a frame beyond it
/// silences the sender's direction for good, without a word to either side.
///
/// # Errors
/// When gossipsub refuses the settings or the network's name.
fn config(network: &str, topics: &Topics) -> Result<gossipsub::Config, String> {
    let mut builder = gossipsub::ConfigBuilder::default();
    builder
        .protocol_id_prefix(format!("/minichain/{network}/gossip"))
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .max_publish_messages(MESSAGES_PER_FRAME_MAX)
        .message_id_fn(message_id)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .max_transmit_size(2 * (BLOCK_BYTES_MAX + STAMP_LEN + ENVELOPE_MAX) + READ_BUFFER);
    for topic in [Topic::Block, Topic::Transaction] {
        let max = STAMP_LEN + payload_max(topic) + ENVELOPE_MAX;
        builder.max_transmit_size_for_topic(max, topics.get(topic).hash());
    }
    builder.build().map_err(|error| error.to_string())
}

/// The id follows from topic and content alone, so a message is one message
/// whoever sends it, whenever.
fn message_id(message: &gossipsub::Message) -> MessageId {
    let content = message.data.get(STAMP_LEN..).unwrap_or(&message.data);
    let digest = hash::tagged_hash(
        "minichain/gossip",
        &[message.topic.as_str().as_bytes(), content],
    );
    MessageId::new(&digest[..ID_LEN])
}

/// Puts the stamp before the payload.
pub fn stamp(sent_at_ms: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(STAMP_LEN + payload.len());
    bytes.extend_from_slice(&sent_at_ms.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Takes the stamp off. Bytes too short for one are all payload; the core
/// finds out what they are worth. A stamp of zero means none.
pub fn unstamp(mut bytes: Vec<u8>) -> (Option<UnixMillis>, Vec<u8>) {
    let Some(stamp) = bytes.first_chunk::<STAMP_LEN>() else {
        return (None, bytes);
    };
    let sent_at_ms = u64::from_le_bytes(*stamp);
    bytes.drain(..STAMP_LEN);
    ((sent_at_ms != 0).then_some(UnixMillis(sent_at_ms)), bytes)
}

/// Gossipsub's word for a verdict.
pub fn acceptance(verdict: Verdict) -> MessageAcceptance {
    match verdict {
        Verdict::Accept => MessageAcceptance::Accept,
        Verdict::Ignore => MessageAcceptance::Ignore,
        Verdict::Reject => MessageAcceptance::Reject,
    }
}

/// Messages handed to the core that await their verdict.
#[derive(Debug, Default)]
pub struct Pending {
    next: u64,
    messages: BTreeMap<GossipId, (MessageId, PeerId)>,
}

/// Messages that may await a verdict; gossipsub forgets them after some
/// heartbeats anyway.
const PENDING_MAX: usize = 4_096;

impl Pending {
    /// Numbers a message. Also returns the oldest one when there are too many:
    /// it is to be ignored.
    pub fn insert(
        &mut self,
        message: MessageId,
        source: PeerId,
    ) -> (GossipId, Option<(MessageId, PeerId)>) {
        let id = GossipId(self.next);
        self.next += 1;
        let overflow = (self.messages.len() >= PENDING_MAX)
            .then(|| self.messages.pop_first())
            .flatten()
            .map(|(_, oldest)| oldest);
        self.messages.insert(id, (message, source));
        (id, overflow)
    }

    /// Takes a message out, to report its verdict.
    pub fn remove(&mut self, id: GossipId) -> Option<(MessageId, PeerId)> {
        self.messages.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::{PeerId, gossipsub};
    use minichain_chain::time::UnixMillis;
    use minichain_protocol::output::Topic;

    use super::{PENDING_MAX, Pending, Topics, config, message_id, stamp, unstamp};

    fn message(topic: Topic, data: Vec<u8>) -> gossipsub::Message {
        let topic = Topics::new("lab").get(topic).hash();
        gossipsub::Message {
            source: None,
            data,
            sequence_number: None,
            topic,
        }
    }

    #[test]
    fn the_stamp_comes_off_as_it_was_put_on() {
        assert_eq!(
            unstamp(stamp(7, b"abc")),
            (Some(UnixMillis(7)), b"abc".to_vec())
        );
        assert_eq!(unstamp(stamp(7, b"")), (Some(UnixMillis(7)), Vec::new()));
        assert_eq!(unstamp(stamp(0, b"abc")), (None, b"abc".to_vec()));
    }

    #[test]
    fn bytes_too_short_for_a_stamp_reach_the_core_whole() {
        assert_eq!(unstamp(b"short".to_vec()), (None, b"short".to_vec()));
        assert_eq!(unstamp(Vec::new()), (None, Vec::new()));
    }

    #[test]
    fn the_id_ignores_the_stamp_and_tells_topics_apart() {
        let id = message_id(&message(Topic::Block, stamp(1, b"abc")));
        assert_eq!(id, message_id(&message(Topic::Block, stamp(2, b"abc"))));
        assert_ne!(id, message_id(&message(Topic::Block, stamp(1, b"abd"))));
        assert_ne!(
            id,
            message_id(&message(Topic::Transaction, stamp(1, b"abc")))
        );
    }

    #[test]
    fn the_longest_network_name_gives_valid_settings() {
        let network = "n".repeat(32);
        let topics = Topics::new(&network);
        config(&network, &topics).expect("valid");
        assert_eq!(
            topics.find(&topics.get(Topic::Block).hash()),
            Some(Topic::Block)
        );
        assert_eq!(
            topics.find(&Topics::new("other").get(Topic::Block).hash()),
            None
        );
    }

    #[test]
    fn pending_messages_are_bounded_and_the_oldest_goes_first() {
        let (mut pending, peer) = (Pending::default(), PeerId::random());
        let (first, none) = pending.insert(gossipsub::MessageId::new(b"first"), peer);
        assert_eq!(none, None);
        for i in 1..PENDING_MAX {
            let (_, none) = pending.insert(gossipsub::MessageId::new(&i.to_le_bytes()), peer);
            assert_eq!(none, None);
        }
        let (_, overflow) = pending.insert(gossipsub::MessageId::new(b"last"), peer);
        assert_eq!(overflow, Some((gossipsub::MessageId::new(b"first"), peer)));
        assert_eq!(pending.remove(first), None);
    }
}
