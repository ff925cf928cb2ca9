//! Published vectors: BIP 39, BIP 32 and BIP 86.

use minichain_chain::address::Address;
use minichain_chain::hex;
use minichain_wallet::keyring::{Branch, Keyring, Place};
use minichain_wallet::phrase::Phrase;

type Tree = bip32::ExtendedPrivateKey<secp256k1::SecretKey>;

/// Entropy, words and seed with the passphrase TREZOR: from vectors.json of the
/// reference implementation that BIP 39 names (trezor/python-mnemonic).
const BIP39: [(&str, &str, &str); 4] = [
    (
        "00000000000000000000000000000000",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
    ),
    (
        "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
    ),
    (
        "ffffffffffffffffffffffffffffffff",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
        "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069",
    ),
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
        "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
    ),
];

#[test]
fn bip39_words_and_seeds() {
    for (entropy, words, seed) in BIP39 {
        let phrase = Phrase::from_entropy(&hex::decode(entropy).unwrap()).unwrap();
        assert_eq!(phrase.words().as_str(), words);
        assert_eq!(hex::encode(&phrase.seed("TREZOR")[..]), seed);
        assert_eq!(Phrase::parse(words), Ok(phrase));
    }
}

/// BIP 32, test vectors 1, 2 and 3: seed, path, extended private key.
const BIP32: [(&str, &str, &str); 7] = [
    (
        "000102030405060708090a0b0c0d0e0f",
        "m",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "m/0'",
        "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "m/0'/1",
        "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "m/0'/1/2'/2/1000000000",
        "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76",
    ),
    (
        "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542",
        "m/0/2147483647'/1/2147483646'/2",
        "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefMLEcBYJUuekgW4BYPJcr9E7j",
    ),
    // Vector 3: leading zeros are kept.
    (
        "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
        "m",
        "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6",
    ),
    (
        "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
        "m/0'",
        "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L",
    ),
];

#[test]
fn bip32_extended_keys() {
    for (seed, path, expected) in BIP32 {
        let seed = hex::decode(seed).unwrap();
        let tree = Tree::derive_from_path(&seed, &path.parse().unwrap()).unwrap();
        let shown = tree.to_string(bip32::Prefix::XPRV);
        assert_eq!(shown.as_str(), expected, "{path}");
    }
}

/// BIP 86's vectors are of coin type 0; the wallet's own path differs from them
/// in that one number, so the steps are taken one by one here.
#[test]
fn bip86_output_keys_and_addresses() {
    let phrase = Phrase::parse(BIP39[0].1).unwrap();
    let seed = phrase.seed("");
    let vectors = [
        (
            "m/86'/0'/0'/0/0",
            "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115",
            "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            "m/86'/0'/0'/0/1",
            "83dfe85a3151d2517290da461fe2815591ef69f2b18a2ce63f01697a8b313145",
            "a82f29944d65b86ae6b5e5cc75e294ead6c59391a1edc5e016e3498c67fc7bbb",
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        (
            "m/86'/0'/0'/1/0",
            "399f1b2f4393f29a18c937859c5dd8a77350103157eb880f02e8c08214277cef",
            "882d74e5d0572d5a816cef0041a96b6c1de832f6f9676d9605c44d5e9a97d3dc",
            "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
        ),
    ];
    for (path, internal_key, output_key, address) in vectors {
        let tree = Tree::derive_from_path(&seed[..], &path.parse().unwrap()).unwrap();
        let key = minichain_chain::signature::SecretKey::from_bytes(tree.to_bytes()).unwrap();
        assert_eq!(hex::encode(&key.x_only_public()), internal_key);
        assert_eq!(hex::encode(&key.output_key()), output_key);
        let shown = Address::new("bc", key.output_key()).unwrap();
        assert_eq!(shown.to_string(), address);
    }
}

#[test]
fn the_wallets_keys_are_those_of_its_documented_path() {
    let seed = Phrase::parse(BIP39[0].1).unwrap().seed("");
    let keyring = Keyring::new(&seed[..], Vec::new()).unwrap();
    for (branch, index) in [
        (Branch::Receive, 0),
        (Branch::Receive, 7),
        (Branch::Change, 3),
    ] {
        let place = Place { branch, index };
        let path = place.to_string().parse().unwrap();
        let tree = Tree::derive_from_path(&seed[..], &path).unwrap();
        assert_eq!(keyring.key(place).unwrap().to_bytes(), tree.to_bytes());
    }
}
