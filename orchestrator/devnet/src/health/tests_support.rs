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
            verificationprogress: 1.0,
            chainwork: String::new(),
            initialblockdownload: false,
            size_on_disk: 0,
            pruned: false,
            warnings: Vec::new(),
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
            multiaddrs: Vec::new(),
            localaddresses: Vec::new(),
            protocolversion: 0,
            localservices: String::new(),
            localservicesnames: Vec::new(),
            localrelay: true,
            timeoffset: 0,
            networkactive: true,
            networks: Vec::new(),
            relayfee: 0.0,
            incrementalfee: 0.0,
            warnings: Vec::new(),
        },
        mempool: MempoolInfo::default(),
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
            chain: "devnet".into(),
            bits: String::new(),
            target: String::new(),
            blockmintxfee: 0.0,
            next: None,
            warnings: Vec::new(),
        },
        common_hash: Some("common".into()),
        common_muhash: Some("coins".into()),
    }
}

/// A peer of that id.
pub fn peer_info(id: &str) -> PeerInfo {
    PeerInfo {
        peerid: id.into(),
        ..PeerInfo::default()
    }
}
