//! Addresses: bech32m text for a taproot output key (BIP 350), under the
//! network's own prefix.

use std::fmt;

use bech32::primitives::decode::{CheckedHrpstring, UncheckedHrpstring};
use bech32::{Bech32, Bech32m, Fe32, Hrp, segwit};

use crate::script::Script;

/// Longest address (BIP 173).
const ADDRESS_BYTES_MAX: usize = 90;

/// Text for "pay to this output key on this network".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    hrp: Hrp,
    output_key: [u8; 32],
}

/// Why a text is not an address of this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The network's own prefix cannot be used in addresses.
    #[error("{prefix:?} cannot be an address prefix: use 1 to 20 lower-case letters or digits")]
    BadPrefix {
        /// The prefix given.
        prefix: String,
    },
    /// Not bech32 text at all.
    #[error("not an address: expected text like {expected_prefix}1p... ({reason})")]
    Malformed {
        /// The network's prefix.
        expected_prefix: String,
        /// What is wrong with the text.
        reason: String,
    },
    /// An address of another network.
    #[error("the address belongs to network prefix {found:?}, this network uses {expected:?}")]
    WrongPrefix {
        /// The network's prefix.
        expected: String,
        /// The address's prefix.
        found: String,
    },
    /// A character was mistyped.
    #[error("the address checksum does not match: check for a typing error")]
    BadChecksum,
    /// Not taproot.
    #[error("witness version {version} is not supported: only taproot (version 1) addresses are")]
    WrongVersion {
        /// Witness version, 0 to 31.
        version: u8,
    },
    /// Not a 32-byte key.
    #[error("the address does not carry a 32-byte taproot key")]
    WrongLength,
}

impl Address {
    /// The address of `output_key` on the network with prefix `hrp`.
    ///
    /// # Errors
    /// [`AddressError::BadPrefix`].
    pub fn new(hrp: &str, output_key: [u8; 32]) -> Result<Self, AddressError> {
        Ok(Self {
            hrp: parse_prefix(hrp)?,
            output_key,
        })
    }

    /// Reads an address of the network with prefix `hrp`.
    ///
    /// # Errors
    /// [`AddressError`], one variant per cause.
    pub fn parse(hrp: &str, text: &str) -> Result<Self, AddressError> {
        let hrp = parse_prefix(hrp)?;
        let malformed = |reason: String| AddressError::Malformed {
            expected_prefix: hrp.to_string(),
            reason,
        };
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(malformed(format!(
                "longer than {ADDRESS_BYTES_MAX} characters"
            )));
        }
        let unchecked =
            UncheckedHrpstring::new(text).map_err(|error| malformed(error.to_string()))?;
        if unchecked.hrp() != hrp {
            return Err(AddressError::WrongPrefix {
                expected: hrp.to_string(),
                found: unchecked.hrp().to_lowercase(),
            });
        }
        let output_key = output_key(unchecked)?;
        Ok(Self { hrp, output_key })
    }

    /// The network's prefix.
    #[must_use]
    pub fn hrp(&self) -> &str {
        self.hrp.as_str()
    }

    /// The taproot output key.
    #[must_use]
    pub const fn output_key(&self) -> [u8; 32] {
        self.output_key
    }

    /// The lock that pays this address.
    #[must_use]
    pub fn script_pubkey(&self) -> Script {
        Script::p2tr(&self.output_key)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        segwit::encode_to_fmt_unchecked(formatter, self.hrp, segwit::VERSION_1, &self.output_key)
    }
}

/// Longest prefix, so that separator, version, key and checksum (60
/// characters) fit beside it.
const PREFIX_BYTES_MAX: usize = 20;

fn parse_prefix(prefix: &str) -> Result<Hrp, AddressError> {
    let bad = || AddressError::BadPrefix {
        prefix: prefix.to_owned(),
    };
    let plain = prefix
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !plain || prefix.len() > PREFIX_BYTES_MAX {
        return Err(bad());
    }
    Hrp::parse(prefix).map_err(|_| bad())
}

fn output_key(unchecked: UncheckedHrpstring<'_>) -> Result<[u8; 32], AddressError> {
    let version = version(&unchecked);
    if !unchecked.has_valid_checksum::<Bech32m>() {
        // Version 0 uses the older checksum; say what is really wrong.
        return Err(match version {
            Some(0) if unchecked.has_valid_checksum::<Bech32>() => {
                AddressError::WrongVersion { version: 0 }
            }
            _ => AddressError::BadChecksum,
        });
    }
    match version {
        Some(1) => {}
        Some(version) => return Err(AddressError::WrongVersion { version }),
        None => return Err(AddressError::WrongLength),
    }
    let mut checked: CheckedHrpstring<'_> = unchecked.remove_checksum::<Bech32m>();
    checked.remove_witness_version();
    checked
        .validate_segwit_padding()
        .map_err(|_| AddressError::WrongLength)?;
    let program: Vec<u8> = checked.byte_iter().collect();
    program.try_into().map_err(|_| AddressError::WrongLength)
}

/// The first character of the data, if there is any data before the checksum.
fn version(unchecked: &UncheckedHrpstring<'_>) -> Option<u8> {
    let (data, _checksum) = unchecked
        .data_part_ascii()
        .split_last_chunk::<CHECKSUM_CHARS>()?;
    Some(Fe32::from_char(char::from(*data.first()?)).ok()?.to_u8())
}

const CHECKSUM_CHARS: usize = 6;
