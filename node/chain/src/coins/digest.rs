//! A digest of which parts are still being computed elsewhere.
//!
//! Multiplying is commutative, so nobody has to wait for one block's part
//! before the next block: only who asks for the whole does.

use std::fmt::Debug;
use std::sync::Arc;

use super::MuHash3072;
use crate::codec::{Decode, DecodeError, Encode, Reader};

/// What some changes make of the digest of the empty set.
pub trait DigestPart: Debug + Send + Sync {
    /// Whether [`DigestPart::wait`] returns at once.
    fn is_ready(&self) -> bool;

    /// Waits until it is computed.
    fn wait(&self) -> &MuHash3072;
}

impl DigestPart for MuHash3072 {
    fn is_ready(&self) -> bool {
        true
    }

    fn wait(&self) -> &MuHash3072 {
        self
    }
}

/// The digest of the coins, whole or in parts.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    whole: MuHash3072,
    parts: Vec<Arc<dyn DigestPart>>,
}

impl Digest {
    /// Adds a part and merges those that are ready by now.
    pub fn add(&mut self, part: Arc<dyn DigestPart>) {
        self.parts.push(part);
        let whole = &mut self.whole;
        self.parts.retain(|part| {
            let is_ready = part.is_ready();
            if is_ready {
                whole.combine(part.wait());
            }
            !is_ready
        });
    }

    /// An element comes.
    pub fn insert(&mut self, element: &[u8]) {
        self.whole.insert(element);
    }

    /// An element leaves.
    pub fn remove(&mut self, element: &[u8]) {
        self.whole.remove(element);
    }

    /// Waits for all parts.
    #[must_use]
    pub fn finished(&self) -> MuHash3072 {
        let mut whole = self.whole.clone();
        for part in &self.parts {
            whole.combine(part.wait());
        }
        whole
    }
}

impl From<MuHash3072> for Digest {
    fn from(whole: MuHash3072) -> Self {
        Self {
            whole,
            parts: Vec::new(),
        }
    }
}

/// Waits for all parts of both.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.finished() == other.finished()
    }
}

impl Eq for Digest {}

/// Waits for all parts.
impl Encode for Digest {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.finished().encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        MuHash3072::SIZE
    }
}

impl Decode for Digest {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        MuHash3072::decode_from(reader).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::codec::{decode, encode};
    use crate::coins::DigestChange;

    /// Ready when the test says so.
    #[derive(Debug, Default)]
    struct Later(OnceLock<MuHash3072>);

    impl DigestPart for Later {
        fn is_ready(&self) -> bool {
            self.0.get().is_some()
        }

        fn wait(&self) -> &MuHash3072 {
            self.0.get().expect("nobody asks before it is ready")
        }
    }

    #[test]
    fn parts_may_become_ready_in_any_order() {
        let changes = [b"one", b"two"].map(|element| DigestChange::insert(element.to_vec()));
        let [first, second] = [Arc::new(Later::default()), Arc::new(Later::default())];
        let mut digest = Digest::default();
        digest.add(Arc::clone(&first) as Arc<dyn DigestPart>);
        digest.add(Arc::clone(&second) as Arc<dyn DigestPart>);
        digest.remove(b"three");
        let before = digest.clone();
        second.0.set(MuHash3072::of(&changes[1..])).expect("once");
        digest.add(Arc::new(MuHash3072::new()));
        assert_eq!(digest.parts.len(), 1, "the first is not ready");
        first.0.set(MuHash3072::of(&changes[..1])).expect("once");

        let mut expected = MuHash3072::of(&changes);
        expected.remove(b"three");
        assert_eq!(digest.finished(), expected);
        assert_eq!(before, digest);
        assert_eq!(decode::<Digest>(&encode(&digest)), Ok(expected.into()));
    }
}
