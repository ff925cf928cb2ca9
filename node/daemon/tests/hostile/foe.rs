//! A peer that speaks the protocol as nodes do, and says what the test wants.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use libp2p::identity::Keypair;
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;
use minichain_node::net::{self, Command, Config, Delivery, Ends, addresses};
use minichain_protocol::input::{Input, OutboundRequest, Peer};
use minichain_protocol::limits::PROTOCOL_VERSION;
use minichain_protocol::output::{Topic, Verdict};
use minichain_protocol::wire::{Inventory, Request, Response, Standing, Status, Text};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::support::wait_for;
use crate::victim::Victim;

/// Where all foes live.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all();
    builder.build().expect("a runtime")
});

/// What a foe answers; none: nothing.
pub type Manner = Box<dyn FnMut(&Request) -> Option<Vec<u8>> + Send>;

/// What a foe saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The victim, while it is connected.
    pub peer: Option<Peer>,
    pub asked: u64,
    pub answers: u64,
    pub refusals: u64,
}

/// A hostile peer.
pub struct Foe {
    pub id: String,
    commands: mpsc::Sender<Command>,
    seen: Arc<Mutex<Seen>>,
}

/// Settings of a peer that dials the victim and nobody else.
pub fn config(address: SocketAddr) -> Config {
    Config {
        network: "hostile".into(),
        spacing: Duration::from_secs(1),
        listen: "127.0.0.1".parse().expect("an address"),
        port: 0,
        advertise: None,
        bootstrap: vec![addresses::from_socket(address)],
        discovery: false,
        target_peers: 8,
        max_peers: 8,
        keypair: Keypair::generate_ed25519(),
        user_agent: "foe/1".into(),
        peers_file: None,
        bans_file: None,
    }
}

/// What a node says of itself that has nothing but genesis.
pub fn humble(victim: &Victim) -> Status {
    Status {
        protocol_version: PROTOCOL_VERSION,
        network: Text::lossy("hostile"),
        genesis: victim.genesis().parse().expect("a hash"),
        tip: victim.genesis().parse().expect("a hash"),
        height: Height(0),
        chainwork: Chainwork::default(),
        user_agent: Text::lossy("foe/1"),
    }
}

/// The same, but it has a better tip.
pub fn boastful(victim: &Victim, tip: BlockHash, height: u32) -> Status {
    Status {
        tip,
        height: Height(height),
        chainwork: Chainwork::from_be_bytes([1; 32]),
        ..humble(victim)
    }
}

/// An answer that fits and tells nothing but the claim.
pub fn plain(claim: &Status, request: &Request) -> Response {
    match request {
        Request::Status(_) => Response::Status(claim.clone()),
        Request::Standing(_) => Response::Standing(Standing {
            status: claim.clone(),
            pool: [0; 32],
        }),
        Request::Headers(_) => Response::Headers(Vec::new()),
        Request::Blocks(_) => Response::Blocks(Vec::new()),
        Request::Inventory(_) => {
            let (txids, next) = (Vec::new(), 0);
            Response::Inventory(Inventory { txids, next })
        }
        Request::Transactions(_) => Response::Transactions(Vec::new()),
    }
}

/// Answers as an honest newcomer would.
pub fn polite(victim: &Victim) -> Manner {
    let claim = humble(victim);
    Box::new(move |request| Some(encode(&plain(&claim, request))))
}

impl Foe {
    /// Connects to the victim, again and again if need be.
    pub fn start(victim: &Victim, manner: Manner) -> Self {
        Self::by(victim.address(), manner)
    }

    pub fn by(way: SocketAddr, manner: Manner) -> Self {
        Self::with(config(way), manner)
    }

    /// With settings of its own.
    pub fn with(config: Config, manner: Manner) -> Self {
        let id = config.keypair.public().to_peer_id().to_string();
        let (sender, inbox) = mpsc::channel(64);
        let started = RUNTIME.block_on(net::start(config, Ends::default(), sender));
        let commands = started.expect("the foe starts").commands;
        let seen = Arc::new(Mutex::new(Seen::default()));
        RUNTIME.spawn(live(inbox, commands.clone(), Arc::clone(&seen), manner));
        Self { id, commands, seen }
    }

    pub fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wait_for_victim(&self) -> Peer {
        wait_for("the foe to be connected", || self.seen().peer)
    }

    /// Gossips; whether anybody hears is not told.
    pub fn gossip(&self, topic: Topic, bytes: Vec<u8>) {
        let sent_at_ms = 1;
        self.order(Command::Publish {
            topic,
            bytes,
            sent_at_ms,
        });
    }

    /// Questions that are neither answered nor refused.
    pub fn owed(&self) -> u64 {
        let seen = self.seen();
        seen.asked.saturating_sub(seen.answers + seen.refusals)
    }

    /// Puts a question, if it is connected.
    pub fn ask(&self, bytes: Vec<u8>) {
        if let Some(peer) = self.seen().peer {
            self.seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .asked += 1;
            let (id, timeout) = (OutboundRequest(0), Duration::from_secs(30));
            self.order(Command::Request {
                id,
                peer,
                bytes,
                timeout,
            });
        }
    }

    /// Lets its own side do all it was told: while orders wait it says nothing.
    pub fn pause(&self) {
        loop {
            std::thread::sleep(Duration::from_millis(2));
            if self.commands.capacity() == self.commands.max_capacity() {
                return;
            }
        }
    }

    fn order(&self, command: Command) {
        let sent = self.commands.blocking_send(command);
        sent.expect("the foe lives");
    }
}

async fn live(
    mut inbox: mpsc::Receiver<Delivery>,
    commands: mpsc::Sender<Command>,
    seen: Arc<Mutex<Seen>>,
    mut manner: Manner,
) {
    while let Some(delivery) = inbox.recv().await {
        let (input, _credit) = delivery.into_parts();
        note(
            &mut seen.lock().unwrap_or_else(PoisonError::into_inner),
            &input,
        );
        let command = match input {
            Input::RequestReceived { id, bytes, .. } => {
                let request = decode::<Request>(&bytes).expect("the victim asks well");
                match manner(&request) {
                    Some(bytes) => Command::Respond { id, bytes },
                    None => Command::Refuse { id },
                }
            }
            Input::GossipReceived { id, .. } => Command::Verdict {
                id,
                verdict: Verdict::Ignore,
            },
            _ => continue,
        };
        if commands.send(command).await.is_err() {
            return;
        }
    }
}

fn note(seen: &mut Seen, input: &Input) {
    match input {
        Input::PeerConnected { peer, .. } => seen.peer = Some(*peer),
        Input::PeerDisconnected { .. } => seen.peer = None,
        Input::ResponseReceived { .. } => seen.answers += 1,
        Input::RequestFailed { .. } => seen.refusals += 1,
        _ => {}
    }
}
