//! The one canonical byte form of every value, and a reader that untrusted
//! bytes cannot lead astray.
//!
//! Two laws hold for every type here: `decode(encode(x)) == x`, and every
//! byte string that decodes to `x` is `encode(x)`. A decoder never allocates
//! more than the bytes before it can justify.

mod numbers;

/// A value with exactly one byte form.
pub trait Encode {
    /// Appends the byte form to `out`.
    fn encode_to(&self, out: &mut Vec<u8>);

    /// Number of bytes [`Encode::encode_to`] appends.
    fn encoded_len(&self) -> usize;
}

/// A value that can be read from its byte form.
pub trait Decode: Sized {
    /// Reads one value and leaves the reader behind it.
    ///
    /// # Errors
    /// A [`DecodeError`] if the bytes at the reader are not a canonical form.
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// The byte form of `value`.
#[must_use]
pub fn encode<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.encoded_len());
    value.encode_to(&mut out);
    out
}

/// Reads a value that fills `bytes` exactly.
///
/// # Errors
/// A [`DecodeError`], among them [`DecodeError::TrailingBytes`].
pub fn decode<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::decode_from(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Why bytes are not the canonical form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the value.
    #[error("bytes end early: {needed} more needed, {remaining} left")]
    UnexpectedEnd {
        /// Bytes the next field takes.
        needed: usize,
        /// Bytes that were left.
        remaining: usize,
    },
    /// The value ends before the bytes do.
    #[error("{count} bytes follow after the end of the value")]
    TrailingBytes {
        /// Bytes left over.
        count: usize,
    },
    /// A number was written with more bytes than it needs.
    #[error("CompactSize {value} is not in its shortest form")]
    NonMinimalCompactSize {
        /// The number.
        value: u64,
    },
    /// A list claims more items than the format allows, or than could stand
    /// in the bytes that remain.
    #[error("a list of {count} items is longer than the {max} possible here")]
    CountTooLarge {
        /// Claimed number of items.
        count: u64,
        /// Largest number accepted here.
        max: u64,
    },
    /// A byte string is longer than the format allows.
    #[error("a field of {length} bytes is longer than the {max} allowed here")]
    FieldTooLong {
        /// Claimed length in bytes.
        length: u64,
        /// Largest length accepted here.
        max: u64,
    },
    /// The witness flag of BIP 144 is not 1.
    #[error("unknown transaction flag {flag:#04x}")]
    UnknownTransactionFlag {
        /// The byte found.
        flag: u8,
    },
    /// The witness form was used although every witness is empty.
    #[error("witness form without any witness")]
    SuperfluousWitness,
    /// A byte that selects a variant selects none.
    #[error("unknown tag {tag:#04x} for {what}")]
    UnknownTag {
        /// What was being read.
        what: &'static str,
        /// The byte found.
        tag: u8,
    },
    /// A field holds a value its type does not have.
    #[error("invalid {what}")]
    InvalidValue {
        /// What was being read.
        what: &'static str,
    },
}

/// A cursor over untrusted bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Demands that everything was read.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`].
    pub const fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes { count }),
        }
    }

    /// The next `length` bytes, borrowed.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) =
            self.rest
                .split_at_checked(length)
                .ok_or(DecodeError::UnexpectedEnd {
                    needed: length,
                    remaining: self.rest.len(),
                })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) =
            self.rest
                .split_first_chunk::<N>()
                .ok_or(DecodeError::UnexpectedEnd {
                    needed: N,
                    remaining: self.rest.len(),
                })?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Four bytes, little-endian, two's complement.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bitcoin's variable-length number of 1, 3, 5 or 9 bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`], or
    /// [`DecodeError::NonMinimalCompactSize`] for any but the shortest form.
    pub fn compact_size(&mut self) -> Result<u64, DecodeError> {
        let (value, smallest) = match self.u8()? {
            0xfd => (u64::from(self.u16()?), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            byte => return Ok(u64::from(byte)),
        };
        if value < smallest {
            return Err(DecodeError::NonMinimalCompactSize { value });
        }
        Ok(value)
    }

    /// A CompactSize length of at most `length_max`, then that many bytes.
    /// Nothing is allocated before the bytes are known to be there.
    ///
    /// # Errors
    /// [`DecodeError::FieldTooLong`], [`DecodeError::UnexpectedEnd`], or
    /// [`DecodeError::NonMinimalCompactSize`].
    pub fn var_bytes(&mut self, length_max: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.compact_size()?;
        let max = length_max as u64;
        match usize::try_from(length) {
            Ok(length) if length <= length_max => self.bytes(length),
            _ => Err(DecodeError::FieldTooLong { length, max }),
        }
    }

    /// A CompactSize number of items, each of which takes at least
    /// `item_bytes_min` bytes: at most `count_max`, and never more than could
    /// stand in the bytes that remain.
    ///
    /// # Errors
    /// [`DecodeError::CountTooLarge`], [`DecodeError::UnexpectedEnd`], or
    /// [`DecodeError::NonMinimalCompactSize`].
    pub fn count(&mut self, count_max: usize, item_bytes_min: usize) -> Result<usize, DecodeError> {
        let count = self.compact_size()?;
        let possible = count_max.min(self.remaining() / item_bytes_min.max(1));
        match usize::try_from(count) {
            Ok(count) if count <= possible => Ok(count),
            _ => Err(DecodeError::CountTooLarge {
                count,
                max: possible as u64,
            }),
        }
    }

    /// A counted list; see [`Reader::count`] for the bounds.
    ///
    /// # Errors
    /// As [`Reader::count`], and those of the items.
    pub fn list<T: Decode>(
        &mut self,
        count_max: usize,
        item_bytes_min: usize,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count(count_max, item_bytes_min)?;
        // A decoded item can be larger than its bytes; growing as items
        // really appear keeps memory in proportion to the input.
        let mut items = Vec::with_capacity(count.min(RESERVED_ITEMS_MAX));
        for _ in 0..count {
            items.push(T::decode_from(self)?);
        }
        Ok(items)
    }
}

/// Items for which room is made before the first of them was read.
const RESERVED_ITEMS_MAX: usize = 1_024;

/// Appends a CompactSize number in its shortest form.
pub fn put_compact_size(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    match value {
        0..=0xfc => out.push(bytes[0]),
        0xfd..=0xffff => {
            out.push(0xfd);
            out.extend_from_slice(&bytes[..2]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xfe);
            out.extend_from_slice(&bytes[..4]);
        }
        _ => {
            out.push(0xff);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Bytes [`put_compact_size`] appends for `value`.
#[must_use]
pub const fn compact_size_len(value: u64) -> usize {
    match value {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Appends a CompactSize length and the bytes.
pub fn put_var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_compact_size(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes [`put_var_bytes`] appends.
#[must_use]
pub const fn var_bytes_len(bytes: &[u8]) -> usize {
    compact_size_len(bytes.len() as u64) + bytes.len()
}

/// Appends a CompactSize count and the items.
pub fn put_list<T: Encode>(out: &mut Vec<u8>, items: &[T]) {
    put_compact_size(out, items.len() as u64);
    for item in items {
        item.encode_to(out);
    }
}

/// Bytes [`put_list`] appends.
#[must_use]
pub fn list_len<T: Encode>(items: &[T]) -> usize {
    compact_size_len(items.len() as u64) + items.iter().map(Encode::encoded_len).sum::<usize>()
}
