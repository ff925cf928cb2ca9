//! An image as the archive engines load: one layer, its description, and the
//! list that ties them (Docker image specification 1.2).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use minichain_api::port;
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::super::hex;
use super::binary::{ENTRY, Files, LIBRARIES, SEARCH_ENV};
use super::{CONTENT_LABEL, REPOSITORY, sbom};

/// Who the node runs as, and who owns its data: nobody's number, the same as
/// in other images without a shell.
const USER_ID: u64 = 65_532;

/// Label that tells the folder of the bills of materials.
const SBOM_LABEL: &str = "minichain.sbom";

/// Hexadecimal digits of the digest in a tag.
const TAG_DIGITS: usize = 12;

/// All of an image but the time of its making.
pub struct Recipe {
    /// Where it comes from, for people.
    pub origin: String,
    /// What the image has to do without, as a line for people.
    pub lacks: Option<String>,
    architecture: String,
    layer: Vec<u8>,
    layer_digest: String,
    content: String,
}

impl Recipe {
    /// An image of these files for `architecture`; `origin` is the binary they
    /// were collected for.
    pub fn new(files: &Files, architecture: &str, origin: &Path) -> io::Result<Self> {
        let layer = layer(files)?;
        let layer_digest = format!("sha256:{}", hex(&Sha256::digest(&layer)));
        let mut recipe = Self {
            origin: format!("from {}", origin.display()),
            lacks: None,
            architecture: architecture.to_owned(),
            layer,
            layer_digest,
            content: String::new(),
        };
        // Everything that makes the image what it is, without time and digest.
        let description = recipe.description("").to_string();
        recipe.content = hex(&Sha256::digest(description.as_bytes()));
        Ok(recipe)
    }

    /// Digest of the content, 64 hexadecimal digits.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// `minichain:<12 hexadecimal digits>`.
    pub fn reference(&self) -> String {
        format!(
            "{REPOSITORY}:{}",
            self.content.get(..TAG_DIGITS).unwrap_or_default()
        )
    }

    /// Size of the image's files.
    pub fn size_bytes(&self) -> u64 {
        self.layer.len() as u64
    }

    /// The archive to load, with the time of its making (RFC 3339).
    pub fn archive(&self, created: &str) -> io::Result<Vec<u8>> {
        let description = self.description(created).to_string();
        let description_name = format!("{}.json", hex(&Sha256::digest(description.as_bytes())));
        let list = json!([{
            "Config": description_name,
            "RepoTags": [self.reference()],
            "Layers": ["layer.tar"],
        }]);
        let mut archive = Builder::new(Vec::with_capacity(self.layer.len() + (64 << 10)));
        append_file(&mut archive, "layer.tar", &self.layer, 0o644)?;
        append_file(
            &mut archive,
            &description_name,
            description.as_bytes(),
            0o644,
        )?;
        append_file(
            &mut archive,
            "manifest.json",
            list.to_string().as_bytes(),
            0o644,
        )?;
        archive.into_inner()
    }

    fn description(&self, created: &str) -> serde_json::Value {
        let ports: BTreeMap<String, serde_json::Value> = [port::P2P, port::RPC, port::METRICS]
            .into_iter()
            .map(|port| (format!("{port}/tcp"), json!({})))
            .collect();
        json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": created,
            "config": {
                "User": format!("{USER_ID}:{USER_ID}"),
                "Env": [format!("{SEARCH_ENV}={LIBRARIES}")],
                "Entrypoint": [ENTRY],
                "WorkingDir": "/data",
                "ExposedPorts": ports,
                "StopSignal": "SIGTERM",
                "Labels": {
                    "org.opencontainers.image.title": "minichain",
                    "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
                    CONTENT_LABEL: self.content,
                    SBOM_LABEL: sbom::FOLDER,
                },
            },
            "rootfs": { "type": "layers", "diff_ids": [self.layer_digest] },
            "history": [{ "created": created, "created_by": "devnet, from a local binary" }],
        })
    }
}

/// The layer: folders first, then files, in the order of their paths and
/// without times, so that the same files give the same bytes.
fn layer(files: &Files) -> io::Result<Vec<u8>> {
    let room: usize = files.values().map(|bytes| bytes.len() + 2048).sum();
    let mut layer = Builder::new(Vec::with_capacity(room + (16 << 10)));
    let mut folders: BTreeMap<String, (u32, u64)> = BTreeMap::new();
    for path in files.keys().map(String::as_str).chain(["/etc/passwd"]) {
        for folder in Path::new(path).ancestors().skip(1).filter_map(Path::to_str) {
            folders.insert(folder.to_owned(), (0o755, 0));
        }
    }
    folders.insert("/data".into(), (0o700, USER_ID));
    folders.insert("/tmp".into(), (0o1777, 0));
    folders.remove("/");
    for (path, (mode, owner)) in &folders {
        append(&mut layer, path, EntryType::Directory, &[], *mode, *owner)?;
    }
    for (path, bytes) in files {
        let is_text = path.starts_with(sbom::FOLDER);
        let mode = if is_text { 0o644 } else { 0o755 };
        append(&mut layer, path, EntryType::Regular, bytes, mode, 0)?;
    }
    append_file(&mut layer, "etc/passwd", passwd().as_bytes(), 0o644)?;
    append_file(&mut layer, "etc/group", group().as_bytes(), 0o644)?;
    layer.into_inner()
}

fn passwd() -> String {
    format!(
        "root:x:0:0:root:/:/nonexistent\nminichain:x:{USER_ID}:{USER_ID}:minichain:/data:/nonexistent\n"
    )
}

fn group() -> String {
    format!("root:x:0:\nminichain:x:{USER_ID}:\n")
}

fn append_file(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    bytes: &[u8],
    mode: u32,
) -> io::Result<()> {
    append(archive, path, EntryType::Regular, bytes, mode, 0)
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    bytes: &[u8],
    mode: u32,
    owner: u64,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    header.set_uid(owner);
    header.set_gid(owner);
    header.set_mtime(0);
    archive.append_data(&mut header, path.trim_start_matches('/'), bytes)
}

#[cfg(test)]
mod tests;
