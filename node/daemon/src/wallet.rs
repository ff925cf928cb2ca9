//! Key files in the data folder, and the node's own wallet.

mod held;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use minichain_chain::hex;
use minichain_chain::signature::SecretKey;

pub use self::held::{NodeWallet, Opened, USED_FILE};
use crate::exit::Failure;

/// Name of the file that holds the key rewards go to.
pub const MINER_KEY_FILE: &str = "miner.key";

const KEY_FILE_BYTES_MAX: u64 = 1_024;
const OWNER_ONLY: u32 = 0o600;

/// The key rewards go to, from `miner.key` in `dir` (64 hexadecimal digits);
/// drawn and written there, readable by the owner only, if missing.
pub fn load_or_create(dir: &Path) -> Result<SecretKey, Failure> {
    let path = dir.join(MINER_KEY_FILE);
    match read_bounded(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path),
        Err(error) => Err(Failure::world(format!(
            "cannot read the key file {}: {error}",
            path.display()
        ))),
    }
}

/// Writes a file that only its owner may read, atomically: after a crash the
/// old content or the new is there.
pub fn write_secret_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".new");
    let partial = Path::new(&partial);
    // A left-over of a crash may have other permissions.
    match std::fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(partial, path)?;
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Fills an array from the operating system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::world(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes)
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if metadata.len() > KEY_FILE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "too long for a key file",
        ));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            file = %path.display(),
            "others may read this key file; `chmod 600` it"
        );
    }
    std::fs::read_to_string(path)
}

fn parse(path: &Path, text: &str) -> Result<SecretKey, Failure> {
    let damaged = |why: String| {
        Failure::world(format!(
            "the key file {} is damaged: {why}; restore it from a copy, or move it away to have a \
             new key made (rewards paid to the old one stay out of reach)",
            path.display()
        ))
    };
    let bytes = hex::decode_array(text.trim_end()).map_err(|error| damaged(error.to_string()))?;
    SecretKey::from_bytes(bytes).map_err(|error| damaged(error.to_string()))
}

fn create(path: &Path) -> Result<SecretKey, Failure> {
    let key = loop {
        // All but 2^-128 of random strings are keys.
        if let Ok(key) = SecretKey::from_bytes(random()?) {
            break key;
        }
    };
    let text = format!("{}\n", hex::encode(&key.to_bytes()));
    write_secret_file(path, text.as_bytes()).map_err(|error| {
        Failure::world(format!(
            "cannot write the key file {}: {error}",
            path.display()
        ))
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn key_is_made_once_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_create(dir.path()).unwrap();
        let second = load_or_create(dir.path()).unwrap();
        assert_eq!(first.to_bytes(), second.to_bytes());
        assert_eq!(mode(&dir.path().join(MINER_KEY_FILE)), OWNER_ONLY);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(
            load_or_create(other.path()).unwrap().to_bytes(),
            first.to_bytes()
        );
    }

    #[test]
    fn damaged_key_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(MINER_KEY_FILE);
        let zero = "0".repeat(64);
        for text in ["", "zz", "abcd", zero.as_str(), &"1".repeat(5_000)] {
            std::fs::write(&path, text).unwrap();
            let error = load_or_create(dir.path()).expect_err(text).to_string();
            assert!(error.contains("miner.key"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn secret_file_replaces_an_older_one_whatever_a_crash_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(dir.path().join("secret.new"), "left over").unwrap();
        write_secret_file(&path, b"one").unwrap();
        write_secret_file(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), OWNER_ONLY);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn missing_folder_is_an_error_not_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let error = load_or_create(&dir.path().join("absent"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("cannot write the key file"), "{error}");
    }
}
