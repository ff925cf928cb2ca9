//! Where the files of a node lie, and what they hold.
//!
//! ```text
//! <state>/<network>/nodes/<node>/
//!     node.json     labels; written last, so its presence says "created"
//!     volume.json   labels of the data folder
//!     data/         the node's data
//!     …             configuration, log and pid file, named by the plan
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::procfs::Life;
use crate::engine::{EngineError, ErrorKind};
use crate::state::{create_private_folder, write_private_file};

/// Folder of all nodes, in the network's folder.
pub const NODES_FOLDER: &str = "nodes";
/// Folder of a node's data, in the node's folder.
pub const DATA_FOLDER: &str = "data";

const NODE_FILE: &str = "node.json";
const VOLUME_FILE: &str = "volume.json";

/// What stands beside a node's process, in place of a container's labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// Labels, as on a container.
    pub labels: BTreeMap<String, String>,
    /// Where the process id is kept.
    pub pid_file: PathBuf,
    /// Where output goes.
    pub log_file: PathBuf,
    /// The node's configuration, where the plan has one.
    pub config_file: Option<PathBuf>,
    /// Time from SIGTERM to SIGKILL, in seconds.
    pub stop_timeout_s: u32,
}

/// The folder of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFolder {
    path: PathBuf,
}

impl NodeFolder {
    /// The folder at `path`; it need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's name.
    pub fn node(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Folder of the data.
    pub fn data(&self) -> PathBuf {
        self.path.join(DATA_FOLDER)
    }

    /// The labels, if the node was created. A file that does not parse counts
    /// as not created: creating again mends it.
    pub fn read_node(&self) -> Option<NodeFile> {
        read_json(&self.path.join(NODE_FILE))
    }

    /// Says that the node is created.
    pub fn write_node(&self, file: &NodeFile) -> Result<(), EngineError> {
        write_json(&self.path.join(NODE_FILE), file)
    }

    /// Labels of the data folder, if it was made.
    pub fn read_volume(&self) -> Option<BTreeMap<String, String>> {
        self.data()
            .is_dir()
            .then(|| read_json(&self.path.join(VOLUME_FILE)).unwrap_or_default())
    }

    /// Writes the labels of the data folder.
    pub fn write_volume(&self, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        write_json(&self.path.join(VOLUME_FILE), labels)
    }

    /// Removes the data and its labels.
    pub fn remove_volume(&self) -> Result<(), EngineError> {
        let data = self.data();
        remove(&data, fs::remove_dir_all(&data))?;
        let labels = self.path.join(VOLUME_FILE);
        remove(&labels, fs::remove_file(&labels))?;
        self.remove_if_empty();
        Ok(())
    }

    /// Removes all that is in the data folder, and keeps the folder.
    pub fn empty_data(&self) -> Result<(), EngineError> {
        let data = self.data();
        remove(&data, fs::remove_dir_all(&data))?;
        Ok(create_private_folder(&data)?)
    }

    /// Removes everything but the data and its labels. The labels of the node
    /// go first: half removed is not created.
    pub fn remove_node(&self) -> Result<(), EngineError> {
        let node = self.path.join(NODE_FILE);
        remove(&node, fs::remove_file(&node))?;
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(EngineError::of_file("list", &self.path, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| EngineError::of_file("list", &self.path, &error))?;
            let name = entry.file_name();
            if name == DATA_FOLDER || name == VOLUME_FILE {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let gone = if is_folder {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            remove(&path, gone)?;
        }
        self.remove_if_empty();
        Ok(())
    }

    fn remove_if_empty(&self) {
        // Refused by the system while anything is in it, which is the point.
        let _kept = fs::remove_dir(&self.path);
    }
}

/// The folders in `nodes`, sorted by name; none if there is no such folder.
pub fn node_folders(nodes: &Path) -> Result<Vec<NodeFolder>, EngineError> {
    let entries = match fs::read_dir(nodes) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EngineError::of_file("list", nodes, &error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| EngineError::of_file("list", nodes, &error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(NodeFolder::at(entry.path()));
        }
    }
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(folders)
}

/// Writes the pid file: for people and their tools, and as the sign that the
/// node was started. Its number counts only together with the start time.
pub fn write_pid_file(path: &Path, life: Life) -> Result<(), EngineError> {
    write_json(path, &life)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), EngineError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| {
        EngineError::new(
            ErrorKind::Refused,
            format!("cannot write {}", path.display()),
            error,
        )
    })?;
    Ok(write_private_file(path, &text)?)
}

fn remove(path: &Path, outcome: io::Result<()>) -> Result<(), EngineError> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(EngineError::of_file("remove", path, &error))
        }
        _ => Ok(()),
    }
}
