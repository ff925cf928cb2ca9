use super::number::Num3072;
use super::*;
use crate::codec::{decode, encode};
use crate::hex;

/// An element as in Bitcoin Core's `muhash_tests`: one byte, then zeros.
fn element(first: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes
}

fn shown(muhash: &MuHash3072) -> String {
    let mut digest = muhash.digest();
    digest.reverse();
    hex::encode(&digest)
}

// The expected values are from Bitcoin Core, src/test/crypto_tests.cpp,
// muhash_tests.

#[test]
fn digest_matches_the_published_vector() {
    let mut muhash = MuHash3072::new();
    muhash.insert(&element(0));
    muhash.insert(&element(1));
    muhash.remove(&element(2));
    let expected = "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863";
    assert_eq!(shown(&muhash), expected);
}

#[test]
fn state_bytes_match_the_published_vector() {
    let mut muhash = MuHash3072::new();
    muhash.insert(&element(1));
    muhash.insert(&element(2));
    let numerator = concat!(
        "1fa093295ea30a6a3acdc7b3f770fa538eff537528e990e2910e40bbcfd7f6696b1256901929094694b56316de",
        "342f593303dd12ac43e06dce1be1ff8301c845beb15468fff0ef002dbf80c29f26e6452bccc91b5cb9437ad410",
        "d2a67ea847887fa3c6a6553309946880fe20db2c73fe0641adbd4e86edfee0d9f8cd0ee1230898873dc13ed8dd",
        "caf045c80faa082774279007a2253f8922ee3ef361d378a6af3ddaf180b190ac97e556888c36b3d1fb1c85aab9",
        "ccd46e3deaeb7b7cf5db067a7e9ff86b658cf3acd6662bbcce37232daa753c48b794356c020090c831a8304416",
        "e2aa7ad633c0ddb2f11be1be316a81be7f7e472071c042cb68faef549c221ebff209273638b741aba5a81675c4",
        "5a5fa92fea4ca821d7a324cb1e1a2ccd3b76c4228ec8066dad2a5df6e1bd0de45c7dd5de8070bdb46db6c554cf",
        "9aefc9b7b2bbf9f75b1864d9f95005314593905c0109b71f703d49944ae94477b51dac10a816bb6d1c700bafab",
        "c8bd86fac8df24be519a2f2836b16392e18036cb13e48c5c",
    );
    let bytes = encode(&muhash);
    assert_eq!(hex::encode(&bytes[..Num3072::SIZE]), numerator);
    assert_eq!(bytes[Num3072::SIZE..], Num3072::ONE.to_bytes());
    assert_eq!(decode::<MuHash3072>(&bytes), Ok(muhash));
}

#[test]
fn numbers_above_the_modulus_are_reduced_or_refused() {
    let above = [0xff; Num3072::SIZE];
    let overflowed = MuHash3072 {
        numerator: Num3072::reduced(&above),
        denominator: Num3072::ONE,
    };
    // Shown in the byte order of SHA-256 there.
    let expected = "3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271";
    assert_eq!(hex::encode(&overflowed.digest()), expected);

    let twice = [above, above].concat();
    let refused = DecodeError::InvalidValue {
        what: "number of 3072 bits",
    };
    assert_eq!(decode::<MuHash3072>(&twice), Err(refused));
}

#[test]
fn order_does_not_matter() {
    let steps = [(3, true), (6, false), (1, true), (5, false), (6, true)];
    let digest = |order: &[usize]| {
        let mut muhash = MuHash3072::new();
        for &step in order {
            let (first, is_insert) = steps[step];
            match is_insert {
                true => muhash.insert(&element(first)),
                false => muhash.remove(&element(first)),
            }
        }
        muhash.digest()
    };
    let expected = digest(&[0, 1, 2, 3, 4]);
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2]] {
        assert_eq!(digest(&order), expected);
    }
    assert_ne!(digest(&[0, 1, 2, 3]), expected);
}

#[test]
fn inverse_times_number_is_one() {
    let mut number = to_number(b"any element");
    let inverse = number.inverse();
    number.multiply(&inverse);
    assert_eq!(number, Num3072::ONE);
    assert_eq!(Num3072::ONE.inverse(), Num3072::ONE);
}

/// (p - a)(p - b) = ab modulo p, whatever carries on the way.
#[test]
fn products_just_below_the_modulus_carry_right() {
    const WRAP: u64 = 1_103_717;
    let below = |distance: u64| {
        let mut bytes = [0xff; Num3072::SIZE];
        bytes[..8].copy_from_slice(&(WRAP + distance).wrapping_neg().to_le_bytes());
        Num3072::from_bytes(&bytes).expect("it is below p")
    };
    let small = |number: u64| {
        let mut bytes = [0; Num3072::SIZE];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Num3072::reduced(&bytes)
    };
    for (a, b) in [
        (1, 1),
        (1, WRAP - 1),
        (1, WRAP),
        (2, WRAP),
        (WRAP, WRAP),
        (WRAP, WRAP + 1),
    ] {
        let mut product = below(a);
        product.multiply(&below(b));
        assert_eq!(product, small(a * b), "{a} times {b}");
    }
}

/// RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero.
#[test]
fn key_stream_matches_the_rfc() {
    let stream: [u8; 128] = key_stream(&[0; 32]);
    let expected = concat!(
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7",
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed",
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
    );
    assert_eq!(hex::encode(&stream), expected);
}

#[test]
fn changes_in_pieces_make_the_digest_of_changes_one_by_one() {
    let mut one_by_one = MuHash3072::new();
    let mut changes = Vec::new();
    for first in 0..9 {
        let element = element(first);
        if first % 3 == 0 {
            one_by_one.remove(&element);
            changes.push(DigestChange::remove(element.to_vec()));
        } else {
            one_by_one.insert(&element);
            changes.push(DigestChange::insert(element.to_vec()));
        }
    }
    let mut in_pieces = MuHash3072::new();
    for piece in changes.chunks(4) {
        in_pieces.combine(&MuHash3072::of(piece));
    }
    assert_eq!(in_pieces, one_by_one);
    assert_ne!(in_pieces.digest(), MuHash3072::of(&changes[1..]).digest());
}
