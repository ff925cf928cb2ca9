//! Questions put to peers and not yet answered.

use std::collections::{BTreeMap, BTreeSet};

use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::store::{Store, StoreError};

use crate::chain::Chain;
use crate::event::Event;
use crate::input::{Now, OutboundRequest, Peer, RequestFailure};
use crate::limits::{
    BLOCKS_TIMEOUT_MS, HEADERS_TIMEOUT_MS, INVENTORY_TIMEOUT_MS, RESPONSE_BYTES_MAX,
    STATUS_TIMEOUT_MS, TRANSACTIONS_TIMEOUT_MS,
};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox, Output, RequestKind};
use crate::wire::{Request, Response};

/// What a pending answer is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    Status,
    Standing,
    /// The tip the peer had claimed when it was asked.
    Headers {
        claimed: Option<BlockHash>,
    },
    Blocks(BlockRequest),
    /// Where the question began.
    Inventory {
        from: u64,
    },
    /// The names asked for.
    Transactions(BTreeSet<Txid>),
}

/// Blocks asked of one peer in one request.
#[derive(Debug)]
pub(crate) struct BlockRequest {
    pub hashes: BTreeSet<BlockHash>,
    /// When to give up waiting.
    pub stall_at_ms: u64,
    /// Given up: the blocks are asked of others, a late answer is still taken.
    pub is_stalled: bool,
}

impl Purpose {
    fn is_blocks(&self) -> bool {
        matches!(self, Self::Blocks(_))
    }

    fn kind(&self) -> RequestKind {
        match self {
            Self::Status | Self::Standing => RequestKind::Status,
            Self::Headers { .. } => RequestKind::Headers,
            Self::Blocks(_) => RequestKind::Blocks,
            Self::Inventory { .. } => RequestKind::Inventory,
            Self::Transactions(_) => RequestKind::Transactions,
        }
    }
}

/// All questions that await an answer.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    next: u64,
    pending: BTreeMap<OutboundRequest, (Peer, Purpose)>,
    /// How many of them are for blocks.
    for_blocks: usize,
}

impl Requests {
    pub fn remove_peer(&mut self, gone: Peer) {
        self.pending.retain(|_, (peer, _)| *peer != gone);
        self.for_blocks = self
            .pending
            .values()
            .filter(|(_, one)| one.is_blocks())
            .count();
    }

    /// Requests for blocks, oldest first.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = (Peer, &mut BlockRequest)> {
        let pending = self.pending.values_mut();
        let pending = pending.take(if self.for_blocks > 0 { usize::MAX } else { 0 });
        pending.filter_map(|(peer, purpose)| match purpose {
            Purpose::Blocks(request) => Some((*peer, request)),
            _ => None,
        })
    }

    /// Requests for blocks, oldest first.
    pub fn blocks(&self) -> impl Iterator<Item = &BlockRequest> {
        let pending = self.pending.values();
        let pending = pending.take(if self.for_blocks > 0 { usize::MAX } else { 0 });
        pending.filter_map(|(_, purpose)| match purpose {
            Purpose::Blocks(request) => Some(request),
            _ => None,
        })
    }

    /// How many are for blocks.
    pub fn for_blocks(&self) -> usize {
        self.for_blocks
    }

    /// Every block asked for and not given up.
    pub fn blocks_asked(&self) -> impl Iterator<Item = (Peer, BlockHash)> {
        let pending = self.pending.values();
        let asked = pending.filter_map(|(peer, purpose)| match purpose {
            Purpose::Blocks(request) if !request.is_stalled => Some((*peer, &request.hashes)),
            _ => None,
        });
        asked.flat_map(|(peer, hashes)| hashes.iter().map(move |hash| (peer, *hash)))
    }

    fn add(&mut self, peer: Peer, purpose: Purpose) -> OutboundRequest {
        let id = OutboundRequest(self.next);
        self.next += 1;
        self.for_blocks += usize::from(purpose.is_blocks());
        self.pending.insert(id, (peer, purpose));
        id
    }

    /// Takes a request out if it was put to this very peer.
    fn take(&mut self, id: OutboundRequest, from: Peer) -> Option<Purpose> {
        let (peer, _) = self.pending.get(&id)?;
        if *peer != from {
            return None;
        }
        let (_, purpose) = self.pending.remove(&id)?;
        self.for_blocks -= usize::from(purpose.is_blocks());
        Some(purpose)
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Puts a question to a peer.
    pub(crate) fn ask(
        &mut self,
        peer: Peer,
        request: &Request,
        purpose: Purpose,
        out: &mut Outbox,
    ) -> OutboundRequest {
        let timeout_ms = match request {
            Request::Status(_) | Request::Standing(_) => STATUS_TIMEOUT_MS,
            Request::Headers(_) => HEADERS_TIMEOUT_MS,
            Request::Blocks(_) => BLOCKS_TIMEOUT_MS,
            Request::Inventory(_) => INVENTORY_TIMEOUT_MS,
            Request::Transactions(_) => TRANSACTIONS_TIMEOUT_MS,
        };
        let id = self.requests.add(peer, purpose);
        let kind = request.kind();
        out.push(Output::Request {
            id,
            peer,
            kind,
            bytes: encode(request),
            timeout_ms,
        });
        id
    }

    pub(crate) fn on_response(
        &mut self,
        now: Now,
        id: OutboundRequest,
        peer: Peer,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let Some(purpose) = self.requests.take(id, peer) else {
            return Ok(());
        };
        let response = match decode_response(bytes) {
            Ok(response) => response,
            Err(error) => {
                let detail = format!("{} response: {error}", kind_name(purpose.kind()));
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                return Ok(());
            }
        };
        match (purpose, response) {
            (Purpose::Status, Response::Status(status)) => {
                self.on_status_response(now, peer, status, out);
            }
            (Purpose::Standing, Response::Standing(standing)) => {
                self.on_standing_response(now, peer, standing, out);
            }
            (Purpose::Headers { claimed }, Response::Headers(headers)) => {
                self.on_headers(now, peer, claimed, &headers, out)?;
            }
            (Purpose::Blocks(request), Response::Blocks(blocks)) => {
                self.on_blocks(now, peer, request, blocks, out)?;
            }
            (Purpose::Inventory { from }, Response::Inventory(inventory)) => {
                self.on_inventory(now, peer, from, &inventory, out);
            }
            (Purpose::Transactions(asked), Response::Transactions(transactions)) => {
                self.on_transactions(now, peer, asked, &transactions, out)?;
            }
            (purpose, response) => {
                let asked = kind_name(purpose.kind());
                let got = kind_name(response.kind());
                let detail = format!("answered {got} when asked for {asked}");
                self.drop_peer(peer, DisconnectReason::WrongAnswer, detail, out);
            }
        }
        Ok(())
    }

    pub(crate) fn on_request_failed(
        &mut self,
        now: Now,
        id: OutboundRequest,
        peer: Peer,
        failure: RequestFailure,
        out: &mut Outbox,
    ) {
        let Some(purpose) = self.requests.take(id, peer) else {
            return;
        };
        let kind = purpose.kind();
        out.event(Event::RequestFailed {
            peer,
            kind,
            failure,
        });
        let is_about_pool = matches!(kind, RequestKind::Inventory | RequestKind::Transactions);
        if is_about_pool {
            self.on_comparison_failed(now, peer, failure);
            return;
        }
        if failure == RequestFailure::Unsupported {
            let detail = format!("does not answer {} requests", kind_name(kind));
            self.drop_peer(peer, DisconnectReason::Unresponsive, detail, out);
            return;
        }
        match purpose {
            Purpose::Status | Purpose::Standing => self.on_status_failed(now, peer, out),
            Purpose::Headers { .. } => self.on_headers_failed(now, peer),
            Purpose::Blocks(request) => self.on_blocks_failed(now, peer, &request, out),
            Purpose::Inventory { .. } | Purpose::Transactions(_) => {}
        }
    }
}

fn decode_response(bytes: &[u8]) -> Result<Response, String> {
    if bytes.len() > RESPONSE_BYTES_MAX {
        return Err(format!("{} bytes", bytes.len()));
    }
    decode(bytes).map_err(|error| error.to_string())
}

fn kind_name(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Status => "status",
        RequestKind::Headers => "headers",
        RequestKind::Blocks => "blocks",
        RequestKind::Inventory => "inventory",
        RequestKind::Transactions => "transactions",
    }
}
