//! What happened before anybody looked, as far as the nodes' logs tell: when
//! blocks came to nodes, which blocks they left for others, when they started
//! again. Read once, and bounded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use futures::StreamExt as _;
use tokio::time::Instant;

use super::{Watch, news};
use crate::account::arrivals::{Book, Mention, STARTS};
use crate::clock::now_ms;
use crate::engine::{LogLine, LogWish};
use crate::exit::Failure;
use crate::serve::view::EventView;

/// Lines of log read at most, of all nodes together.
const LINES_MAX: usize = 400_000;
/// Lines taken in at a time: a page that is asked for meanwhile is served.
const LINES_A_TURN: usize = 200;
/// Reorganisations and starts told at most, the newest.
const EVENTS_MAX: usize = 150;
/// Blocks of the past are read within this time, or the rest is left out.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether they are.
const PAUSE: Duration = Duration::from_millis(200);

/// What the logs tell.
#[derive(Default)]
struct Told {
    book: Book,
    starts: BTreeMap<NodeName, Vec<u64>>,
}

/// Reads it, and shows it.
pub async fn read(watch: Arc<Watch>) {
    let until_ms = now_ms();
    wait_for_blocks(&watch).await;
    // A page without a past is a page all the same.
    let Ok(told) = logs(&watch, until_ms).await else {
        return;
    };
    let links = watch.board.links();
    let links: Vec<(&str, &str)> = links
        .iter()
        .map(|(hash, parent)| (hash.as_str(), parent.as_str()))
        .collect();
    let reach = told.book.reach_of(&links);
    for ((hash, _), came) in links.iter().zip(&reach.blocks) {
        if !came.is_empty() {
            watch.board.came(hash, came);
        }
    }
    for event in told.events(until_ms) {
        watch.board.event(event);
    }
}

/// Waits until the blocks that there are by now are known.
async fn wait_for_blocks(watch: &Watch) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        tokio::time::sleep(PAUSE).await;
        if watch.board.lowest_ms().is_some() && watch.blocks.is_idle() {
            return;
        }
    }
}

/// Reads the logs from the lowest known block on. Genesis is as old as the
/// network.
async fn logs(watch: &Watch, until_ms: u64) -> Result<Told, Failure> {
    let nodes = watch.live.layout().nodes.len().max(1);
    let wish = LogWish {
        nodes: Vec::new(),
        since_ms: watch.board.lowest_ms(),
        tail: Some(LINES_MAX / nodes),
        follow: false,
    };
    let mut lines = watch.live.engine().logs(watch.live.name(), &wish).await?;
    let mut told = Told::default();
    let mut count = 0_usize;
    while let Some(line) = lines.next().await {
        told.take(&line?, until_ms);
        count += 1;
        if count.is_multiple_of(LINES_A_TURN) {
            tokio::task::yield_now().await;
        }
    }
    Ok(told)
}

impl Told {
    fn take(&mut self, line: &LogLine, until_ms: u64) {
        if line.time_ms > until_ms {
            return;
        }
        if line.text.contains(STARTS) {
            let starts = self.starts.entry(line.node.clone()).or_default();
            starts.push(line.time_ms);
        }
        self.book.take(&line.node, &line.text);
    }

    /// What is worth telling, oldest first.
    fn events(&self, until_ms: u64) -> Vec<EventView> {
        let reorgs = self.book.nodes().flat_map(|(node, mentions)| {
            let lost = mentions.iter().filter(|mention| mention.lost > 0);
            lost.map(move |mention| reorganised(node, mention))
        });
        // The first start is the network's own.
        let again = self.starts.iter().flat_map(|(node, starts)| {
            let later = starts.iter().skip(1);
            later.map(move |at_ms| started(node, *at_ms))
        });
        let mut events: Vec<EventView> = reorgs
            .chain(again)
            .filter(|event| event.at_ms <= until_ms)
            .collect();
        events.sort_by_key(|event| event.at_ms);
        let spare = events.len().saturating_sub(EVENTS_MAX);
        events.split_off(spare)
    }
}

fn reorganised(node: &str, mention: &Mention) -> EventView {
    let lost = usize::try_from(mention.lost).unwrap_or(usize::MAX);
    EventView {
        at_ms: mention.at_ms,
        ..news::left(
            node,
            lost,
            format!("it stood at height {} then", mention.height),
        )
    }
}

fn started(node: &str, at_ms: u64) -> EventView {
    EventView {
        at_ms,
        kind: "node",
        title: format!("{node} started again"),
        node: Some(node.to_owned()),
        ..EventView::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogSource;

    fn line(time_ms: u64, text: &str) -> LogLine {
        LogLine {
            node: "a".into(),
            time_ms,
            source: LogSource::Stderr,
            text: text.into(),
        }
    }

    #[test]
    fn reorgs_and_later_starts_are_told_in_their_order() {
        let hash = "ab".repeat(32);
        let reorg = format!(
            "1970-01-01T00:00:02.000Z  INFO minichain_node::observe::event: reorganisation tip={hash} height=9 lost=2"
        );
        let mut told = Told::default();
        told.take(
            &line(1_000, "INFO minichain_node::run: starting node=a"),
            9_000,
        );
        told.take(&line(2_000, &reorg), 9_000);
        told.take(
            &line(3_000, "INFO minichain_node::run: starting node=a"),
            9_000,
        );
        told.take(
            &line(9_500, "INFO minichain_node::run: starting node=a"),
            9_000,
        );
        let events = told.events(9_000);
        let titles: Vec<_> = events
            .iter()
            .map(|event| (event.at_ms, event.title.as_str()))
            .collect();
        assert_eq!(
            titles,
            [
                (2_000, "a left 2 blocks for a heavier branch"),
                (3_000, "a started again")
            ]
        );
    }

    #[test]
    fn of_many_the_newest_are_told() {
        let mut told = Told::default();
        for at_ms in 0..400 {
            told.take(&line(at_ms, "minichain_node::run: starting node=a"), 1_000);
        }
        let events = told.events(1_000);
        assert_eq!(events.len(), EVENTS_MAX);
        assert_eq!(events[EVENTS_MAX - 1].at_ms, 399);
    }
}
