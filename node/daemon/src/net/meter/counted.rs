//! A stream that counts what passes through it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};

use super::{Meter, unix_s};

/// The meters of one connection: its own and that of all.
type Pair = [Arc<Meter>; 2];

/// An upgrade whose connection is counted.
#[derive(Clone, Debug)]
pub struct Metered<U> {
    upgrade: U,
    meters: Pair,
}

/// A connection that is counted.
#[derive(Debug)]
pub struct Counted<S> {
    io: S,
    meters: Pair,
}

impl<U> Metered<U> {
    pub(super) const fn new(upgrade: U, meters: Pair) -> Self {
        Self { upgrade, meters }
    }

    /// Where the connection is counted.
    #[cfg(test)]
    pub(super) fn meters(&self) -> impl Iterator<Item = &Meter> {
        self.meters.iter().map(AsRef::as_ref)
    }
}

impl<S> Counted<S> {
    pub(super) const fn new(io: S, meters: Pair) -> Self {
        Self { io, meters }
    }
}

impl<U: UpgradeInfo> UpgradeInfo for Metered<U> {
    type Info = U::Info;
    type InfoIter = U::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.upgrade.protocol_info()
    }
}

impl<S, U: InboundConnectionUpgrade<Counted<S>>> InboundConnectionUpgrade<S> for Metered<U> {
    type Output = U::Output;
    type Error = U::Error;
    type Future = U::Future;

    fn upgrade_inbound(self, io: S, name: U::Info) -> Self::Future {
        let counted = Counted::new(io, self.meters);
        self.upgrade.upgrade_inbound(counted, name)
    }
}

impl<S, U: OutboundConnectionUpgrade<Counted<S>>> OutboundConnectionUpgrade<S> for Metered<U> {
    type Output = U::Output;
    type Error = U::Error;
    type Future = U::Future;

    fn upgrade_outbound(self, io: S, name: U::Info) -> Self::Future {
        let counted = Counted::new(io, self.meters);
        self.upgrade.upgrade_outbound(counted, name)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes @ 1..)) = polled {
            let now_unix_s = unix_s();
            for meter in &self.meters {
                meter.received(bytes, now_unix_s);
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(bytes @ 1..)) = polled {
            let now_unix_s = unix_s();
            for meter in &self.meters {
                meter.sent(bytes, now_unix_s);
            }
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}
