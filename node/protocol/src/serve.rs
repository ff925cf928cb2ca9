//! Answers to what peers ask. Every request gets one answer or one refusal.

use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{Encode, decode, encode};
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::store::{Store, StoreError};
use minichain_chain::transaction::Transaction;

use crate::chain::Chain;
use crate::input::{InboundRequest, Now, Peer};
use crate::limits::{
    BLOCK_BYTES_MAX, HEADERS_MAX, INVENTORY_MAX, REQUEST_BYTES_MAX, TRANSACTIONS_BYTES_MAX,
};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox, Output};
use crate::wire::{
    GetBlocks, GetHeaders, GetInventory, GetTransactions, Inventory, Request, Response,
};

/// Headers that cost one unit of service.
const HEADERS_PER_UNIT: u64 = 500;

/// Bytes of blocks or transactions that cost one unit of service.
const BODY_BYTES_PER_UNIT: u64 = 64 * 1_024;

impl<S: Store, C: Chain<S>> Node<S, C> {
    pub(crate) fn on_request(
        &mut self,
        now: Now,
        id: InboundRequest,
        peer: Peer,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if !self.peers.contains(peer) {
            out.push(Output::Refuse { id });
            return Ok(());
        }
        let request = match decode_request(bytes) {
            Ok(request) => request,
            Err(detail) => {
                out.push(Output::Refuse { id });
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                return Ok(());
            }
        };
        let response = self.answer(&request)?;
        if !self.spend(now, peer, &response) {
            out.push(Output::Refuse { id });
            let detail = "asked for more than its share";
            self.drop_peer(peer, DisconnectReason::Flooding, detail, out);
            return Ok(());
        }
        out.push(Output::Respond {
            id,
            kind: response.kind(),
            bytes: encode(&response),
        });
        // Behind the answer, so that a peer of another genesis learns ours.
        match request {
            Request::Status(status) => self.on_status(now, peer, status, out),
            Request::Standing(standing) => self.on_polled(now, peer, standing, out),
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, request: &Request) -> Result<Response, StoreError> {
        match request {
            Request::Status(_) => Ok(Response::Status(self.status())),
            Request::Headers(get) => Ok(Response::Headers(self.headers_for(get))),
            Request::Blocks(get) => Ok(Response::Blocks(self.blocks_for(get)?)),
            Request::Inventory(get) => Ok(Response::Inventory(self.inventory_for(get))),
            Request::Transactions(get) => Ok(Response::Transactions(self.transactions_for(get))),
            Request::Standing(_) => Ok(Response::Standing(self.standing())),
        }
    }

    fn headers_for(&self, get: &GetHeaders) -> Vec<Header> {
        self.state
            .headers_after(&get.locator, &get.stop, HEADERS_MAX)
    }

    /// The first block asked for, whatever its size, and as many of the next
    /// as fit with it. Blocks that broke a rule are not passed on.
    fn blocks_for(&self, get: &GetBlocks) -> Result<Vec<Arc<Block>>, StoreError> {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        let mut given = BTreeSet::<BlockHash>::new();
        for hash in &get.hashes {
            let entry = self.state.tree().get(hash);
            let is_fit = entry.is_some_and(|entry| !entry.status.is_invalid());
            if !is_fit || !given.insert(*hash) {
                continue;
            }
            let Some(block) = self.state.block(hash)? else {
                continue;
            };
            bytes += block.encoded_len();
            if bytes > BLOCK_BYTES_MAX && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Names of what waits, parents first, unless the asker has just that.
    fn inventory_for(&mut self, get: &GetInventory) -> Inventory {
        if get.digest == self.pool_digest() {
            let (txids, next) = (Vec::new(), 0);
            return Inventory { txids, next };
        }
        let mut waiting = self.mempool.iter_by_arrival(get.from);
        let page = waiting.by_ref().take(INVENTORY_MAX);
        let txids = page.map(|entry| entry.txid).collect();
        let next = waiting.next().map_or(0, |entry| entry.sequence);
        Inventory { txids, next }
    }

    /// The first transaction asked for, and as many of the next as fit with it.
    fn transactions_for(&self, get: &GetTransactions) -> Vec<Arc<Transaction>> {
        let mut given = BTreeSet::<Txid>::new();
        let mut bytes = 0;
        let mut transactions = Vec::new();
        for txid in get.txids.iter().filter(|txid| given.insert(**txid)) {
            let Some(transaction) = self.mempool.get(txid) else {
                continue;
            };
            bytes += transaction.encoded_len();
            if bytes > TRANSACTIONS_BYTES_MAX && !transactions.is_empty() {
                break;
            }
            transactions.push(Arc::clone(transaction));
        }
        transactions
    }

    /// Charges a peer for an answer.
    fn spend(&mut self, now: Now, peer: Peer, response: &Response) -> bool {
        let units = match response {
            Response::Status(_) | Response::Standing(_) => 1,
            Response::Headers(headers) => 1 + headers.len() as u64 / HEADERS_PER_UNIT,
            Response::Inventory(inventory) => {
                1 + inventory.txids.len() as u64 / INVENTORY_MAX as u64
            }
            Response::Blocks(_) | Response::Transactions(_) => {
                1 + response.encoded_len() as u64 / BODY_BYTES_PER_UNIT
            }
        };
        let state = self.peers.get_mut(peer);
        state.is_some_and(|state| state.budget.spend(units, now.monotonic_ms))
    }
}

fn decode_request(bytes: &[u8]) -> Result<Request, String> {
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err(format!("a request of {} bytes", bytes.len()));
    }
    decode(bytes).map_err(|error| format!("request: {error}"))
}
