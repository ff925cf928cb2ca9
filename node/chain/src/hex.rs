//! Lower-case hexadecimal text for bytes, as Bitcoin tools print it.

use std::fmt;

/// Why a text is not the hexadecimal form of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// Every byte takes two digits.
    #[error("hexadecimal text has an odd number of digits ({digits})")]
    OddLength {
        /// Number of characters given.
        digits: usize,
    },
    /// The text is well-formed but stands for another number of bytes.
    #[error("expected {expected} hexadecimal digits, got {digits}")]
    WrongLength {
        /// Number of digits the type needs.
        expected: usize,
        /// Number of characters given.
        digits: usize,
    },
    /// A character other than `0-9`, `a-f`, `A-F`.
    #[error("character {position} is not a hexadecimal digit")]
    NotADigit {
        /// Position of the first wrong byte, counted from zero.
        position: usize,
    },
}

/// The bytes as lower-case digits, first byte first.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
    text
}

/// Reads digits of either case into bytes.
///
/// # Errors
/// [`HexError::OddLength`] or [`HexError::NotADigit`].
pub fn decode(text: &str) -> Result<Vec<u8>, HexError> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(HexError::OddLength {
            digits: digits.len(),
        });
    }
    digits
        .chunks_exact(2)
        .enumerate()
        .map(|(index, pair)| byte_from(pair, index * 2))
        .collect()
}

/// Reads exactly `N` bytes.
///
/// # Errors
/// [`HexError::WrongLength`] or [`HexError::NotADigit`].
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return Err(HexError::WrongLength {
            expected: N * 2,
            digits: digits.len(),
        });
    }
    let mut bytes = [0; N];
    for (index, (byte, pair)) in bytes.iter_mut().zip(digits.chunks_exact(2)).enumerate() {
        *byte = byte_from(pair, index * 2)?;
    }
    Ok(bytes)
}

/// Writes bytes as hexadecimal without building a string.
pub(crate) fn write(formatter: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes
        .iter()
        .try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

fn byte_from(pair: &[u8], position: usize) -> Result<u8, HexError> {
    let high = value(pair[0]).ok_or(HexError::NotADigit { position })?;
    let low = value(pair[1]).ok_or(HexError::NotADigit {
        position: position + 1,
    })?;
    Ok(high << 4 | low)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn digit(value: u8) -> char {
    char::from(if value < 10 {
        b'0' + value
    } else {
        b'a' + value - 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_round_trip() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&bytes)), Ok(bytes.clone()));
        assert_eq!(decode(&encode(&bytes).to_uppercase()), Ok(bytes));
    }

    #[test]
    fn malformed_text_is_refused_with_its_place() {
        assert_eq!(decode("abc"), Err(HexError::OddLength { digits: 3 }));
        assert_eq!(decode("00g0"), Err(HexError::NotADigit { position: 2 }));
        assert_eq!(decode("000é"), Err(HexError::OddLength { digits: 5 }));
        assert_eq!(decode("00é"), Err(HexError::NotADigit { position: 2 }));
        assert_eq!(
            decode_array::<2>("0011aa"),
            Err(HexError::WrongLength {
                expected: 4,
                digits: 6
            })
        );
        assert_eq!(
            decode_array::<2>("001x"),
            Err(HexError::NotADigit { position: 3 })
        );
        assert_eq!(decode_array::<2>("a1B2"), Ok([0xa1, 0xb2]));
    }
}
