//! `/metrics` for Prometheus and `/health` for whoever supervises the node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, TextEncoder};
use tokio::task::JoinHandle;

use super::{Observer, Snapshot};
use crate::difficulty::{ratio, work_f64};
use crate::driver::{Handle, View};
use crate::exit::Failure;
use crate::listen;
use crate::shutdown::Shutdown;

/// How long a look may wait for the node's thread; then the last values serve.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Look {
    observer: Arc<Observer>,
    driver: Handle,
}

/// Listens, then serves in the background until shutdown. Where it listens,
/// and the task.
pub async fn start(
    address: SocketAddr,
    observer: Arc<Observer>,
    driver: Handle,
    shutdown: &Shutdown,
) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let (listener, bound) = listen::bind(address, "metrics", "--metrics-port").await?;
    let task = tokio::spawn(listen::serve(
        listener,
        router(observer, driver),
        shutdown.clone(),
    ));
    Ok((bound, task))
}

/// The two pages.
fn router(observer: Arc<Observer>, driver: Handle) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .with_state(Look { observer, driver })
}

async fn metrics(State(look): State<Look>) -> Response {
    let snapshot = snapshot(&look.driver).await;
    let families = look.observer.gather(snapshot.as_ref());
    let encoder = TextEncoder::new();
    let mut body = Vec::new();
    match encoder.encode(&families, &mut body) {
        Ok(()) => {
            let kind = encoder.format_type().to_owned();
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn health(State(look): State<Look>) -> Response {
    let Some(snapshot) = snapshot(&look.driver).await else {
        let body = axum::Json(serde_json::json!({"status": "busy"}));
        return (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    };
    axum::Json(serde_json::json!({
        "status": "ok",
        "height": snapshot.height,
        "headers": snapshot.header_height,
        "peers": snapshot.inbound_peers + snapshot.outbound_peers,
        "tip_age_s": look.observer.tip_age().as_secs(),
        "uptime_s": look.observer.uptime().as_secs(),
    }))
    .into_response()
}

/// The node's state, unless its thread is busy for long or gone.
async fn snapshot(driver: &Handle) -> Option<Snapshot> {
    let inbox_messages = driver.waiting();
    let look = move |view: &View<'_>| look(view, inbox_messages);
    match tokio::time::timeout(LOOK_TIMEOUT, driver.query(look)).await {
        Ok(Ok(snapshot)) => Some(snapshot),
        Ok(Err(_)) | Err(_) => None,
    }
}

fn look(view: &View<'_>, inbox_messages: usize) -> Snapshot {
    let mempool = view.node.mempool();
    let best = mempool.iter_by_fee_rate().next();
    let state = view.node.state();
    let tip = state.tip();
    let initial = state.params().initial_target;
    let next = state.next_bits(&tip.hash).to_target();
    let (inbound_peers, outbound_peers) = view.net.counts();
    Snapshot {
        height: tip.height.0,
        header_height: state.tree().best_header().height.0,
        tip_time_s: tip.header.time.0,
        chainwork: tip.chainwork.to_f64(),
        difficulty: tip
            .header
            .bits
            .to_target()
            .map_or(0.0, |target| ratio(initial, target)),
        expected_hashes: next.map_or(0.0, work_f64),
        inbound_peers,
        outbound_peers,
        mempool_transactions: mempool.len() as u64,
        mempool_vbytes: mempool.vbytes(),
        mempool_memory_bytes: mempool.bytes(),
        best_fee_rate_sat_per_kvb: best.map_or(0, |entry| entry.mining_rate().to_sat_per_kvb()),
        inbox_messages,
    }
}
