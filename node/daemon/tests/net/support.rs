//! Nodes without a chain.

use std::collections::VecDeque;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use minichain_node::net::{self, Command, Config, Delivery, Ends, Handle};
use minichain_protocol::input::{Input, Peer};
use tokio::sync::mpsc;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A network side whose inputs the test reads.
pub struct Net {
    pub handle: Handle,
    pub inbox: mpsc::Receiver<Delivery>,
    seen: VecDeque<Input>,
}

/// Settings of a quiet node on loopback.
pub fn config(bootstrap: &[&Net]) -> Config {
    Config {
        network: "lab".into(),
        spacing: Duration::from_secs(5),
        listen: "127.0.0.1".parse().expect("address"),
        port: 0,
        advertise: None,
        bootstrap: bootstrap.iter().map(|net| net.address()).collect(),
        discovery: true,
        target_peers: 16,
        max_peers: 64,
        keypair: Keypair::generate_ed25519(),
        user_agent: "test/1".into(),
        peers_file: None,
        bans_file: None,
    }
}

/// The same, with explicit edges alone.
pub fn edges_only(bootstrap: &[&Net]) -> Config {
    Config {
        discovery: false,
        ..config(bootstrap)
    }
}

impl Net {
    pub async fn start(config: Config) -> Self {
        Self::start_with(config, Ends::default()).await
    }

    /// With further ways in.
    pub async fn start_with(config: Config, ends: Ends) -> Self {
        let (sender, inbox) = mpsc::channel(64);
        let handle = net::start(config, ends, sender)
            .await
            .expect("the network side starts");
        Self {
            handle,
            inbox,
            seen: VecDeque::new(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> Multiaddr {
        let view = self.handle.view.borrow();
        view.addresses
            .first()
            .expect("an address")
            .parse()
            .expect("a multiaddr")
    }

    pub fn peer_id(&self) -> String {
        self.handle.view.borrow().peer_id.clone()
    }

    pub fn peers(&self) -> usize {
        self.handle.view.borrow().connections.len()
    }

    pub async fn command(&self, command: Command) {
        self.handle
            .commands
            .send(command)
            .await
            .expect("the network side lives");
    }

    /// The next input for which `pick` finds something; earlier ones are kept.
    pub async fn expect<T>(&mut self, what: &str, pick: impl Fn(&Input) -> Option<T>) -> T {
        for index in 0..self.seen.len() {
            if let Some(found) = pick(&self.seen[index]) {
                self.seen.remove(index);
                return found;
            }
        }
        let search = async {
            loop {
                let delivery = self.inbox.recv().await.expect("the network side lives");
                match pick(&delivery.input) {
                    Some(found) => return found,
                    None => self.seen.push_back(delivery.input),
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}"))
    }

    /// Everything that arrives within `time`.
    pub async fn drain(&mut self, time: Duration) -> Vec<Input> {
        let mut inputs: Vec<Input> = self.seen.drain(..).collect();
        let deadline = tokio::time::Instant::now() + time;
        while let Ok(Some(delivery)) = tokio::time::timeout_at(deadline, self.inbox.recv()).await {
            inputs.push(delivery.input);
        }
        inputs
    }

    pub async fn connected(&mut self) -> Peer {
        self.expect("connection", |input| match input {
            Input::PeerConnected { peer, .. } => Some(*peer),
            _ => None,
        })
        .await
    }

    pub async fn disconnected(&mut self, peer: Peer) {
        let is_it =
            |input: &Input| matches!(input, Input::PeerDisconnected { peer: p } if *p == peer);
        self.expect("disconnection", |input| is_it(input).then_some(()))
            .await;
    }

    /// Ends it in order.
    pub async fn stop(self) {
        drop(self.handle.commands);
        self.handle
            .task
            .await
            .expect("the network side ended in order");
    }
}

/// Waits until `holds`.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, wait).await.is_ok(),
        "not within {PATIENCE:?}: {what}"
    );
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address").port()
}
