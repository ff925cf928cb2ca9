//! An image built from the source tree inside a container, for hosts whose own
//! binary cannot run in one (macOS, another processor).
//!
//! The engine needs its base image for that, from a registry or already there;
//! the recipe is `deploy/Dockerfile`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::body_full;
use bollard::query_parameters::BuildImageOptionsBuilder;
use futures::StreamExt as _;
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use super::super::call::{ASK, bounded};
use super::super::{DockerEngine, hex};
use super::{CONTENT_LABEL, REPOSITORY};
use crate::engine::{EngineError, ErrorKind, Report};

/// The recipe, from the root of the tree.
const DOCKERFILE: &str = "deploy/Dockerfile";

/// What marks the root, beside the recipe.
const LOCK_FILE: &str = "Cargo.lock";

/// Sources are small; more than this is no source tree.
const TREE_MAX_BYTES: u64 = 128 << 20;

/// A cold release build on a slow machine.
const BUILD_MAX: Duration = Duration::from_secs(3600);

/// Lines of the build's output kept for an error.
const TAIL_LINES: usize = 12;

/// A source tree, read into memory.
pub struct Tree {
    root: PathBuf,
    /// Path from the root, with `/`, → bytes.
    files: BTreeMap<String, Vec<u8>>,
    content: String,
}

/// The tree around the binary, this program or the working folder; `None` if
/// there is none.
pub fn find(binary: &Path) -> Option<Result<Tree, EngineError>> {
    let own = std::env::current_exe().ok();
    let here = std::env::current_dir().ok();
    let starts = [Some(binary.to_owned()), own, here];
    let root = starts
        .iter()
        .flatten()
        .find_map(|start| root_above(start))?;
    Some(read(&root))
}

fn root_above(start: &Path) -> Option<PathBuf> {
    let is_root =
        |folder: &&Path| folder.join(DOCKERFILE).is_file() && folder.join(LOCK_FILE).is_file();
    start.ancestors().find(is_root).map(Path::to_owned)
}

/// Reads the tree at `root`.
pub fn read(root: &Path) -> Result<Tree, EngineError> {
    let mut files = BTreeMap::new();
    let mut room = TREE_MAX_BYTES;
    collect(root, "", &mut files, &mut room).map_err(|error| {
        EngineError::new(
            ErrorKind::Program,
            format!("reading the source tree {}", root.display()),
            error,
        )
    })?;
    let mut digest = Sha256::new();
    for (path, bytes) in &files {
        digest.update((path.len() as u64).to_le_bytes());
        digest.update(path);
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(Tree {
        root: root.to_owned(),
        files,
        content: hex(&digest.finalize()),
    })
}

/// Adds the files of a folder; hidden ones and Cargo's output stay out, as
/// `.dockerignore` says too.
fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
    room: &mut u64,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') || name == "target" {
            continue;
        }
        let kind = entry.file_type()?;
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files, room)?;
        } else if kind.is_file() {
            *room = room.checked_sub(entry.metadata()?.len()).ok_or_else(|| {
                io::Error::other(format!("it has more than {} MB", TREE_MAX_BYTES >> 20))
            })?;
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

impl Tree {
    /// Digest of all files, 64 hexadecimal digits.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// `minichain:source-<12 hexadecimal digits>`.
    pub fn reference(&self) -> String {
        format!(
            "{REPOSITORY}:source-{}",
            self.content.get(..12).unwrap_or_default()
        )
    }

    /// Where it comes from, for people.
    pub fn origin(&self) -> String {
        format!("from the sources in {}", self.root.display())
    }

    fn archive(&self) -> io::Result<Vec<u8>> {
        let mut archive = Builder::new(Vec::new());
        for (path, bytes) in &self.files {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, path, bytes.as_slice())?;
        }
        archive.into_inner()
    }
}

impl DockerEngine {
    pub(super) async fn build_source(
        &self,
        tree: &Tree,
        reference: &str,
        report: &dyn Report,
    ) -> Result<(), EngineError> {
        let action = format!("building image {reference} {}", tree.origin());
        let archive = tree
            .archive()
            .map_err(|error| EngineError::new(ErrorKind::Program, &action, error))?;
        let options = BuildImageOptionsBuilder::default()
            .dockerfile(DOCKERFILE)
            .t(reference)
            .labels(&HashMap::from([(CONTENT_LABEL, tree.content())]))
            .rm(true)
            .forcerm(true)
            .build();
        let mut answers = self
            .docker
            .build_image(options, None, Some(body_full(archive.into())));
        let mut tail: Vec<String> = Vec::new();
        let outcome = async {
            while let Some(answer) = answers.next().await {
                let text = answer?.stream.unwrap_or_default();
                for line in text
                    .lines()
                    .map(str::trim_end)
                    .filter(|line| !line.is_empty())
                {
                    report.step(&format!("image: {line}"));
                    tail.push(line.to_owned());
                    if tail.len() > TAIL_LINES {
                        tail.remove(0);
                    }
                }
            }
            Ok(())
        };
        let outcome = bounded(&action, BUILD_MAX, outcome).await;
        outcome.map_err(|error| explain(error, &tail))?;
        bounded(&action, ASK, self.docker.inspect_image(reference))
            .await
            .map(drop)
            .map_err(|error| EngineError {
                kind: ErrorKind::Program,
                ..error
            })
    }
}

/// A failed build shows its last words.
fn explain(error: EngineError, tail: &[String]) -> EngineError {
    if !matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound) {
        return error;
    }
    let words = tail
        .iter()
        .map(|line| format!("\n  {line}"))
        .collect::<String>();
    EngineError {
        kind: ErrorKind::Program,
        detail: format!("{}{words}", error.detail),
        ..error.remedy(
            "If the base image is missing, let the engine fetch it (`docker pull` the image that \
             deploy/Dockerfile begins from), or give a ready image with --image.",
        )
    }
}

#[cfg(test)]
mod tests;
