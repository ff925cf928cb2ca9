//! Whose data folder it is.
//!
//! A node whose identity stands in its configuration notes it beside the chain.
//! The folder of another, put in its place by mistake, holds a chain that fits
//! and keys that do not: rewards would go to the other from then on. Where no
//! identity is configured it lies in the folder itself, and so cannot differ.

use std::io;
use std::path::{Path, PathBuf};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::identity::{self, IdentityError};
use super::kept;

/// Name of the file inside the data folder.
pub const FILE: &str = "owner.json";

/// Why the data folder is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// It is another node's.
    #[error(
        "the data folder {} belongs to node {theirs} (identity {their_id}), and this is {ours} \
         (identity {our_id}); put this node's own folder back, choose another with --data-dir, \
         or let {ours} have this one by removing {FILE} from it. Nothing in it was changed",
        dir.display()
    )]
    Other {
        /// The data folder.
        dir: PathBuf,
        /// Name of the node that it belongs to.
        theirs: String,
        /// Identity of that node.
        their_id: String,
        /// Name of this node.
        ours: String,
        /// Identity of this node.
        our_id: String,
    },
    /// It cannot be told or noted whose it is.
    #[error(
        "whose data folder it is cannot be read from, or noted in, {}: {error}; make it \
         readable and writable, or remove it if the folder is this node's own",
        file.display()
    )]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The configured identity is none.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    name: String,
    peer_id: String,
}

/// Makes sure that the folder is that of the node with this name and configured
/// identity seed, and notes it where nobody has yet.
///
/// # Errors
/// When it is another's, or that cannot be found out or noted.
pub fn claim(dir: &Path, name: &str, seed: &str) -> Result<(), OwnerError> {
    let file = dir.join(FILE);
    let wrap = |error| OwnerError::Io {
        file: file.clone(),
        error,
    };
    let our_id = identity::from_seed(seed)?.public().to_peer_id();
    let ours = Owner {
        name: name.to_owned(),
        peer_id: our_id.to_string(),
    };
    let noted: Option<Owner> = kept::read(&file).map_err(wrap)?;
    let Some(theirs) = noted else {
        return kept::write(&file, &ours).map_err(wrap);
    };
    let their_id: PeerId = theirs
        .peer_id
        .parse()
        .map_err(|error| wrap(io::Error::other(error)))?;
    if their_id != our_id {
        return Err(OwnerError::Other {
            dir: dir.to_owned(),
            theirs: printable(&theirs.name),
            their_id: their_id.to_string(),
            ours: ours.name,
            our_id: ours.peer_id,
        });
    }
    Ok(())
}

/// Somebody else may have written it.
fn printable(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_graphic)
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FILE, OwnerError, claim};

    fn seed(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn folder_stays_with_the_identity_that_had_it_first() {
        let dir = tempfile::tempdir().expect("a folder");
        claim(dir.path(), "alpha", &seed('1')).expect("it is nobody's");
        let noted = fs::read(dir.path().join(FILE)).expect("it was noted");
        claim(dir.path(), "renamed", &seed('1')).expect("it is its own");
        let error = claim(dir.path(), "beta", &seed('2')).expect_err("it is alpha's");
        assert!(matches!(error, OwnerError::Other { .. }), "{error}");
        let told = error.to_string();
        for words in [
            "belongs to node alpha",
            "this is beta",
            "own folder back",
            FILE,
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let after = fs::read(dir.path().join(FILE)).expect("it is still there");
        assert_eq!(noted, after);
        fs::remove_file(dir.path().join(FILE)).expect("as advised");
        claim(dir.path(), "beta", &seed('2')).expect("it was given up");
        claim(dir.path(), "alpha", &seed('1')).expect_err("it is beta's now");
    }

    #[test]
    fn note_that_makes_no_sense_is_refused_and_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(FILE);
        for text in ["", "{", "[]", "{\"name\":\"a\",\"peer_id\":\"\u{1b}[2J\"}"] {
            fs::write(&file, text).expect("a writable disk");
            let error = claim(dir.path(), "alpha", &seed('1')).expect_err(text);
            let told = error.to_string();
            assert!(told.contains(FILE) && told.contains("remove it"), "{told}");
            assert!(!told.contains('\u{1b}'), "{told}");
            assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
        }
    }
}
