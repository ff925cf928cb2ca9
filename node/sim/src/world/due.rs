//! What may be due.

use minichain_protocol::input::RequestFailure;

/// Number of a node.
pub type Place = usize;

/// A message by its number, on a connection, for one of its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub message: u32,
    pub conn: u32,
    /// Which end of the connection it comes to.
    pub end: u8,
}

/// A request's slot, and its serial number against slots used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub slot: u32,
    pub serial: u32,
}

/// What may be due. Small: many wait at once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A node starts.
    Start(u32),
    /// Gossip arrives.
    Gossip(Passage),
    /// Gossip has been validated; its time has been paid for.
    Judged(Passage),
    /// A neighbour outside the mesh tells what there is.
    Have(Passage),
    /// It is asked for it.
    Want(Passage),
    /// A request arrives.
    Ask(Ticket),
    /// An answer arrives.
    Reply(Ticket),
    /// An answer has been validated.
    Replied(Ticket),
    /// A request comes to nothing.
    Fail(Ticket, RequestFailure),
    /// A node's alarm.
    Wake(u32),
    /// A miner's luck.
    Found(u32),
    /// A node looks at its mesh.
    Heartbeat(u32),
    /// Nodes tell outside the mesh what there is.
    Beat,
    /// One node tries to reach another.
    Dial(u32, u32),
    /// A new connection is ready.
    Opened(u32, u32),
    /// One end hears that the other has closed.
    Closed { conn: u32, end: u8 },
    /// No ping was answered for long.
    Silent { conn: u32, mark: u32 },
    /// A block without a parent must be settled by now.
    Orphan(u32),
}

const _: () = assert!(size_of::<Due>() <= 16, "many wait at once");

impl Due {
    /// For the digest: a tag and two numbers.
    pub fn trace(&self) -> (u8, u64, u64) {
        let passage = |passage: &Passage| {
            let place = u64::from(passage.conn) << 1 | u64::from(passage.end);
            (u64::from(passage.message), place)
        };
        let ticket = |ticket: &Ticket| (u64::from(ticket.slot), u64::from(ticket.serial));
        let (tag, (left, right)) = match self {
            Self::Start(place) => (0, (u64::from(*place), 0)),
            Self::Gossip(one) => (1, passage(one)),
            Self::Judged(one) => (2, passage(one)),
            Self::Have(one) => (3, passage(one)),
            Self::Want(one) => (4, passage(one)),
            Self::Ask(one) => (5, ticket(one)),
            Self::Reply(one) => (6, ticket(one)),
            Self::Replied(one) => (7, ticket(one)),
            Self::Fail(one, _) => (8, ticket(one)),
            Self::Wake(place) => (9, (u64::from(*place), 0)),
            Self::Found(place) => (10, (u64::from(*place), 0)),
            Self::Heartbeat(place) => (11, (u64::from(*place), 0)),
            Self::Dial(from, to) => (12, (u64::from(*from), u64::from(*to))),
            Self::Opened(from, to) => (13, (u64::from(*from), u64::from(*to))),
            Self::Closed { conn, end } => (14, (u64::from(*conn), u64::from(*end))),
            Self::Silent { conn, mark } => (15, (u64::from(*conn), u64::from(*mark))),
            Self::Orphan(number) => (16, (u64::from(*number), 0)),
            Self::Beat => (17, (0, 0)),
        };
        (tag, left, right)
    }
}
