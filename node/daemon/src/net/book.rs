//! Peers known from before: a bounded address book, kept over a restart, so
//! that a node finds its network again when its bootstrap is gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use super::addresses::PER_PEER_MAX;
use super::kept;

/// Known peers and where they listen.
#[derive(Debug, Default)]
pub struct Book {
    entries: BTreeMap<PeerId, Entry>,
    file: Option<PathBuf>,
    is_changed: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    addresses: Vec<Multiaddr>,
    seen_unix_s: u64,
}

/// Peers remembered; the one not seen for longest goes first.
const ENTRIES_MAX: usize = 256;

#[derive(Serialize, Deserialize)]
struct Page {
    peers: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    peer_id: String,
    addresses: Vec<String>,
    seen_unix_s: u64,
}

impl Book {
    /// Reads the book. What cannot be read is left out with a warning: a node
    /// without memory still has its bootstrap.
    pub fn open(file: Option<PathBuf>) -> Self {
        let entries = file.as_deref().map(read_or_warn).unwrap_or_default();
        Self {
            entries,
            file,
            is_changed: false,
        }
    }

    /// Notes where a peer listens.
    pub fn note(&mut self, peer: PeerId, mut addresses: Vec<Multiaddr>, now_unix_s: u64) {
        if addresses.is_empty() {
            return;
        }
        addresses.truncate(PER_PEER_MAX);
        self.entries.insert(
            peer,
            Entry {
                addresses,
                seen_unix_s: now_unix_s,
            },
        );
        self.is_changed = true;
        if self.entries.len() > ENTRIES_MAX {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, entry)| entry.seen_unix_s);
            if let Some(peer) = oldest.map(|(peer, _)| *peer) {
                self.entries.remove(&peer);
            }
        }
    }

    /// Forgets a peer.
    pub fn remove(&mut self, peer: &PeerId) {
        self.is_changed |= self.entries.remove(peer).is_some();
    }

    /// Every known peer and where it listens.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &[Multiaddr])> {
        self.entries
            .iter()
            .map(|(peer, entry)| (*peer, entry.addresses.as_slice()))
    }

    /// Writes the book if it changed; a failure is only a warning.
    pub fn save(&mut self) {
        let Some(file) = self.file.as_deref().filter(|_| self.is_changed) else {
            return;
        };
        self.is_changed = false;
        if let Err(error) = write(file, &self.entries) {
            tracing::warn!(file = %file.display(), %error, "known peers were not saved");
        }
    }
}

fn read_or_warn(file: &Path) -> BTreeMap<PeerId, Entry> {
    read(file).unwrap_or_else(|error| {
        tracing::warn!(
            file = %file.display(), %error,
            "known peers could not be read and will be written anew"
        );
        BTreeMap::new()
    })
}

fn read(file: &Path) -> io::Result<BTreeMap<PeerId, Entry>> {
    let Some(page) = kept::read::<Page>(file)? else {
        return Ok(BTreeMap::new());
    };
    let entry = |line: Line| {
        let peer = line.peer_id.parse().ok()?;
        let addresses: Vec<_> = line
            .addresses
            .iter()
            .take(PER_PEER_MAX)
            .filter_map(|text| text.parse().ok())
            .collect();
        let known = Entry {
            addresses,
            seen_unix_s: line.seen_unix_s,
        };
        (!known.addresses.is_empty()).then_some((peer, known))
    };
    Ok(page
        .peers
        .into_iter()
        .take(ENTRIES_MAX)
        .filter_map(entry)
        .collect())
}

fn write(file: &Path, entries: &BTreeMap<PeerId, Entry>) -> io::Result<()> {
    let line = |(peer, entry): (&PeerId, &Entry)| Line {
        peer_id: peer.to_string(),
        addresses: entry.addresses.iter().map(ToString::to_string).collect(),
        seen_unix_s: entry.seen_unix_s,
    };
    let page = Page {
        peers: entries.iter().map(line).collect(),
    };
    kept::write(file, &page)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use libp2p::PeerId;

    use super::{Book, ENTRIES_MAX};

    fn address(port: usize) -> Vec<libp2p::Multiaddr> {
        vec![
            format!("/ip4/10.0.0.1/tcp/{port}")
                .parse()
                .expect("multiaddr"),
        ]
    }

    #[test]
    fn what_was_noted_is_known_after_a_restart() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("peers.json");
        let peer = PeerId::random();
        let mut book = Book::open(Some(file.clone()));
        book.note(peer, address(9000), 5);
        book.note(PeerId::random(), Vec::new(), 5);
        book.save();
        let again = Book::open(Some(file));
        let known: Vec<_> = again.peers().collect();
        assert_eq!(known, [(peer, address(9000).as_slice())]);
    }

    #[test]
    fn a_corrupt_file_is_an_empty_book_that_can_be_written_again() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("peers.json");
        for garbage in ["", "{", "[]", "{\"peers\":[{\"peer_id\":3}]}", "\u{0}\u{1}"] {
            fs::write(&file, garbage).expect("write");
            let mut book = Book::open(Some(file.clone()));
            assert_eq!(book.peers().count(), 0);
            book.note(PeerId::random(), address(1), 1);
            book.save();
            assert_eq!(Book::open(Some(file.clone())).peers().count(), 1);
        }
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("peers.json");
        let good = PeerId::random();
        let text = format!(
            r#"{{"peers":[
                {{"peer_id":"nobody","addresses":["/ip4/10.0.0.1/tcp/1"],"seen_unix_s":1}},
                {{"peer_id":"{}","addresses":["nowhere"],"seen_unix_s":1}},
                {{"peer_id":"{good}","addresses":["/ip4/10.0.0.1/tcp/1"],"seen_unix_s":1}}]}}"#,
            PeerId::random()
        );
        fs::write(&file, text).expect("write");
        let book = Book::open(Some(file));
        assert_eq!(
            book.peers().map(|(peer, _)| peer).collect::<Vec<_>>(),
            [good]
        );
    }

    #[test]
    fn the_book_is_bounded_and_forgets_the_one_unseen_for_longest() {
        let mut book = Book::default();
        let first = PeerId::random();
        book.note(first, address(1), 0);
        for i in 1..=ENTRIES_MAX {
            book.note(PeerId::random(), address(i), i as u64);
        }
        assert_eq!(book.peers().count(), ENTRIES_MAX);
        assert!(book.peers().all(|(peer, _)| peer != first));
    }
}
