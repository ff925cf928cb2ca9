//! A wallet's bytes under a password.
//!
//! The key is Argon2id (RFC 9106, version 1.3) of the password, the bytes are
//! sealed with XChaCha20-Poly1305, and the header is authenticated with them.
//! A SHA-256 at the end tells a damaged file from a wrong password.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `MCWALLET` |
//! | 2 | version, 1 |
//! | 4, 4, 4 | Argon2id: KiB of memory, passes, lanes |
//! | 16 | salt |
//! | 24 | nonce |
//! | any | sealed contents, 16 bytes of tag at their end |
//! | 32 | SHA-256 of all before |
//!
//! Numbers are little-endian.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use minichain_chain::codec::{DecodeError, Reader};
use minichain_chain::hash::sha256;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a wallet file at most: some hundred thousand payments.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

const MAGIC: &[u8; 8] = b"MCWALLET";
const VERSION: u16 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const DIGEST_BYTES: usize = 32;
const HEADER_BYTES: usize = 8 + 2 + 3 * 4 + SALT_BYTES + NONCE_BYTES;

/// What a file may make this machine spend on one guess.
const MEMORY_KIB_MAX: u32 = 512 << 10;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;

/// How dear a guess of the password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// 64 MiB and 3 passes, RFC 9106's second choice, in one lane.
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            passes: 3,
            lanes: 1,
        }
    }
}

/// Why a file was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Something else.
    #[error("it is no minichain wallet: it does not begin with MCWALLET")]
    NotAWallet,
    /// Of another time.
    #[error(
        "its format has version {found} and this program knows version {VERSION}: use the program \
         that wrote it, or export the phrase there and import it here"
    )]
    OtherVersion {
        /// The version found.
        found: u16,
    },
    /// The bytes are not those that were written.
    #[error("the file is damaged ({what}): restore it from a copy, or import the phrase anew")]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// A guess would take too much memory or time.
    #[error(
        "opening it would take {} KiB of memory and {} passes in {} lanes, which is out of bounds \
         ({MEMORY_KIB_MAX} KiB, {PASSES_MAX} passes, {LANES_MAX} lanes at most): no minichain \
         wallet asks for that",
        .0.memory_kib, .0.passes, .0.lanes
    )]
    Cost(Cost),
    /// The password does not open it.
    #[error("wrong password; the file was not touched")]
    WrongPassword,
}

impl From<DecodeError> for FileError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged {
            what: error.to_string(),
        }
    }
}

/// A file's key, once the password is known. Sealing again needs no password.
pub struct Key {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    secret: Zeroizing<[u8; 32]>,
}

impl Key {
    /// The key of a password. Takes as long and as much memory as `cost` says.
    ///
    /// # Errors
    /// [`FileError::Cost`] for a cost out of bounds.
    pub fn derive(password: &str, cost: Cost, salt: [u8; SALT_BYTES]) -> Result<Self, FileError> {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = cost;
        let is_bounded = memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX && lanes <= LANES_MAX;
        if !is_bounded {
            return Err(FileError::Cost(cost));
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32));
        let params = params.map_err(|_| FileError::Cost(cost))?;
        let mut secret = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &salt, &mut secret[..])
            .map_err(|_| FileError::Cost(cost))?;
        Ok(Self { cost, salt, secret })
    }

    /// The bytes of a file that holds `contents`. `nonce` must be fresh random
    /// bytes each time.
    #[must_use]
    pub fn seal(&self, contents: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut file = header(self.cost, &self.salt, &nonce);
        let payload = Payload {
            msg: contents,
            aad: &file,
        };
        // Fails only beyond 2^38 bytes.
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        file.extend_from_slice(&sealed);
        let digest = sha256(&file);
        file.extend_from_slice(&digest);
        file
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.secret).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Key")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

/// A file whose form is right and whose contents are not open yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<'a> {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    header: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Reads the form of a file, in time and memory proportional to it.
    ///
    /// # Errors
    /// [`FileError`], all but [`FileError::WrongPassword`].
    pub fn parse(file: &'a [u8]) -> Result<Self, FileError> {
        if !file.starts_with(MAGIC) {
            return Err(FileError::NotAWallet);
        }
        let mut reader = Reader::new(file);
        reader.bytes(MAGIC.len())?;
        let found = reader.u16()?;
        if found != VERSION {
            return Err(FileError::OtherVersion { found });
        }
        let least = HEADER_BYTES + TAG_BYTES + DIGEST_BYTES;
        if file.len() < least {
            let what = format!("it has {} bytes, {least} at least are needed", file.len());
            return Err(FileError::Damaged { what });
        }
        let (body, digest) = file.split_at(file.len() - DIGEST_BYTES);
        if sha256(body) != digest {
            let what = "its checksum does not match".to_owned();
            return Err(FileError::Damaged { what });
        }
        let cost = Cost {
            memory_kib: reader.u32()?,
            passes: reader.u32()?,
            lanes: reader.u32()?,
        };
        let (header, sealed) = body.split_at(HEADER_BYTES);
        Ok(Self {
            cost,
            salt: reader.array()?,
            nonce: reader.array()?,
            header,
            sealed,
        })
    }

    /// How dear a guess is.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// Opens the file: its key, and what is in it.
    ///
    /// # Errors
    /// [`FileError::WrongPassword`] or [`FileError::Cost`].
    pub fn open(&self, password: &str) -> Result<(Key, Zeroizing<Vec<u8>>), FileError> {
        let key = Key::derive(password, self.cost, self.salt)?;
        let payload = Payload {
            msg: self.sealed,
            aad: self.header,
        };
        let opened = key.cipher().decrypt(&XNonce::from(self.nonce), payload);
        let contents = opened.map_err(|_| FileError::WrongPassword)?;
        Ok((key, Zeroizing::new(contents)))
    }
}

fn header(cost: Cost, salt: &[u8; SALT_BYTES], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(nonce);
    bytes
}

/// A password that is overwritten when dropped.
pub struct Password(String);

impl Password {
    /// Takes a password over.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
