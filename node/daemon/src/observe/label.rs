//! Values of metric labels: what happened, as a word of a closed set.

use minichain_api::{admin, metric, rpc};
use minichain_protocol::input::Direction;
use minichain_protocol::output::{RequestKind, Topic, Verdict};

use super::Flow;

/// What was gossiped.
pub const fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Block => metric::TOPICS[0],
        Topic::Transaction => metric::TOPICS[1],
    }
}

/// Which way bytes went.
pub const fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Received => metric::FLOWS[0],
        Flow::Sent => metric::FLOWS[1],
    }
}

/// What became of gossip.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => metric::VERDICTS[0],
        Verdict::Ignore => metric::VERDICTS[1],
        Verdict::Reject => metric::VERDICTS[2],
    }
}

/// What was asked for.
pub const fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Status => metric::REQUEST_KINDS[0],
        RequestKind::Headers => metric::REQUEST_KINDS[1],
        RequestKind::Blocks => metric::REQUEST_KINDS[2],
        RequestKind::Inventory | RequestKind::Transactions => metric::REQUEST_KINDS[3],
    }
}

/// What was called; names from outside become one of a closed set.
pub fn method(name: &str) -> &'static str {
    let counted = metric::METHODS_COUNTED.iter();
    if let Some(known) = counted.copied().find(|known| *known == name) {
        return known;
    }
    let place = if admin::method::ALL.contains(&name) {
        0
    } else if rpc::method::ALL.contains(&name) {
        1
    } else {
        2
    };
    metric::METHODS_OTHER[place]
}

/// Who dialled.
pub const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => metric::DIALLED[0],
        Direction::Outbound => metric::DIALLED[1],
    }
}
