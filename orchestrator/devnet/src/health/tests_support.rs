//! Answers of nodes made up by hand.

use minichain_api::rpc::{BlockchainInfo, MempoolInfo, MiningInfo, NetworkInfo, PeerInfo};

use crate::probe::NodeFacts;

/// A node at `height`, whose name is its peer id.
pub fn facts_of(name: &str, peers: &[&str], height: u32, hashes: u64) -> NodeFacts {
    NodeFacts {
        chain: BlockchainInfo {
            chain: "devnet".into(),
            blocks: height,
            headers: height,
            bestblockhash: format!("tip-{height}"),
            bits: String::new(),
            target: String::new(),
            difficulty: 1.0,
            time: 0,
            mediantime: 0,
            chainwork: String::new(),
            initialblockdownload: false,
            genesishash: "genesis".into(),
            spacing: 5,
        },
        peers: peers.iter().map(|peer| peer_info(peer)).collect(),
        network: NetworkInfo {
            version: 0,
            subversion: String::new(),
            connections: 0,
            connections_in: 0,
            connections_out: 0,
            peerid: name.into(),
            localaddresses: Vec::new(),
        },
        mempool: MempoolInfo {
            size: 0,
            bytes: 0,
            maxmempool: 0,
        },
        mining: MiningInfo {
            blocks: height,
            mining: true,
            hashrate: 1.0,
            hashes,
            blocksfound: 0,
            difficulty: 1.0,
            networkhashps: 1.0,
            pooledtx: 0,
            address: None,
        },
        common_hash: Some("common".into()),
        common_muhash: Some("coins".into()),
    }
}

/// A peer of that id.
pub fn peer_info(id: &str) -> PeerInfo {
    PeerInfo {
        id: 0,
        addr: String::new(),
        peerid: id.into(),
        inbound: false,
        subver: String::new(),
        conntime: 0,
        pingtime: None,
        synced_blocks: None,
        besthash: None,
    }
}
