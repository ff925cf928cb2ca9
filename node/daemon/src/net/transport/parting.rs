//! A muxer that can be closed although the other end does not listen.
//!
//! Closing says goodbye, and that may wait for room in a socket that nobody
//! reads from. libp2p tells of a connection's end only afterwards: over a link
//! that drops packets a dead peer would stay "connected" until the link heals,
//! and not be dialled again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};

/// Time to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A muxer whose closing takes no longer than a moment.
pub struct Parting<M> {
    muxer: M,
    limit: Duration,
    closing: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<M> Parting<M> {
    /// Wraps a muxer.
    pub const fn new(muxer: M) -> Self {
        Self {
            muxer,
            limit: GOODBYE,
            closing: None,
        }
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Parting<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.muxer).poll_inbound(cx)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.muxer).poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.muxer).poll_close(cx) {
            return Poll::Ready(closed);
        }
        let limit = self.limit;
        let closing = self
            .closing
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        closing.poll_unpin(cx).map(Ok)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        Pin::new(&mut self.muxer).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use futures::io::Cursor;
    use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent, StreamMuxerExt};

    use super::Parting;

    /// A muxer on which nothing ever happens, or closing works at once.
    struct Stuck {
        closes: bool,
    }

    impl StreamMuxer for Stuck {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.closes {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn closing_ends_whether_or_not_the_other_end_listens() {
        for closes in [true, false] {
            let mut muxer = Parting {
                limit: Duration::from_millis(10),
                ..Parting::new(Stuck { closes })
            };
            let close = std::future::poll_fn(|cx| muxer.poll_close_unpin(cx));
            let closed = tokio::time::timeout(Duration::from_secs(30), close).await;
            closed.expect("in time").expect("closed");
        }
    }
}
