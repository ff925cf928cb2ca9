//! Times, sizes, coins and subnets as people write them.

use devnet_blueprint::Subnet;
use devnet_blueprint::quantity::{BlockTime, ByteSize, Coins, QuantityError};
use devnet_blueprint::subnet::SubnetError;
use proptest::prelude::*;

#[test]
fn block_times_are_whole_seconds() {
    for (text, seconds) in [
        ("5s", 5),
        ("1", 1),
        ("2000ms", 2),
        ("1.0s", 1),
        ("2m", 120),
        ("0.5m", 30),
        ("24h", 86_400),
    ] {
        assert_eq!(
            text.parse::<BlockTime>().unwrap().seconds(),
            seconds,
            "{text}"
        );
    }
    for text in ["500ms", "1.5s", "0s", "25h", "99999999999s", "0.001s"] {
        let error = text.parse::<BlockTime>().unwrap_err();
        assert_eq!(error, QuantityError::BlockTime(text.into()));
    }
    for text in ["", "s", "five", "5 parsecs", "-5s", "1.2.3s", "1e3", "٣s"] {
        assert_eq!(
            text.parse::<BlockTime>(),
            Err(QuantityError::Time(text.into())),
            "{text}"
        );
    }
}

#[test]
fn sizes_read_as_docker_reads_them() {
    for (text, bytes) in [
        ("1024", 1_024),
        ("64m", 64 << 20),
        ("64MiB", 64 << 20),
        ("1.5GiB", 3 << 29),
        ("2 KiB", 2_048),
        ("1MB", 1_000_000),
    ] {
        assert_eq!(text.parse::<ByteSize>().unwrap().bytes, bytes, "{text}");
    }
    for text in [
        "",
        "MiB",
        "-1",
        "1 furlong",
        "99999999999999999999",
        "18446744073709551615GiB",
    ] {
        assert_eq!(
            text.parse::<ByteSize>(),
            Err(QuantityError::Size(text.into())),
            "{text}"
        );
    }
}

#[test]
fn coins_are_exact_to_eight_places() {
    assert_eq!("0.00000001".parse::<Coins>().unwrap().base_units(), 1);
    assert_eq!("21_000_000".parse::<Coins>().unwrap(), Coins::MAX);
    assert_eq!("1.50".parse::<Coins>().unwrap().to_string(), "1.5");
    for text in ["0.000000001", "", ".", "1,5", "-1", "abc", "1e8", "0x10"] {
        assert_eq!(
            text.parse::<Coins>(),
            Err(QuantityError::Coins(text.into())),
            "{text}"
        );
    }
    let error = "21000000.00000001".parse::<Coins>().unwrap_err();
    assert_eq!(
        error,
        QuantityError::TooManyCoins("21000000.00000001".into())
    );
}

#[test]
fn subnets_refuse_what_they_cannot_mean() {
    assert_eq!(
        "10.0.0.0".parse::<Subnet>(),
        Err(SubnetError::Form("10.0.0.0".into()))
    );
    assert_eq!("10.0.0.0/8".parse::<Subnet>(), Err(SubnetError::Prefix(8)));
    assert_eq!(
        "10.0.0.0/32".parse::<Subnet>(),
        Err(SubnetError::Prefix(32))
    );
    let error = "10.1.2.3/24".parse::<Subnet>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "10.1.2.3/24 has bits set beyond its prefix; did you mean 10.1.2.0/24?"
    );
}

#[test]
fn the_last_node_address_lies_before_the_broadcast_address() {
    let subnet: Subnet = "10.9.8.0/24".parse().unwrap();
    let capacity = subnet.node_capacity();
    assert_eq!(subnet.node_address(0), Some("10.9.8.10".parse().unwrap()));
    assert_eq!(
        subnet.node_address(capacity - 1),
        Some("10.9.8.254".parse().unwrap())
    );
    assert_eq!(subnet.node_address(capacity), None);
    assert_eq!(Subnet::prefix_for(capacity), Some(24));
    assert_eq!(Subnet::prefix_for(capacity + 1), Some(23));
    assert_eq!(Subnet::prefix_for(70_000), None);
}

fn any_subnet() -> impl Strategy<Value = Subnet> {
    (any::<u32>(), Subnet::PREFIX_MIN..=Subnet::PREFIX_MAX).prop_map(|(bits, prefix)| {
        let base = bits & !((1_u32 << (32 - prefix)) - 1);
        Subnet::new(base.into(), prefix).unwrap()
    })
}

proptest! {
    #[test]
    fn quantities_survive_being_written_and_read(
        seconds in 1_u32..=86_400, bytes: u64, units in 0..=Coins::MAX.base_units(),
    ) {
        let time = BlockTime::from_seconds(seconds).unwrap();
        prop_assert_eq!(time.to_string().parse::<BlockTime>().unwrap(), time);
        // Sizes are read in thousandths of a unit, so the largest do not fit.
        let size = ByteSize { bytes: bytes >> 10 };
        prop_assert_eq!(size.to_string().parse::<ByteSize>().unwrap(), size);
        let text = format!("{}.{:08}", units / 100_000_000, units % 100_000_000);
        let coins: Coins = text.parse().unwrap();
        prop_assert_eq!(coins.base_units(), units);
        prop_assert_eq!(coins.to_string().parse::<Coins>().unwrap(), coins);
    }

    #[test]
    fn no_text_makes_a_quantity_panic(text in "\\PC{0,24}") {
        let _ = text.parse::<BlockTime>();
        let _ = text.parse::<ByteSize>();
        let _ = text.parse::<Coins>();
        let _ = text.parse::<Subnet>();
    }

    #[test]
    fn subnets_overlap_where_they_share_an_address(a in any_subnet(), b in any_subnet()) {
        let range = |subnet: Subnet| {
            let first = u64::from(u32::from(subnet.base()));
            first..first + (1_u64 << (32 - subnet.prefix()))
        };
        let (x, y) = (range(a), range(b));
        prop_assert_eq!(a.overlaps(b), x.start < y.end && y.start < x.end);
        prop_assert!(a.overlaps(a));
        prop_assert_eq!(a.to_string().parse::<Subnet>().unwrap(), a);
    }

    #[test]
    fn every_slot_has_its_own_address(subnet in any_subnet(), slot in 0_u32..70_000) {
        match subnet.node_address(slot) {
            Some(address) => {
                prop_assert!(subnet.contains(address));
                prop_assert_ne!(address, subnet.gateway());
                prop_assert_eq!(subnet.slot_of(address), Some(slot));
            }
            None => prop_assert!(slot >= subnet.node_capacity()),
        }
    }
}
