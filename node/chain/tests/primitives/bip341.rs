//! The published vectors of BIP 341 (`wallet-test-vectors.json`, section
//! `keyPathSpending`) and BIP 86.

use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::codec::decode;
use minichain_chain::hex;
use minichain_chain::script::Script;
use minichain_chain::signature::{
    SecretKey, SighashCache, SighashType, SpendError, sighash, sign_input, tweaked_output_key,
    verify_input,
};
use minichain_chain::transaction::{Transaction, TxOut, Witness};

const UNSIGNED_TX: &str = "02000000097de20cbff686da83a54981d2b9bab3586f4ca7e48f57f5b55963115f3b334e9c010000000000000000d7b7cab57b1393ace2d064f4d4a2cb8af6def61273e127517d44759b6dafdd990000000000fffffffff8e1f583384333689228c5d28eac13366be082dc57441760d957275419a418420000000000fffffffff0689180aa63b30cb162a73c6d2a38b7eeda2a83ece74310fda0843ad604853b0100000000feffffffaa5202bdf6d8ccd2ee0f0202afbbb7461d9264a25e5bfd3c5a52ee1239e0ba6c0000000000feffffff956149bdc66faa968eb2be2d2faa29718acbfe3941215893a2a3446d32acd050000000000000000000e664b9773b88c09c32cb70a2a3e4da0ced63b7ba3b22f848531bbb1d5d5f4c94010000000000000000e9aa6b8e6c9de67619e6a3924ae25696bb7b694bb677a632a74ef7eadfd4eabf0000000000ffffffffa778eb6a263dc090464cd125c466b5a99667720b1c110468831d058aa1b82af10100000000ffffffff0200ca9a3b000000001976a91406afd46bcdfd22ef94ac122aa11f241244a37ecc88ac807840cb0000000020ac9a87f5594be208f8532db38cff670c450ed2fea8fcdefcc9a663f78bab962b0065cd1d";

const SPENT: [(&str, u64); 9] = [
    (
        "512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343",
        420_000_000,
    ),
    (
        "5120147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3",
        462_000_000,
    ),
    (
        "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac",
        294_000_000,
    ),
    (
        "5120e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e",
        504_000_000,
    ),
    (
        "512091b64d5324723a985170e4dc5a0f84c041804f2cd12660fa5dec09fc21783605",
        630_000_000,
    ),
    ("00147dd65592d0ab2fe0d0257d571abf032cd9db93dc", 378_000_000),
    (
        "512075169f4001aa68f15bbed28b218df1d0a62cbbcf1188c6665110c293c907b831",
        672_000_000,
    ),
    (
        "5120712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc490b7577e4b17df5",
        546_000_000,
    ),
    (
        "512077e30a5522dd9f894c3f8b8bd4c4b2cf82ca7da8a3ea6a239655c39c050ab220",
        588_000_000,
    ),
];

/// Input, hash type, sighash, witness.
const INPUTS: [(usize, u8, &str, &str); 7] = [
    (
        0,
        0x03,
        "2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555",
        "ed7c1647cb97379e76892be0cacff57ec4a7102aa24296ca39af7541246d8ff14d38958d4cc1e2e478e4d4a764bbfd835b16d4e314b72937b29833060b87276c03",
    ),
    (
        1,
        0x83,
        "325a644af47e8a5a2591cda0ab0723978537318f10e6a63d4eed783b96a71a4d",
        "052aedffc554b41f52b521071793a6b88d6dbca9dba94cf34c83696de0c1ec35ca9c5ed4ab28059bd606a4f3a657eec0bb96661d42921b5f50a95ad33675b54f83",
    ),
    (
        3,
        0x01,
        "bf013ea93474aa67815b1b6cc441d23b64fa310911d991e713cd34c7f5d46669",
        "ff45f742a876139946a149ab4d9185574b98dc919d2eb6754f8abaa59d18b025637a3aa043b91817739554f4ed2026cf8022dbd83e351ce1fabc272841d2510a01",
    ),
    (
        4,
        0x00,
        "4f900a0bae3f1446fd48490c2958b5a023228f01661cda3496a11da502a7f7ef",
        "b4010dd48a617db09926f729e79c33ae0b4e94b79f04a1ae93ede6315eb3669de185a17d2b0ac9ee09fd4c64b678a0b61a0a86fa888a273c8511be83bfd6810f",
    ),
    (
        6,
        0x02,
        "15f25c298eb5cdc7eb1d638dd2d45c97c4c59dcaec6679cfc16ad84f30876b85",
        "a3785919a2ce3c4ce26f298c3d51619bc474ae24014bcdd31328cd8cfbab2eff3395fa0a16fe5f486d12f22a9cedded5ae74feb4bbe5351346508c5405bcfee002",
    ),
    (
        7,
        0x82,
        "cd292de50313804dabe4685e83f923d2969577191a3e1d2882220dca88cbeb10",
        "ea0c6ba90763c2d3a296ad82ba45881abb4f426b3f87af162dd24d5109edc1cdd11915095ba47c3a9963dc1e6c432939872bc49212fe34c632cd3ab9fed429c482",
    ),
    (
        8,
        0x81,
        "cccb739eca6c13a8a89e6e5cd317ffe55669bbda23f2fd37b0f18755e008edd2",
        "bbc9584a11074e83bc8c6759ec55401f0ae7b03ef290c3139814f545b58a9f8127258000874f44bc46db7646322107d4d86aec8e73b8719a61fff761d75b5dd981",
    ),
];

/// The one published key whose output has no script tree: it unlocks input 0.
const KEY_PATH_ONLY_SECRET: &str =
    "6b973d88838f27366ed61c9ad6367663045cb456e28335c109e30717ae0c6baa";
const KEY_PATH_ONLY_INTERNAL: &str =
    "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d";

#[test]
fn the_published_messages_are_reproduced() {
    let (tx, prevouts) = vector();
    for (index, hash_type, message, _) in INPUTS {
        let hash_type = SighashType::from_u8(hash_type).expect("a published type");
        let ours = sighash(&tx, index, &prevouts, hash_type).expect("a published input");
        assert_eq!(hex::encode(&ours), message, "input {index}");
    }
}

#[test]
fn the_published_signatures_unlock_their_inputs() {
    let (mut tx, prevouts) = vector();
    for (index, .., witness) in INPUTS {
        tx.inputs[index].witness = Witness(vec![hex::decode(witness).expect("hexadecimal")]);
    }
    let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
    for (index, ..) in INPUTS {
        assert_eq!(verify_input(&cache, index), Ok(()), "input {index}");
    }
    // The other two inputs spend older kinds of output.
    for index in [2, 5] {
        assert_eq!(verify_input(&cache, index), Err(SpendError::NotTaproot));
    }
}

#[test]
fn a_published_signature_unlocks_no_other_input() {
    let (mut tx, prevouts) = vector();
    for (index, _, _, witness) in INPUTS {
        let next = (index + 1) % tx.inputs.len();
        tx.inputs[next].witness = Witness(vec![hex::decode(witness).expect("hexadecimal")]);
    }
    let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
    for (index, ..) in INPUTS {
        assert!(verify_input(&cache, index).is_err(), "input {index}");
    }
}

#[test]
fn signing_reproduces_the_published_signature() {
    let (tx, prevouts) = vector();
    let (index, hash_type, _, witness) = INPUTS[0];
    let secret = secret(KEY_PATH_ONLY_SECRET);
    let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
    let hash_type = SighashType::from_u8(hash_type).expect("a published type");
    let ours = sign_input(&cache, index, hash_type, &secret, &[0; 32]).expect("input exists");
    assert_eq!(hex::encode(&ours.items()[0]), witness);
}

#[test]
fn the_published_key_leads_to_its_output() {
    let secret = secret(KEY_PATH_ONLY_SECRET);
    assert_eq!(hex::encode(&secret.x_only_public()), KEY_PATH_ONLY_INTERNAL);
    assert_eq!(
        hex::encode(Script::p2tr(&secret.output_key()).as_bytes()),
        SPENT[0].0
    );
    assert_eq!(
        tweaked_output_key(&secret.x_only_public()),
        Ok(secret.output_key())
    );
}

/// BIP 86, "Test vectors": internal key, output key, address.
#[test]
fn the_addresses_of_bip_86_are_reproduced() {
    for (internal, output, address) in [
        (
            "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115",
            "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            "83dfe85a3151d2517290da461fe2815591ef69f2b18a2ce63f01697a8b313145",
            "a82f29944d65b86ae6b5e5cc75e294ead6c59391a1edc5e016e3498c67fc7bbb",
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
    ] {
        let key = tweaked_output_key(&hex::decode_array(internal).expect("hexadecimal"))
            .expect("on the curve");
        assert_eq!(hex::encode(&key), output);
        assert_eq!(
            Address::new("bc", key).expect("a valid prefix").to_string(),
            address
        );
    }
}

fn vector() -> (Transaction, Vec<TxOut>) {
    let tx = decode(&hex::decode(UNSIGNED_TX).expect("hexadecimal")).expect("a transaction");
    let prevouts = SPENT
        .iter()
        .map(|(script, sat)| TxOut {
            value: Amount::from_sat(*sat),
            script_pubkey: Script(hex::decode(script).expect("hexadecimal")),
        })
        .collect();
    (tx, prevouts)
}

fn secret(text: &str) -> SecretKey {
    SecretKey::from_bytes(hex::decode_array(text).expect("hexadecimal")).expect("a secret key")
}
