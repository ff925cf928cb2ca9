//! Lets out what is due.
//!
//! A task of its own, since yamux polls a connection only when it has
//! something to do: bytes that wait would otherwise wait for the next message.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::AsyncWrite;
use tokio::sync::watch;

use super::Table;
use super::stream::{Phase, Shared, State};

/// What waits in a connection that was closed is given up after this long.
const LINGER: Duration = Duration::from_secs(10);

/// What to do next.
enum Next {
    End,
    Rest,
    RestUntil(Instant),
}

/// Serves one connection until its end.
pub async fn run<S: AsyncWrite + Unpin>(
    shared: Arc<Shared<S>>,
    mut table: watch::Receiver<Arc<Table>>,
) {
    loop {
        let work = async {
            match std::future::poll_fn(|cx| step(&shared, cx)).await {
                Next::End => {}
                Next::Rest => std::future::pending().await,
                Next::RestUntil(at) => {
                    tokio::time::sleep_until(at.into()).await;
                    return false;
                }
            }
            true
        };
        tokio::select! {
            is_over = work => if is_over { break },
            () = shared.stirred.notified() => {}
            changed = table.changed() => if changed.is_err() { break },
        }
    }
}

/// Writes and flushes all that is due.
fn step<S: AsyncWrite + Unpin>(shared: &Shared<S>, cx: &mut Context<'_>) -> Poll<Next> {
    let (mut state, now) = shared.lock();
    let state = &mut *state;
    if state.phase == Phase::Ended {
        return Poll::Ready(Next::End);
    }
    if let Err(error) = ready!(let_out(state, now, cx)) {
        state.failure = Some(error.kind());
        wake_writer(state);
        return Poll::Ready(Next::End);
    }
    let next_at = state.shaper.next_at().map(|at| state.origin + at);
    match state.phase {
        Phase::Closing(_) if state.bytes.is_empty() => {
            // Whoever closed it does not wait for the result.
            let _closed = ready!(Pin::new(&mut state.io).poll_close(cx));
            Poll::Ready(Next::End)
        }
        Phase::Closing(since) if since.elapsed() >= LINGER => Poll::Ready(Next::End),
        Phase::Closing(since) => {
            let end = since + LINGER;
            Poll::Ready(Next::RestUntil(next_at.map_or(end, |at| at.min(end))))
        }
        Phase::Open | Phase::Ended => Poll::Ready(next_at.map_or(Next::Rest, Next::RestUntil)),
    }
}

fn let_out<S: AsyncWrite + Unpin>(
    state: &mut State<S>,
    now: Duration,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<()>> {
    loop {
        let due = state.shaper.due(now);
        if due == 0 {
            break;
        }
        let oldest = state.bytes.as_slices().0;
        let oldest = &oldest[..oldest.len().min(due)];
        let written = ready!(Pin::new(&mut state.io).poll_write(cx, oldest))?;
        if written == 0 {
            return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
        }
        state.is_flushing = true;
        state.bytes.drain(..written);
        state.shaper.left(written);
        wake_writer(state);
    }
    if state.is_flushing {
        ready!(Pin::new(&mut state.io).poll_flush(cx))?;
        state.is_flushing = false;
        // It may have waited for the same socket, which told only this task.
        wake_writer(state);
    }
    Poll::Ready(Ok(()))
}

fn wake_writer<S>(state: &mut State<S>) {
    if let Some(writer) = state.writer.take() {
        writer.wake();
    }
}
