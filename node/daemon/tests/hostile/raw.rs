//! A peer that writes what it likes on the streams of the protocol: messages
//! without end, of any length, and none at all.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, Message, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};
use minichain_chain::codec::{decode, encode};
use minichain_node::net::addresses;
use minichain_protocol::limits::REQUEST_BYTES_MAX;
use minichain_protocol::wire::Request;
use tokio::sync::mpsc;

use crate::foe::{RUNTIME, humble, plain};
use crate::support::wait_for;
use crate::victim::Victim;

/// Which protocol a stream is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sync,
    Gossip,
}

/// What goes out on one stream.
#[derive(Clone, Debug)]
pub struct Pour {
    pub on: On,
    pub bytes: Vec<u8>,
    /// Where eight bytes are made different each time.
    pub mark_at: Option<usize>,
    pub times: u64,
    /// Leaves the stream open when done, and reads nothing.
    pub hangs: bool,
}

impl Pour {
    /// These bytes once, and then nothing for ever.
    pub fn once(on: On, bytes: Vec<u8>) -> Self {
        Self {
            on,
            bytes,
            mark_at: None,
            times: 1,
            hangs: true,
        }
    }
}

/// How it answers the victim's questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Well,
    /// With a length of four gigabytes and nothing behind it.
    WithGiants,
}

#[derive(Clone, Default)]
struct RawCodec {
    sent: Arc<AtomicU64>,
    hangs: bool,
}

#[derive(NetworkBehaviour)]
struct Raw {
    sync: request_response::Behaviour<RawCodec>,
    gossip: request_response::Behaviour<RawCodec>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// A peer of no manners.
pub struct RawFoe {
    pub id: String,
    orders: mpsc::UnboundedSender<Pour>,
    is_connected: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

const SYNC: &str = "/minichain/hostile/sync/1";
const GOSSIP: &str = "/minichain/hostile/gossip/1.1.0";
/// No stream is given up by this side.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time between two attempts to connect.
const REDIAL: Duration = Duration::from_millis(300);

impl RawFoe {
    /// Connects to the victim, again and again if need be.
    pub fn start(victim: &Victim, answers: Answers) -> Self {
        let (sent, is_connected) = (Arc::default(), Arc::default());
        let _inside = RUNTIME.enter();
        let swarm = swarm(&sent);
        let id = swarm.local_peer_id().to_string();
        let (orders, inbox) = mpsc::unbounded_channel();
        let claim = humble(victim);
        let answer = move |request: &Request| match answers {
            Answers::Well => framed(&encode(&plain(&claim, request))),
            Answers::WithGiants => vec![0xff; 4],
        };
        let target = addresses::from_socket(victim.address());
        let life = live(swarm, target, inbox, Arc::clone(&is_connected), answer);
        RUNTIME.spawn(life);
        let foe = Self {
            id,
            orders,
            is_connected,
            sent,
        };
        if answers == Answers::Well {
            wait_for("the foe to be connected", || {
                foe.is_connected().then_some(())
            });
        }
        foe
    }

    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::SeqCst)
    }

    pub fn pour(&self, pour: Pour) {
        self.orders.send(pour).expect("the foe lives");
    }

    /// Bytes the victim's side has taken so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

/// A message of the sync protocol.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).expect("short");
    [&len.to_be_bytes(), bytes].concat()
}

/// A question of the sync protocol.
pub fn question(request: &Request) -> Vec<u8> {
    framed(&encode(request))
}

fn swarm(sent: &Arc<AtomicU64>) -> Swarm<Raw> {
    let streams = |name: &'static str| {
        let codec = RawCodec {
            sent: Arc::clone(sent),
            hangs: false,
        };
        let settings = request_response::Config::default().with_request_timeout(PATIENCE);
        let names = [(StreamProtocol::new(name), ProtocolSupport::Full)];
        request_response::Behaviour::with_codec(codec, names, settings)
    };
    let tcp = tcp::Config::default();
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp, noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|key| Raw {
            sync: streams(SYNC),
            gossip: streams(GOSSIP),
            identify: identify::Behaviour::new(identify::Config::new(
                "/minichain/hostile/1".into(),
                key.public(),
            )),
            ping: ping::Behaviour::default(),
        })
        .expect("a behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}

async fn live(
    mut swarm: Swarm<Raw>,
    target: Multiaddr,
    mut orders: mpsc::UnboundedReceiver<Pour>,
    is_connected: Arc<AtomicBool>,
    answer: impl Fn(&Request) -> Vec<u8>,
) {
    let mut tick = tokio::time::interval(REDIAL);
    loop {
        tokio::select! {
            _ = tick.tick() => {
                if swarm.connected_peers().next().is_none() {
                    // The last attempt may be under way still.
                    let _under_way = swarm.dial(target.clone());
                }
            }
            order = orders.recv() => {
                let Some(pour) = order else { return };
                let peer = swarm.connected_peers().next().copied();
                if let Some(peer) = peer {
                    let raw = swarm.behaviour_mut();
                    let streams = if pour.on == On::Sync { &mut raw.sync } else { &mut raw.gossip };
                    streams.send_request(&peer, pour);
                }
            }
            event = swarm.select_next_some() => {
                if let SwarmEvent::Behaviour(RawEvent::Sync(request_response::Event::Message {
                    message: Message::Request { request, channel, .. },
                    ..
                })) = event
                {
                    let asked = decode::<Request>(&request.bytes).expect("the victim asks well");
                    // The victim may be gone.
                    let _gone = swarm.behaviour_mut().sync.send_response(channel, answer(&asked));
                }
                let connected = swarm.connected_peers().next().is_some();
                is_connected.store(connected, Ordering::SeqCst);
            }
        }
    }
}

impl request_response::Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Pour;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        protocol: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Pour> {
        // Who takes no gossip is sent none, and not listened to either.
        if protocol.as_ref() == GOSSIP {
            futures::io::copy(&mut *io, &mut futures::io::sink()).await?;
        }
        let mut prefix = [0; 4];
        io.read_exact(&mut prefix).await?;
        let len = u32::from_be_bytes(prefix) as usize;
        assert!(len <= REQUEST_BYTES_MAX, "the victim asks well");
        let mut bytes = vec![0; len];
        io.read_exact(&mut bytes).await?;
        Ok(Pour::once(On::Sync, bytes))
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        mut pour: Pour,
    ) -> io::Result<()> {
        self.hangs = pour.hangs;
        for turn in 0..pour.times {
            if let Some(at) = pour.mark_at {
                pour.bytes[at..at + 8].copy_from_slice(format!("{turn:08x}").as_bytes());
            }
            io.write_all(&pour.bytes).await?;
            self.sent
                .fetch_add(pour.bytes.len() as u64, Ordering::SeqCst);
        }
        io.flush().await?;
        // Whoever reads nothing has asked wholly; whoever is slow has not.
        if pour.hangs && pour.on == On::Sync && is_whole(&pour.bytes) {
            return Ok(());
        }
        if pour.hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&response).await?;
        io.flush().await
    }
}

/// Whether the length before a message is that of what follows.
fn is_whole(bytes: &[u8]) -> bool {
    let Some((prefix, rest)) = bytes.split_first_chunk::<4>() else {
        return false;
    };
    u32::from_be_bytes(*prefix) as usize == rest.len()
}
