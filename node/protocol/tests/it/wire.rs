//! Messages keep their meaning over the wire, and no other bytes pass.

use std::sync::Arc;

use minichain_chain::block::Header;
use minichain_chain::codec::{Decode, DecodeError, Encode, decode, encode, put_compact_size};
use minichain_chain::hash::{BlockHash, MerkleRoot, Txid};
use minichain_chain::height::Height;
use minichain_chain::pow::{Chainwork, CompactTarget};
use minichain_chain::time::UnixSeconds;
use minichain_protocol::limits::{
    BLOCKS_MAX, HEADERS_MAX, INVENTORY_MAX, LOCATOR_MAX, NETWORK_NAME_MAX, REQUEST_BYTES_MAX,
    TRANSACTIONS_MAX, USER_AGENT_MAX,
};
use minichain_protocol::wire::{
    GetBlocks, GetHeaders, GetInventory, GetTransactions, Inventory, Request, Response, Standing,
    Status, Text,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::chain::{Maker, allocated, params, pay};

fn hash() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_bytes)
}

fn txid() -> impl Strategy<Value = Txid> {
    any::<[u8; 32]>().prop_map(Txid::from_bytes)
}

fn status() -> impl Strategy<Value = Status> {
    let numbers = (any::<u32>(), any::<u32>(), any::<[u8; 32]>());
    (numbers, hash(), hash(), "[ -~]{0,40}", "[ -~]{0,80}").prop_map(
        |((protocol_version, height, work), genesis, tip, network, user_agent)| Status {
            protocol_version,
            network: Text::lossy(&network),
            genesis,
            tip,
            height: Height(height),
            chainwork: Chainwork::from_be_bytes(work),
            user_agent: Text::lossy(&user_agent),
        },
    )
}

fn standing() -> impl Strategy<Value = Standing> {
    (status(), any::<[u8; 32]>()).prop_map(|(status, pool)| Standing { status, pool })
}

fn header() -> impl Strategy<Value = Header> {
    (any::<i32>(), hash(), any::<[u8; 32]>(), any::<[u32; 3]>()).prop_map(
        |(version, previous, root, [time, bits, nonce])| Header {
            version,
            previous,
            merkle_root: MerkleRoot::from_bytes(root),
            time: UnixSeconds(time),
            bits: CompactTarget(bits),
            nonce,
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let headers = (vec(hash(), 0..=LOCATOR_MAX), hash())
        .prop_map(|(locator, stop)| Request::Headers(GetHeaders { locator, stop }));
    let blocks =
        vec(hash(), 1..=BLOCKS_MAX).prop_map(|hashes| Request::Blocks(GetBlocks { hashes }));
    let inventory = (any::<[u8; 32]>(), any::<u64>())
        .prop_map(|(digest, from)| Request::Inventory(GetInventory { digest, from }));
    let transactions = vec(txid(), 1..=TRANSACTIONS_MAX)
        .prop_map(|txids| Request::Transactions(GetTransactions { txids }));
    prop_oneof![
        status().prop_map(Request::Status),
        headers,
        blocks,
        inventory,
        transactions,
        standing().prop_map(Request::Standing)
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let blocks = (0usize..4).prop_map(|count| Response::Blocks(Maker::new(1).mine(count)));
    let headers = vec(header(), 0..50).prop_map(Response::Headers);
    let inventory = (vec(txid(), 0..50), any::<u64>())
        .prop_map(|(txids, next)| Response::Inventory(Inventory { txids, next }));
    let transactions = (0usize..4).prop_map(|count| {
        let payment = |account| pay(allocated(&params(), account), account, 0, 1_000);
        Response::Transactions((0..count).map(payment).collect())
    });
    prop_oneof![
        status().prop_map(Response::Status),
        headers,
        blocks,
        inventory,
        transactions,
        standing().prop_map(Response::Standing)
    ]
}

/// Whatever decodes is the one form of what it decodes to.
fn is_canonical<T: Decode + Encode>(bytes: &[u8]) -> bool {
    decode::<T>(bytes).is_ok_and(|value| encode(&value) == bytes)
}

proptest! {
    #[test]
    fn a_request_survives_the_wire(request in request()) {
        let bytes = encode(&request);
        prop_assert_eq!(bytes.len(), request.encoded_len());
        prop_assert!(bytes.len() <= REQUEST_BYTES_MAX);
        prop_assert_eq!(decode::<Request>(&bytes), Ok(request));
    }

    #[test]
    fn a_response_survives_the_wire(response in response()) {
        let bytes = encode(&response);
        prop_assert_eq!(bytes.len(), response.encoded_len());
        prop_assert_eq!(decode::<Response>(&bytes), Ok(response));
    }

    #[test]
    fn a_shortened_or_lengthened_message_is_refused(
        request in request(), response in response(), cut in any::<prop::sample::Index>(),
    ) {
        for (bytes, is_request) in [(encode(&request), true), (encode(&response), false)] {
            let short = &bytes[..cut.index(bytes.len())];
            let long = [&bytes[..], &[0]].concat();
            for broken in [short, &long] {
                if is_request {
                    prop_assert!(decode::<Request>(broken).is_err());
                } else {
                    prop_assert!(decode::<Response>(broken).is_err());
                }
            }
        }
    }

    #[test]
    fn a_changed_message_is_refused_or_means_something_else(
        request in request(), response in response(),
        at in any::<prop::sample::Index>(), bits in 1u8..,
    ) {
        let mut bytes = encode(&request);
        let index = at.index(bytes.len());
        bytes[index] ^= bits;
        prop_assert!(decode::<Request>(&bytes).is_err() || is_canonical::<Request>(&bytes));
        prop_assert_ne!(decode::<Request>(&bytes), Ok(request));

        let mut bytes = encode(&response);
        let index = at.index(bytes.len());
        bytes[index] ^= bits;
        prop_assert!(decode::<Response>(&bytes).is_err() || is_canonical::<Response>(&bytes));
        prop_assert_ne!(decode::<Response>(&bytes), Ok(response));
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(decode::<Request>(&bytes).is_err() || is_canonical::<Request>(&bytes));
        prop_assert!(decode::<Response>(&bytes).is_err() || is_canonical::<Response>(&bytes));
    }

    #[test]
    fn text_keeps_only_what_is_printable(text in any::<String>()) {
        let kept = Text::<USER_AGENT_MAX>::lossy(&text);
        prop_assert!(kept.as_str().len() <= USER_AGENT_MAX);
        prop_assert!(kept.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert_eq!(decode::<Text<USER_AGENT_MAX>>(&encode(&kept)), Ok(kept));
    }
}

#[test]
fn a_hostile_count_is_refused_before_anything_is_allocated() {
    for (tag, count_max) in [(1u8, LOCATOR_MAX), (2, BLOCKS_MAX), (4, TRANSACTIONS_MAX)] {
        for count in [count_max as u64 + 1, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = vec![tag];
            put_compact_size(&mut bytes, count);
            let error = decode::<Request>(&bytes).expect_err("there are no such items");
            assert!(
                matches!(error, DecodeError::CountTooLarge { .. }),
                "{error}"
            );
        }
    }
    for (tag, count_max) in [
        (1u8, HEADERS_MAX),
        (2, BLOCKS_MAX),
        (3, INVENTORY_MAX),
        (4, TRANSACTIONS_MAX),
    ] {
        for count in [1, count_max as u64 + 1, u64::MAX] {
            let mut bytes = vec![tag];
            put_compact_size(&mut bytes, count);
            let error = decode::<Response>(&bytes).expect_err("there are no such items");
            assert!(
                matches!(error, DecodeError::CountTooLarge { .. }),
                "{error}"
            );
        }
    }
}

#[test]
fn one_item_more_than_the_limit_is_refused_though_its_bytes_are_there() {
    let hashes = vec![BlockHash::ZERO; BLOCKS_MAX + 1];
    let blocks = encode(&Request::Blocks(GetBlocks { hashes }));
    assert!(decode::<Request>(&blocks).is_err());
    let locator = vec![BlockHash::ZERO; LOCATOR_MAX + 1];
    let headers = encode(&Request::Headers(GetHeaders {
        locator,
        stop: BlockHash::ZERO,
    }));
    assert!(decode::<Request>(&headers).is_err());
    let header = Maker::new(1).mine(1)[0].header;
    let full = encode(&Response::Headers(vec![header; HEADERS_MAX]));
    assert!(decode::<Response>(&full).is_ok());
    let over = encode(&Response::Headers(vec![header; HEADERS_MAX + 1]));
    assert!(decode::<Response>(&over).is_err());
    let block = Arc::clone(&Maker::new(1).mine(1)[0]);
    let over = encode(&Response::Blocks(vec![block; BLOCKS_MAX + 1]));
    assert!(decode::<Response>(&over).is_err());
    let txids = vec![Txid::ZERO; TRANSACTIONS_MAX + 1];
    let over = encode(&Request::Transactions(GetTransactions { txids }));
    assert!(decode::<Request>(&over).is_err());
    let (txids, next) = (vec![Txid::ZERO; INVENTORY_MAX + 1], 0);
    let over = encode(&Response::Inventory(Inventory { txids, next }));
    assert!(decode::<Response>(&over).is_err());
    let payment = pay(allocated(&params(), 1), 1, 2, 1_000);
    let over = encode(&Response::Transactions(vec![payment; TRANSACTIONS_MAX + 1]));
    assert!(decode::<Response>(&over).is_err());
}

#[test]
fn a_request_for_no_block_and_an_unknown_tag_are_refused() {
    assert!(decode::<Request>(&[2, 0]).is_err());
    assert!(decode::<Request>(&[4, 0]).is_err());
    let unknown = decode::<Request>(&[6]);
    assert_eq!(
        unknown,
        Err(DecodeError::UnknownTag {
            what: "request",
            tag: 6
        })
    );
    let unknown = decode::<Response>(&[0xff]);
    assert_eq!(
        unknown,
        Err(DecodeError::UnknownTag {
            what: "response",
            tag: 0xff
        })
    );
    assert!(decode::<Request>(&[]).is_err());
}

#[test]
fn text_with_escape_sequences_or_beyond_its_length_is_refused() {
    let escape = b"\x05\x1b[31m".to_vec();
    assert!(decode::<Text<NETWORK_NAME_MAX>>(&escape).is_err());
    let utf8 = encode_text("naïve");
    assert!(decode::<Text<NETWORK_NAME_MAX>>(&utf8).is_err());
    let long = encode_text(&"a".repeat(NETWORK_NAME_MAX + 1));
    assert!(decode::<Text<NETWORK_NAME_MAX>>(&long).is_err());
}

fn encode_text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_compact_size(&mut bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}
