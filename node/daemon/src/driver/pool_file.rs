//! The file that holds what waited when the program ended.
//!
//! It is a comfort, not a need: what cannot be read is set aside with a line in
//! the log, and the node starts with an empty mempool.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use minichain_api::config::NodeConfig;
use minichain_chain::hash::BlockHash;
use minichain_protocol::saved::{SavedPool, SavedTransaction};

/// Its name in the data folder.
const FILE_NAME: &str = "mempool.dat";

/// What the file has besides its transactions, rounded up. These are counted
/// by the mempool's limit with far more than they take here.
const FRAME_BYTES_MAX: u64 = 1_000;

/// Where the mempool is kept while the program does not run.
#[derive(Debug)]
pub(super) struct PoolFile {
    path: PathBuf,
    bytes_max: u64,
    genesis: BlockHash,
}

impl PoolFile {
    pub fn new(config: &NodeConfig, genesis: BlockHash) -> Self {
        Self {
            path: config.data_dir.join(FILE_NAME),
            bytes_max: config.limits.mempool_bytes.saturating_add(FRAME_BYTES_MAX),
            genesis,
        }
    }

    /// What was saved. A file that makes no sense is set aside.
    pub fn load(&self) -> Vec<SavedTransaction> {
        match self.read() {
            Ok(entries) => entries,
            Err(error) => {
                let aside = self.path.with_extension("dat.broken");
                let moved = fs::rename(&self.path, &aside);
                tracing::warn!(
                    file = %self.path.display(), %error, aside = %aside.display(),
                    is_aside = moved.is_ok(),
                    "the saved mempool cannot be read; starting with an empty one"
                );
                Vec::new()
            }
        }
    }

    /// Writes the file; a failure is only a warning.
    pub fn save(&self, pool: &SavedPool) {
        let draft = self.path.with_extension("draft");
        if let Err(error) = write(&self.path, &draft, &pool.to_bytes()) {
            // Half a draft is of no use to anybody.
            let _ = fs::remove_file(&draft);
            tracing::warn!(file = %self.path.display(), %error, "the mempool was not saved");
        }
    }

    fn read(&self) -> io::Result<Vec<SavedTransaction>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        let mut bytes = Vec::new();
        let read = file.take(self.bytes_max + 1).read_to_end(&mut bytes)?;
        if read as u64 > self.bytes_max {
            return Err(io::Error::other(format!(
                "it is larger than {} bytes, the most a mempool of the configured size takes",
                self.bytes_max
            )));
        }
        let pool = SavedPool::from_bytes(&bytes, self.genesis).map_err(io::Error::other)?;
        Ok(pool.entries)
    }
}

fn write(path: &Path, draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file_in(dir: &Path) -> PoolFile {
        PoolFile {
            path: dir.join(FILE_NAME),
            bytes_max: 1_000,
            genesis: BlockHash::from_bytes([1; 32]),
        }
    }

    fn empty() -> SavedPool {
        SavedPool {
            genesis: BlockHash::from_bytes([1; 32]),
            entries: Vec::new(),
        }
    }

    #[test]
    fn no_file_is_an_empty_pool() {
        let dir = tempfile::tempdir().expect("temp dir");
        assert_eq!(file_in(dir.path()).load(), []);
        assert_eq!(fs::read_dir(dir.path()).expect("folder").count(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_can_be_written_again() {
        let good = empty().to_bytes();
        let other = SavedPool {
            genesis: BlockHash::ZERO,
            ..empty()
        };
        let mut damaged = good.clone();
        damaged[20] ^= 1;
        let mut newer = good.clone();
        newer[8] = 2;
        let cut = good[..good.len() - 1].to_vec();
        let large = vec![0; 1_001];
        let broken = [b"".to_vec(), damaged, newer, cut, large, other.to_bytes()];
        for bytes in broken {
            let dir = tempfile::tempdir().expect("temp dir");
            let file = file_in(dir.path());
            fs::write(&file.path, &bytes).expect("write");
            assert_eq!(file.load(), []);
            let aside = fs::read(dir.path().join("mempool.dat.broken"));
            assert_eq!(aside.expect("set aside"), bytes);
            assert!(!file.path.exists());
            file.save(&empty());
            assert_eq!(fs::read(&file.path).expect("written"), good);
            assert!(file.read().is_ok());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_only_a_warning() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = file_in(&dir.path().join("nowhere"));
        file.save(&empty());
        assert_eq!(file.load(), []);
    }
}
