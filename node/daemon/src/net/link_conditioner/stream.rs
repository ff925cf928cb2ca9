//! A connection whose writes are conditioned; reads pass as they are.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncWrite};
use libp2p::PeerId;
use tokio::sync::{Notify, watch};

use super::shaper::Shaper;
use super::{Links, Table, pump};

/// Bytes that may wait on one connection; the writer waits beyond that.
const WAITING_MAX: usize = 1 << 20;

/// A connection with a conditioned sending side.
pub struct Conditioned<S> {
    shared: Arc<Shared<S>>,
}

/// What a connection and its pump share.
pub struct Shared<S> {
    state: Mutex<State<S>>,
    /// Something waits, or the connection ends.
    pub stirred: Notify,
}

/// One connection. While nothing waits only the connection writes to `io`,
/// else only the pump does.
pub struct State<S> {
    pub io: S,
    pub phase: Phase,
    pub shaper: Shaper,
    /// As many as wait in the shaper.
    pub bytes: VecDeque<u8>,
    /// Bytes the pump wrote are not flushed yet.
    pub is_flushing: bool,
    /// The connection, when it waits to write.
    pub writer: Option<Waker>,
    /// The pump's error, for the writer.
    pub failure: Option<io::ErrorKind>,
    pub origin: Instant,
    peer: PeerId,
    table: watch::Receiver<Arc<Table>>,
    /// Keeps the table's other end alive.
    _links: Links,
}

/// How far a connection's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In use.
    Open,
    /// Closed by its user; what waits may still get out, as from a closed
    /// socket.
    Closing(Instant),
    /// Dropped by its user, or wholly closed.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Conditioned<S> {
    /// Conditions what is sent to `peer` over `io`. Must be called inside a
    /// tokio runtime, where the pump runs.
    pub fn new(io: S, links: &Links, peer: PeerId) -> Self {
        let state = State {
            io,
            phase: Phase::Open,
            shaper: Shaper::new(links.seed_for(&peer)),
            bytes: VecDeque::new(),
            is_flushing: false,
            writer: None,
            failure: None,
            origin: Instant::now(),
            peer,
            table: links.watch(),
            _links: links.clone(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            stirred: Notify::new(),
        });
        tokio::spawn(pump::run(Arc::clone(&shared), links.watch()));
        Self { shared }
    }
}

impl<S> Shared<S> {
    /// The state with the conditions of this moment, and this moment.
    pub fn lock(&self) -> (MutexGuard<'_, State<S>>, Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.origin.elapsed();
        state.renew(now);
        (state, now)
    }
}

impl<S> State<S> {
    fn renew(&mut self, now: Duration) {
        if self.table.has_changed().unwrap_or(false) {
            let condition = self.table.borrow_and_update().get(&self.peer).copied();
            self.shaper.set(now, condition.unwrap_or_default());
        }
    }

    /// Remembers who waits: the socket tells only the last that asked, which
    /// may be the pump.
    fn remember<T>(&mut self, cx: &Context<'_>, polled: Poll<T>) -> Poll<T> {
        if polled.is_pending() {
            self.writer = Some(cx.waker().clone());
        }
        polled
    }

    fn check(&self) -> io::Result<()> {
        match (self.failure, self.phase) {
            (Some(kind), _) => Err(kind.into()),
            (None, Phase::Open) => Ok(()),
            (None, _) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Conditioned<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (mut state, _) = self.shared.lock();
        Pin::new(&mut state.io).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Conditioned<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (mut state, now) = self.shared.lock();
        state.check()?;
        if state.shaper.is_open() {
            let written = Pin::new(&mut state.io).poll_write(cx, bytes);
            return state.remember(cx, written);
        }
        let room = WAITING_MAX.saturating_sub(state.shaper.waiting());
        if room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = bytes.len().min(room);
        state.bytes.extend(&bytes[..len]);
        state.shaper.push(now, len);
        self.shared.stirred.notify_one();
        Poll::Ready(Ok(len))
    }

    /// What waits counts as sent, as it does in a socket.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (mut state, _) = self.shared.lock();
        state.check()?;
        if state.bytes.is_empty() {
            let flushed = Pin::new(&mut state.io).poll_flush(cx);
            return state.remember(cx, flushed);
        }
        Poll::Ready(Ok(()))
    }

    /// Leaves what waits to the pump, as a closed socket leaves it to the
    /// kernel.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (mut state, _) = self.shared.lock();
        if state.bytes.is_empty() {
            let closed = Pin::new(&mut state.io).poll_close(cx);
            return state.remember(cx, closed);
        }
        if state.phase == Phase::Open {
            state.phase = Phase::Closing(Instant::now());
        }
        self.shared.stirred.notify_one();
        Poll::Ready(Ok(()))
    }
}

impl<S> Drop for Conditioned<S> {
    fn drop(&mut self) {
        let (mut state, _) = self.shared.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Ended;
        }
        self.shared.stirred.notify_one();
    }
}

#[cfg(test)]
mod tests;
