//! What can go wrong with the file, in words that say what to do.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use minichain_chain::store::StoreError;

use super::FILE;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the data folder {} is in use by another node; stop that one, or choose another folder \
         with --data-dir", dir.display()
    )]
    Locked {
        /// The data folder.
        dir: PathBuf,
    },
    /// It cannot be made, read or written.
    #[error("cannot use the data folder {}: {why}; make it writable, or choose another with --data-dir", dir.display())]
    Unusable {
        /// The data folder.
        dir: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No space is left.
    #[error("the disk of the data folder {} is full; free some space and start again", dir.display())]
    Full {
        /// The data folder.
        dir: PathBuf,
    },
    /// It is damaged.
    #[error("the store {} is corrupt: {what}; {}", file.display(), remedy(file))]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What is damaged.
        what: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "the store {} has format {found}, and this program writes format {ours}; use the program \
         that wrote it, or {}", file.display(), remedy(file)
    )]
    Format {
        /// The file.
        file: PathBuf,
        /// Format found.
        found: u32,
        /// Format of this program.
        ours: u32,
    },
}

/// How to start afresh. Only the chain goes, keys beside it stay.
fn remedy(file: &Path) -> String {
    format!(
        "remove {} to start afresh; the chain is fetched again from peers, keys stay",
        file.display()
    )
}

/// An error while opening `file` in `dir`.
pub fn on_open(dir: &Path, file: &Path, error: redb::Error) -> OpenError {
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => OpenError::Locked {
            dir: dir.to_owned(),
        },
        redb::Error::Io(error) => on_open_io(dir, file, &error),
        other => OpenError::Corrupt {
            file: file.to_owned(),
            what: other.to_string(),
        },
    }
}

/// A system error while opening `file` in `dir`.
pub fn on_open_io(dir: &Path, file: &Path, error: &std::io::Error) -> OpenError {
    let file = file.to_owned();
    match error.kind() {
        // What redb says of a file that is no database, or is cut short.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => OpenError::Corrupt {
            file,
            what: error.to_string(),
        },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            OpenError::Full {
                dir: dir.to_owned(),
            }
        }
        _ => OpenError::Unusable {
            dir: dir.to_owned(),
            why: error.to_string(),
        },
    }
}

/// An error while the node runs.
pub fn on_use(error: redb::Error) -> StoreError {
    match error {
        redb::Error::Io(error) if is_full(&error) => {
            StoreError::io("no space is left; free some and start again")
        }
        redb::Error::Io(error) if error.kind() != ErrorKind::UnexpectedEof => {
            StoreError::io(error.to_string())
        }
        redb::Error::PreviousIo => StoreError::io("the disk failed before; start again"),
        other => StoreError::corrupt(other.to_string()),
    }
}

/// A whole message for an error of the store in the data folder `dir`, found
/// by the store or by the chain on top of it.
pub fn explain(dir: &Path, error: &StoreError) -> String {
    let file = dir.join(FILE);
    match error {
        StoreError::Corrupt { what } => OpenError::Corrupt {
            file,
            what: what.clone(),
        }
        .to_string(),
        StoreError::Io { what } => {
            format!(
                "the store {} failed: {what}; nothing committed is lost",
                file.display()
            )
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}
