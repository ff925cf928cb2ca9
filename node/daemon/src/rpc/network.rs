//! Methods about peers.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use minichain_api::rpc::{LocalAddress, NetTotals, NetworkInfo, PeerInfo, RpcError, UploadTarget};
use minichain_chain::amount::Amount;
use minichain_chain::hash::BlockHash;
use minichain_protocol::input::Direction;
use minichain_protocol::limits::PROTOCOL_VERSION;

use super::{Context, render};
use crate::driver::View;
use crate::net;

/// `getnetworkinfo`.
pub async fn info(context: &Context) -> Result<NetworkInfo, RpcError> {
    let subversion = context.user_agent.clone();
    context
        .look(move |view| {
            let (inbound, outbound) = view.net.counts();
            NetworkInfo {
                version: version_number(),
                subversion,
                connections: number(inbound + outbound),
                connections_in: number(inbound),
                connections_out: number(outbound),
                peerid: view.net.peer_id.clone(),
                multiaddrs: view.net.addresses.clone(),
                localaddresses: local_addresses(&view.net.addresses),
                protocolversion: PROTOCOL_VERSION,
                localservices: format!("{:016x}", 0),
                localservicesnames: Vec::new(),
                localrelay: true,
                timeoffset: 0,
                networkactive: true,
                networks: Vec::new(),
                relayfee: least_fee(view),
                incrementalfee: least_fee(view),
                warnings: Vec::new(),
            }
        })
        .await
}

/// `getpeerinfo`.
pub async fn peers(context: &Context) -> Result<Vec<PeerInfo>, RpcError> {
    context.look(peer_infos).await
}

/// `getconnectioncount`.
pub async fn connection_count(context: &Context) -> Result<u32, RpcError> {
    let look = context.look(|view| number(view.net.connections.len()));
    look.await
}

/// `getnettotals`.
pub async fn totals(context: &Context) -> Result<NetTotals, RpcError> {
    let traffic = context.look(|view| view.net.meter.totals()).await?;
    Ok(NetTotals {
        totalbytesrecv: traffic.bytes_received,
        totalbytessent: traffic.bytes_sent,
        timemillis: context.clock.now().0,
        uploadtarget: UploadTarget {
            timeframe: 86_400,
            target: 0,
            target_reached: false,
            serve_historical_blocks: true,
            bytes_left_in_cycle: 0,
            time_left_in_cycle: 0,
        },
    })
}

/// In coins for 1,000 virtual bytes.
pub fn least_fee(view: &View<'_>) -> f64 {
    let sats = view.node.mempool().limits().min_fee_rate_sat_per_kvb;
    render::coins(Amount::from_sat(sats))
}

fn local_addresses(multiaddrs: &[String]) -> Vec<LocalAddress> {
    let sockets = multiaddrs
        .iter()
        .filter_map(|text| net::addresses::to_socket(&text.parse().ok()?));
    let shown = sockets.map(|socket| LocalAddress {
        address: socket.ip().to_string(),
        port: socket.port(),
        score: 1,
    });
    shown.collect()
}

fn peer_infos(view: &View<'_>) -> Vec<PeerInfo> {
    let known = view.node.peers().map(|known| (known.peer, known));
    let mut known: BTreeMap<_, _> = known.collect();
    let tree = view.node.state().tree();
    let height = |hash: &BlockHash| tree.get(hash).map(|entry| entry.height.0);
    let mut asked: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for (peer, hash) in view.node.blocks_asked() {
        asked.entry(peer).or_default().extend(height(&hash));
    }
    let infos = view.net.connections.iter().map(|(peer, connection)| {
        let known = known.remove(peer);
        let status = known.as_ref().and_then(|known| known.status.clone());
        let starting = known.as_ref().and_then(|known| known.starting_height);
        let best = known.and_then(|known| height(&known.best?));
        let mut inflight = asked.remove(peer).unwrap_or_default();
        inflight.sort_unstable();
        let traffic = connection.traffic.totals();
        PeerInfo {
            id: peer.0,
            addr: connection.address.clone(),
            network: network_of(&connection.address).to_owned(),
            services: format!("{:016x}", 0),
            servicesnames: Vec::new(),
            relaytxes: true,
            lastsend: traffic.sent_at_unix_s,
            lastrecv: traffic.received_at_unix_s,
            bytessent: traffic.bytes_sent,
            bytesrecv: traffic.bytes_received,
            version: status.as_ref().map_or(0, |status| status.protocol_version),
            minping: connection.min_ping_ms.map(|ms| ms / 1_000.0),
            startingheight: starting.map_or(-1, |height| i64::from(height.0)),
            synced_headers: best.map_or(-1, i64::from),
            inflight,
            peerid: connection.peer_id.clone(),
            inbound: connection.direction == Direction::Inbound,
            subver: status
                .as_ref()
                .map(|status| status.user_agent.to_string())
                .unwrap_or_default(),
            conntime: connection.since_unix_s,
            pingtime: connection.ping_ms.map(|ms| ms / 1_000.0),
            synced_blocks: status.as_ref().map(|status| status.height.0),
            besthash: status.as_ref().map(|status| status.tip.to_string()),
            connection_type: connection_type(connection).to_owned(),
        }
    });
    infos.collect()
}

/// Bitcoin Core's word for the kind of an address; a name counts as IPv4.
fn network_of(address: &str) -> &'static str {
    match address.parse::<SocketAddr>().map(|socket| socket.ip()) {
        Ok(IpAddr::V4(ip))
            if ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() =>
        {
            "not_publicly_routable"
        }
        Ok(IpAddr::V6(ip))
            if ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified() =>
        {
            "not_publicly_routable"
        }
        Ok(IpAddr::V6(_)) => "ipv6",
        Ok(IpAddr::V4(_)) | Err(_) => "ipv4",
    }
}

const fn connection_type(connection: &net::Connection) -> &'static str {
    match connection.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound if connection.is_manual => "manual",
        Direction::Outbound => "outbound-full-relay",
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn version_number() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or_default();
    part(env!("CARGO_PKG_VERSION_MAJOR")) * 10_000
        + part(env!("CARGO_PKG_VERSION_MINOR")) * 100
        + part(env!("CARGO_PKG_VERSION_PATCH"))
}
