//! Log files of processes: bounded, and read line by line.
//!
//! Nobody stands between a node and its file, so the file is bounded from
//! outside. Before a start a file above [`ROTATE_BYTES`] becomes `<name>.1`,
//! replacing the one before. While the node runs, any devnet call that finds
//! more than [`FILE_BYTES_MAX`] keeps the last part as `<name>.1` and empties
//! the file; the node appends, so it goes on at the new end.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;

use crate::clock;
use crate::engine::{EngineError, LogLine, LogSource, LogStream, LogWish};

/// A file larger than this is put aside before a start.
const ROTATE_BYTES: u64 = 8 << 20;
/// A file larger than this is emptied while its node runs.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// What is kept of it then.
const KEPT_BYTES: u64 = 8 << 20;
/// Read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// A longer line is cut into several.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Between two looks at a file that is followed.
const POLL: Duration = Duration::from_millis(100);

/// Puts a large file aside before its node starts.
pub fn rotate(path: &Path) {
    if length(path) > ROTATE_BYTES {
        // Failing leaves a longer log, which is no reason not to start.
        let _longer = fs::rename(path, aside(path));
    }
}

/// Empties a file that has grown too large, keeping its last part aside.
pub fn bound(path: &Path) {
    if length(path) > FILE_BYTES_MAX {
        // As above: logs are not worth a failure.
        let _longer = keep_last_part(path);
    }
}

fn keep_last_part(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let from = file.metadata()?.len().saturating_sub(KEPT_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut kept = File::create(aside(path))?;
    io::copy(&mut file, &mut kept)?;
    file.set_len(0)
}

/// The lines of several nodes' files.
pub fn stream(files: Vec<(String, PathBuf)>, wish: &LogWish) -> LogStream {
    let tails = files.into_iter().map(|(node, path)| {
        let tail = Tail::new(node, path, wish);
        stream::unfold(tail, |mut tail| async move {
            let item = tail.next().await?;
            Some((item, tail))
        })
        .boxed()
    });
    stream::select_all(tails).boxed()
}

/// Reads one node's log, and follows it where that is wished.
struct Tail {
    node: String,
    /// Files yet to be read; the last one is the live one.
    paths: VecDeque<PathBuf>,
    /// The file that is read; kept open, so that one put aside is read to its end.
    file: Option<File>,
    offset: u64,
    /// Bytes after the last end of line.
    partial: Vec<u8>,
    /// A line without a time of its own has that of the line before.
    time_ms: u64,
    since_ms: u64,
    /// How many of the lines already there are wanted.
    tail: usize,
    follow: bool,
    /// Whether what was already there has been read.
    caught_up: bool,
    ready: VecDeque<LogLine>,
    failed: bool,
}

impl Tail {
    fn new(node: String, path: PathBuf, wish: &LogWish) -> Self {
        Self {
            node,
            paths: VecDeque::from([aside(&path), path]),
            file: None,
            offset: 0,
            partial: Vec::new(),
            time_ms: 0,
            since_ms: wish.since_ms.unwrap_or(0),
            tail: wish.tail.unwrap_or(usize::MAX),
            follow: wish.follow,
            caught_up: false,
            ready: VecDeque::new(),
            failed: false,
        }
    }

    /// The next line; `None` at the end of a log that is not followed.
    async fn next(&mut self) -> Option<Result<LogLine, EngineError>> {
        loop {
            // With a limit, nothing is handed out before all of it is known.
            if (self.caught_up || self.tail == usize::MAX)
                && let Some(line) = self.ready.pop_front()
            {
                return Some(Ok(line));
            }
            if self.failed {
                return None;
            }
            match self.read() {
                Ok(0) if !self.finish_file() => {
                    if !self.follow {
                        return self.ready.pop_front().map(Ok);
                    }
                    tokio::time::sleep(POLL).await;
                }
                // A long log shall not keep others from being heard.
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    self.failed = true;
                    let path = self.paths.front().cloned().unwrap_or_default();
                    return Some(Err(EngineError::of_file("read", &path, &error)));
                }
            }
        }
    }

    /// Goes on to the next file, or marks all that was there as read. Returns
    /// whether there may be more at once.
    fn finish_file(&mut self) -> bool {
        if self.paths.len() > 1 {
            self.paths.pop_front();
            (self.file, self.offset) = (None, 0);
            return true;
        }
        if !self.follow {
            self.end_line();
        }
        let was_caught_up = std::mem::replace(&mut self.caught_up, true);
        !was_caught_up
    }

    /// Reads a chunk of the current file; 0 at its end. A missing file is an
    /// empty one; one that became shorter, or another one, is read from its start.
    fn read(&mut self) -> io::Result<usize> {
        match self.read_open()? {
            0 if self.reopen()? => self.read_open(),
            count => Ok(count),
        }
    }

    fn read_open(&mut self) -> io::Result<usize> {
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        let was_emptied = file.metadata()?.len() < self.offset;
        if was_emptied {
            self.offset = 0;
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = file.read(&mut chunk)?;
        self.offset += count as u64;
        if was_emptied {
            self.end_line();
        }
        self.split(&chunk[..count]);
        Ok(count)
    }

    /// Whether another file than the one that is open has its name now.
    fn reopen(&mut self) -> io::Result<bool> {
        let Some(path) = self.paths.front() else {
            return Ok(false);
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if let Some(open) = &self.file
            && open.metadata()?.ino() == file.metadata()?.ino()
        {
            return Ok(false);
        }
        if self.file.replace(file).is_some() {
            self.offset = 0;
            self.end_line();
        }
        Ok(true)
    }

    /// What stands without an end will have none.
    fn end_line(&mut self) {
        if !self.partial.is_empty() {
            let rest = std::mem::take(&mut self.partial);
            self.push(&rest);
        }
    }

    fn split(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() > LINE_BYTES_MAX {
                let line = std::mem::take(&mut self.partial);
                self.push(&line);
            }
        }
    }

    fn push(&mut self, line: &[u8]) {
        let text = clean(&String::from_utf8_lossy(line));
        if let Some(time_ms) = clock::time_in_log_line(&text) {
            self.time_ms = time_ms;
        }
        if text.is_empty() || self.time_ms < self.since_ms {
            return;
        }
        let line = LogLine {
            node: self.node.clone(),
            time_ms: self.time_ms,
            source: LogSource::Stdout,
            text,
        };
        self.ready.push_back(line);
        if !self.caught_up && self.ready.len() > self.tail {
            self.ready.pop_front();
        }
    }
}

/// The line without its end, control characters (escape sequences among them)
/// replaced, so that a peer's text cannot steer the reader's terminal.
fn clean(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    line.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn aside(path: &Path) -> PathBuf {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".1");
    PathBuf::from(aside)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests;
