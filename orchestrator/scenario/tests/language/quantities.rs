//! Times, shares, rates, coins and comparisons as people write them.

use devnet_scenario::model::{
    Amount, ByteRate, Bytes, Comparison, Offset, Operand, Operator, Records, Share, Time,
};

#[test]
fn times_are_absolute_or_in_block_intervals() {
    let ms = |text: &str| text.parse::<Time>().map(|time| time.ms(2_000));
    assert_eq!(ms("15s"), Ok(15_000));
    assert_eq!(ms("1.5s"), Ok(1_500));
    assert_eq!(ms("500ms"), Ok(500));
    assert_eq!(ms("2m"), Ok(120_000));
    assert_eq!(ms("24h"), Ok(86_400_000));
    assert_eq!(ms("3 blocks"), Ok(6_000));
    assert_eq!(ms("0.5blocks"), Ok(1_000));
    for bad in [
        "",
        "s",
        "5",
        "-5s",
        "5 parsecs",
        "1e3s",
        "25h",
        "NaNs",
        "5s5",
    ] {
        assert!(bad.parse::<Time>().is_err(), "{bad}");
    }
}

#[test]
fn offsets_have_a_sign() {
    assert_eq!("-5s".parse(), Ok(Offset { ms: -5_000 }));
    assert_eq!("+500ms".parse(), Ok(Offset { ms: 500 }));
    assert!("--5s".parse::<Offset>().is_err());
}

#[test]
fn shares_are_percent_or_fractions() {
    assert_eq!("5%".parse::<Share>().unwrap().get(), 0.05);
    assert_eq!("0.05".parse::<Share>().unwrap().get(), 0.05);
    assert_eq!("7%".parse::<Share>().unwrap().to_string(), "7%");
    for bad in ["101%", "1.1", "-1%", "5 percent", ""] {
        assert!(bad.parse::<Share>().is_err(), "{bad}");
    }
}

#[test]
fn sizes_rates_and_coins_have_units() {
    assert_eq!("200MiB".parse(), Ok(Bytes(200 << 20)));
    assert_eq!("1MB".parse(), Ok(Bytes(1_000_000)));
    assert_eq!("64KiB/s".parse(), Ok(ByteRate { bytes_s: 65_536 }));
    assert_eq!("8Mbit/s".parse(), Ok(ByteRate { bytes_s: 1_000_000 }));
    assert_eq!("1.5".parse(), Ok(Amount { sats: 150_000_000 }));
    assert!("0.000000001".parse::<Amount>().is_err());
    assert!("99999999999999".parse::<Amount>().is_err());
    assert!("0MB/s".parse::<ByteRate>().is_err());
}

#[test]
fn comparisons_hold_against_numbers_times_and_records() {
    let mut records = Records::new();
    records.insert("before".into(), 10.0);
    let holds = |text: &str, value: f64| {
        let comparison: Comparison = text.parse().unwrap();
        comparison.holds(value, 1_000, &records)
    };
    assert_eq!(holds("3", 3.0), Some(true));
    assert_eq!(holds("!= 3", 3.0), Some(false));
    assert_eq!(holds("< 10%", 0.09), Some(true));
    assert_eq!(holds("< 2 blocks", 1_999.0), Some(true));
    assert_eq!(holds("<= 1.5s", 1_501.0), Some(false));
    assert_eq!(holds("< 200MiB", 1e8), Some(true));
    assert_eq!(holds(">= $before + 5", 15.0), Some(true));
    assert_eq!(holds("> $before - 5", 5.0), Some(false));
    assert_eq!(holds("$before", 10.0), Some(true));
    assert_eq!(holds("> $later", 10.0), None);
    assert_eq!(holds("== 0.3", 0.1 + 0.2), Some(true));
}

#[test]
fn odd_comparisons_are_refused() {
    for bad in [
        "",
        ">",
        ">= ",
        "=> 3",
        "> $",
        "> $Before",
        "$a + b",
        "$a + -",
        "3 apples",
        "$ä",
    ] {
        assert!(bad.parse::<Comparison>().is_err(), "{bad:?}");
    }
}

#[test]
fn comparisons_are_spelled_as_they_are_read() {
    for text in ["== 3", ">= $before + 5", "< $a - 2", "<= 3 blocks", "> 15s"] {
        let comparison: Comparison = text.parse().unwrap();
        assert_eq!(comparison.to_string(), text);
    }
    let literal: Comparison = "-5".parse().unwrap();
    assert_eq!(literal.operand, Operand::Number(-5.0));
    assert_eq!(literal.operator, Operator::Equal);
}
