//! Bytes: one form per value, every other refused, hostile counts harmless.

use bitcoin::consensus::{deserialize, serialize};
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{
    Decode, DecodeError, Encode, Reader, compact_size_len, decode, encode, put_compact_size,
};
use minichain_chain::hash::Txid;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle;

proptest! {
    #[test]
    fn transactions_have_the_bytes_and_names_bitcoin_gives_them(tx in oracle::any_transaction()) {
        let theirs = oracle::transaction(&tx);
        prop_assert_eq!(encode(&tx), serialize(&theirs));
        prop_assert_eq!(tx.txid().to_string(), theirs.compute_txid().to_string());
        prop_assert_eq!(tx.total_size(), theirs.total_size() as u64);
        prop_assert_eq!(tx.base_size(), theirs.base_size() as u64);
        prop_assert_eq!(tx.is_coinbase(), theirs.is_coinbase());
        // Their weight and wtxid for a transaction without inputs count the
        // witness marker differently from BIP 141.
        if !tx.inputs.is_empty() {
            prop_assert_eq!(tx.wtxid().to_string(), theirs.compute_wtxid().to_string());
            prop_assert_eq!(tx.weight(), theirs.weight().to_wu());
            prop_assert_eq!(tx.vsize(), theirs.vsize() as u64);
        }
    }

    #[test]
    fn blocks_have_the_bytes_and_names_bitcoin_gives_them(block in oracle::any_block()) {
        let theirs = oracle::block(&block);
        prop_assert_eq!(encode(&block), serialize(&theirs));
        prop_assert_eq!(block.hash().to_string(), theirs.block_hash().to_string());
        prop_assert_eq!(block.total_size(), theirs.total_size() as u64);
    }

    #[test]
    fn the_announced_length_is_the_length(block in oracle::any_block()) {
        fn same<T: Encode>(value: &T) -> bool {
            encode(value).len() == value.encoded_len()
        }
        prop_assert!(same(&block) && same(&block.header));
        for tx in &block.transactions {
            prop_assert!(same(tx));
            prop_assert!(tx.inputs.iter().all(|input| same(input) && same(&input.witness)));
            prop_assert!(tx.outputs.iter().all(same));
        }
    }

    #[test]
    fn decoding_reverses_encoding(block in oracle::any_block()) {
        prop_assert_eq!(decode::<Header>(&encode(&block.header)), Ok(block.header));
        for tx in &block.transactions {
            prop_assert_eq!(decode::<Transaction>(&encode(tx)), Ok(tx.clone()));
        }
        prop_assert_eq!(decode::<Block>(&encode(&block)), Ok(block));
    }

    #[test]
    fn every_truncation_is_refused(block in oracle::any_block()) {
        let bytes = encode(&block);
        for length in 0..bytes.len() {
            prop_assert!(decode::<Block>(&bytes[..length]).is_err(), "{} bytes", length);
        }
    }

    #[test]
    fn trailing_bytes_are_refused(tx in oracle::any_transaction(), more in 1_usize..4) {
        let mut bytes = encode(&tx);
        bytes.resize(bytes.len() + more, 0);
        prop_assert_eq!(
            decode::<Transaction>(&bytes),
            Err(DecodeError::TrailingBytes { count: more })
        );
    }

    #[test]
    fn changed_bytes_are_refused_or_are_the_form_of_what_they_say(
        block in oracle::any_block(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&block);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        match decode::<Block>(&bytes) {
            Ok(read) => prop_assert_eq!(encode(&read), bytes),
            Err(_) => prop_assert!(deserialize::<bitcoin::Block>(&bytes).is_err()),
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_as_bitcoin_reads_them(
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..120)
    ) {
        let ours = decode::<Transaction>(&bytes);
        let theirs = deserialize::<bitcoin::Transaction>(&bytes);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(encode(&ours), bytes);
            prop_assert_eq!(oracle::transaction(&ours), theirs);
        }
    }

    #[test]
    fn compact_sizes_have_one_form(value in any::<u64>(), shift in 0_u32..64) {
        let value = value >> shift;
        let mut bytes = Vec::new();
        put_compact_size(&mut bytes, value);
        prop_assert_eq!(bytes.len(), compact_size_len(value));
        prop_assert_eq!(&bytes, &serialize(&bitcoin::VarInt(value)));
        prop_assert_eq!(Reader::new(&bytes).compact_size(), Ok(value));
    }
}

#[test]
fn longer_forms_of_a_compact_size_are_refused() {
    let refused: [(&[u8], u64); 5] = [
        (&[0xfd, 0xfc, 0x00], 0xfc),
        (&[0xfe, 0xff, 0xff, 0x00, 0x00], 0xffff),
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00],
            0xffff_ffff,
        ),
        (&[0xfd, 0x00, 0x00], 0),
        (&[0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], 0),
    ];
    for (bytes, value) in refused {
        assert_eq!(
            Reader::new(bytes).compact_size(),
            Err(DecodeError::NonMinimalCompactSize { value })
        );
    }
    for (bytes, value) in [
        (&[0xfd, 0xfd, 0x00][..], 0xfd),
        (&[0xfe, 0, 0, 1, 0][..], 0x1_0000),
    ] {
        assert_eq!(Reader::new(bytes).compact_size(), Ok(value));
    }
}

#[test]
fn a_count_beyond_the_bytes_that_follow_is_refused_before_any_item_is_read() {
    for count in [5, 0xffff, 0xffff_ffff, u64::MAX] {
        let mut bytes = 2_i32.to_le_bytes().to_vec();
        put_compact_size(&mut bytes, count);
        // Room for four inputs, which would be read happily.
        bytes.resize(bytes.len() + 4 * 41, 0);
        assert_eq!(
            decode::<Transaction>(&bytes),
            Err(DecodeError::CountTooLarge { count, max: 4 })
        );
    }
}

#[test]
fn hostile_counts_are_refused_at_every_list() {
    let hostile = |prefix: &[u8]| {
        let mut bytes = prefix.to_vec();
        put_compact_size(&mut bytes, u64::MAX);
        bytes
    };
    let is_refused = |error: DecodeError| matches!(error, DecodeError::CountTooLarge { .. });
    let version = 2_i32.to_le_bytes();

    let inputs = hostile(&version);
    assert!(is_refused(decode::<Transaction>(&inputs).unwrap_err()));
    let witness_form_inputs = hostile(&[&version[..], &[0, 1]].concat());
    assert!(is_refused(
        decode::<Transaction>(&witness_form_inputs).unwrap_err()
    ));
    let outputs = hostile(&[&version[..], &[1], &[0; 41]].concat());
    assert!(is_refused(decode::<Transaction>(&outputs).unwrap_err()));
    let witness_items = hostile(&[]);
    assert!(is_refused(decode::<Witness>(&witness_items).unwrap_err()));
    let transactions = hostile(&[0; Header::SIZE]);
    assert!(is_refused(decode::<Block>(&transactions).unwrap_err()));
}

#[test]
fn a_hostile_length_of_a_field_is_refused() {
    for length in [4_000_001, u64::from(u32::MAX), u64::MAX] {
        let mut bytes = vec![0; 8];
        put_compact_size(&mut bytes, length);
        assert_eq!(
            decode::<TxOut>(&bytes),
            Err(DecodeError::FieldTooLong {
                length,
                max: 4_000_000
            })
        );
    }
    let mut bytes = vec![0; 8];
    put_compact_size(&mut bytes, 100);
    assert_eq!(
        decode::<TxOut>(&bytes),
        Err(DecodeError::UnexpectedEnd {
            needed: 100,
            remaining: 0
        })
    );
}

#[test]
fn a_field_may_be_as_long_as_its_bound_and_no_longer() {
    let bytes = [3, 7, 8, 9];
    assert_eq!(Reader::new(&bytes).var_bytes(3), Ok(&bytes[1..]));
    assert_eq!(
        Reader::new(&bytes).var_bytes(2),
        Err(DecodeError::FieldTooLong { length: 3, max: 2 })
    );
}

#[test]
fn the_witness_form_without_a_witness_is_refused() {
    let input = TxIn {
        previous_output: OutPoint {
            txid: Txid::from_bytes([1; 32]),
            vout: 0,
        },
        script_sig: Vec::new().into(),
        sequence: 0,
        witness: Witness(vec![Vec::new()]),
    };
    let mut tx = Transaction {
        version: 2,
        inputs: vec![input],
        outputs: Vec::new(),
        lock_time: 0,
    };
    let bytes = encode(&tx);
    assert_eq!(decode(&bytes), Ok(tx.clone()));

    // One witness item of no bytes becomes no witness item.
    let count_at = bytes.len() - 4 - 2;
    let mut without = bytes[..count_at].to_vec();
    without.push(0);
    without.extend_from_slice(&bytes[count_at + 2..]);
    assert_eq!(
        decode::<Transaction>(&without),
        Err(DecodeError::SuperfluousWitness)
    );

    tx.inputs[0].witness = Witness::new();
    assert_eq!(decode(&encode(&tx)), Ok(tx));
}

#[test]
fn an_unknown_witness_flag_is_refused() {
    for flag in [0, 2, 0xff] {
        let bytes = [&2_i32.to_le_bytes()[..], &[0, flag], &[0; 6]].concat();
        assert_eq!(
            decode::<Transaction>(&bytes),
            Err(DecodeError::UnknownTransactionFlag { flag })
        );
    }
}

#[test]
fn outpoints_are_ordered_by_name_then_index() {
    let at = |byte, vout| OutPoint {
        txid: Txid::from_bytes([byte; 32]),
        vout,
    };
    let ordered = [at(0, 9), at(1, 0), at(1, 1), at(1, 256), at(2, 0)];
    assert!(ordered.is_sorted());
    assert!(OutPoint::NULL.is_null());
    assert!(!at(0, 0).is_null());
}

#[test]
fn a_reader_never_passes_its_end() {
    let mut reader = Reader::new(&[1, 2, 3]);
    assert_eq!(reader.u16(), Ok(0x0201));
    assert_eq!(
        reader.u16(),
        Err(DecodeError::UnexpectedEnd {
            needed: 2,
            remaining: 1
        })
    );
    assert_eq!(
        reader.bytes(usize::MAX).unwrap_err(),
        DecodeError::UnexpectedEnd {
            needed: usize::MAX,
            remaining: 1
        }
    );
    assert_eq!(
        reader.finish(),
        Err(DecodeError::TrailingBytes { count: 1 })
    );
    assert_eq!((reader.u8(), reader.remaining()), (Ok(3), 0));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn zero_sized_minimum_is_treated_as_one_byte() {
    let mut bytes = Vec::new();
    put_compact_size(&mut bytes, 3);
    bytes.extend_from_slice(&[0, 0]);
    assert_eq!(
        Reader::new(&bytes).count(usize::MAX, 0),
        Err(DecodeError::CountTooLarge { count: 3, max: 2 })
    );
    assert!(Txid::decode_from(&mut Reader::new(&[0; 31])).is_err());
}
