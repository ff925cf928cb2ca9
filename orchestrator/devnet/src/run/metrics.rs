//! Samples of every node's metrics over a run, on disk, for the bundle.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::access::Access;
use crate::clock::now_ms;
use crate::faults::Live;
use crate::state::create_private_folder;

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(5);
/// Time a node may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes of one node's samples at most; the rest of a run is left out.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Samples until it is dropped.
pub struct MetricsTap {
    folder: PathBuf,
    sampler: JoinHandle<()>,
}

impl MetricsTap {
    /// Samples the nodes of `live` into `folder`.
    pub fn start(live: Arc<Live>, access: Arc<dyn Access>, folder: &Path) -> Self {
        let to = folder.to_owned();
        // A network that stays may hold the samples of an earlier run.
        let _none_there = std::fs::remove_dir_all(&to);
        let sampler = tokio::spawn(async move {
            let mut turns = tokio::time::interval(PERIOD);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                sample(&live, &*access, &to).await;
            }
        });
        Self {
            folder: folder.to_owned(),
            sampler,
        }
    }

    /// Where the samples are, a file for each node.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for MetricsTap {
    fn drop(&mut self) {
        self.sampler.abort();
    }
}

/// Takes one sample of every node. A node that does not answer, and a disk that
/// is full, leave a gap.
async fn sample(live: &Live, access: &dyn Access, folder: &Path) {
    let layout = live.layout();
    let asked = layout.nodes.iter().map(|node| async {
        let text = access.metrics(node, PATIENCE).await.ok()?;
        Some((node.name.clone(), text))
    });
    let at_ms = now_ms();
    for (node, text) in join_all(asked).await.into_iter().flatten() {
        let _gap = append(&folder.join(format!("{node}.prom")), at_ms, &text);
    }
}

fn append(path: &Path, at_ms: u64, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(io::Error::other)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if file.metadata()?.len() + text.len() as u64 > FILE_BYTES_MAX {
        return Ok(());
    }
    writeln!(file, "# sampled at {at_ms} ms since 1970\n{text}")
}

#[cfg(test)]
mod tests;
