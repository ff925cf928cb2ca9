//! Whom Prometheus shall scrape, as files that it reads again when they change
//! (file-based service discovery).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::exit::Failure;
use crate::probe::NodeAddress;
use crate::state::{create_private_folder, write_private_file};

/// The file of the nodes' metrics.
pub const NODES_FILE: &str = "targets.json";
/// The file of the exporter's own.
pub const EXPORTER_FILE: &str = "exporter.json";

/// Keeps the files of one network up to date.
#[derive(Debug)]
pub struct Targets {
    folder: PathBuf,
    written: Option<Vec<u8>>,
}

impl Targets {
    /// Files in `folder`, which is made if missing; says where the exporter
    /// itself listens.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn new(folder: &Path, network: &str, exporter: SocketAddr) -> Result<Self, Failure> {
        create_private_folder(folder)?;
        let own = json!([{ "targets": [exporter.to_string()], "labels": { "network": network } }]);
        write_private_file(&folder.join(EXPORTER_FILE), &bytes(&own))?;
        Ok(Self {
            folder: folder.to_owned(),
            written: None,
        })
    }

    /// Writes the nodes, if they are not as they were.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn update(&mut self, network: &str, nodes: &[NodeAddress]) -> Result<(), Failure> {
        let text = bytes(&of_nodes(network, nodes));
        if self.written.as_ref() != Some(&text) {
            write_private_file(&self.folder.join(NODES_FILE), &text)?;
            self.written = Some(text);
        }
        Ok(())
    }
}

fn of_nodes(network: &str, nodes: &[NodeAddress]) -> Value {
    let target = |node: &NodeAddress| {
        let labels = json!({ "network": network, "node": node.name, "role": node.role });
        Some(json!({ "targets": [node.metrics?.to_string()], "labels": labels }))
    };
    nodes.iter().filter_map(target).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
