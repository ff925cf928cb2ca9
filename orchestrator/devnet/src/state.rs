//! The state folder: what `up` decided and later calls must know.
//!
//! One private folder for each network, under `$DEVNET_STATE`, else
//! `$XDG_STATE_HOME/devnet`, else `~/.local/state/devnet`. The engine's labels
//! stay the truth about what runs; this holds the plan, the secrets and, for
//! plain processes, their data. Must never import an engine or a verb.

mod watched;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Environment variable that names the state folder.
pub const STATE_ENV: &str = "DEVNET_STATE";

const RECORD_FILE: &str = "network.json";
const WISH_FILE: &str = "wish.json";
const ORIGINAL_FILE: &str = "original.json";
const FAULTS_FILE: &str = "faults.json";
/// Bytes of the faults at most; every link of 250 nodes takes a tenth.
const FAULTS_BYTES_MAX: u64 = 64 << 20;
const LOCK_FOLDER: &str = ".locks";

/// The folder of all networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    root: PathBuf,
}

/// The folder of one network. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkFolder {
    name: String,
    path: PathBuf,
    lock: PathBuf,
}

/// The right to change one network; given back when dropped, also by a crash.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
    was_abandoned: bool,
}

/// Why the state folder could not be used, as a whole sentence without the
/// full stop.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// No variable says where it is.
    #[error("cannot tell where to keep state: neither {STATE_ENV}, XDG_STATE_HOME nor HOME is set")]
    Nowhere,
    /// Another devnet call is changing this network.
    #[error("another devnet call ({holder}) is working on network `{name}`")]
    Busy {
        /// The network.
        name: String,
        /// Who holds the lock.
        holder: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A record that does not parse.
    #[error("cannot read {}: {reason}", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StateFolder {
    /// A state folder at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder the environment names; `variable` looks one up.
    pub fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, StateError> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let root = set(STATE_ENV)
            .or_else(|| set("XDG_STATE_HOME").map(|base| base.join("devnet")))
            .or_else(|| set("HOME").map(|home| home.join(".local/state/devnet")))
            .ok_or(StateError::Nowhere)?;
        // Paths stand in command lines of nodes and in containers' labels, where
        // a relative one would lose its meaning.
        let root = std::path::absolute(&root).map_err(|source| StateError::Io {
            action: "resolve",
            path: root,
            source,
        })?;
        Ok(Self { root })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of network `name`.
    pub fn network(&self, name: &str) -> NetworkFolder {
        NetworkFolder {
            name: name.to_owned(),
            path: self.root.join(name),
            lock: self.root.join(LOCK_FOLDER).join(format!("{name}.lock")),
        }
    }

    /// Names of all networks that have a folder, sorted.
    pub fn names(&self) -> Result<Vec<String>, StateError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("list", &self.root, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| io_error("list", &self.root, error))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let (true, Ok(name)) = (is_folder, entry.file_name().into_string())
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

impl NetworkFolder {
    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether anything is there.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Takes the right to change this network, or says who has it.
    pub fn lock(&self) -> Result<Lock, StateError> {
        if let Some(folder) = self.lock.parent() {
            create_private_folder(folder)?;
        }
        loop {
            let mut file = open_lock(&self.lock)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(self.busy()),
                Err(TryLockError::Error(error)) => {
                    return Err(io_error("lock", &self.lock, error));
                }
            }
            // The holder before us may have removed the file between our open
            // and our lock; then somebody else can lock a new one.
            if !is_same_file(&file, &self.lock) {
                continue;
            }
            // Whoever ends in order removes the file.
            let was_abandoned = file.metadata().is_ok_and(|found| found.len() > 0);
            file.set_len(0)
                .and_then(|()| write!(file, "{}", std::process::id()))
                .map_err(|error| io_error("write", &self.lock, error))?;
            return Ok(Lock {
                _file: file,
                path: self.lock.clone(),
                was_abandoned,
            });
        }
    }

    fn busy(&self) -> StateError {
        let holder = fs::read_to_string(&self.lock)
            .ok()
            .filter(|pid| !pid.is_empty())
            .map_or_else(
                || "its process is unknown".to_owned(),
                |pid| format!("process {pid}"),
            );
        StateError::Busy {
            name: self.name.clone(),
            holder,
        }
    }

    /// Writes the plan so that a crash leaves the old one or the new one.
    pub fn write_record<T: Serialize>(&self, record: &T) -> Result<(), StateError> {
        self.write(RECORD_FILE, record)
    }

    /// The plan, if there is one.
    pub fn read_record<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(RECORD_FILE)
    }

    /// Writes the wish the plan was made from.
    pub fn write_wish<T: Serialize>(&self, wish: &T) -> Result<(), StateError> {
        self.write(WISH_FILE, wish)
    }

    /// The wish the plan was made from, if it was kept.
    pub fn read_wish<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(WISH_FILE)
    }

    /// Keeps the plan that a changed network was brought up with.
    pub fn write_original<T: Serialize>(&self, original: &T) -> Result<(), StateError> {
        self.write(ORIGINAL_FILE, original)
    }

    /// The plan that a changed network was brought up with, if one was kept.
    pub fn read_original<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(ORIGINAL_FILE)
    }

    /// Forgets it: the network is as it was brought up. None is fine.
    pub fn remove_original(&self) -> Result<(), StateError> {
        let path = self.path.join(ORIGINAL_FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// Writes which faults are intended.
    pub fn write_faults<T: Serialize>(&self, faults: &T) -> Result<(), StateError> {
        self.write(FAULTS_FILE, faults)
    }

    /// Which faults are intended, if any ever were.
    pub fn read_faults<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        let path = self.path.join(FAULTS_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", &path, error)),
        };
        let mut text = Vec::new();
        file.take(FAULTS_BYTES_MAX + 1)
            .read_to_end(&mut text)
            .map_err(|error| io_error("read", &path, error))?;
        let broken = |reason| StateError::Broken { path, reason };
        if text.len() as u64 > FAULTS_BYTES_MAX {
            return Err(broken(format!(
                "it is larger than {FAULTS_BYTES_MAX} bytes"
            )));
        }
        let faults = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        Ok(Some(faults))
    }

    fn write<T: Serialize>(&self, file: &str, value: &T) -> Result<(), StateError> {
        let path = self.path.join(file);
        let text = serde_json::to_vec_pretty(value).map_err(|error| StateError::Broken {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        create_private_folder(&self.path)?;
        write_private_file(&path, &text)
    }

    fn read<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, StateError> {
        let path = self.path.join(file);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &path, error)),
        };
        let record = serde_json::from_slice(&text).map_err(|error| StateError::Broken {
            path,
            reason: error.to_string(),
        })?;
        Ok(Some(record))
    }

    /// Removes the folder and all that is in it. Missing is fine.
    pub fn remove(&self) -> Result<(), StateError> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove", &self.path, error))
            }
            _ => Ok(()),
        }
    }
}

impl Lock {
    /// Whether the holder before was killed at its work.
    pub const fn was_abandoned(&self) -> bool {
        self.was_abandoned
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still locked while it goes away: nobody can slip in between. If it
        // stays, the next call locks it again.
        let _stays = fs::remove_file(&self.path);
    }
}

/// Creates `path` and its parents, readable by this user only.
pub fn create_private_folder(path: &Path) -> Result<(), StateError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| io_error("create", path, error))
}

/// Writes a file only this user can read, all of it or nothing.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(&partial, path)
    };
    write().map_err(|error| {
        let _gone_already = fs::remove_file(&partial);
        io_error("write", path, error)
    })
}

fn open_lock(path: &Path) -> Result<File, StateError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| io_error("open", path, error))
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
