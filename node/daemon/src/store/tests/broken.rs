//! Files that something else has changed, disks that are full, folders that
//! are taken.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

/// A store with something in every table.
fn filled(dir: &Path) -> PathBuf {
    let mut store = open(dir);
    for number in 0..NUMBERS {
        let hash = header(number).hash();
        store
            .apply(Batch {
                headers: vec![stored_header(number, Status::Valid)],
                blocks: vec![(hash, block(number))],
                undos: vec![(
                    hash,
                    Undo {
                        spent: vec![coin(number)],
                    },
                )],
                coins: BTreeMap::from([(outpoint(number), Some(coin(number)))]),
                tip: Some(tip(number)),
                ..Batch::default()
            })
            .unwrap();
        if number % 5 == 0 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
    drop(store);
    dir.join(FILE)
}

/// Opens and reads everything; either it is what was written, or an error that
/// says which file to remove.
fn assert_whole_or_refused(dir: &Path, expected: &Content, what: &str) -> bool {
    let message = match RedbStore::open(dir, CACHE) {
        Err(error) => error.to_string(),
        Ok(store) => match content(&store) {
            Ok(found) => {
                assert_eq!(&found, expected, "{what}: silently changed");
                return true;
            }
            Err(error) => explain(dir, &error),
        },
    };
    assert!(
        message.contains("corrupt") && message.contains("to start afresh"),
        "{what}: {message}"
    );
    assert!(message.contains(FILE), "{what}: {message}");
    false
}

fn refused(dir: &Path) -> String {
    RedbStore::open(dir, CACHE)
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn flipped_bytes_are_noticed_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let file = filled(dir.path());
    let expected = content(&open(dir.path())).unwrap();
    let whole = std::fs::read(&file).unwrap();
    // Where something is written: one byte near the start, in the middle and
    // at the end of every used stretch of 512 bytes.
    let used: Vec<usize> = (0..whole.len())
        .step_by(512)
        .flat_map(|start| {
            let stretch = start..(start + 512).min(whole.len());
            let mut places: Vec<_> = stretch.filter(|&place| whole[place] != 0).collect();
            let last = places.len().saturating_sub(1);
            let picked = [0, last / 2, last];
            let picked: Vec<_> = picked
                .iter()
                .filter_map(|&at| places.get(at).copied())
                .collect();
            places.clear();
            picked
        })
        .collect();
    let mut refusals = 0;
    for place in used.iter().copied().step_by(used.len().div_ceil(160)) {
        let mut broken = whole.clone();
        broken[place] ^= 0x10;
        std::fs::write(&file, &broken).unwrap();
        let what = format!("byte {place} flipped");
        refusals += u32::from(!assert_whole_or_refused(dir.path(), &expected, &what));
    }
    assert!(
        refusals >= 20,
        "only {refusals} of the changes were noticed"
    );
}

#[test]
fn truncated_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = filled(dir.path());
    let expected = content(&open(dir.path())).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for part in [1, 64, 511, 4_096, 10_000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..part]).unwrap();
        let what = format!("cut to {part} bytes");
        let is_whole = assert_whole_or_refused(dir.path(), &expected, &what);
        assert!(!is_whole || part > whole.len() / 2, "{what}");
    }
}

#[test]
fn foreign_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let text = b"This is somebody's diary, not a database. ".repeat(200);
    std::fs::write(&file, &text).unwrap();
    let message = refused(dir.path());
    assert!(
        message.contains("corrupt") && message.contains("remove"),
        "{message}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), text);
}

#[test]
fn flipped_bytes_in_a_running_store_are_noticed() {
    // Pages that redb holds in memory are not read again, so there must be
    // more coins than fit one.
    const COINS: u32 = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let file = filled(dir.path());
    let coins = (0..COINS)
        .map(|number| (outpoint(number), Some(coin(number))))
        .collect();
    let mut store = open(dir.path());
    store
        .apply(Batch {
            coins,
            ..Batch::default()
        })
        .unwrap();
    store.commit().unwrap();
    drop(store);
    let store = RedbStore::open(dir.path(), 0).unwrap();
    let mut bytes = Vec::new();
    let mut raw = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&file)
        .unwrap();
    raw.read_to_end(&mut bytes).unwrap();
    let script = Script::p2tr(&[7; 32]);
    let needle = script.as_bytes();
    let places: Vec<u64> = (0..bytes.len() - needle.len())
        .filter(|&at| &bytes[at..at + needle.len()] == needle)
        .map(|at| at as u64 + 10)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        raw.seek(SeekFrom::Start(place)).unwrap();
        raw.write_all(&[0xff]).unwrap();
    }
    let error = (0..COINS)
        .map(|number| store.coin(&outpoint(number)))
        .find_map(Result::err)
        .expect("every coin was changed");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn folder_in_use_is_refused_until_it_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let message = refused(dir.path());
    assert!(
        message.contains("in use by another node") && message.contains("--data-dir"),
        "{message}"
    );
    drop(first);
    open(dir.path());
}

#[test]
fn folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let message = refused(&file.join("below"));
    assert!(message.contains("--data-dir"), "{message}");
    // The superuser may write everywhere; there this half shows nothing.
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(locked.join("probe"), "x").is_err() {
        let message = refused(&locked);
        assert!(
            message.contains("--data-dir") && message.contains("locked"),
            "{message}"
        );
    }
}

#[test]
fn other_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    disk::set_format(&dir.path().join(FILE), 7);
    let message = refused(dir.path());
    assert!(
        message.contains("format 7") && message.contains("format 1"),
        "{message}"
    );
}

/// A disk that takes so many bytes more and then is full.
#[derive(Debug)]
struct SmallDisk {
    inner: InMemoryBackend,
    room: Arc<AtomicU64>,
}

impl StorageBackend for SmallDisk {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        let left = self
            .room
            .load(Ordering::SeqCst)
            .checked_sub(data.len() as u64);
        let Some(left) = left else {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        };
        self.room.store(left, Ordering::SeqCst);
        self.inner.write(offset, data)
    }
}

#[test]
fn full_disk_stops_the_store_with_a_clear_error() {
    let room = Arc::new(AtomicU64::new(u64::MAX));
    let backend = SmallDisk {
        inner: InMemoryBackend::new(),
        room: Arc::clone(&room),
    };
    let mut store = RedbStore::new(
        Disk::open_backend(Path::new("d"), backend).unwrap(),
        Path::new("d"),
    );
    let batch = |number| Batch {
        blocks: vec![(header(number).hash(), block(number))],
        tip: Some(tip(number)),
        ..Batch::default()
    };
    store.apply(batch(1)).unwrap();
    store.commit().unwrap();
    room.store(1_000, Ordering::SeqCst);
    store.apply(batch(2)).unwrap();
    let message = explain(Path::new("d"), &store.commit().unwrap_err());
    assert!(
        message.contains("no space is left") && message.contains("start again"),
        "{message}"
    );
    let message = explain(Path::new("d"), &store.commit().unwrap_err());
    assert!(message.contains("start again"), "{message}");
}

#[test]
fn full_disk_at_the_start_is_named() {
    let backend = SmallDisk {
        inner: InMemoryBackend::new(),
        room: Arc::new(AtomicU64::new(100)),
    };
    let message = Disk::open_backend(Path::new("d"), backend)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("is full") && message.contains("free some space"),
        "{message}"
    );
}

#[test]
fn a_file_whose_making_was_cut_short_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let unfinished = fresh::unfinished(dir.path());
    // Room, and nothing in it: what redb leaves behind that is killed first.
    std::fs::write(&unfinished, vec![0; 1 << 20]).unwrap();
    drop(open(dir.path()));
    assert!(!unfinished.exists() && dir.path().join(FILE).exists());
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    drop(open(dir.path()));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), names);
}

#[test]
fn a_file_that_is_there_is_never_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let stored = StoredHeader {
        header: header(1),
        sequence: 1,
        status: Status::HeaderOnly,
    };
    let batch = Batch {
        headers: vec![stored],
        ..Batch::default()
    };
    store.apply(batch).unwrap();
    store.commit().unwrap();
    drop(store);
    fresh::make(dir.path(), CACHE).unwrap();
    assert_eq!(open(dir.path()).headers().unwrap().len(), 1);
    assert!(!fresh::unfinished(dir.path()).exists());
}
