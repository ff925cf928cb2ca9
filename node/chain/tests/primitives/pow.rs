//! Targets, work and the search for a nonce.

use minichain_chain::block::Header;
use minichain_chain::hash::BlockHash;
use minichain_chain::pow::{BitsError, Chainwork, CompactTarget, Searcher, Target, U256};
use proptest::prelude::*;

use crate::oracle;

proptest! {
    #[test]
    fn targets_are_bitcoins(bits in any::<u32>()) {
        let Ok(target) = CompactTarget(bits).to_target() else { return Ok(()) };
        prop_assume!(target != Target::MIN);
        let theirs =
            bitcoin::Target::from_compact(bitcoin::CompactTarget::from_consensus(bits));
        prop_assert_eq!(target.to_u256().to_be_bytes(), theirs.to_be_bytes());
        prop_assert_eq!(target.to_compact().0, theirs.to_compact_lossy().to_consensus());
        prop_assert_eq!(target.work().to_be_bytes(), theirs.to_work().to_be_bytes());
    }

    #[test]
    fn any_number_is_rounded_and_weighed_as_bitcoin_does(bytes in any::<[u8; 32]>(), shift in 0_u32..256) {
        let value = U256::from_be_bytes(bytes) >> shift;
        let Some(target) = Target::new(value) else { return Ok(()) };
        // Version 0.32 of that crate gives the target one the work 2^256 - 1;
        // Bitcoin Core's formula gives 2^255.
        prop_assume!(target != Target::MIN);
        let theirs = bitcoin::Target::from_be_bytes(value.to_be_bytes());
        prop_assert_eq!(target.to_compact().0, theirs.to_compact_lossy().to_consensus());
        prop_assert_eq!(target.work().to_be_bytes(), theirs.to_work().to_be_bytes());

        let rounded = target.to_compact().to_target().expect("made from a target");
        prop_assert!(rounded <= target);
        prop_assert_eq!(rounded.to_compact(), target.to_compact());
    }

    #[test]
    fn a_hash_meets_the_targets_bitcoin_says_it_meets(header in oracle::any_header(), bits in 0x1f00_0001_u32..0x2100_ffff) {
        let Ok(target) = CompactTarget(bits).to_target() else { return Ok(()) };
        let theirs = bitcoin::Target::from_be_bytes(target.to_u256().to_be_bytes());
        let hash = header.hash();
        prop_assert_eq!(
            target.is_met_by(&hash),
            theirs.is_met_by(oracle::header(&header).block_hash())
        );
    }

    #[test]
    fn the_search_agrees_with_hashing_whole_headers(
        header in oracle::any_header(),
        // From one in eight hashes to one in some hundreds.
        mantissa in 0x00_ffff_u32..0x1f_ffff,
        first in 0_u32..u32::MAX - 2_000,
    ) {
        let header = Header { bits: CompactTarget(0x2000_0000 | mantissa), ..header };
        let target = header.bits.to_target().expect("positive");
        let with = |nonce| Header { nonce, ..header };
        let nonces = first..first + 2_000;

        let mut searcher = Searcher::new(&header).expect("bits name a target");
        let naive = nonces.clone().find(|&nonce| target.is_met_by(&with(nonce).hash()));
        prop_assert_eq!(searcher.search(nonces), naive);
        prop_assert_eq!(searcher.hash(first), with(first).hash());
        prop_assert_eq!(searcher.hash(u32::MAX), with(u32::MAX).hash());
    }

    #[test]
    fn work_adds_up_and_never_wraps(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        let (a, b) = (U256::from_be_bytes(a), U256::from_be_bytes(b));
        let sum = Chainwork::from_u256(a) + Chainwork::from_u256(b);
        prop_assert_eq!(sum.to_u256(), a.saturating_add(b));
        prop_assert!(sum >= Chainwork::from_u256(a));
        prop_assert_eq!(Chainwork::from_be_bytes(sum.to_be_bytes()), sum);
    }
}

/// Bitcoin Core, arith_uint256_tests.cpp, `bignum_SetCompact`.
#[test]
fn compact_forms_are_read_as_bitcoin_core_reads_them() {
    let target = |bits| CompactTarget(bits).to_target();
    for bits in [
        0x0000_0000,
        0x0012_3456,
        0x0100_3456,
        0x0200_0056,
        0x0300_0000,
        0x0400_0000,
        0x0092_3456,
        0x0180_3456,
        0x0280_0056,
        0x0380_0000,
        0x0480_0000,
    ] {
        assert_eq!(target(bits), Err(BitsError::Zero { bits }), "{bits:#010x}");
    }
    for bits in [0x01fe_dcba, 0x0492_3456] {
        assert_eq!(
            target(bits),
            Err(BitsError::Negative { bits }),
            "{bits:#010x}"
        );
    }
    for bits in [0xff12_3456, 0x2300_0001, 0x2200_0100, 0x2101_0000] {
        assert_eq!(
            target(bits),
            Err(BitsError::Overflow { bits }),
            "{bits:#010x}"
        );
    }
    for (bits, value, canonical) in [
        (0x0112_3456, 0x12_u64, 0x0112_0000),
        (0x0212_3456, 0x1234, 0x0212_3400),
        (0x0312_3456, 0x12_3456, 0x0312_3456),
        (0x0412_3456, 0x1234_5600, 0x0412_3456),
        (0x0500_9234, 0x9234_0000, 0x0500_9234),
        (0x0200_8000, 0x80, 0x0200_8000),
    ] {
        let target = target(bits).expect("a target");
        assert_eq!(target.to_u256(), U256::from(value), "{bits:#010x}");
        assert_eq!(target.to_compact(), CompactTarget(canonical));
    }
    let large = target(0x2012_3456).expect("a target");
    assert_eq!(large.to_string(), format!("{:0<64}", "123456"));
    // The longest forms that still fit, two of them not in shortest form.
    for (bits, canonical) in [
        (0x2200_00ff, 0x2100_ff00),
        (0x2100_ffff, 0x2100_ffff),
        (0x207f_ffff, 0x207f_ffff),
    ] {
        assert_eq!(
            target(bits).expect("fits 256 bits").to_compact(),
            CompactTarget(canonical)
        );
    }
}

#[test]
fn targets_end_at_one_and_at_every_hash() {
    assert_eq!(Target::new(U256::ZERO), None);
    assert_eq!(Target::MAX.work(), Chainwork::from_u256(U256::ONE));
    assert_eq!(
        Target::MIN.work(),
        Chainwork::from_u256(U256::ONE << 255_u32)
    );
    assert!(Target::MAX.is_met_by(&BlockHash::from_bytes([0xff; 32])));
    assert!(Target::MIN.is_met_by(&BlockHash::ZERO));
    let mut one = [0; 32];
    one[0] = 1;
    assert!(Target::MIN.is_met_by(&BlockHash::from_bytes(one)));
    one[0] = 2;
    assert!(!Target::MIN.is_met_by(&BlockHash::from_bytes(one)));
}

#[test]
fn a_hash_rate_and_its_target_agree() {
    for (rate, spacing_s) in [(1, 2), (50_000, 5), (4_000_000, 600), (u64::MAX, u32::MAX)] {
        let hashes = U256::from(rate) * U256::from(spacing_s);
        let work = Target::from_hash_rate(rate, spacing_s).work().to_u256();
        // Work is a whole number, rounded down.
        let tolerance = U256::ONE + hashes / U256::from(1_000_000_u32);
        assert!(
            work <= hashes && hashes - work <= tolerance,
            "{rate} {work}"
        );
    }
    assert_eq!(Target::from_hash_rate(0, 5), Target::MAX);
    assert_eq!(Target::from_hash_rate(5, 0), Target::MAX);
    assert_eq!(Target::from_hash_rate(1, 1), Target::MAX);
}

#[test]
fn difficulty_is_relative_to_bitcoins_easiest_target() {
    let difficulty = |bits| {
        CompactTarget(bits)
            .to_target()
            .expect("a target")
            .difficulty()
    };
    assert!((difficulty(0x1d00_ffff) - 1.0).abs() < 1e-12);
    // As Bitcoin's documentation computes it for these bits.
    assert!((difficulty(0x1b04_04cb) - 16_307.420_938_523_983).abs() < 1e-6);
}

#[test]
fn work_is_shown_with_all_digits() {
    let work = Chainwork::from_u256(U256::from(0x1_0001_0001_u64));
    assert_eq!(work.to_string(), format!("{:0>64}", "100010001"));
    assert_eq!(CompactTarget(0x1d00_ffff).to_string(), "1d00ffff");
    assert_eq!((work.to_f64() - 4_295_032_833.0).abs(), 0.0);
    assert_eq!(Chainwork::ZERO.saturating_sub(work), Chainwork::ZERO);
}

#[test]
fn a_search_needs_bits_that_name_a_target() {
    let header = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin).header;
    let bytes = bitcoin::consensus::serialize(&header);
    let mut header: Header = minichain_chain::codec::decode(&bytes).expect("80 bytes");
    header.bits = CompactTarget(0);
    assert_eq!(
        Searcher::new(&header).err(),
        Some(BitsError::Zero { bits: 0 })
    );
}
