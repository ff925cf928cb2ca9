//! Follows one node: its tips, reorgs and payments as it tells them.

use std::sync::Arc;
use std::time::Duration;

use minichain_api::rpc::{ReorgEvent, TipEvent};

use super::Watch;
use crate::client::{Events, News};
use crate::clock::now_ms;
use crate::probe::CALL_TIMEOUT;
use crate::serve::view::{Condition, EventView, TipView};

/// Between two tries to reach a node that does not answer.
const AGAIN: Duration = Duration::from_millis(400);
/// A node says at least this often that it is there; its own rhythm is 15 s.
const QUIET_MAX: Duration = Duration::from_secs(40);

/// Follows a node for as long as it is wanted.
pub async fn follow(watch: Arc<Watch>, name: String) {
    loop {
        let layout = watch.live.layout();
        let client = layout.client(&name, CALL_TIMEOUT);
        let opened = match &client {
            Some(client) => client.events().await.map_err(|error| error.to_string()),
            None => Err("has no known RPC address".to_owned()),
        };
        match opened {
            Ok(events) => {
                watch.blocks.branches(&watch, &name).await;
                listen(&watch, &name, events).await;
                watch.hurry.notify_one();
            }
            Err(why) => lost(&watch, &name, why),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// A node that stopped answering; how it is the engine tells later.
pub fn lost(watch: &Watch, name: &str, why: String) {
    watch.board.change_node(name, |node| {
        // Each try fails in other words; the first ones stay.
        if matches!(node.condition, Condition::Up | Condition::Unknown) {
            node.condition = Condition::Silent;
            node.why = why;
        }
        node.peers.clear();
    });
}

async fn listen(watch: &Watch, name: &str, mut events: Events) {
    let mut is_news = false;
    while let Ok(Some(news)) = tokio::time::timeout(QUIET_MAX, events.next()).await {
        match news {
            News::Tip(tip) => {
                took(watch, name, tip, is_news);
                is_news = true;
            }
            News::Reorg(reorg) => reorganised(watch, name, &reorg),
            News::Transaction(_) => watch.board.change_node(name, |node| node.mempool += 1),
        }
    }
}

fn took(watch: &Watch, name: &str, told: TipEvent, is_news: bool) {
    let (hash, height) = (told.hash.clone(), told.height);
    let tip = TipView {
        hash: told.hash,
        height: told.height,
        work: told.chainwork,
        at_ms: now_ms(),
    };
    watch.board.tip(name, tip, is_news);
    watch.blocks.want(name, &hash, height);
}

fn reorganised(watch: &Watch, name: &str, reorg: &ReorgEvent) {
    let won = blocks(reorg.connected.len());
    let fork = reorg
        .connected
        .first()
        .map(|block| block.height.saturating_sub(1));
    let detail = match fork {
        Some(height) => format!("{won} came instead, forked at height {height}"),
        None => String::new(),
    };
    watch
        .board
        .event(left(name, reorg.disconnected.len(), detail));
    for block in &reorg.connected {
        watch.blocks.want(name, &block.hash, block.height);
    }
}

/// A node left so many blocks for others.
pub fn left(name: &str, lost: usize, detail: String) -> EventView {
    EventView {
        kind: "reorg",
        title: format!("{name} left {} for a heavier branch", blocks(lost)),
        detail,
        node: Some(name.to_owned()),
        ..EventView::default()
    }
}

fn blocks(count: usize) -> String {
    match count {
        1 => "1 block".to_owned(),
        count => format!("{count} blocks"),
    }
}
