//! How many bytes the data folder may hold: a disk that is full on purpose.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minichain_chain::store::StoreError;

/// The folder's limit; clones share it. It is not kept over a restart.
#[derive(Clone, Debug)]
pub struct Quota {
    dir: PathBuf,
    /// `UNLIMITED`, or bytes.
    limit: Arc<AtomicU64>,
}

const UNLIMITED: u64 = u64::MAX;
/// Folders inside folders that are looked into; a node makes none.
const DEPTH_MAX: usize = 4;

impl Quota {
    /// No limit yet.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            limit: Arc::new(AtomicU64::new(UNLIMITED)),
        }
    }

    /// Sets or lifts the limit.
    pub fn set(&self, limit: Option<u64>) {
        self.limit
            .store(limit.unwrap_or(UNLIMITED), Ordering::Relaxed);
    }

    /// The limit in force.
    pub fn get(&self) -> Option<u64> {
        let limit = self.limit.load(Ordering::Relaxed);
        (limit != UNLIMITED).then_some(limit)
    }

    /// Bytes the folder's files hold now.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn used(&self) -> io::Result<u64> {
        used(&self.dir, DEPTH_MAX)
    }

    /// Whether `more` bytes may be written.
    ///
    /// # Errors
    /// When they do not fit, or the folder cannot be read.
    pub fn check(&self, more: u64) -> Result<(), StoreError> {
        let Some(limit) = self.get() else {
            return Ok(());
        };
        let used = self.used().map_err(|error| {
            StoreError::io(format!("cannot measure {}: {error}", self.dir.display()))
        })?;
        if used.saturating_add(more) <= limit {
            return Ok(());
        }
        Err(StoreError::io(format!(
            "disk full: the data folder holds {used} bytes of the {limit} that its quota allows, \
             and about {more} more are to be written; start again, which lifts the quota"
        )))
    }
}

fn used(dir: &Path, depth: usize) -> io::Result<u64> {
    let mut sum = 0_u64;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Gone meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let bytes = if metadata.is_dir() && depth > 0 {
            used(&entry.path(), depth - 1)?
        } else {
            metadata.len()
        };
        sum = sum.saturating_add(bytes);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::Quota;

    #[test]
    fn folder_is_measured_and_what_does_not_fit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        std::fs::write(dir.path().join("a"), [0; 100]).unwrap();
        std::fs::write(dir.path().join("inner/b"), [0; 50]).unwrap();
        let quota = Quota::new(dir.path());
        assert_eq!((quota.get(), quota.used().unwrap()), (None, 150));
        assert!(quota.check(u64::MAX).is_ok());
        quota.clone().set(Some(200));
        assert!(quota.check(50).is_ok());
        let error = quota.check(51).unwrap_err().to_string();
        assert!(
            error.contains("disk full") && error.contains("200"),
            "{error}"
        );
        assert!(quota.check(u64::MAX).is_err());
        quota.set(None);
        assert!(quota.check(51).is_ok());
    }

    #[test]
    fn folder_that_cannot_be_read_is_no_free_space() {
        let dir = tempfile::tempdir().unwrap();
        let quota = Quota::new(&dir.path().join("missing"));
        quota.set(Some(1));
        assert!(quota.check(0).is_err());
    }
}
