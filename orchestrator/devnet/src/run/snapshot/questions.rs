//! What is asked of one node in a look.

use std::collections::BTreeSet;
use std::time::Duration;

use devnet_scenario::world::Wants;
use minichain_api::rpc::{ChainTip, MempoolInfo, NetworkInfo, PeerInfo, TxOutSetInfo, method};
use serde_json::json;

use super::PATIENCE;
use super::vitals::{Signs, silence};
use crate::probe::NodeAddress;
use crate::run::access::{Access, AskError, ask};

/// One node's answers.
pub(super) struct Answers {
    pub(super) tips: Vec<ChainTip>,
    pub(super) peers: Vec<PeerInfo>,
    pub(super) mempool: MempoolInfo,
    pub(super) own_id: Option<String>,
}

/// Answers to what is asked only if it is wanted.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) coins: Option<TxOutSetInfo>,
    pub(super) metrics: Option<String>,
    pub(super) waiting: BTreeSet<String>,
}

/// Why a node is down.
pub(super) struct Silence {
    pub(super) state: &'static str,
    pub(super) why: String,
}

impl Answers {
    pub(super) fn active(&self) -> Option<&ChainTip> {
        self.tips.iter().find(|tip| tip.status == "active")
    }
}

/// Ends with the state of a node that cannot answer; never for one that can.
pub(super) async fn ended(signs: impl Future<Output = Option<Signs>>, node: &str) -> Silence {
    match signs.await.and_then(|signs| silence(&signs, node)) {
        Some(silence) => silence,
        None => std::future::pending().await,
    }
}

pub(super) async fn answers(
    access: &dyn Access,
    node: &NodeAddress,
    patience: Duration,
    wants_id: bool,
) -> Result<Answers, AskError> {
    let own_id = async {
        if !wants_id {
            return Ok(None);
        }
        let info: NetworkInfo =
            ask(access, node, method::GET_NETWORK_INFO, json!([]), patience).await?;
        Ok(Some(info.peerid))
    };
    let (tips, peers, mempool, own_id) = tokio::try_join!(
        ask(access, node, method::GET_CHAIN_TIPS, json!([]), patience),
        ask(access, node, method::GET_PEER_INFO, json!([]), patience),
        ask(access, node, method::GET_MEMPOOL_INFO, json!([]), patience),
        own_id,
    )?;
    Ok(Answers {
        tips,
        peers,
        mempool,
        own_id,
    })
}

/// What costs more. A node that fails now is seen to be silent at the next
/// look.
pub(super) async fn extras(
    access: &dyn Access,
    node: &NodeAddress,
    wants: &Wants,
    coins_at: Option<u32>,
) -> Extras {
    let coins = async {
        let params = json!(["muhash", coins_at?]);
        ask(access, node, method::GET_TXOUTSET_INFO, params, PATIENCE)
            .await
            .ok()
    };
    let metrics = async {
        if wants.metrics {
            access.metrics(node, PATIENCE).await.ok()
        } else {
            None
        }
    };
    let waiting = async {
        if wants.transactions.is_empty() {
            return BTreeSet::new();
        }
        let pool = ask(access, node, method::GET_RAW_MEMPOOL, json!([]), PATIENCE).await;
        pool.unwrap_or_default()
    };
    let (coins, metrics, waiting) = tokio::join!(coins, metrics, waiting);
    Extras {
        coins,
        metrics,
        waiting,
    }
}
