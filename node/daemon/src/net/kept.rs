//! Small JSON files that a node keeps over a restart.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A longer file is not ours.
const BYTES_MAX: u64 = 1 << 20;

/// Reads a file; `None` if there is none.
///
/// # Errors
/// The system's, or that it is too long or of another shape.
pub fn read<T: DeserializeOwned>(file: &Path) -> io::Result<Option<T>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.len() > BYTES_MAX => {
            return Err(io::Error::other("the file is too long"));
        }
        Ok(_) => {}
    }
    Ok(Some(serde_json::from_slice(&fs::read(file)?)?))
}

/// Writes a file, so that a crash leaves the old one or the new one.
///
/// # Errors
/// The system's.
pub fn write<T: Serialize>(file: &Path, page: &T) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut out = fs::File::create(&draft)?;
    out.write_all(&serde_json::to_vec_pretty(page)?)?;
    out.sync_all()?;
    fs::rename(&draft, file)
}
