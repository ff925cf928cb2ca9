//! Setting a conditioned connection up.
//!
//! A cut must keep new connections from coming up, as dropped packets would,
//! whichever direction it is in. So both ends greet each other through the
//! conditioner, twice: once to be heard, once to say that they heard. This
//! takes one round trip of the link.
//!
//! The greeting has a protocol name of its own: a node without a conditioner
//! picks plain yamux, and then only what this end sends holds the set-up back.

use std::io;

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::{PeerId, yamux};

use super::Links;
use super::stream::Conditioned;

/// Yamux behind a conditioner, as an upgrade of a connection to one peer.
#[derive(Clone)]
pub struct Upgrade {
    /// Settings of yamux.
    pub yamux: yamux::Config,
    /// The conditions.
    pub links: Links,
    /// The other end.
    pub peer: PeerId,
}

const GREETED: &str = "/minichain/greeted-yamux/1";
const PLAIN: &str = "/yamux/1.0.0";
/// What both ends say, in this order.
const GREETINGS: [u8; 2] = [b'h', b'k'];

impl UpgradeInfo for Upgrade {
    type Info = &'static str;
    type InfoIter = [&'static str; 2];

    fn protocol_info(&self) -> Self::InfoIter {
        [GREETED, PLAIN]
    }
}

impl<S> InboundConnectionUpgrade<S> for Upgrade
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Conditioned<S>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_inbound(self, io: S, name: &'static str) -> Self::Future {
        async move {
            let stream = self.set_up(io, name).await?;
            self.yamux.upgrade_inbound(stream, PLAIN).await
        }
        .boxed()
    }
}

impl<S> OutboundConnectionUpgrade<S> for Upgrade
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Conditioned<S>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_outbound(self, io: S, name: &'static str) -> Self::Future {
        async move {
            let stream = self.set_up(io, name).await?;
            self.yamux.upgrade_outbound(stream, PLAIN).await
        }
        .boxed()
    }
}

impl Upgrade {
    async fn set_up<S>(&self, io: S, name: &str) -> io::Result<Conditioned<S>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut stream = Conditioned::new(io, &self.links, self.peer);
        if name == GREETED {
            greet(&mut stream).await?;
        } else {
            self.links.passable(&self.peer).await;
        }
        Ok(stream)
    }
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    for greeting in GREETINGS {
        stream.write_all(&[greeting]).await?;
        stream.flush().await?;
        let mut heard = [0];
        stream.read_exact(&mut heard).await?;
        if heard != [greeting] {
            let why = "the peer does not greet as it should";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
    }
    Ok(())
}
