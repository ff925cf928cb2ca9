//! What simulated nodes say: for the next look, and all of it for the bundle.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::LogFact;
use minichain_protocol::event::Event;
use minichain_sim::trace;

/// Lines kept for the next look at most.
const LINES_MAX: usize = 200_000;
/// Bytes of one node's log at most; the rest of a run is left out.
const BYTES_MAX: usize = 16 << 20;

/// Lines of all nodes.
#[derive(Debug, Default)]
pub struct Journal {
    fresh: Vec<LogFact>,
    lost: u64,
    texts: BTreeMap<NodeName, String>,
}

impl Journal {
    /// A node told something.
    pub fn told(&mut self, node: &str, at_ms: u64, event: &Event) {
        if let Some((level, text)) = trace::line(event) {
            self.line(node, at_ms, &format!("{level:>5} {text}"));
        }
    }

    fn line(&mut self, node: &str, at_ms: u64, text: &str) {
        let kept = self.texts.entry(node.to_owned()).or_default();
        if kept.len() < BYTES_MAX {
            kept.push_str(&format!("{at_ms} {text}\n"));
        }
        if self.fresh.len() >= LINES_MAX {
            self.lost += 1;
            return;
        }
        self.fresh.push(LogFact {
            node: node.to_owned(),
            at_ms,
            text: text.to_owned(),
        });
    }

    /// Lines since the last call, and how many more there were.
    pub fn take(&mut self) -> (Vec<LogFact>, u64) {
        let lost = std::mem::take(&mut self.lost);
        (std::mem::take(&mut self.fresh), lost)
    }

    /// Writes every node's log into a folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn spool(&self, folder: &Path) -> io::Result<Vec<(NodeName, PathBuf)>> {
        let mut files = Vec::new();
        for (node, text) in &self.texts {
            let path = folder.join(format!("{node}.log"));
            std::fs::write(&path, text)?;
            files.push((node.clone(), path));
        }
        Ok(files)
    }
}
