//! A new file appears whole or not at all: it is made under another name.
//!
//! redb writes a new file in several steps; one whose making was cut short is
//! no database to it, and nobody could tell it from a damaged one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::Database;

use super::FILE;
use super::disk::{builder, make_tables};
use super::error::{OpenError, on_open, on_open_io};
use super::tables::Fault;
use crate::panic::contained;

/// Makes the file in `dir`, unless somebody else does so meanwhile.
pub(super) fn make(dir: &Path, cache_bytes: u64) -> Result<(), OpenError> {
    let file = dir.join(FILE);
    let unfinished = unfinished(dir);
    let on_io = |error: io::Error| on_open_io(dir, &file, &error);
    absent(fs::remove_file(&unfinished)).map_err(on_io)?;
    let made = contained(|| {
        let made: Result<Database, _> = builder(cache_bytes).create(&unfinished);
        make_tables(&made.map_err(redb::Error::from)?)
    });
    match made {
        Ok(Ok(())) => {}
        Ok(Err(Fault::Redb(error))) => return Err(on_open(dir, &file, error)),
        Ok(Err(Fault::Damaged(what))) | Err(what) => return Err(OpenError::Corrupt { file, what }),
    }
    // A link, unlike a move, takes nobody's file away; some disks have none.
    let linked = match fs::hard_link(&unfinished, &file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::rename(&unfinished, &file)
        }
        Ok(()) | Err(_) => absent(fs::remove_file(&unfinished)),
    };
    linked.map_err(on_io)?;
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(on_io)
}

/// The file while it is made.
pub(super) fn unfinished(dir: &Path) -> PathBuf {
    dir.join(format!("{FILE}.new"))
}

/// It is as good that there was none.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
