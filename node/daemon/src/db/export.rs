//! The active chain into a file, which appears as a whole or not at all.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use minichain_chain::codec::encode;
use minichain_chain::state::State;

use super::archive::Writer;
use super::{active_hashes, interrupted};
use crate::exit::Failure;
use crate::progress;
use crate::shutdown::Shutdown;
use crate::store::RedbStore;

const BUFFER_BYTES: usize = 1 << 20;

/// Writes every block above the genesis block; how many, and how many bytes.
pub fn export(
    state: &State<RedbStore>,
    file: &Path,
    force: bool,
    shutdown: &Shutdown,
) -> Result<(u32, u64), Failure> {
    if !force && file.exists() {
        return Err(Failure::bad_input(format!(
            "{} exists; choose another name, or replace it with --force",
            file.display()
        )));
    }
    let part = part_of(file);
    let result = write(state, &part, shutdown).and_then(|done| {
        std::fs::rename(&part, file).map_err(|error| cannot_write(file, &error))?;
        Ok(done)
    });
    if result.is_err() {
        // It may not exist yet.
        let _ = std::fs::remove_file(&part);
    }
    result
}

fn write(
    state: &State<RedbStore>,
    part: &Path,
    shutdown: &Shutdown,
) -> Result<(u32, u64), Failure> {
    let broken = |error| cannot_write(part, &error);
    let stream = File::create(part).map_err(broken)?;
    let genesis = state.tree().genesis().hash;
    let stream = BufWriter::with_capacity(BUFFER_BYTES, stream);
    let mut writer = Writer::new(stream, genesis).map_err(broken)?;
    let hashes = active_hashes(state);
    let bar = progress::bar("exporting", hashes.len() as u64, "blocks");
    let mut blocks = 0;
    for hash in hashes {
        if shutdown.is_requested() {
            return Err(interrupted("nothing was written"));
        }
        let block = state.block(&hash).map_err(Failure::world)?;
        let block = block.ok_or_else(|| {
            Failure::world(format!("block {hash} is missing; see `minichain db check`"))
        })?;
        writer
            .block(hash, &encode(block.as_ref()))
            .map_err(broken)?;
        blocks += 1;
        bar.inc(1);
    }
    let (stream, bytes) = writer.finish().map_err(broken)?;
    let stream = stream
        .into_inner()
        .map_err(|error| cannot_write(part, error.error()))?;
    stream.sync_all().map_err(broken)?;
    bar.finish_and_clear();
    Ok((blocks, bytes))
}

fn part_of(file: &Path) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::world(format!("cannot write {}: {error}", file.display()))
}
