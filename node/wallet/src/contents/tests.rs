//! Bytes there and back.

use proptest::prelude::*;

use super::*;

fn contents() -> Contents {
    let mut ledger = Ledger::default();
    for height in 0..40 {
        ledger.note_seen(Height(height), BlockHash::from_bytes([1; 32]));
    }
    let place = |branch, index| Place { branch, index };
    let txid = Txid::from_bytes([3; 32]);
    for (branch, vout) in [
        (Branch::Receive, 0),
        (Branch::Change, 1),
        (Branch::Extra, 2),
    ] {
        let owned = Owned {
            value: Amount::from_sat(1_000 + u64::from(vout)),
            place: place(branch, vout),
            height: Height(vout),
            is_coinbase: vout == 1,
            spent: (vout == 2).then_some((txid, Height(9))),
        };
        ledger.outputs.insert(OutPoint { txid, vout }, owned);
    }
    ledger.entries.push(Entry {
        txid,
        height: Some(Height(3)),
        time_s: 1_700_000_000,
        received: Amount::from_sat(5),
        spent: Amount::from_sat(9),
        fee: Some(Amount::from_sat(1)),
        is_coinbase: false,
        paid_to: vec![([8; 32], Amount::from_sat(3))],
    });
    Contents {
        phrase: Phrase::from_entropy(&[7; 16]).unwrap(),
        network: Network {
            name: "minichain-local".into(),
            prefix: "mini".into(),
            genesis: BlockHash::from_bytes([2; 32]),
        },
        birthday: Height(12),
        used: [3, 1],
        ledger,
    }
}

#[test]
fn bytes_come_back_as_they_were() {
    let bytes = contents().to_bytes();
    assert_eq!(Contents::from_bytes(&bytes), Ok(contents()));
}

#[test]
fn every_cut_is_refused() {
    let bytes = contents().to_bytes();
    for length in 0..bytes.len() {
        assert!(Contents::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(Contents::from_bytes(&longer).is_err());
}

proptest! {
    /// One byte form for one value, whatever the bytes.
    #[test]
    fn what_decodes_is_canonical(at in 0_usize..1_200, byte in any::<u8>()) {
        let mut bytes = contents().to_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(decoded) = Contents::from_bytes(&bytes) {
            let again = decoded.to_bytes();
            prop_assert_eq!(again.as_slice(), bytes.as_slice());
        }
    }
}
