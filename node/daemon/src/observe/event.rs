//! Every event as a log line and a number, in one table.

use std::sync::atomic::Ordering;

use minichain_api::metric;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;
use minichain_protocol::event::{BlockSummary, Event, Source};
use minichain_protocol::input::{Now, RequestFailure};

use super::text::Untrusted;
use super::{Observer, float, label};

/// Logs and counts one event.
#[expect(
    clippy::too_many_lines,
    reason = "one table with an arm for every event"
)]
pub fn observe(observer: &Observer, event: &Event, now: Now) {
    let metrics = &observer.metrics;
    match event {
        Event::TipChanged {
            tip,
            height,
            chainwork,
            disconnected,
            connected,
            source,
        } => {
            let change = Change {
                tip,
                height: *height,
                chainwork,
                disconnected,
                connected,
            };
            count_tip_change(observer, &change);
            log_tip_change(observer, &change, *source, now);
        }
        Event::BlockStored {
            hash,
            height,
            is_side_branch,
            source,
        } => {
            if *is_side_branch {
                metrics.count(metric::BLOCKS_STALE, &[], 1);
                tracing::info!(%hash, height = height.0, source = source_label(*source), "stale block kept");
            } else {
                tracing::debug!(%hash, height = height.0, source = source_label(*source), "block awaits its parents");
            }
        }
        Event::OrphanReceived {
            hash,
            missing,
            peer,
        } => {
            tracing::debug!(%hash, %missing, peer = peer.0, "orphan block; asking for headers");
        }
        Event::BlockRejected {
            hash,
            rule,
            message,
            source,
        } => {
            metrics.count(metric::BLOCKS_REJECTED, &[rule], 1);
            let source = source_label(*source);
            tracing::warn!(%hash, rule, source, "block refused: {}", Untrusted(message));
        }
        Event::BlockArrived {
            hash,
            delay_ms,
            peer,
        } => {
            if let Some(delay_ms) = delay_ms {
                metrics.observe(metric::BLOCK_PROPAGATION, float(*delay_ms) / 1_000.0);
            }
            tracing::debug!(%hash, delay_ms, peer = peer.0, "block arrived");
        }
        Event::BlockMined { hash, height, fees } => {
            metrics.count(metric::BLOCKS_MINED, &[], 1);
            tracing::info!(%hash, height = height.0, %fees, "block mined");
        }
        Event::HeadersAdvanced {
            height,
            count,
            peer,
        } => {
            metrics.count(metric::HEADERS_RECEIVED, &[], u64::from(*count));
            tracing::debug!(height = height.0, count, peer = peer.0, "headers received");
        }
        Event::SyncStarted { from, to } => {
            observer.is_syncing.store(true, Ordering::Relaxed);
            metrics.set(metric::SYNCING, &[], 1.0);
            tracing::info!(from = from.0, to = to.0, "fetching blocks");
        }
        Event::SyncFinished { height } => {
            observer.is_syncing.store(false, Ordering::Relaxed);
            metrics.set(metric::SYNCING, &[], 0.0);
            tracing::info!(height = height.0, "every known block is here");
        }
        Event::InFlightChanged { blocks } => {
            metrics.set(metric::BLOCKS_IN_FLIGHT, &[], f64::from(*blocks));
        }
        Event::TransactionAccepted { txid, fee, vsize } => {
            metrics.count(metric::TRANSACTIONS_ACCEPTED, &[], 1);
            let rate = float(fee.to_sat()) / float((*vsize).max(1));
            metrics.observe(metric::TRANSACTION_FEE_RATE, rate);
            tracing::debug!(%txid, %fee, vsize, "transaction waits");
        }
        Event::TransactionArrived {
            txid,
            delay_ms,
            peer,
        } => {
            if let Some(delay_ms) = delay_ms {
                metrics.observe(metric::TRANSACTION_PROPAGATION, float(*delay_ms) / 1_000.0);
            }
            tracing::trace!(%txid, delay_ms, peer = peer.0, "transaction arrived");
        }
        Event::TransactionsConfirmed { waited_ms } => {
            for waited_ms in waited_ms {
                metrics.observe(
                    metric::TRANSACTION_CONFIRMATION,
                    float(*waited_ms) / 1_000.0,
                );
            }
        }
        Event::OrphansChanged { transactions } => {
            metrics.set(metric::ORPHAN_TRANSACTIONS, &[], f64::from(*transactions));
        }
        Event::TransactionRejected {
            txid,
            reason,
            message,
        } => {
            metrics.count(metric::TRANSACTIONS_REJECTED, &[reason], 1);
            tracing::warn!(%txid, reason, "transaction refused: {}", Untrusted(message));
        }
        Event::MempoolChanged {
            transactions,
            vbytes,
        } => {
            metrics.set(metric::MEMPOOL_TRANSACTIONS, &[], float(*transactions));
            metrics.set(metric::MEMPOOL_BYTES, &[], float(*vbytes));
        }
        Event::PeerReady {
            peer,
            user_agent,
            tip,
            height,
        } => {
            let user_agent = Untrusted(user_agent);
            tracing::info!(peer = peer.0, %user_agent, %tip, height = height.0, "peer ready");
        }
        Event::PeerOtherGenesis {
            peer,
            ours,
            theirs,
            their_network,
        } => {
            let their_network = Untrusted(their_network);
            tracing::warn!(
                peer = peer.0, %ours, %theirs, %their_network,
                "peer follows another genesis block; goodbye. Give both nodes the same genesis file"
            );
        }
        Event::PeerDropped {
            peer,
            reason,
            detail,
        } => {
            let detail = Untrusted(detail);
            let (peer, label) = (peer.0, reason.label());
            if reason.is_misbehaviour() {
                tracing::warn!(peer, reason = label, %detail, "peer sent away");
            } else {
                tracing::info!(peer, reason = label, %detail, "peer let go, to be dialled again");
            }
        }
        Event::RequestFailed {
            peer,
            kind,
            failure,
        } => {
            metrics.count(metric::REQUEST_FAILURES, &[label::kind(*kind)], 1);
            let failure = failure_label(*failure);
            tracing::debug!(
                peer = peer.0,
                kind = label::kind(*kind),
                failure,
                "request failed"
            );
        }
        Event::PeerStalled { peer, blocks } => {
            tracing::info!(
                peer = peer.0,
                blocks,
                "peer holds back blocks; asking others"
            );
        }
        Event::Fault { message } => {
            metrics.count(metric::FAULTS, &[], 1);
            tracing::error!(
                "fault, which is a bug worth a report: {}",
                Untrusted(message)
            );
        }
    }
}

struct Change<'a> {
    tip: &'a BlockHash,
    height: Height,
    chainwork: &'a Chainwork,
    disconnected: &'a [BlockSummary],
    connected: &'a [BlockSummary],
}

fn count_tip_change(observer: &Observer, change: &Change<'_>) {
    let metrics = &observer.metrics;
    observer.tip_changed();
    let (lost, won) = (
        change.disconnected.len() as u64,
        change.connected.len() as u64,
    );
    metrics.set(metric::CHAIN_HEIGHT, &[], f64::from(change.height.0));
    metrics.set(metric::CHAINWORK, &[], change.chainwork.to_f64());
    metrics.count(metric::BLOCKS_CONNECTED, &[], won);
    if lost > 0 {
        metrics.count(metric::BLOCKS_DISCONNECTED, &[], lost);
        metrics.count(metric::BLOCKS_STALE, &[], lost);
        metrics.count(metric::REORGS, &[], 1);
        metrics.observe(metric::REORG_DEPTH, float(lost));
    }
    observer.grown(won.saturating_sub(lost));
    for block in change.connected {
        count_block(observer, block);
    }
}

fn count_block(observer: &Observer, block: &BlockSummary) {
    let metrics = &observer.metrics;
    let confirmed = u64::from(block.transactions.saturating_sub(1));
    metrics.count(metric::TRANSACTIONS_CONFIRMED, &[], confirmed);
    metrics.count(metric::BLOCK_BYTES, &[], block.size);
    metrics.count(metric::BLOCK_WEIGHT, &[], block.weight);
    metrics.count(metric::BLOCK_FEES, &[], block.fees.to_sat());
    metrics.observe(metric::BLOCK_TRANSACTIONS, f64::from(block.transactions));
}

fn log_tip_change(observer: &Observer, change: &Change<'_>, source: Source, now: Now) {
    let (tip, height, chainwork) = (change.tip, change.height.0, change.chainwork);
    let source = source_label(source);
    let transactions: u64 = change
        .connected
        .iter()
        .map(|block| u64::from(block.transactions))
        .sum();
    if !change.disconnected.is_empty() {
        let (lost, won) = (change.disconnected.len(), change.connected.len());
        tracing::info!(%tip, height, %chainwork, lost, won, source, "reorganisation");
    } else if observer.is_syncing.load(Ordering::Relaxed) {
        tracing::debug!(%tip, height, %chainwork, transactions, source, "tip changed");
    } else {
        let age_s = change
            .connected
            .last()
            .map(|block| now.seconds().since(block.time));
        tracing::info!(%tip, height, %chainwork, transactions, age_s, source, "tip changed");
    }
}

const fn source_label(source: Source) -> &'static str {
    match source {
        Source::Gossip(_) => "gossip",
        Source::Request(_) => "request",
        Source::Miner => "miner",
        Source::Local => "local",
    }
}

const fn failure_label(failure: RequestFailure) -> &'static str {
    match failure {
        RequestFailure::TimedOut => "timed_out",
        RequestFailure::Disconnected => "disconnected",
        RequestFailure::Unsupported => "unsupported",
        RequestFailure::BadResponse => "bad_response",
    }
}
