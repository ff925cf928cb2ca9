//! Peers that do not keep to the bounds: raw libp2p on the other side.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, Message, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, identify, noise, tcp, yamux};
use minichain_node::net::Command;
use minichain_protocol::input::{Breach, Input, OutboundRequest, RequestFailure};
use minichain_protocol::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};

use crate::support::{Net, edges_only, until};

/// Writes whatever it is given, without a length of its own.
#[derive(Clone, Default)]
struct RawCodec;

impl request_response::Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 5];
        io.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&request).await?;
        io.flush().await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&response).await?;
        io.flush().await?;
        // The liar never ends the stream.
        std::future::pending().await
    }
}

#[derive(NetworkBehaviour)]
struct Raw {
    sync: request_response::Behaviour<RawCodec>,
    identify: identify::Behaviour,
}

fn raw() -> Swarm<Raw> {
    let protocol = StreamProtocol::new("/minichain/lab/sync/1");
    let swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .expect("transport");
    swarm
        .with_behaviour(|key| Raw {
            sync: request_response::Behaviour::new(
                [(protocol, ProtocolSupport::Full)],
                request_response::Config::default(),
            ),
            identify: identify::Behaviour::new(identify::Config::new(
                "/minichain/lab/1".into(),
                key.public(),
            )),
        })
        .expect("behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}

#[tokio::test]
async fn a_response_that_claims_too_much_is_refused_without_waiting_for_it() {
    for claim in [
        u32::MAX,
        u32::try_from(RESPONSE_BYTES_MAX).expect("small") + 1,
    ] {
        let mut node = Net::start(edges_only(&[])).await;
        let mut liar = raw();
        liar.dial(node.address()).expect("dial");
        let answering = tokio::spawn(async move {
            loop {
                if let SwarmEvent::Behaviour(RawEvent::Sync(request_response::Event::Message {
                    message: Message::Request { channel, .. },
                    ..
                })) = liar.select_next_some().await
                {
                    let bytes = claim.to_be_bytes().to_vec();
                    liar.behaviour_mut()
                        .sync
                        .send_response(channel, bytes)
                        .expect("answered");
                }
            }
        });
        let peer = node.connected().await;
        let (id, timeout) = (OutboundRequest(1), Duration::from_secs(50));
        node.command(Command::Request {
            id,
            peer,
            bytes: b"?".to_vec(),
            timeout,
        })
        .await;
        let failure = node
            .expect("failure", |input| match input {
                Input::RequestFailed {
                    id: OutboundRequest(1),
                    failure,
                    ..
                } => Some(*failure),
                _ => None,
            })
            .await;
        assert_eq!(failure, RequestFailure::BadResponse);
        let breach = node
            .expect("breach", |input| match input {
                Input::PeerBreached { breach, .. } => Some(*breach),
                _ => None,
            })
            .await;
        assert_eq!(breach, Breach::AnswerTooLong);
        answering.abort();
    }
}

#[tokio::test]
async fn a_request_that_claims_too_much_costs_the_connection() {
    let mut node = Net::start(edges_only(&[])).await;
    let mut liar = raw();
    liar.dial(node.address()).expect("dial");
    let address = node.address();
    tokio::spawn(async move {
        loop {
            if let SwarmEvent::ConnectionEstablished { peer_id, .. } = liar.select_next_some().await
            {
                let claim = u32::try_from(REQUEST_BYTES_MAX).expect("small") + 1;
                let bytes = claim.to_be_bytes().to_vec();
                liar.behaviour_mut().sync.send_request(&peer_id, bytes);
                let _refused_later = liar.dial(address.clone());
            }
        }
    });
    let peer = node.connected().await;
    let breach = node
        .expect("breach", |input| match input {
            Input::PeerBreached { peer: by, breach } if *by == peer => Some(*breach),
            _ => None,
        })
        .await;
    assert_eq!(breach, Breach::QuestionTooLong);
    let keep_away = Some(Duration::from_secs(600));
    node.command(Command::Disconnect { peer, keep_away }).await;
    node.disconnected(peer).await;
    until("the liar is gone", || node.peers() == 0).await;
    let inputs = node.drain(Duration::from_secs(1)).await;
    assert!(
        !inputs
            .iter()
            .any(|i| matches!(i, Input::RequestReceived { .. })),
        "{inputs:?}"
    );
    assert_eq!(node.peers(), 0, "it is kept away");
}

#[tokio::test]
async fn our_own_oversize_answer_is_refused_before_it_is_sent() {
    let mut a = Net::start(edges_only(&[])).await;
    let mut b = Net::start(edges_only(&[&a])).await;
    let peer = a.connected().await;
    let (id, timeout) = (OutboundRequest(1), Duration::from_secs(50));
    a.command(Command::Request {
        id,
        peer,
        bytes: b"?".to_vec(),
        timeout,
    })
    .await;
    let id = b
        .expect("request", |input| match input {
            Input::RequestReceived { id, .. } => Some(*id),
            _ => None,
        })
        .await;
    b.command(Command::Respond {
        id,
        bytes: vec![0; RESPONSE_BYTES_MAX + 1],
    })
    .await;
    let failure = a
        .expect("failure", |input| match input {
            Input::RequestFailed { failure, .. } => Some(*failure),
            _ => None,
        })
        .await;
    assert_eq!(failure, RequestFailure::BadResponse);
    assert_eq!(a.peers(), 1, "the connection stays");
}
