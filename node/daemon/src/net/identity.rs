//! The libp2p identity: an ed25519 key that follows from 32 bytes, given in
//! the configuration or drawn once and kept in the data folder.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use libp2p::identity::Keypair;
use minichain_chain::{hash, hex};

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not 64 hexadecimal digits.
    #[error("read the identity in {place}: it must be 64 hexadecimal digits; {remedy}")]
    Malformed {
        /// Where it stands.
        place: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file could not be read or written.
    #[error("keep the identity in {}: {error}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system gave no random bytes.
    #[error("draw an identity: the system gave no random bytes ({0})")]
    Random(String),
}

/// Name of the file inside the data folder.
pub const FILE: &str = "identity.key";

/// The identity that follows from the configured seed (64 hexadecimal digits).
///
/// # Errors
/// When the text is not such a seed.
pub fn from_seed(seed: &str) -> Result<Keypair, IdentityError> {
    parse(seed).ok_or_else(|| IdentityError::Malformed {
        place: "the configuration (`p2p.identity_seed`)".into(),
        remedy: "correct it, or leave it out for a random identity",
    })
}

/// The identity kept in `data_dir`, drawn and written when there is none yet.
///
/// # Errors
/// When the file is malformed or cannot be read or written.
pub fn load_or_create(data_dir: &Path) -> Result<Keypair, IdentityError> {
    let file = data_dir.join(FILE);
    let wrap = |error| IdentityError::Io {
        file: file.clone(),
        error,
    };
    match fs::read_to_string(&file) {
        Ok(text) => parse(text.trim_end()).ok_or_else(|| IdentityError::Malformed {
            place: file.display().to_string(),
            remedy: "restore it, or delete it to start under a new identity",
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|e| IdentityError::Random(e.to_string()))?;
            write_private(&file, &hex::encode(&seed)).map_err(wrap)?;
            Ok(derive(&seed))
        }
        Err(error) => Err(wrap(error)),
    }
}

fn parse(text: &str) -> Option<Keypair> {
    hex::decode_array::<32>(text).ok().map(|seed| derive(&seed))
}

fn derive(seed: &[u8; 32]) -> Keypair {
    let secret = hash::tagged_hash("minichain/identity", &[seed]);
    Keypair::ed25519_from_bytes(secret).expect("any 32 bytes are an ed25519 secret key")
}

/// Written beside its place and moved there, so that a crash leaves no half
/// file; readable by the owner alone.
fn write_private(file: &Path, line: &str) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(out, "{line}")?;
    out.sync_all()?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{FILE, IdentityError, from_seed, load_or_create};

    #[test]
    fn a_seed_gives_the_same_identity_every_time() {
        let seed = "01".repeat(32);
        let (a, b) = (
            from_seed(&seed).expect("seed"),
            from_seed(&seed).expect("seed"),
        );
        assert_eq!(a.public().to_peer_id(), b.public().to_peer_id());
        let other = from_seed(&"02".repeat(32)).expect("seed");
        assert_ne!(a.public().to_peer_id(), other.public().to_peer_id());
    }

    #[test]
    fn a_seed_of_wrong_form_is_refused_with_the_key_to_correct() {
        for seed in ["", "01", &"01".repeat(33), &"zz".repeat(32)] {
            let message = from_seed(seed).expect_err(seed).to_string();
            assert!(message.contains("identity_seed"), "{message}");
        }
    }

    #[test]
    fn a_drawn_identity_is_kept_and_private() {
        let dir = tempfile::tempdir().expect("temp dir");
        let first = load_or_create(dir.path()).expect("created");
        let again = load_or_create(dir.path()).expect("loaded");
        assert_eq!(first.public().to_peer_id(), again.public().to_peer_id());
        let mode = fs::metadata(dir.path().join(FILE))
            .expect("file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let other = tempfile::tempdir().expect("temp dir");
        let other = load_or_create(other.path()).expect("created");
        assert_ne!(first.public().to_peer_id(), other.public().to_peer_id());
    }

    #[test]
    fn a_broken_file_is_named_and_kept() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join(FILE), "not hex\n").expect("write");
        let error = load_or_create(dir.path()).expect_err("broken");
        assert!(matches!(error, IdentityError::Malformed { .. }));
        assert!(error.to_string().contains(FILE) && error.to_string().contains("delete"));
        assert_eq!(
            fs::read_to_string(dir.path().join(FILE)).expect("kept"),
            "not hex\n"
        );
    }

    #[test]
    fn a_missing_folder_is_an_error_not_a_panic() {
        let error = load_or_create("/nonexistent/folder".as_ref()).expect_err("no folder");
        assert!(matches!(error, IdentityError::Io { .. }));
    }
}
