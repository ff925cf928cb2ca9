//! Peers known from before: a bounded address book, kept over a restart, so
//! that a node finds its network again when its bootstrap is gone.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use super::addresses::{self, PER_PEER_MAX};
use super::kept;
use super::places;

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
    /// Where it was seen; who tells of any address still has few of its own.
    seen_at: Option<IpNet>,
}

/// Peers remembered. Of the host with most of them the one not seen for longest
/// goes first, so that nobody fills the book alone.
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
    pub fn note(
        &mut self,
        peer: PeerId,
        mut addresses: Vec<Multiaddr>,
        seen_at: Option<IpAddr>,
        now_unix_s: u64,
    ) {
        if addresses.is_empty() {
            return;
        }
        addresses.truncate(PER_PEER_MAX);
        self.entries.insert(
            peer,
            Entry {
                addresses,
                seen_unix_s: now_unix_s,
                seen_at: seen_at.map(places::host),
            },
        );
        self.is_changed = true;
        if self.entries.len() > ENTRIES_MAX
            && let Some(peer) = self.first_to_go()
        {
            self.entries.remove(&peer);
        }
    }

    fn first_to_go(&self) -> Option<PeerId> {
        let mut counts = BTreeMap::<Option<IpNet>, usize>::new();
        for entry in self.entries.values() {
            *counts.entry(entry.seen_at).or_default() += 1;
        }
        let (crowded, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let there = self.entries.iter();
        let there = there.filter(|(_, entry)| entry.seen_at == crowded);
        let oldest = there.min_by_key(|(_, entry)| entry.seen_unix_s);
        oldest.map(|(peer, _)| *peer)
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
        let first = addresses.first().and_then(addresses::to_socket);
        let known = Entry {
            addresses,
            seen_unix_s: line.seen_unix_s,
            seen_at: first.map(|socket| places::host(socket.ip())),
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
        book.note(peer, address(9000), None, 5);
        book.note(PeerId::random(), Vec::new(), None, 5);
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
            book.note(PeerId::random(), address(1), None, 1);
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
        book.note(first, address(1), None, 0);
        for i in 1..=ENTRIES_MAX {
            book.note(PeerId::random(), address(i), None, i as u64);
        }
        assert_eq!(book.peers().count(), ENTRIES_MAX);
        assert!(book.peers().all(|(peer, _)| peer != first));
    }

    #[test]
    fn who_shows_many_faces_displaces_only_its_own() {
        let mut book = Book::default();
        let at = |last: u8| Some(std::net::IpAddr::from([10, 0, 0, last]));
        let honest: Vec<PeerId> = (0..20).map(|_| PeerId::random()).collect();
        for (peer, last) in honest.iter().zip(1..) {
            book.note(*peer, address(1), at(last), 0);
        }
        for i in 0..2 * ENTRIES_MAX {
            book.note(PeerId::random(), address(i), at(66), 1 + i as u64);
        }
        assert_eq!(book.peers().count(), ENTRIES_MAX);
        let known: Vec<PeerId> = book.peers().map(|(peer, _)| peer).collect();
        assert!(honest.iter().all(|peer| known.contains(peer)));
    }
}
