//! TCP with names resolved, noise for secrecy, yamux for streams.

use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::dns::{ResolverConfig, ResolverOpts};
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport as _, dns, noise, tcp, yamux};

/// A connection that is not set up by then is given up.
const SETUP_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams open at once on one connection.
const STREAMS_MAX: usize = 256;

/// Builds the transport.
///
/// # Errors
/// When the key cannot sign for noise.
pub fn build(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    let mut muxer = yamux::Config::default();
    muxer.set_max_num_streams(STREAMS_MAX);
    let transport = with_names()
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?)
        .multiplex(muxer)
        .timeout(SETUP_TIMEOUT);
    Ok(transport.boxed())
}

/// A machine or container without resolver settings still reaches plain
/// addresses; only names fail, when they are dialled.
fn with_names() -> dns::tokio::Transport<tcp::tokio::Transport> {
    dns::tokio::Transport::system(tcp()).unwrap_or_else(|error| {
        tracing::warn!(%error, "no name resolution; only numeric addresses can be dialled");
        dns::tokio::Transport::custom(
            tcp(),
            ResolverConfig::from_parts(None, Vec::new(), Vec::new()),
            ResolverOpts::default(),
        )
    })
}

fn tcp() -> tcp::tokio::Transport {
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
}
