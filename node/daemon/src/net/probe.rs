//! Probes: some bytes to a peer and back, to measure a link as the peers
//! themselves feel it.

use std::io;
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId, StreamProtocol, request_response};
use tokio::sync::oneshot;

/// What travels; its end is the end of the stream.
pub type Payload = Vec<u8>;
/// Bytes of a payload at least; as many are sent if nothing is said.
pub const PAYLOAD_MIN: usize = 16;
/// Bytes of a payload at most.
pub const PAYLOAD_MAX: usize = 256 * 1_024;

/// Whom to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The peer.
    pub peer: PeerId,
    /// Where to dial it when it is not connected; none: then it is
    /// unreachable.
    pub address: Option<Multiaddr>,
}

/// The round trip, or why there was none.
pub type Outcome = Result<Duration, String>;

/// A round of probes.
#[derive(Debug)]
pub struct Order {
    /// Whom to probe, all at once.
    pub targets: Vec<Target>,
    /// Time they may take together.
    pub timeout: Duration,
    /// Bytes of each payload.
    pub payload_bytes: usize,
    /// Takes the outcomes in the order of the targets.
    pub reply: oneshot::Sender<Vec<Outcome>>,
}

/// A probe that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// What was sent.
    pub payload: Payload,
    /// How long it took; zero at the end that echoes.
    pub round_trip: Duration,
}

/// Reads and writes probes. The time is measured here, between the last byte
/// of the probe and the last of its echo: opening the stream takes a round
/// trip of its own, which must not count.
#[derive(Clone, Debug, Default)]
pub struct ProbeCodec {
    sent: Option<Instant>,
}

impl request_response::Codec for ProbeCodec {
    type Protocol = StreamProtocol;
    type Request = Payload;
    type Response = Echo;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Payload>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Echo>
    where
        T: AsyncRead + Unpin + Send,
    {
        let payload = read(io).await?;
        let round_trip = self.sent.map(|sent| sent.elapsed()).unwrap_or_default();
        Ok(Echo {
            payload,
            round_trip,
        })
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        payload: Payload,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.sent = Some(Instant::now());
        io.write_all(&payload).await?;
        io.close().await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        echo: Echo,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&echo.payload).await?;
        io.close().await
    }
}

/// Reads to the end; memory grows with what has arrived.
async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Payload> {
    let mut payload = Payload::new();
    let most = PAYLOAD_MAX as u64 + 1;
    io.take(most).read_to_end(&mut payload).await?;
    if !(PAYLOAD_MIN..=PAYLOAD_MAX).contains(&payload.len()) {
        let why = format!("a probe of {} bytes", payload.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(payload)
}
