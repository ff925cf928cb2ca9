//! Methods about peers.

use std::collections::BTreeMap;

use minichain_api::rpc::{NetworkInfo, PeerInfo, RpcError};
use minichain_protocol::input::Direction;

use super::Context;
use crate::driver::View;

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
                localaddresses: view.net.addresses.clone(),
            }
        })
        .await
}

/// `getpeerinfo`.
pub async fn peers(context: &Context) -> Result<Vec<PeerInfo>, RpcError> {
    context.look(peer_infos).await
}

fn peer_infos(view: &View<'_>) -> Vec<PeerInfo> {
    let mut statuses: BTreeMap<_, _> = view
        .node
        .peers()
        .map(|known| (known.peer, known.status))
        .collect();
    let infos = view.net.connections.iter().map(|(peer, connection)| {
        let status = statuses.remove(peer).flatten();
        PeerInfo {
            id: peer.0,
            addr: connection.address.clone(),
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
        }
    });
    infos.collect()
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
