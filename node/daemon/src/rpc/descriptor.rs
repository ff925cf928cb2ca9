//! Output descriptors as far as the notion exists here: those of one lock.
//! BIP380 has the checksum, BIP385 `addr` and `raw`, BIP386 `rawtr`. Pure.

use minichain_api::rpc::{RpcError, code};
use minichain_chain::address::Address;
use minichain_chain::hex;
use minichain_chain::script::Script;

use super::error;

/// Letters that a descriptor may hold, in the order that BIP380 numbers them.
const LETTERS: &str = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~\
                       ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
const CHECKSUM_LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u64; 5] = [
    0xf5_dee5_1989,
    0xa9_fdca_3312,
    0x1b_ab10_e32d,
    0x37_06b1_677a,
    0x64_4d62_6ffd,
];

/// The lock that a descriptor stands for.
///
/// # Errors
/// A form that is not known here, an address of another network, or a wrong
/// checksum.
pub fn parse(text: &str, prefix: &str) -> Result<Script, RpcError> {
    let body = match text.split_once('#') {
        None => text,
        Some((body, given)) if checksum(body).is_some_and(|right| right == given) => body,
        Some((_, given)) => return Err(refused(text, &format!("its checksum {given} is wrong"))),
    };
    let inner = |form: &str| body.strip_prefix(form)?.strip_suffix(')');
    if let Some(address) = inner("addr(") {
        let address = Address::parse(prefix, address);
        return address
            .map(|address| address.script_pubkey())
            .map_err(|why| refused(text, &why.to_string()));
    }
    if let Some(bytes) = inner("raw(") {
        let bytes = hex::decode(bytes).map_err(|why| refused(text, &why.to_string()))?;
        return Ok(Script::from_bytes(&bytes));
    }
    if let Some(key) = inner("rawtr(") {
        let bytes = hex::decode(key).map_err(|why| refused(text, &why.to_string()))?;
        let key: Result<[u8; 32], _> = bytes.try_into();
        let key = key.map_err(|_| refused(text, "the key must have 32 bytes"))?;
        return Ok(Script::p2tr(&key));
    }
    Err(refused(
        text,
        "known are addr(ADDRESS), raw(HEX) and rawtr(KEY)",
    ))
}

/// How a lock is described, with a checksum.
pub fn of(script: &Script) -> String {
    let body = match script.is_p2tr() {
        Some(key) => format!("rawtr({})", hex::encode(&key)),
        None => format!("raw({})", hex::encode(script.as_bytes())),
    };
    // Hexadecimal letters always have one.
    let checksum = checksum(&body).unwrap_or_default();
    format!("{body}#{checksum}")
}

fn refused(text: &str, why: &str) -> RpcError {
    let why = format!("descriptor {text:?}: {why}");
    error(code::INVALID_ADDRESS_OR_KEY, why)
}

/// BIP380's checksum; none for letters that no descriptor has.
fn checksum(body: &str) -> Option<String> {
    let (mut sum, mut class, mut classes) = (1_u64, 0_u64, 0);
    for letter in body.chars() {
        let place = LETTERS.find(letter)? as u64;
        sum = step(sum) ^ (place & 31);
        class = class * 3 + (place >> 5);
        classes += 1;
        if classes == 3 {
            sum = step(sum) ^ class;
            (class, classes) = (0, 0);
        }
    }
    if classes > 0 {
        sum = step(sum) ^ class;
    }
    for _ in 0..8 {
        sum = step(sum);
    }
    sum ^= 1;
    let letter = |place: u32| {
        let index = (sum >> (5 * (7 - place))) & 31;
        char::from(CHECKSUM_LETTERS[index as usize])
    };
    Some((0..8).map(letter).collect())
}

const fn step(sum: u64) -> u64 {
    let top = sum >> 35;
    let mut sum = (sum & 0x7_ffff_ffff) << 5;
    let mut bit = 0;
    while bit < GENERATOR.len() {
        if (top >> bit) & 1 == 1 {
            sum ^= GENERATOR[bit];
        }
        bit += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "mini";

    /// BIP380, test vectors.
    #[test]
    fn published_checksums_are_right_and_others_are_refused() {
        assert_eq!(checksum("raw(deadbeef)").as_deref(), Some("89f8spxm"));
        let script = parse("raw(deadbeef)#89f8spxm", PREFIX).unwrap();
        assert_eq!(script.as_bytes(), [0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(of(&script), "raw(deadbeef)#89f8spxm");
        for wrong in [
            "raw(deadbeef)#",
            "raw(deadbeef)#89f8spxmx",
            "raw(deadbeef)#89f8spx",
            "raw(dedbeef)#89f8spxm",
            "raw(deadbeef)##9f8spxm",
            "raw(Ü)#00000000",
        ] {
            let why = parse(wrong, PREFIX).unwrap_err();
            assert!(why.message.contains("checksum"), "{wrong}: {why:?}");
        }
    }

    #[test]
    fn address_key_and_bytes_describe_the_same_lock() {
        // A point of the curve: the generator's.
        let key = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let script = parse(&format!("rawtr({key})"), PREFIX).unwrap();
        let bytes = hex::encode(script.as_bytes());
        assert_eq!(bytes, format!("5120{key}"));
        assert_eq!(parse(&format!("raw({bytes})"), PREFIX).unwrap(), script);
        assert!(of(&script).starts_with(&format!("rawtr({key})#")));
        assert_eq!(parse(&of(&script), PREFIX).unwrap(), script);
    }

    #[test]
    fn other_forms_are_refused_with_the_known_ones() {
        for text in ["", "addr", "pkh(02)", "addr(x)", "raw(0)", "rawtr(00)"] {
            let why = parse(text, PREFIX).unwrap_err();
            assert_eq!(why.code, code::INVALID_ADDRESS_OR_KEY, "{text}");
        }
    }
}
