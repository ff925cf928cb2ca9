//! Frames of gossipsub, byte by byte.

/// Field numbers of gossipsub's protobuf messages.
const RPC_SUBSCRIPTIONS: u64 = 1;
const RPC_PUBLISH: u64 = 2;
const SUBSCRIPTION_TOPIC: u64 = 2;
const MESSAGE_DATA: u64 = 2;
const MESSAGE_TOPIC: u64 = 4;
/// `subscribe: true`.
const SUBSCRIBE: [u8; 2] = [0x08, 0x01];
/// Protobuf's word for bytes with a length before them.
const BYTES: u64 = 2;

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f).to_le_bytes()[0];
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let key = varint((number << 3) | BYTES);
    [&key, &varint(bytes.len() as u64), bytes].concat()
}

fn framed(rpc: &[u8]) -> Vec<u8> {
    [&varint(rpc.len() as u64), rpc].concat()
}

/// One message, and where in the frame its data begins.
pub fn publish(topic: &str, data: &[u8]) -> (Vec<u8>, usize) {
    let topic = field(MESSAGE_TOPIC, topic.as_bytes());
    let message = [field(MESSAGE_DATA, data), topic.clone()].concat();
    let frame = framed(&field(RPC_PUBLISH, &message));
    let data_at = frame.len() - topic.len() - data.len();
    (frame, data_at)
}

/// So many messages without data.
pub fn publish_many(topic: &str, count: usize) -> Vec<u8> {
    let message = field(MESSAGE_TOPIC, topic.as_bytes());
    framed(&field(RPC_PUBLISH, &message).repeat(count))
}

/// Subscriptions to a topic, and where in the frame its name begins.
pub fn subscribe(topic: &str) -> (Vec<u8>, usize) {
    let name = field(SUBSCRIPTION_TOPIC, topic.as_bytes());
    let frame = framed(&field(RPC_SUBSCRIPTIONS, &[&SUBSCRIBE[..], &name].concat()));
    let name_at = frame.len() - topic.len();
    (frame, name_at)
}
