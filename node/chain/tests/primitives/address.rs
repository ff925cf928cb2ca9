//! Addresses: the vectors of BIP 350, and every way to be wrong.

use minichain_chain::address::{Address, AddressError};
use minichain_chain::hex;
use proptest::prelude::*;

proptest! {
    #[test]
    fn addresses_are_read_back_and_are_bitcoins(key in any::<[u8; 32]>()) {
        let address = Address::new("bc", key).expect("a valid prefix");
        let text = address.to_string();
        prop_assert_eq!(Address::parse("bc", &text), Ok(address.clone()));
        prop_assert_eq!(Address::parse("bc", &text.to_uppercase()), Ok(address.clone()));

        let script = bitcoin::ScriptBuf::from_bytes(address.script_pubkey().0);
        let theirs = bitcoin::Address::from_script(&script, bitcoin::Network::Bitcoin)
            .expect("a taproot output");
        prop_assert_eq!(text, theirs.to_string());
    }

    #[test]
    fn any_prefix_a_network_may_have_works(prefix in "[a-z0-9]{1,20}", key in any::<[u8; 32]>()) {
        let address = Address::new(&prefix, key).expect("within the bounds");
        let text = address.to_string();
        prop_assert!(text.len() <= 90);
        prop_assert_eq!(address.hrp(), &prefix);
        let read = Address::parse(&prefix, &text);
        prop_assert_eq!(read.map(|address| address.output_key()), Ok(key));
    }

    #[test]
    fn one_mistyped_character_is_always_noticed(
        key in any::<[u8; 32]>(),
        place in 3_usize..61,
        replacement in "[qpzry9x8gf2tvdw0s3jn54khce6mua7l]",
    ) {
        let text = Address::new("mc", key).expect("a valid prefix").to_string();
        let mut typed = text.clone();
        typed.replace_range(place..=place, &replacement);
        prop_assume!(typed != text);
        prop_assert_eq!(Address::parse("mc", &typed), Err(AddressError::BadChecksum));
    }

    #[test]
    fn arbitrary_text_is_refused_without_panic(text in ".{0,100}") {
        prop_assert!(Address::parse("mc", &text).is_err());
    }
}

/// BIP 350, "Test vectors for v0-v16 native segregated witness addresses".
#[test]
fn the_valid_taproot_addresses_of_bip_350_are_read() {
    for (prefix, text, script) in [
        (
            "tb",
            "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
            "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
        ),
        (
            "bc",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
    ] {
        let address = Address::parse(prefix, text).expect("a published address");
        assert_eq!(hex::encode(address.script_pubkey().as_bytes()), script);
        assert_eq!(address.to_string(), text);
    }
}

/// The other valid vectors are of kinds this chain does not lock to.
#[test]
fn valid_addresses_of_other_kinds_are_refused_for_their_kind() {
    for (prefix, text, version) in [
        ("bc", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", 0),
        (
            "tb",
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            0,
        ),
        ("bc", "BC1SW50QGDZ25J", 16),
        ("bc", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", 2),
    ] {
        assert_eq!(
            Address::parse(prefix, text),
            Err(AddressError::WrongVersion { version }),
            "{text}"
        );
    }
    // Version 1 with 40 bytes.
    let text = "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y";
    assert_eq!(Address::parse("bc", text), Err(AddressError::WrongLength));
}

/// BIP 350, "The following list gives invalid segwit addresses and the reason
/// for their invalidity."
#[test]
fn the_invalid_addresses_of_bip_350_are_refused() {
    for (prefix, text, kind) in INVALID {
        let error = Address::parse(prefix, text).expect_err(text);
        assert_eq!(kind_of(&error), kind, "{text}: {error}");
    }
}

/// Prefix of the network asked for, text, kind of refusal.
const INVALID: [(&str, &str, &str); 15] = [
    // Invalid human-readable part.
    (
        "bc",
        "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
        "wrong prefix",
    ),
    // Invalid checksum (Bech32 instead of Bech32m).
    (
        "bc",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bad checksum",
    ),
    (
        "tb",
        "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
        "bad checksum",
    ),
    (
        "bc",
        "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
        "bad checksum",
    ),
    // Invalid checksum (Bech32m instead of Bech32).
    (
        "bc",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "wrong version",
    ),
    (
        "tb",
        "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
        "wrong version",
    ),
    // Invalid character in checksum.
    (
        "bc",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "malformed",
    ),
    // Invalid witness version.
    (
        "bc",
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        "wrong version",
    ),
    // Invalid program length (1 byte).
    ("bc", "bc1pw5dgrnzv", "wrong length"),
    // Invalid program length (41 bytes).
    (
        "bc",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "wrong length",
    ),
    // Invalid program length for witness version 0.
    (
        "bc",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "wrong version",
    ),
    // Mixed case.
    (
        "tb",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
        "malformed",
    ),
    // More than 4 padding bits.
    (
        "bc",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
        "wrong length",
    ),
    // Non-zero padding in 8-to-5 conversion.
    (
        "tb",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
        "wrong length",
    ),
    // Empty data section.
    ("bc", "bc1gmk9yu", "bad checksum"),
];

#[test]
fn an_address_of_another_network_is_named_as_such() {
    let text = Address::new("alpha", [2; 32])
        .expect("a valid prefix")
        .to_string();
    let error = Address::parse("beta", &text).expect_err("another network");
    assert_eq!(
        error,
        AddressError::WrongPrefix {
            expected: "beta".into(),
            found: "alpha".into()
        }
    );
    assert!(error.to_string().contains("alpha") && error.to_string().contains("beta"));
}

#[test]
fn prefixes_that_would_not_survive_are_refused() {
    for prefix in [
        "",
        "Upper",
        "with space",
        "dash-ed",
        "émile",
        "abcdefghijklmnopqrstu",
    ] {
        assert!(
            matches!(
                Address::new(prefix, [1; 32]),
                Err(AddressError::BadPrefix { .. })
            ),
            "{prefix:?}"
        );
    }
}

fn kind_of(error: &AddressError) -> &'static str {
    match error {
        AddressError::BadPrefix { .. } => "bad prefix",
        AddressError::Malformed { .. } => "malformed",
        AddressError::WrongPrefix { .. } => "wrong prefix",
        AddressError::BadChecksum => "bad checksum",
        AddressError::WrongVersion { .. } => "wrong version",
        AddressError::WrongLength => "wrong length",
    }
}
