//! Netlink messages: headers and nested attributes (rfc3549; the kernel's
//! `include/uapi/linux/netlink.h` and `netfilter/nfnetlink.h`).
//!
//! Header fields are in the machine's byte order, nf_tables values in network
//! order.

/// Length of a message's header and of the netfilter header after it.
pub const HEADER_BYTES: usize = 16;
const FAMILY_BYTES: usize = 4;
const ATTRIBUTE_BYTES: usize = 4;

const NESTED: u16 = 0x8000;
/// The two high bits of an attribute's type are flags.
const KIND_MASK: u16 = 0x3fff;

/// Messages under construction.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// What stands at the head of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Subsystem and word.
    pub kind: u16,
    /// Flags of the request.
    pub flags: u16,
    /// Number by which answers name it.
    pub sequence: u32,
}

impl Writer {
    /// Appends a message that begins as netfilter's do; `fill` writes the rest.
    pub fn message(&mut self, head: Head, family: u8, resource: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&0_u32.to_ne_bytes());
        self.bytes.extend_from_slice(&head.kind.to_ne_bytes());
        self.bytes.extend_from_slice(&head.flags.to_ne_bytes());
        self.bytes.extend_from_slice(&head.sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&0_u32.to_ne_bytes());
        self.bytes.extend_from_slice(&[family, 0]);
        self.bytes.extend_from_slice(&resource.to_be_bytes());
        fill(self);
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }

    /// Appends what stands before the attributes in messages of other subsystems.
    pub fn fields(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends an attribute of raw bytes.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        self.attribute(kind, |writer| writer.bytes.extend_from_slice(value));
    }

    /// Appends a number, in network order.
    pub fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// Appends a text with its closing zero.
    pub fn text(&mut self, kind: u16, value: &str) {
        self.attribute(kind, |writer| {
            writer.bytes.extend_from_slice(value.as_bytes());
            writer.bytes.push(0);
        });
    }

    /// Appends an attribute that holds attributes.
    pub fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.attribute(kind | NESTED, fill);
    }

    fn attribute(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; ATTRIBUTE_BYTES]);
        fill(self);
        // Nothing we write comes near the bound of an attribute.
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Changes the flags of the message that begins at `start`.
    pub fn set_flags(&mut self, start: usize, flags: u16) {
        if let Some(place) = self.bytes.get_mut(start + 6..start + 8) {
            place.copy_from_slice(&flags.to_ne_bytes());
        }
    }

    /// All messages.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// A message as received.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its head.
    pub head: Head,
    /// All after the header.
    pub body: &'a [u8],
}

/// The messages in what was received; a broken one ends the row.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(rest, 0)?).ok()?;
        let whole = rest.get(..length)?;
        let body = whole.get(HEADER_BYTES..)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        let head = Head {
            kind: u16_at(whole, 4)?,
            flags: u16_at(whole, 6)?,
            sequence: u32_at(whole, 8)?,
        };
        Some(Message { head, body })
    })
}

impl<'a> Message<'a> {
    /// The attributes after the netfilter header.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes(self.body.get(FAMILY_BYTES..).unwrap_or_default())
    }

    /// The code in an answer of type error: 0, or a negated errno.
    pub fn error_code(&self) -> Option<i32> {
        let bytes = self.body.get(..4)?.try_into().ok()?;
        Some(i32::from_ne_bytes(bytes))
    }
}

/// A row of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Attributes<'a> {
    /// Each attribute's type without flags, and its value.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let length = usize::from(u16_at(rest, 0)?);
            let kind = u16_at(rest, 2)? & KIND_MASK;
            let value = rest.get(ATTRIBUTE_BYTES..length)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            Some((kind, value))
        })
    }

    /// The value of the first attribute of that type.
    pub fn find(self, kind: u16) -> Option<&'a [u8]> {
        self.iter()
            .find(|(found, _)| *found == kind)
            .map(|(_, value)| value)
    }

    /// The attributes inside the first of that type.
    pub fn inside(self, kind: u16) -> Option<Attributes<'a>> {
        self.find(kind).map(Attributes)
    }

    /// A number of four bytes.
    pub fn number(self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.find(kind)?.try_into().ok()?))
    }

    /// A number of eight bytes.
    pub fn long_number(self, kind: u16) -> Option<u64> {
        Some(u64::from_be_bytes(self.find(kind)?.try_into().ok()?))
    }

    /// Whether the first of that type is this text.
    pub fn is_text(self, kind: u16, text: &str) -> bool {
        let found = self.find(kind).unwrap_or_default();
        found.strip_suffix(&[0]).unwrap_or(found) == text.as_bytes()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head {
        kind: 0x0a06,
        flags: 5,
        sequence: 7,
    };

    #[test]
    fn what_was_written_reads_back() {
        let mut writer = Writer::default();
        writer.message(HEAD, 2, 10, |writer| {
            writer.text(1, "devnet");
            writer.nested(4, |writer| {
                writer.number(2, 99);
                writer.bytes(3, &[1, 2, 3, 4, 5, 6, 7, 8]);
            });
        });
        writer.message(HEAD, 2, 0, |_| {});
        let bytes = writer.finish();
        let found: Vec<_> = messages(&bytes).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].head, HEAD);
        let attributes = found[0].attributes();
        assert!(attributes.is_text(1, "devnet") && !attributes.is_text(1, "devne"));
        let inside = attributes.inside(4).unwrap();
        assert_eq!(inside.number(2), Some(99));
        assert_eq!(inside.long_number(3), Some(0x0102_0304_0506_0708));
        assert_eq!(inside.long_number(2), None, "of another length");
        assert_eq!(found[1].attributes(), Attributes(&[]));
    }

    #[test]
    fn broken_lengths_end_the_row_without_a_panic() {
        for length in [0_u32, 3, 15, 17, u32::MAX] {
            let mut bytes = vec![0; 16];
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(messages(&bytes).count(), 0, "length {length}");
        }
        for length in [0_u16, 3, 9, u16::MAX] {
            let mut bytes = vec![0; 8];
            bytes[..2].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(Attributes(&bytes).iter().count(), 0, "length {length}");
        }
    }
}
