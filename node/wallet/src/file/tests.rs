//! What opens a file, and what does not.

use super::*;

/// The least that Argon2 takes, so that tests are quick.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn file() -> Vec<u8> {
    let key = Key::derive("open sesame", CHEAP, [1; 16]).unwrap();
    key.seal(b"forty-two", [2; 24])
}

/// The file with bytes changed, and its checksum made to fit again.
fn forged(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    let end = file.len() - 32;
    let digest = sha256(&file[..end]);
    file[end..].copy_from_slice(&digest);
    file
}

#[test]
fn password_opens_what_it_sealed() {
    let file = file();
    let sealed = Sealed::parse(&file).unwrap();
    let (key, contents) = sealed.open("open sesame").unwrap();
    assert_eq!(contents.as_slice(), b"forty-two");
    let again = key.seal(b"forty-three", [3; 24]);
    let (_, contents) = Sealed::parse(&again).unwrap().open("open sesame").unwrap();
    assert_eq!(contents.as_slice(), b"forty-three");
}

#[test]
fn another_password_is_refused() {
    let file = file();
    let sealed = Sealed::parse(&file).unwrap();
    for wrong in ["", "open sesame ", "Open sesame"] {
        assert_eq!(sealed.open(wrong).unwrap_err(), FileError::WrongPassword);
    }
}

#[test]
fn every_flipped_bit_is_noticed_before_the_password_is_tried() {
    let good = file();
    for at in 10..good.len() {
        let mut file = good.clone();
        file[at] ^= 1;
        let error = Sealed::parse(&file).unwrap_err();
        assert!(
            matches!(error, FileError::Damaged { .. }),
            "byte {at}: {error}"
        );
    }
    for length in 10..good.len() {
        let error = Sealed::parse(&good[..length]).unwrap_err();
        assert!(
            matches!(error, FileError::Damaged { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn header_cannot_be_swapped_under_the_contents() {
    // The salt and the nonce, with a checksum that fits.
    for at in [22, 38] {
        let file = forged(at, &[9; 16]);
        let sealed = Sealed::parse(&file).unwrap();
        assert_eq!(
            sealed.open("open sesame").unwrap_err(),
            FileError::WrongPassword
        );
    }
}

#[test]
fn other_files_and_versions_are_named() {
    assert_eq!(Sealed::parse(b""), Err(FileError::NotAWallet));
    assert_eq!(Sealed::parse(b"MCWALLE"), Err(FileError::NotAWallet));
    let newer = forged(8, &2_u16.to_le_bytes());
    assert_eq!(
        Sealed::parse(&newer),
        Err(FileError::OtherVersion { found: 2 })
    );
}

#[test]
fn cost_is_bounded_before_memory_is_taken() {
    let bad = [(10, u32::MAX), (10, 1), (14, 0), (14, 17), (18, 0), (18, 9)];
    for (at, number) in bad {
        let file = forged(at, &number.to_le_bytes());
        let error = Sealed::parse(&file).unwrap().open("open sesame");
        let error = error.unwrap_err();
        assert!(
            matches!(error, FileError::Cost(_)),
            "{at}, {number}: {error}"
        );
    }
}

#[test]
fn argon2id_is_that_of_the_rfc() {
    // RFC 9106, section 5.3 uses a secret and associated data, which files here
    // do not have; this is the reference implementation's own test vector
    // (phc-winner-argon2, src/test.c): Argon2id v=19, m=65536, t=2, p=1.
    let mut cost = Cost {
        memory_kib: 65_536,
        passes: 2,
        lanes: 1,
    };
    let params = |cost: Cost| Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
    let mut out = [0; 32];
    let hash = |cost: Cost, out: &mut [u8; 32]| {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params(cost).unwrap())
            .hash_password_into(b"password", b"somesalt", out)
            .unwrap();
    };
    hash(cost, &mut out);
    assert_eq!(
        minichain_chain::hex::encode(&out),
        "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    );
    cost.memory_kib = 256;
    hash(cost, &mut out);
    assert_eq!(
        minichain_chain::hex::encode(&out),
        "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
    );
}
