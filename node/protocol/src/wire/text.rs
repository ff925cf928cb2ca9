//! Short text that is safe to show in a log or a terminal.

use std::fmt;

use minichain_chain::codec::{Decode, DecodeError, Encode, Reader, put_var_bytes, var_bytes_len};

/// At most `MAX` printable ASCII characters (space to tilde).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Keeps what is printable and cuts at `MAX`.
    pub fn lossy(text: &str) -> Self {
        Self(
            text.chars()
                .filter(|c| is_printable(*c))
                .take(MAX)
                .collect(),
        )
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode_to(&self, out: &mut Vec<u8>) {
        put_var_bytes(out, self.0.as_bytes());
    }

    fn encoded_len(&self) -> usize {
        var_bytes_len(self.0.as_bytes())
    }
}

impl<const MAX: usize> Decode for Text<MAX> {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.var_bytes(MAX)?;
        let text = str::from_utf8(bytes)
            .ok()
            .filter(|text| text.chars().all(is_printable));
        let text = text.ok_or(DecodeError::InvalidValue {
            what: "printable text",
        })?;
        Ok(Self(text.to_owned()))
    }
}

fn is_printable(c: char) -> bool {
    (' '..='~').contains(&c)
}
