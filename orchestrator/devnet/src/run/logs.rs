//! Follows the logs of a network from the first line to the last: what was said
//! since the last look, and all of it on disk for later.
//!
//! Bounded both ways. A stream that ends, as a container's does when it stops,
//! is opened again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::LogFact;
use futures::StreamExt as _;
use tokio::task::JoinHandle;

use crate::engine::{Engine, LogLine, LogWish};
use crate::faults::Live;
use crate::state::create_private_folder;

/// Lines kept for the next look at most; older ones are on disk only.
const LINES_MAX: usize = 200_000;
/// Last lines of each node that are kept at hand for a story.
const LAST_MAX: usize = 200;
/// Bytes of one node's log on disk at most.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Between an end of a stream and its next opening, and between two looks at
/// the roster.
const AGAIN: Duration = Duration::from_millis(250);

/// Follows all nodes of a network until it is dropped.
pub struct LogTap {
    shared: Arc<Shared>,
    follower: JoinHandle<()>,
}

struct Shared {
    folder: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    fresh: Vec<LogFact>,
    /// Lines that had no room in `fresh` since the last look.
    lost: u64,
    last: BTreeMap<NodeName, VecDeque<LogFact>>,
    files: BTreeMap<NodeName, Spool>,
}

/// One node's log on disk.
struct Spool {
    file: Option<File>,
    bytes: u64,
}

impl LogTap {
    /// Follows the nodes of `live`, with their logs in `folder`.
    pub fn start(live: Arc<Live>, folder: &Path) -> Self {
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            kept: Mutex::default(),
        });
        let follower = tokio::spawn(follow_all(live, shared.clone()));
        Self { shared, follower }
    }

    /// Lines that came since the last call, by time, and how many more there
    /// were than could be kept.
    pub fn take(&self) -> (Vec<LogFact>, u64) {
        let mut kept = self.shared.kept();
        let lost = std::mem::take(&mut kept.lost);
        let mut lines = std::mem::take(&mut kept.fresh);
        drop(kept);
        lines.sort_by_key(|line| line.at_ms);
        (lines, lost)
    }

    /// The last lines of a node.
    pub fn last(&self, node: &str) -> Vec<LogFact> {
        let kept = self.shared.kept();
        kept.last
            .get(node)
            .map(|lines| lines.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The files on disk, by node. Lines begin with their time in milliseconds
    /// since 1970.
    pub fn files(&self) -> Vec<(NodeName, PathBuf)> {
        let kept = self.shared.kept();
        let names = kept.files.keys();
        names
            .map(|node| (node.clone(), self.shared.path(node)))
            .collect()
    }
}

impl Drop for LogTap {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, node: &str) -> PathBuf {
        self.folder.join(format!("{node}.log"))
    }

    fn keep(&self, line: LogLine) {
        let path = self.path(&line.node);
        let mut kept = self.kept();
        let spool = kept
            .files
            .entry(line.node.clone())
            .or_insert_with(|| Spool::open(&path));
        spool.write(&line);
        let fact = LogFact {
            node: line.node,
            at_ms: line.time_ms,
            text: line.text,
        };
        let last = kept.last.entry(fact.node.clone()).or_default();
        if last.len() >= LAST_MAX {
            last.pop_front();
        }
        last.push_back(fact.clone());
        if kept.fresh.len() >= LINES_MAX {
            // Half at a time, since each removal moves the rest.
            kept.fresh.drain(..LINES_MAX / 2);
            kept.lost = kept.lost.saturating_add(LINES_MAX as u64 / 2);
        }
        kept.fresh.push(fact);
    }
}

impl Spool {
    fn open(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("."));
        // A network that stays may hold the log of an earlier run.
        let opened = create_private_folder(folder)
            .ok()
            .and_then(|()| File::create(path).ok());
        Self {
            file: opened,
            bytes: 0,
        }
    }

    /// Failing costs a line of the bundle, which is no reason to end a run.
    fn write(&mut self, line: &LogLine) {
        let Some(file) = &mut self.file else {
            return;
        };
        let text = format!("{} {}\n", line.time_ms, line.text);
        self.bytes += text.len() as u64;
        if self.bytes > FILE_BYTES_MAX {
            let _lost = writeln!(file, "{} (the rest was too long to keep)", line.time_ms);
            self.file = None;
        } else if file.write_all(text.as_bytes()).is_err() {
            self.file = None;
        }
    }
}

/// Follows every node of the roster, also those that join later.
async fn follow_all(live: Arc<Live>, shared: Arc<Shared>) {
    let mut followers = tokio::task::JoinSet::new();
    let mut followed = BTreeSet::new();
    loop {
        for node in live.layout().roster() {
            if followed.insert(node.clone()) {
                let engine = live.engine_handle();
                let (network, shared) = (live.name().to_owned(), shared.clone());
                followers.spawn(async move { follow(&*engine, &network, &node, &shared).await });
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Follows one node for ever.
async fn follow(engine: &dyn Engine, network: &str, node: &str, shared: &Shared) {
    // Lines of the last millisecond come again with the next stream.
    let mut last_ms = 0;
    let mut of_last_ms: BTreeSet<String> = BTreeSet::new();
    loop {
        let (resumed_ms, told) = (last_ms, of_last_ms.clone());
        let wish = LogWish {
            nodes: vec![node.to_owned()],
            since_ms: (resumed_ms > 0).then_some(resumed_ms),
            tail: None,
            follow: true,
        };
        if let Ok(mut lines) = engine.logs(network, &wish).await {
            while let Some(Ok(line)) = lines.next().await {
                let at_ms = line.time_ms;
                if at_ms < resumed_ms || at_ms == resumed_ms && told.contains(&line.text) {
                    continue;
                }
                if at_ms > last_ms {
                    last_ms = at_ms;
                    of_last_ms.clear();
                }
                if at_ms == last_ms {
                    of_last_ms.insert(line.text.clone());
                }
                shared.keep(line);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests;
