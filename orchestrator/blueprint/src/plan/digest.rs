//! Stable derivation: digests of plans and keys from the seed.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// First 16 bytes of the SHA-256 of the value's JSON, 32 hexadecimal digits.
/// Struct fields keep their order and maps are sorted, so equal values have
/// equal digests.
pub fn of<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_vec(value)
        .expect("plans hold text-keyed maps, plain data and paths checked to be UTF-8");
    hex(&Sha256::digest(json)[..16])
}

/// 32 bytes that follow from the seed for one purpose, 64 hexadecimal digits.
///
/// SHA-256 over the purpose, the seed (little endian) and the names, each
/// preceded by its length in 8 bytes, little endian.
pub fn derive(purpose: &str, seed: u64, names: &[&str]) -> String {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(purpose.as_bytes());
    field(&seed.to_le_bytes());
    for name in names {
        field(name.as_bytes());
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::{derive, of};

    #[test]
    fn digest_is_sha256_of_the_json() {
        // printf '"abc"' | sha256sum
        assert_eq!(of(&"abc"), "6cc43f858fbb763301637b5af970e2a4");
    }

    #[test]
    fn derived_keys_depend_on_every_part() {
        let base = derive("identity", 1, &["a", "b"]);
        assert_eq!(base.len(), 64);
        assert_eq!(base, derive("identity", 1, &["a", "b"]));
        for other in [
            derive("accounts", 1, &["a", "b"]),
            derive("identity", 2, &["a", "b"]),
            derive("identity", 1, &["ab", ""]),
            derive("identity", 1, &["b", "a"]),
        ] {
            assert_ne!(base, other);
        }
    }
}
