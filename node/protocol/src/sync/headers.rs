//! Headers: whom to ask, and what to make of the answer.

use minichain_chain::block::Header;
use minichain_chain::hash::BlockHash;
use minichain_chain::state::HeaderAcceptance;
use minichain_chain::store::{Store, StoreError};

use crate::chain::Chain;
use crate::event::{Event, Source};
use crate::input::{Now, Peer};
use crate::limits::{
    BULK_SYNC_BLOCKS, DISTRUST_MS, HEADERS_AHEAD_MAX, HEADERS_IN_FLIGHT_MAX, HEADERS_MAX,
    HEADERS_PATIENCE_MS, LOW_WORK_HEADERS, STATUS_POLL_MS_MAX,
};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox, Output};
use crate::peers::{HeadersAsked, PeerState};
use crate::requests::Purpose;
use crate::wire::{GetHeaders, Request};

impl HeadersAsked {
    /// Until then nobody else is asked for the same.
    pub(crate) fn patience_end_ms(self) -> u64 {
        self.sent_ms + HEADERS_PATIENCE_MS
    }
}

/// What an answer with headers came to.
#[derive(Debug, Default)]
struct Intake {
    /// Headers not known before.
    new: u32,
    /// The last header that is in the tree.
    last: Option<BlockHash>,
    /// One was too far in the future; the rest was left.
    is_cut: bool,
    /// One is refused only by the operator's word; the rest was left.
    is_forbidden: bool,
    /// One stands on a branch with too little work to be kept.
    is_low_work: bool,
    /// One breaks a rule.
    broken: Option<(BlockHash, &'static str, String)>,
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Asks the peers with the best claims, a few at a time.
    pub(super) fn ask_headers(&mut self, now: Now, out: &mut Outbox) {
        if self.headers_ahead() >= HEADERS_AHEAD_MAX {
            return;
        }
        let at_once = if self.sync.is_bulk {
            1
        } else {
            HEADERS_IN_FLIGHT_MAX
        };
        while self.headers_awaited(now) < at_once {
            let Some(peer) = self.best_for_headers(now) else {
                return;
            };
            let from = self.state.tree().best_header().hash;
            self.send_get_headers(now, peer, from, false, out);
        }
    }

    /// Whether a peer has, or says it has, headers worth asking for.
    pub(super) fn wants_headers(&self, state: &PeerState) -> bool {
        let Some((tip, _, chainwork)) = state.claim() else {
            return false;
        };
        let is_new_claim = state.asked_tip != Some(tip) && !self.state.tree().contains(&tip);
        let is_wanted = state.sent_orphan || (is_new_claim && chainwork > self.tip_work());
        is_wanted && state.headers_request.is_none()
    }

    /// Whether headers are on their way that would leave us far behind, promised
    /// by peers that kept their word so far; `is_trusting`: or had no occasion.
    pub(super) fn awaits_claimed_headers(&self, is_trusting: bool) -> bool {
        if self.sync.is_settled {
            return false;
        }
        let tip = self.state.tip();
        self.peers.ready().any(|(_, state)| {
            let is_proven = is_trusting || state.has_kept_claim;
            let is_trusted = state.headers_request.is_some() && state.broken_claims == 0;
            let is_ahead = state.claim().is_some_and(|(_, height, chainwork)| {
                chainwork > tip.chainwork && height.saturating_since(tip.height) >= BULK_SYNC_BLOCKS
            });
            is_trusted && is_proven && is_ahead
        })
    }

    /// Whether a peer's last answer was full and the next is awaited.
    pub(super) fn continues_headers(&self) -> bool {
        let mut asked = self
            .peers
            .ready()
            .filter_map(|(_, state)| state.headers_request);
        asked.any(|asked| asked.is_continuation)
    }

    pub(crate) fn on_headers(
        &mut self,
        now: Now,
        peer: Peer,
        claimed: Option<BlockHash>,
        headers: &[Header],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.headers_ended(peer);
        if let Some(state) = self.peers.get_mut(peer) {
            state.sent_orphan = false;
        }
        if !self.is_linked(headers) {
            let detail = "headers that do not follow the locator or each other";
            self.drop_peer(peer, DisconnectReason::WrongAnswer, detail, out);
            return Ok(());
        }
        let before = self.state.tree().best_header().hash;
        let intake = self.take_headers(now, headers)?;
        if intake.new > 0 {
            out.push(Output::Persist { urgent: false });
        }
        let best = self.state.tree().best_header();
        if best.hash != before {
            out.event(Event::HeadersAdvanced {
                height: best.height,
                count: intake.new,
                peer,
            });
        }
        if let Some((hash, rule, message)) = intake.broken {
            let detail = format!("header {hash}: {message}");
            out.event(Event::BlockRejected {
                hash,
                rule,
                message,
                source: Source::Request(peer),
            });
            self.drop_peer(peer, DisconnectReason::InvalidBlock, detail, out);
            return Ok(());
        }
        if intake.is_low_work || self.is_low_work_flood(peer, &intake) {
            let detail = "a long chain of headers with less work than ours";
            self.drop_peer(peer, DisconnectReason::LowWork, detail, out);
            return Ok(());
        }
        // What the operator does not want is not asked for again.
        let is_whole = !intake.is_cut && !intake.is_forbidden;
        let is_full = headers.len() == HEADERS_MAX && is_whole;
        self.digest_headers(now, peer, claimed, &intake, is_full, out);
        Ok(())
    }

    /// The claim stands, as does an orphan that it sent; the network may be at
    /// fault: it is asked again later.
    pub(crate) fn on_headers_failed(&mut self, now: Now, peer: Peer) {
        self.headers_ended(peer);
        let pause_ms = self.timing.status_poll_ms.min(STATUS_POLL_MS_MAX);
        if let Some(state) = self.peers.get_mut(peer) {
            state.broke_claim();
            state.headers_retry_ms = now.monotonic_ms + pause_ms;
        }
        self.sync.distrust_until_ms = now.monotonic_ms + DISTRUST_MS;
    }

    fn headers_ended(&mut self, peer: Peer) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.headers_request = None;
        }
        self.sync.stir();
    }

    /// Whether each header is the parent of the next and the first follows one
    /// we have; the locator ends with genesis, so an honest answer always does.
    fn is_linked(&self, headers: &[Header]) -> bool {
        let follows = |pair: &[Header]| pair[1].previous == pair[0].hash();
        let first = headers.first();
        first.is_none_or(|header| self.state.tree().contains(&header.previous))
            && headers.windows(2).all(follows)
    }

    fn take_headers(&mut self, now: Now, headers: &[Header]) -> Result<Intake, StoreError> {
        let mut intake = Intake::default();
        for header in headers {
            let hash = header.hash();
            match self.state.accept_header(header, now.seconds())? {
                HeaderAcceptance::New => {
                    intake.new += 1;
                    intake.last = Some(hash);
                }
                HeaderAcceptance::Known => intake.last = Some(hash),
                HeaderAcceptance::TooNew { .. } => {
                    intake.is_cut = true;
                    break;
                }
                HeaderAcceptance::LowWork => {
                    intake.is_low_work = true;
                    break;
                }
                HeaderAcceptance::Orphan { .. } => break,
                HeaderAcceptance::Invalid(error) if self.is_forbidden(header, &error.into()) => {
                    intake.is_forbidden = true;
                    break;
                }
                HeaderAcceptance::Invalid(error) => {
                    intake.broken = Some((hash, error.rule(), error.to_string()));
                    break;
                }
            }
        }
        Ok(intake)
    }

    /// Whether a peer keeps sending headers that lead nowhere. Headers are
    /// counted while the chain they build has less work than our tip.
    fn is_low_work_flood(&mut self, peer: Peer, intake: &Intake) -> bool {
        let tip = self.state.tip();
        let allowed = LOW_WORK_HEADERS.saturating_add(tip.height.0.saturating_mul(2));
        let last = intake.last.and_then(|hash| self.state.tree().get(&hash));
        let is_low = last.is_some_and(|entry| entry.chainwork < tip.chainwork);
        let Some(state) = self.peers.get_mut(peer) else {
            return false;
        };
        if is_low {
            state.low_work_headers = state.low_work_headers.saturating_add(intake.new);
        } else {
            state.low_work_headers = 0;
        }
        state.low_work_headers > allowed
    }

    /// Draws the conclusions about the peer, and goes on if there is more.
    fn digest_headers(
        &mut self,
        now: Now,
        peer: Peer,
        claimed: Option<BlockHash>,
        intake: &Intake,
        is_full: bool,
        out: &mut Outbox,
    ) {
        let is_kept = claimed.is_some_and(|hash| self.state.tree().contains(&hash));
        let may_go_on = is_full && self.headers_ahead() < HEADERS_AHEAD_MAX;
        let retry_ms = now.monotonic_ms + self.timing.status_poll_ms;
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        state.best = intake.last.or(state.best);
        if intake.is_cut {
            state.headers_retry_ms = retry_ms;
        } else if !is_full {
            state.asked_tip = claimed;
            if is_kept {
                state.broken_claims = 0;
                // In times of broken promises a kept one proves little.
                state.has_kept_claim |= now.monotonic_ms >= self.sync.distrust_until_ms;
            } else {
                state.broke_claim();
                self.sync.distrust_until_ms = now.monotonic_ms + DISTRUST_MS;
            }
        } else if intake.new == 0 {
            // Nothing but what others sent already; it may have more later.
            state.headers_retry_ms = retry_ms;
        } else if let Some(last) = intake.last.filter(|_| may_go_on) {
            self.send_get_headers(now, peer, last, true, out);
        }
    }

    fn send_get_headers(
        &mut self,
        now: Now,
        peer: Peer,
        from: BlockHash,
        is_continuation: bool,
        out: &mut Outbox,
    ) {
        let locator = self.state.tree().locator(&from);
        let claimed = self
            .peers
            .get(peer)
            .and_then(PeerState::claim)
            .map(|(tip, ..)| tip);
        let request = Request::Headers(GetHeaders {
            locator,
            stop: BlockHash::ZERO,
        });
        self.ask(peer, &request, Purpose::Headers { claimed }, out);
        if let Some(state) = self.peers.get_mut(peer) {
            let sent_ms = now.monotonic_ms;
            state.headers_request = Some(HeadersAsked {
                sent_ms,
                is_continuation,
            });
        }
    }

    /// Peers whose headers are awaited and not overdue.
    fn headers_awaited(&self, now: Now) -> usize {
        let asked = self
            .peers
            .ready()
            .filter_map(|(_, state)| state.headers_request);
        asked
            .filter(|asked| now.monotonic_ms < asked.patience_end_ms())
            .count()
    }

    /// The peer with most claimed work among those worth asking now.
    fn best_for_headers(&self, now: Now) -> Option<Peer> {
        let free = self.peers.ready().filter(|(_, state)| {
            state.headers_retry_ms <= now.monotonic_ms && self.wants_headers(state)
        });
        let claims = free.filter_map(|(peer, state)| {
            let (_, _, chainwork) = state.claim()?;
            Some((chainwork, std::cmp::Reverse(peer)))
        });
        claims.max().map(|(_, std::cmp::Reverse(peer))| peer)
    }

    /// Headers beyond the tip.
    fn headers_ahead(&self) -> u32 {
        self.state
            .tree()
            .best_header()
            .height
            .saturating_since(self.state.tip().height)
    }
}
