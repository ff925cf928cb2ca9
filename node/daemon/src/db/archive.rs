//! The file that a chain is exported into. Pure but for the stream it is
//! given.
//!
//! ```text
//! 8 bytes   "MNCHAIN\n"
//! 4 bytes   version of this format, 1
//! 32 bytes  hash of the genesis block
//! then for every block above it, lowest first:
//!   4 bytes  length of the block, 1 to 4,000,000
//!   4 bytes  first bytes of the double SHA-256 of length and block
//!   n bytes  the block as on the wire
//! at the end:
//!   4 bytes  zero
//!   4 bytes  checksum as above, of zero, count and tip
//!   4 bytes  number of blocks
//!   32 bytes hash of the last one
//! ```
//! Numbers are little-endian, hashes in the byte order of SHA-256.

use std::io::{self, Read, Write};

use minichain_chain::hash::{BlockHash, sha256d};

const MAGIC: &[u8; 8] = b"MNCHAIN\n";
/// Version of the format; others are refused.
const VERSION: u32 = 1;
/// No block of any network has more bytes: weight units are four a byte, and
/// a witness byte costs one.
const BLOCK_BYTES_MAX: u32 = 4_000_000;
const FOOTER_BYTES: usize = 4 + 32;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Another kind of file.
    #[error("it is no exported chain; `minichain db export` makes one")]
    NotAnArchive,
    /// Written by another version of this program.
    #[error("its format is {found}, and this program reads format {VERSION}; export it again")]
    Version {
        /// The version found.
        found: u32,
    },
    /// Bytes are missing at its end.
    #[error("it is cut short after block {blocks}; export or copy it again")]
    CutShort {
        /// Blocks that are whole.
        blocks: u32,
    },
    /// Bytes changed.
    #[error("it is damaged behind block {blocks}: {what}; export or copy it again")]
    Damaged {
        /// Blocks that are whole.
        blocks: u32,
        /// What does not fit.
        what: &'static str,
    },
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Writes an archive.
pub struct Writer<W> {
    stream: W,
    blocks: u32,
    tip: BlockHash,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins with the head.
    pub fn new(mut stream: W, genesis: BlockHash) -> io::Result<Self> {
        stream.write_all(MAGIC)?;
        stream.write_all(&VERSION.to_le_bytes())?;
        stream.write_all(genesis.as_bytes())?;
        Ok(Self {
            stream,
            blocks: 0,
            tip: genesis,
            bytes: 8 + 4 + 32,
        })
    }

    /// Adds the next block.
    pub fn block(&mut self, hash: BlockHash, block: &[u8]) -> io::Result<()> {
        let too_long = || io::Error::other("a block is longer than any may be");
        let length = u32::try_from(block.len()).map_err(|_| too_long())?;
        if length == 0 || length > BLOCK_BYTES_MAX {
            return Err(too_long());
        }
        self.record(length, block)?;
        self.blocks += 1;
        self.tip = hash;
        Ok(())
    }

    /// Ends the archive and returns the stream and its length.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        let mut footer = self.blocks.to_le_bytes().to_vec();
        footer.extend_from_slice(self.tip.as_bytes());
        self.record(0, &footer)?;
        self.stream.flush()?;
        Ok((self.stream, self.bytes))
    }

    fn record(&mut self, length: u32, content: &[u8]) -> io::Result<()> {
        self.stream.write_all(&length.to_le_bytes())?;
        self.stream.write_all(&checksum(length, content))?;
        self.stream.write_all(content)?;
        self.bytes += 8 + content.len() as u64;
        Ok(())
    }
}

/// Reads an archive, one block's bytes at a time.
pub struct Reader<R> {
    stream: R,
    /// Hash of the genesis block.
    pub genesis: BlockHash,
    blocks: u32,
    is_done: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub fn new(mut stream: R) -> Result<Self, ArchiveError> {
        let head: [u8; 12] = array(&mut stream).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::NotAnArchive,
            _ => error.into(),
        })?;
        let (magic, version) = head.split_at(8);
        if magic != MAGIC {
            return Err(ArchiveError::NotAnArchive);
        }
        let found = version.try_into().map_or(0, u32::from_le_bytes);
        if found != VERSION {
            return Err(ArchiveError::Version { found });
        }
        let genesis = array(&mut stream).map_err(|error| cut_short(0, error))?;
        Ok(Self {
            stream,
            genesis: BlockHash::from_bytes(genesis),
            blocks: 0,
            is_done: false,
        })
    }

    /// The next block's bytes; `None` behind the last one.
    pub fn next_block(&mut self) -> Result<Option<Vec<u8>>, ArchiveError> {
        if self.is_done {
            return Ok(None);
        }
        let cut = |error| cut_short(self.blocks, error);
        let length = u32::from_le_bytes(array(&mut self.stream).map_err(cut)?);
        let expected: [u8; 4] = array(&mut self.stream).map_err(cut)?;
        if length > BLOCK_BYTES_MAX {
            return Err(self.damaged("a block is too long"));
        }
        let bytes = if length == 0 {
            FOOTER_BYTES
        } else {
            length as usize
        };
        let mut content = vec![0; bytes];
        self.stream.read_exact(&mut content).map_err(cut)?;
        if checksum(length, &content) != expected {
            return Err(self.damaged("a checksum is wrong"));
        }
        if length == 0 {
            return self.end(&content).map(|()| None);
        }
        self.blocks += 1;
        Ok(Some(content))
    }

    fn end(&mut self, footer: &[u8]) -> Result<(), ArchiveError> {
        let count = footer
            .first_chunk()
            .map_or(0, |count| u32::from_le_bytes(*count));
        if count != self.blocks {
            return Err(self.damaged("blocks are missing"));
        }
        let mut more = [0];
        if self.stream.read(&mut more)? != 0 {
            return Err(self.damaged("something follows its end"));
        }
        self.is_done = true;
        Ok(())
    }

    /// What to say of a block that is whole but wrong.
    pub fn damaged(&self, what: &'static str) -> ArchiveError {
        ArchiveError::Damaged {
            blocks: self.blocks,
            what,
        }
    }
}

fn array<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn cut_short(blocks: u32, error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::CutShort { blocks },
        _ => ArchiveError::Io(error),
    }
}

fn checksum(length: u32, content: &[u8]) -> [u8; 4] {
    let mut bytes = Vec::with_capacity(4 + content.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(content);
    let hash = sha256d(&bytes);
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> BlockHash {
        BlockHash::from_bytes([number; 32])
    }

    fn archive(blocks: &[&[u8]]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), hash(1)).unwrap();
        for block in blocks {
            writer.block(hash(2), block).unwrap();
        }
        let (bytes, length) = writer.finish().unwrap();
        assert_eq!(length, bytes.len() as u64);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, ArchiveError> {
        let mut reader = Reader::new(bytes)?;
        assert_eq!(reader.genesis, hash(1));
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block()? {
            blocks.push(block);
        }
        assert!(reader.next_block()?.is_none());
        Ok(blocks)
    }

    #[test]
    fn blocks_come_back_in_order() {
        assert_eq!(read(&archive(&[])).unwrap(), Vec::<Vec<u8>>::new());
        let bytes = archive(&[b"one", b"two", b"three"]);
        assert_eq!(read(&bytes).unwrap(), [&b"one"[..], b"two", b"three"]);
    }

    #[test]
    fn every_cut_and_every_changed_bit_behind_the_genesis_hash_is_noticed() {
        let bytes = archive(&[b"one", b"two"]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "cut to {length}");
        }
        for bit in (12 + 32) * 8..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&broken).is_err(), "bit {bit}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(read(&longer), Err(ArchiveError::Damaged { .. })));
    }

    #[test]
    fn other_files_and_versions_are_told_apart() {
        assert!(matches!(
            Reader::new(&b"PK\x03\x04 something else"[..]),
            Err(ArchiveError::NotAnArchive)
        ));
        let mut bytes = archive(&[]);
        bytes[8] = 9;
        assert!(matches!(
            Reader::new(bytes.as_slice()),
            Err(ArchiveError::Version { found: 9 })
        ));
    }

    #[test]
    fn a_hostile_length_is_refused_before_anything_is_allocated() {
        let mut bytes = archive(&[b"one"]);
        bytes[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            read(&bytes),
            Err(ArchiveError::Damaged { blocks: 0, .. })
        ));
    }
}
