//! Keeps blueprints in the state folder, where any later call finds them.

use std::io;
use std::path::Path;

use devnet_blueprint::Blueprint;
use devnet_blueprint::blueprint::FORMAT;

use crate::engine::{EngineError, ErrorKind, StateKeeper};
use crate::state::{StateError, StateFolder};

impl StateKeeper for StateFolder {
    fn save(&self, blueprint: &Blueprint) -> Result<(), EngineError> {
        Ok(self.network(&blueprint.name).write_record(blueprint)?)
    }

    fn remove(&self, network: &str) -> Result<(), EngineError> {
        Ok(self.network(network).remove()?)
    }
}

impl StateFolder {
    /// The blueprint of network `name`; `None` if its folder holds none.
    ///
    /// # Errors
    /// It cannot be read, or was written by another version of devnet.
    pub fn load(&self, name: &str) -> Result<Option<Blueprint>, StateError> {
        let folder = self.network(name);
        let blueprint: Option<Blueprint> = folder.read_record()?;
        if let Some(found) = blueprint.as_ref().map(|blueprint| blueprint.format)
            && found != FORMAT
        {
            return Err(StateError::Broken {
                path: folder.path().to_owned(),
                reason: format!("it has format {found}, this devnet writes {FORMAT}"),
            });
        }
        Ok(blueprint)
    }

    /// What the planner is told of the folder: `None` without one, an empty
    /// text where it holds no readable blueprint, else the blueprint's digest.
    pub fn digest(&self, name: &str) -> Option<String> {
        self.network(name).exists().then(|| match self.load(name) {
            Ok(Some(blueprint)) => blueprint.digest(),
            Ok(None) | Err(_) => String::new(),
        })
    }
}

impl From<StateError> for EngineError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Io {
                action,
                path,
                source,
            } => Self::of_file(action, &path, &source),
            StateError::Busy { .. } => Self::new(ErrorKind::Refused, "cannot go on", error)
                .remedy("Wait until it is done, or end that process."),
            StateError::Nowhere | StateError::Broken { .. } => {
                Self::new(ErrorKind::Refused, "cannot use the state folder", error)
            }
        }
    }
}

impl EngineError {
    /// A failure to `action` the file at `path`; a full disk and missing rights
    /// are told apart.
    pub fn of_file(action: &str, path: &Path, error: &io::Error) -> Self {
        let action = format!("cannot {action} {}", path.display());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new(ErrorKind::DiskFull, action, error).remedy(
                    "Free some space there, or set DEVNET_STATE to a folder on another disk.",
                )
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::new(ErrorKind::PermissionDenied, action, error)
                    .remedy("Set DEVNET_STATE to a folder you may write to.")
            }
            _ => Self::new(ErrorKind::Refused, action, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use devnet_blueprint::EngineKind;

    use super::*;

    #[test]
    fn a_blueprint_is_kept_and_forgotten() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path());
        let blueprint = Blueprint::empty("alpha", EngineKind::Process);
        assert_eq!(states.digest("alpha"), None);
        states.save(&blueprint).expect("a writable disk");
        assert_eq!(
            states.load("alpha").expect("readable"),
            Some(blueprint.clone())
        );
        assert_eq!(states.digest("alpha"), Some(blueprint.digest()));
        states.remove("alpha").expect("a writable disk");
        assert_eq!(states.digest("alpha"), None);
    }

    #[test]
    fn a_folder_without_a_readable_blueprint_is_still_a_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path());
        states
            .network("alpha")
            .write_record(&"not a blueprint")
            .expect("a writable disk");
        assert!(states.load("alpha").is_err());
        assert_eq!(states.digest("alpha"), Some(String::new()));
    }

    #[test]
    fn a_blueprint_of_another_version_is_refused() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let states = StateFolder::at(root.path());
        let later = Blueprint {
            format: FORMAT + 1,
            ..Blueprint::empty("alpha", EngineKind::Process)
        };
        states.save(&later).expect("a writable disk");
        let error = states
            .load("alpha")
            .expect_err("another version")
            .to_string();
        assert!(error.contains("format 2"), "{error}");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = EngineError::of_file("write", Path::new("/s/x"), &full);
        assert_eq!(error.kind, ErrorKind::DiskFull);
        assert!(error.to_string().contains("DEVNET_STATE"), "{error}");
    }
}
