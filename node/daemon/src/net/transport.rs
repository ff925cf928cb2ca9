//! TCP with names resolved, noise for secrecy, yamux for streams.

use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::dns::{ResolverConfig, ResolverOpts};
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport as _, dns, noise, tcp, yamux};

use super::link_conditioner::{Links, Upgrade};
use super::meter::Meters;

mod parting;

use parting::Parting;

/// Streams open at once on one connection.
const STREAMS_MAX: usize = 256;

/// Builds the transport. A connection that is not set up after `set_up` is
/// given up. With `links` what is sent is conditioned. What passes is counted
/// on `meters`.
///
/// # Errors
/// When the key cannot sign for noise.
pub fn build(
    keypair: &Keypair,
    set_up: Duration,
    links: Option<Links>,
    meters: Meters,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(STREAMS_MAX);
    let authenticated = with_names()
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair)?);
    Ok(match links {
        None => authenticated
            .multiplex_ext(move |peer, point| {
                meters.metered(*peer, point.get_remote_address(), yamux)
            })
            .timeout(set_up)
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(Parting::new(muxer))))
            .boxed(),
        Some(links) => authenticated
            .multiplex_ext(move |peer, point| {
                let upgrade = Upgrade {
                    yamux,
                    links,
                    peer: *peer,
                };
                meters.metered(*peer, point.get_remote_address(), upgrade)
            })
            .timeout(set_up)
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(Parting::new(muxer))))
            .boxed(),
    })
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
