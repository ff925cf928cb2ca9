//! The operator's way into the network side: whom to dial, whom to part from,
//! whom to keep out. Made before the network side, for those who start
//! earlier.

use libp2p::{Multiaddr, PeerId};
use minichain_protocol::input::Peer;
use tokio::sync::{mpsc, oneshot};

use super::bans::{BANS_MAX, Ban, Subject};
use super::levers::Ended;

/// Something the operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Dial an address now, once.
    Try(Multiaddr),
    /// Dial an address now and whenever nobody there is connected.
    Add(Multiaddr),
    /// Leave an added or configured address alone. A connection stays.
    Remove(Multiaddr),
    /// Close all connections to a peer.
    Disconnect(Whom),
    /// Keep somebody out.
    Ban {
        /// Whom.
        subject: Subject,
        /// Until when.
        until: Until,
    },
    /// End a ban.
    Unban(Subject),
    /// End all bans.
    ClearBans,
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// By its own or our end's address, with or without its id.
    Address(Multiaddr),
    /// By its id.
    Id(PeerId),
    /// By its number.
    Number(Peer),
}

/// The end of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// So many seconds from now.
    InSeconds(u64),
    /// Seconds since 1970.
    UnixSeconds(u64),
}

/// Why a wish was not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is dialled already.
    #[error("this address is added already")]
    AlreadyAdded,
    /// The address is not dialled.
    #[error("this address was not added, so it cannot be removed")]
    NotAdded,
    /// Too many addresses are dialled.
    #[error("{ADDED_MAX} addresses are added already, and no more may be; remove one first")]
    TooManyAdded,
    /// The dial ended before it began.
    #[error("cannot dial: {0}")]
    NotDialled(String),
    /// Whoever is there is banned.
    #[error("this peer is banned; see `listbanned`, and `setban` to remove the ban")]
    Banned,
    /// No such peer is connected.
    #[error("no such peer is connected; see `getpeerinfo`")]
    NotConnected,
    /// The ban is there already.
    #[error("this address, network or peer is banned already")]
    AlreadyBanned,
    /// There is no such ban.
    #[error("this address, network or peer is not banned; see `listbanned`")]
    NotBanned,
    /// The end lies in the past.
    #[error("the ban would be over already")]
    Past,
    /// Too many bans.
    #[error("{BANS_MAX} bans are in force, and no more may be; remove some first")]
    TooManyBans,
    /// The bans were not written.
    #[error("this holds until the node ends, but the list of bans could not be saved: {0}")]
    NotSaved(String),
}

/// Addresses dialled at all times, at most.
pub const ADDED_MAX: usize = 1_024;
/// Orders that may wait for the network task.
const ORDERS_MAX: usize = 16;

/// An order and the way back.
#[derive(Debug)]
pub enum Order {
    /// Grant a wish.
    Wish(Wish, oneshot::Sender<Result<(), Refusal>>),
    /// List all bans.
    ListBans(oneshot::Sender<Vec<Ban>>),
}

/// The outer end; clones share it.
#[derive(Clone, Debug)]
pub struct Operator {
    orders: mpsc::Sender<Order>,
}

/// The network side's end.
#[derive(Debug)]
pub struct OperatorEnd {
    pub(super) orders: mpsc::Receiver<Order>,
}

/// Both ends.
pub fn operator() -> (Operator, OperatorEnd) {
    let (sender, receiver) = mpsc::channel(ORDERS_MAX);
    (
        Operator { orders: sender },
        OperatorEnd { orders: receiver },
    )
}

impl Operator {
    /// Has a wish granted, or hears why not.
    ///
    /// # Errors
    /// When the network side has ended.
    pub async fn wish(&self, wish: Wish) -> Result<Result<(), Refusal>, Ended> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Wish(wish, reply);
        self.orders.send(order).await.map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)
    }

    /// All bans in force, networks first.
    ///
    /// # Errors
    /// When the network side has ended.
    pub async fn bans(&self) -> Result<Vec<Ban>, Ended> {
        let (reply, answer) = oneshot::channel();
        let order = Order::ListBans(reply);
        self.orders.send(order).await.map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)
    }
}
