//! Blocks of an exported chain into a store, by the same rules as any block.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use indicatif::{ProgressBar, ProgressBarIter};
use minichain_chain::codec::decode;
use minichain_chain::params::Params;
use minichain_chain::state::{Acceptance, FormedBlock, State};
use minichain_chain::store::StoreError;
use minichain_chain::time::UnixSeconds;
use serde::Serialize;

use super::archive::{ArchiveError, Reader};
use super::interrupted;
use crate::clock::Clock;
use crate::exit::Failure;
use crate::progress;
use crate::shutdown::Shutdown;
use crate::store::{self, RedbStore};

const BUFFER_BYTES: usize = 1 << 20;
/// Blocks are handed over in pieces of about this many bytes …
const PIECE_BYTES: usize = 1 << 20;
/// … or this many blocks; so many pieces may wait.
const PIECE_BLOCKS: usize = 256;
const PIECES_WAITING: usize = 3;
/// A commit is a disk flush, so many blocks share one.
const COMMIT_BLOCKS: usize = 8_192;
const COMMIT_BYTES: usize = 24 << 20;

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Blocks taken in.
    pub blocks: u32,
    /// Blocks that were here before.
    pub known: u32,
    /// Height of the tip now.
    pub height: u32,
    /// Hash of the tip now.
    pub tip: String,
}

impl fmt::Display for Imported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            blocks,
            known,
            height,
            tip,
        } = self;
        write!(
            formatter,
            "imported {blocks} blocks, {known} were here before; the tip is {tip} at height {height}"
        )
    }
}

/// Why blocks were not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store broke.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block cannot be part of this chain.
    #[error("{0}")]
    Refused(String),
}

/// Hands blocks to a chain one after the other and commits now and then.
#[derive(Debug)]
pub struct Importer<'a> {
    state: &'a mut State<RedbStore>,
    now: UnixSeconds,
    blocks: u32,
    known: u32,
}

impl<'a> Importer<'a> {
    /// Blocks later than `now` are refused.
    pub fn new(state: &'a mut State<RedbStore>, now: UnixSeconds) -> Self {
        Self {
            state,
            now,
            blocks: 0,
            known: 0,
        }
    }

    /// Takes in the next block, whose parent is here.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn take(&mut self, block: FormedBlock) -> Result<(), ImportError> {
        let hash = *block.hash();
        let entry = self.state.tree().get(&hash);
        if entry.is_some_and(|entry| entry.status.has_body()) {
            self.known += 1;
            return Ok(());
        }
        let refused = |why: String| Err(ImportError::Refused(format!("block {hash} {why}")));
        match self.state.accept_formed_block(block, self.now)? {
            Acceptance::TipChanged { .. } => while self.state.advance()?.is_some() {},
            Acceptance::SideBranch { .. } | Acceptance::AwaitingParents => {}
            Acceptance::Duplicate => {
                self.known += 1;
                return Ok(());
            }
            Acceptance::Orphan { missing } => {
                return refused(format!("stands on {missing}, which is not here"));
            }
            Acceptance::TooNew { ahead_s } => {
                return refused(format!("is {ahead_s} s ahead of the clock; set the clock"));
            }
            Acceptance::LowWork => return refused("has too little work to be kept".into()),
            Acceptance::Mutated(error) | Acceptance::Invalid(error) => {
                return refused(format!("breaks a rule: {error}"));
            }
        }
        self.blocks += 1;
        self.state
            .store_mut()
            .commit_beyond(COMMIT_BLOCKS, COMMIT_BYTES)?;
        Ok(())
    }

    /// Commits what was taken in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(self) -> Result<Imported, StoreError> {
        self.state.store_mut().commit()?;
        let tip = self.state.tip();
        Ok(Imported {
            blocks: self.blocks,
            known: self.known,
            height: tip.height.to_u32(),
            tip: tip.hash.to_string(),
        })
    }
}

/// A file whose head was read.
pub struct Source {
    reader: Reader<BufReader<ProgressBarIter<File>>>,
    bar: ProgressBar,
}

/// Opens a file that holds a chain of the network with these parameters.
pub fn open(file: &Path, params: &Params) -> Result<Source, Failure> {
    let bad = |error: ArchiveError| unusable(file, &error);
    let stream = File::open(file).map_err(|error| bad(error.into()))?;
    let size = stream.metadata().map_err(|error| bad(error.into()))?.len();
    let bar = progress::byte_bar("importing", size);
    let stream = BufReader::with_capacity(BUFFER_BYTES, bar.wrap_read(stream));
    let reader = Reader::new(stream).map_err(bad)?;
    let ours = params.genesis_hash();
    if reader.genesis == ours {
        return Ok(Source { reader, bar });
    }
    Err(Failure::bad_input(format!(
        "{} holds the chain of another network: its genesis block is {}, that of {} is {ours}",
        file.display(),
        reader.genesis,
        params.network
    )))
}

/// Takes in a whole file. What was taken in before an error stays.
pub fn import(
    state: &mut State<RedbStore>,
    source: Source,
    file: &Path,
    data_dir: &Path,
    shutdown: &Shutdown,
) -> Result<Imported, Failure> {
    let Source { reader, bar } = source;
    let mut importer = Importer::new(state, Clock::default().now_s());
    let taken = take_all(&mut importer, reader, file, &bar, shutdown);
    let done = importer.finish();
    let done = done.map_err(|error| Failure::world(store::explain(data_dir, &error)))?;
    bar.finish_and_clear();
    match taken {
        Ok(()) => Ok(done),
        Err(Stop::Interrupted) => Err(interrupted(&format!(
            "{} blocks were taken in, up to height {}; the same command goes on from there",
            done.blocks, done.height
        ))),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Broken(error)) => Err(Failure::world(store::explain(data_dir, &error))),
    }
}

/// Why no more blocks are taken.
enum Stop {
    Interrupted,
    Failed(Failure),
    Broken(StoreError),
}

fn take_all<R: Read + Send>(
    importer: &mut Importer<'_>,
    reader: Reader<R>,
    file: &Path,
    bar: &ProgressBar,
    shutdown: &Shutdown,
) -> Result<(), Stop> {
    let params = importer.state.params().clone();
    std::thread::scope(|scope| {
        let (sender, pieces) = sync_channel(PIECES_WAITING);
        scope.spawn(move || read_pieces(reader, &params, &sender));
        take_pieces(importer, &pieces, file, bar, shutdown)
    })
}

fn take_pieces(
    importer: &mut Importer<'_>,
    pieces: &Receiver<Piece>,
    file: &Path,
    bar: &ProgressBar,
    shutdown: &Shutdown,
) -> Result<(), Stop> {
    for piece in pieces {
        let piece = piece.map_err(|error| Stop::Failed(unusable(file, &error)))?;
        for block in piece {
            if shutdown.is_requested() {
                return Err(Stop::Interrupted);
            }
            importer.take(block).map_err(|error| match error {
                ImportError::Store(error) => Stop::Broken(error),
                ImportError::Refused(why) => {
                    Stop::Failed(Failure::bad_input(format!("{}: {why}", file.display())))
                }
            })?;
        }
        bar.set_message(format!("{} blocks", importer.blocks + importer.known));
    }
    Ok(())
}

/// Blocks, or what ends the file before its end.
type Piece = Result<Vec<FormedBlock>, ArchiveError>;

/// Reads, decodes and looks at the form ahead of the one who connects. Ends
/// early if nobody listens any more.
fn read_pieces<R: Read>(mut reader: Reader<R>, params: &Params, pieces: &SyncSender<Piece>) {
    loop {
        let mut blocks = Vec::new();
        let end = read_piece(&mut reader, params, &mut blocks);
        let is_last = end.is_err() || blocks.is_empty();
        // Blocks before a damage are as good as any.
        let is_heard = blocks.is_empty() || pieces.send(Ok(blocks)).is_ok();
        if let Err(error) = end {
            // Nobody is left to tell if this is not heard.
            let _ = pieces.send(Err(error));
        }
        if is_last || !is_heard {
            return;
        }
    }
}

fn read_piece<R: Read>(
    reader: &mut Reader<R>,
    params: &Params,
    blocks: &mut Vec<FormedBlock>,
) -> Result<(), ArchiveError> {
    let mut bytes = 0;
    while blocks.len() < PIECE_BLOCKS && bytes < PIECE_BYTES {
        let Some(block) = reader.next_block()? else {
            break;
        };
        bytes += block.len();
        let block = decode(&block).map_err(|_| reader.damaged("a block does not decode"))?;
        blocks.push(FormedBlock::new(Arc::new(block), params));
    }
    Ok(())
}

fn unusable(file: &Path, error: &ArchiveError) -> Failure {
    Failure::bad_input(format!("cannot import {}: {error}", file.display()))
}
