//! Logs from the spool to the bundle: times for people, and all nodes merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use devnet_scenario::fault::NodeName;

use crate::clock::time_of_day;

/// Bytes of the merged log at most.
const MERGED_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a line at most; engines cut longer ones.
const LINE_BYTES_MAX: u64 = 256 << 10;

/// A log with its next line.
struct Source {
    node: NodeName,
    lines: BufReader<File>,
}

/// Writes one node's log with times of day.
pub fn readable(from: &Path, to: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(File::open(from)?);
    let mut out = BufWriter::new(File::create(to)?);
    while let Some((at_ms, text)) = next_line(&mut lines)? {
        writeln!(out, "{} {text}", time_of_day(at_ms))?;
    }
    out.flush()
}

/// Merges the logs by time; lines of one node keep their order.
pub fn merge(logs: &[(NodeName, PathBuf)], to: &Path) -> io::Result<()> {
    let width = logs.iter().map(|(node, _)| node.len()).max().unwrap_or(0);
    let mut sources = Vec::new();
    let mut heap = BinaryHeap::new();
    for (node, path) in logs {
        let mut lines = BufReader::new(File::open(path)?);
        if let Some((at_ms, text)) = next_line(&mut lines)? {
            heap.push(Reverse((at_ms, sources.len(), text)));
        }
        sources.push(Source {
            node: node.clone(),
            lines,
        });
    }
    let mut out = BufWriter::new(File::create(to)?);
    let mut written = 0_u64;
    while let Some(Reverse((at_ms, at, text))) = heap.pop() {
        let source = &mut sources[at];
        let line = format!("{} {:<width$} | {text}\n", time_of_day(at_ms), source.node);
        written += line.len() as u64;
        if written > MERGED_BYTES_MAX {
            writeln!(out, "(the rest was too long to merge; logs/ has it)")?;
            break;
        }
        out.write_all(line.as_bytes())?;
        if let Some((next_ms, text)) = next_line(&mut source.lines)? {
            // A line out of order would hold up all that follow it.
            heap.push(Reverse((next_ms.max(at_ms), at, text)));
        }
    }
    out.flush()
}

/// The next line of a spool: its time, and the text.
fn next_line(lines: &mut BufReader<File>) -> io::Result<Option<(u64, String)>> {
    let mut bytes = Vec::new();
    let read = lines
        .by_ref()
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&bytes);
    let line = line.trim_end_matches('\n');
    let (time, text) = line.split_once(' ').unwrap_or(("", line));
    Ok(Some(match time.parse() {
        Ok(at_ms) => (at_ms, text.to_owned()),
        // The rest of a line that was cut.
        Err(_) => (0, line.to_owned()),
    }))
}
