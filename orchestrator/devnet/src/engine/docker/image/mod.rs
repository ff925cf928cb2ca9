//! The image nodes run from: made of the local binary, without any registry.
//!
//! The image is one layer: the binary, the helper that filters packets, the
//! loader and libraries they need, what all of it consists of, `/etc/passwd`,
//! `/data` and `/tmp`. It is handed over as an archive (`POST /images/load`),
//! which every engine takes without a builder. Its tag is a digest of its
//! content, so the same binary is never sent twice.

mod archive;
mod binary;
mod sbom;
mod source;

use std::path::Path;
use std::sync::Arc;

use bollard::body_full;
use bollard::query_parameters::ImportImageOptionsBuilder;
use devnet_netfault::BINARY_NAME;
use futures::StreamExt as _;

use self::archive::Recipe;
use self::binary::{ENTRY, Files};
use super::DockerEngine;
use super::call::{ASK, SEND, bounded, bounded_or};
use crate::clock::{now_s, rfc3339};
use crate::engine::{EngineError, ErrorKind, Program, ProgramWish, Report};
use crate::program::{NETFAULT_REMEDY, find_binary, find_netfault};

/// Name of the images made here; the tag is the content's digest.
pub const REPOSITORY: &str = "minichain";

/// Label with the whole digest. Containers inherit an image's labels, so none
/// of those that devnets are found by may stand here.
pub const CONTENT_LABEL: &str = "minichain.content";

/// Images of a release binary stay below; a larger one is worth a hint.
const SIZE_HINT_BYTES: u64 = 25 << 20;

/// What an image can be made from.
enum Origin {
    /// A ready image, by reference.
    Given(String),
    /// A Linux binary and what it needs to run.
    Binary(Arc<Recipe>),
    /// The source tree, where the local binary cannot run in a container.
    Source(source::Tree),
}

impl DockerEngine {
    pub(super) async fn resolve_image(&self, wish: &ProgramWish) -> Result<Program, EngineError> {
        let origin = self.origin(wish).await?;
        self.program(&origin).await
    }

    pub(super) async fn prepare_image(
        &self,
        wish: &ProgramWish,
        report: &dyn Report,
    ) -> Result<Program, EngineError> {
        let origin = self.origin(wish).await?;
        let program = self.program(&origin).await?;
        if !program.to_build {
            return Ok(program);
        }
        report.step(&format!(
            "building image {} ({})",
            program.reference, program.origin
        ));
        match &origin {
            Origin::Given(_) => {}
            Origin::Binary(recipe) => {
                recipe.lacks.iter().for_each(|lack| report.warn(lack));
                self.send(recipe, &program.reference, report).await?;
            }
            Origin::Source(tree) => self.build_source(tree, &program.reference, report).await?,
        }
        Ok(Program {
            to_build: false,
            ..program
        })
    }

    async fn origin(&self, wish: &ProgramWish) -> Result<Origin, EngineError> {
        if let Some(image) = &wish.image {
            return Ok(Origin::Given(image.clone()));
        }
        let path = find_binary(wish.binary.as_deref())?.path;
        let architecture = self.about.architecture.clone();
        // Megabytes are read and hashed here; other tasks shall not wait.
        tokio::task::spawn_blocking(move || origin_of(&path, &architecture))
            .await
            .map_err(|error| {
                EngineError::new(ErrorKind::Program, "reading the node's binary", error)
            })?
    }

    async fn program(&self, origin: &Origin) -> Result<Program, EngineError> {
        let (reference, content, from) = match origin {
            Origin::Given(image) => return self.given(image).await,
            Origin::Binary(recipe) => (recipe.reference(), recipe.content(), recipe.origin.clone()),
            Origin::Source(tree) => (tree.reference(), tree.content(), tree.origin()),
        };
        let action = format!("looking for image {reference}");
        let look = self.docker.inspect_image(&reference);
        let found = bounded_or(&action, ASK, &[404], look).await?;
        let labels = found
            .and_then(|image| image.config?.labels)
            .unwrap_or_default();
        // A tag can be moved to another image; the label cannot.
        let to_build = labels
            .get(CONTENT_LABEL)
            .is_none_or(|found| found != content);
        Ok(Program {
            reference,
            origin: from,
            to_build,
        })
    }

    async fn given(&self, image: &str) -> Result<Program, EngineError> {
        let action = format!("looking for image {image}");
        match bounded_or(&action, ASK, &[404], self.docker.inspect_image(image)).await? {
            Some(_) => Ok(Program {
                reference: image.to_owned(),
                origin: "image as given".into(),
                to_build: false,
            }),
            None => Err(EngineError::new(
                ErrorKind::Program,
                action,
                "the engine has no such image",
            )
            .remedy(format!(
                "`docker pull {image}` if a registry has it, or leave --image away to build one \
                 from the local binary."
            ))),
        }
    }

    async fn send(
        &self,
        recipe: &Arc<Recipe>,
        reference: &str,
        report: &dyn Report,
    ) -> Result<(), EngineError> {
        let action = format!("sending image {reference}");
        let archive = recipe
            .archive(&rfc3339(now_s()))
            .map_err(|error| EngineError::new(ErrorKind::Program, &action, error))?;
        let options = ImportImageOptionsBuilder::default().quiet(true).build();
        let answers = self
            .docker
            .import_image(options, body_full(archive.into()), None);
        let outcome = async move {
            let mut answers = std::pin::pin!(answers);
            while let Some(answer) = answers.next().await {
                answer?;
            }
            Ok(())
        };
        bounded(&action, SEND, outcome).await?;
        let size = recipe.size_bytes();
        if size > SIZE_HINT_BYTES {
            report.step(&format!(
                "image {reference} has {} MB; a release build is far smaller \
                 (cargo build --release -p minichain-node)",
                size / 1_000_000
            ));
        }
        // The answer to loading is text for people; only a look tells.
        bounded(&action, ASK, self.docker.inspect_image(reference))
            .await
            .map(drop)
    }
}

/// From the binary if it can run in a container of this engine, else from the
/// source tree around here.
fn origin_of(path: &Path, architecture: &str) -> Result<Origin, EngineError> {
    match binary::collect(path, ENTRY, architecture) {
        Ok(files) => packed(files, path, architecture),
        Err(unfit) if unfit.needs_source() => match source::find(path) {
            Some(tree) => Ok(Origin::Source(tree?)),
            None => Err(unfit.into_error(path)),
        },
        Err(unfit) => Err(unfit.into_error(path)),
    }
}

/// The node's files with the helper's. Without a helper a network can run all
/// the same, so its lack is told, not refused; one that was named must be there.
fn packed(mut files: Files, path: &Path, architecture: &str) -> Result<Origin, EngineError> {
    let lacks = match find_netfault(path)? {
        None => Some("it is not there".to_owned()),
        Some(found) => match binary::collect(&found.path, devnet_netfault::PATH, architecture) {
            Ok(helper) => {
                for (name, bytes) in helper {
                    files.entry(name).or_insert(bytes);
                }
                None
            }
            Err(unfit) if found.is_named => return Err(unfit.into_error(&found.path)),
            Err(unfit) => Some(format!("{}: {unfit}", found.path.display())),
        },
    };
    sbom::add(&mut files);
    let mut recipe = Recipe::new(&files, architecture, path)
        .map_err(|error| EngineError::new(ErrorKind::Program, "packing the image", error))?;
    recipe.lacks = lacks.map(|why| {
        format!(
            "the image has no {BINARY_NAME} ({why}), so packets cannot be cut or lost in it; \
             {NETFAULT_REMEDY}"
        )
    });
    Ok(Origin::Binary(Arc::new(recipe)))
}
