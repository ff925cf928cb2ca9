//! Values with a checksum over table, key and content. Pure.
//!
//! redb checks its pages only when asked to; a flipped bit in a value must not
//! become a wrong coin.

use minichain_chain::hash::tagged_hash;

const CHECK_BYTES: usize = 4;

/// The value with its checksum behind it.
pub fn seal(table: &str, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let check = check(table, key, &value);
    value.extend_from_slice(&check);
    value
}

/// The value without its checksum; none if they do not fit.
pub fn unseal<'a>(table: &str, key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (value, found) = sealed.split_at_checked(sealed.len().checked_sub(CHECK_BYTES)?)?;
    (found == check(table, key, value)).then_some(value)
}

fn check(table: &str, key: &[u8], value: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = tagged_hash("minichain/store", &[table.as_bytes(), key, value]);
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_value_comes_back() {
        for value in [&b""[..], b"x", &[7; 1_000]] {
            let sealed = seal("t", b"k", value.to_vec());
            assert_eq!(unseal("t", b"k", &sealed), Some(value));
        }
    }

    #[test]
    fn any_change_breaks_the_seal() {
        let sealed = seal("coins", b"key", b"value".to_vec());
        assert_eq!(unseal("undos", b"key", &sealed), None);
        assert_eq!(unseal("coins", b"kez", &sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal("coins", b"key", &broken), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(
                unseal("coins", b"key", &sealed[..length]),
                None,
                "length {length}"
            );
        }
    }
}
