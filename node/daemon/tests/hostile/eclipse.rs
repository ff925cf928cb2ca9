//! One foe under so many names that its connections alone would be enough peers.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use minichain_node::net::{Config, addresses};
use serde_json::Value;

use crate::foe::{self, Foe, polite};
use crate::support::wait_for;
use crate::victim::{NOISE_MB, Neighbour, Victim};

/// More than the victim looks for.
const NAMES: usize = 24;
const WANTED: usize = 8;
/// Peers of its own choice that a node has at least.
const CHOSEN: usize = 4;
/// Honest nodes that know each other by their hub, dial nobody else, and so
/// reach the victim only if it reaches them.
const HONEST: usize = 6;
/// Long enough for dials nobody needs to show.
const QUIET: Duration = Duration::from_secs(5);

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

/// An honest node that listens at `own` and needs no peer but the hub, if one is
/// given.
fn honest(victim: &Victim, own: SocketAddr, hub: Option<SocketAddr>) -> Foe {
    let settings = Config {
        port: own.port(),
        bootstrap: hub.map(addresses::from_socket).into_iter().collect(),
        discovery: true,
        target_peers: u32::from(hub.is_some()),
        max_peers: 64,
        user_agent: "honest/1".into(),
        ..foe::config(own)
    };
    Foe::with(settings, polite(victim))
}

/// Peers that the victim dialled, among those given.
fn dialled(victim: &Victim, among: &[Foe]) -> usize {
    let is_one = |peer: &&Value| {
        let is_there = among.iter().any(|foe| peer["peerid"] == foe.id);
        peer["inbound"] == false && is_there
    };
    victim.peers().iter().filter(is_one).count()
}

/// ```text
/// 24 names of one foe ──► victim ──► hub ◄── 5 honest nodes
///                           └──► as many of those as it has no peers of its own
/// ```
#[test]
fn foe_who_fills_a_node_with_its_names_keeps_it_from_no_peers_of_its_own() {
    let hub = free_address();
    let settings = format!("p2p: {{port: 0, target_peers: {WANTED}, bootstrap: [\"{hub}\"]}}\n");
    let victim = Victim::with_blocks(&settings, &[]);
    let names: Vec<Foe> = (0..NAMES)
        .map(|_| Foe::start(&victim, polite(&victim)))
        .collect();
    wait_for("one foe under all its names", || {
        (victim.peers().len() == NAMES).then_some(())
    });
    let began = Instant::now();
    let mut others = vec![honest(&victim, hub, None)];
    others.extend((1..HONEST).map(|_| honest(&victim, free_address(), Some(hub))));
    wait_for("peers of its own", || {
        (dialled(&victim, &others) >= CHOSEN).then_some(())
    });
    let found_s = began.elapsed().as_secs_f64();
    std::thread::sleep(QUIET);
    let own = dialled(&victim, &others);
    assert!(own < HONEST, "it dials no more than it needs: {own}");
    assert_eq!(
        dialled(&victim, &names),
        0,
        "nobody who came in is a choice"
    );
    assert_eq!(victim.node.page("/health").0, 200);
    let neighbour = Neighbour::of(&victim);
    neighbour.converges_with(&victim);
    let sent = format!("{NAMES} identities where {WANTED} peers are looked for");
    let how = format!("{own} peers of its own choice, after {found_s:.1} s");
    victim.stayed_within(NOISE_MB, "eclipse by inbound peers", &sent, &how);
}
