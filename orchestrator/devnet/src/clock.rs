//! Times as people and log lines write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Now, in seconds since 1970.
pub fn now_s() -> u64 {
    now_ms() / 1_000
}

/// Reads `90s`, `15m`, `1h`, `2d`, `500ms` or a plain number of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(not_a_duration(text)),
    };
    let number: u64 = number.parse().map_err(|_| not_a_duration(text))?;
    number
        .checked_mul(unit_ms)
        .map(Duration::from_millis)
        .ok_or_else(|| not_a_duration(text))
}

fn not_a_duration(text: &str) -> String {
    format!("`{text}` is not a time; write it like 30s, 5m, 1h or 2d")
}

/// A span for people: `0.3 s`, `12 s`, `4 m 10 s`, `3 h 5 m`, `2 d 4 h`.
pub fn spell_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} m {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// The time a node wrote into its log line: an RFC 3339 time at its start, or
/// in a JSON line's `timestamp`. In milliseconds since 1970.
pub fn time_in_log_line(line: &str) -> Option<u64> {
    if line.starts_with('{') {
        let (_, rest) = line.split_once("\"timestamp\":\"")?;
        return parse_rfc3339_ms(rest.split('"').next()?);
    }
    parse_rfc3339_ms(line.split_whitespace().next()?)
}

/// Reads a time such as `2026-01-31T12:00:00.123456Z`, UTC only. In
/// milliseconds since 1970; further decimals are cut.
pub fn parse_rfc3339_ms(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !is_in_range || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let days = days_since_1970(year, month, day);
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + ms)
}

/// Writes a time such as `2026-01-31T12:00:00Z`; the inverse of
/// [`parse_rfc3339_ms`] but for the milliseconds.
pub fn rfc3339(unix_s: u64) -> String {
    let (year, month, day) = date_of(unix_s / 86_400);
    let (hour, minute, second) = (unix_s / 3_600 % 24, unix_s / 60 % 60, unix_s % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The time of day of an instant, `hh:mm:ss.mmm` in UTC.
pub fn time_of_day(time_ms: u64) -> String {
    let (seconds, ms) = (time_ms / 1_000 % 86_400, time_ms % 1_000);
    format!(
        "{:02}:{:02}:{:02}.{ms:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn number(digits: &str) -> Option<u64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Days of the Gregorian calendar; years are counted from March so that the
/// leap day comes last.
const fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // Days from 1 March of the year 0 to 1 January 1970.
    year * 365 + leap_days + day_of_year - 719_468
}

/// The date so many days after 1970-01-01; the inverse of [`days_since_1970`].
const fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(unix_s in 0_u64..253_402_300_800) {
            proptest::prop_assert_eq!(parse_rfc3339_ms(&rfc3339(unix_s)), Some(unix_s * 1_000));
        }
    }

    #[test]
    fn known_times_are_read() {
        assert_eq!(parse_rfc3339_ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            parse_rfc3339_ms("2000-02-29T12:34:56.7Z"),
            Some(951_827_696_700)
        );
        assert_eq!(
            parse_rfc3339_ms("2026-11-22T20:47:42.123456Z"),
            Some(1_795_380_462_123)
        );
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "x",
            "2026-11-22",
            "2026-13-01T00:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T20:47:42+01:00",
            "2026-11-22T20:47:42.1x2Z",
            "-1-1-1T0:0:0Z",
        ] {
            assert_eq!(parse_rfc3339_ms(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_found_in_text_and_json_lines() {
        let expected = Some(1_500);
        assert_eq!(
            time_in_log_line("1970-01-01T00:00:01.5Z  INFO ready"),
            expected
        );
        let json = r#"{"timestamp":"1970-01-01T00:00:01.5Z","level":"INFO"}"#;
        assert_eq!(time_in_log_line(json), expected);
        assert_eq!(time_in_log_line("thread 'main' panicked"), None);
    }

    #[test]
    fn durations_are_read_with_their_units() {
        let read = |text| parse_duration(text).expect("a time");
        assert_eq!(read("90"), Duration::from_secs(90));
        assert_eq!(read("500ms"), Duration::from_millis(500));
        assert_eq!(read("1h"), Duration::from_secs(3_600));
        assert_eq!(read(" 2d "), Duration::from_secs(172_800));
        for text in ["", "h", "1w", "-1s", "1.5h", "99999999999999999999d"] {
            assert!(
                parse_duration(text)
                    .expect_err("no time")
                    .contains("like 30s"),
                "{text}"
            );
        }
    }

    #[test]
    fn spans_are_spelled_with_two_units_at_most() {
        let spell = |ms| spell_duration(Duration::from_millis(ms));
        assert_eq!(spell(340), "0.3 s");
        assert_eq!(spell(12_900), "12 s");
        assert_eq!(spell(250_000), "4 m 10 s");
        assert_eq!(spell(11_100_000), "3 h 5 m");
        assert_eq!(spell(187_200_000), "2 d 4 h");
    }

    #[test]
    fn the_time_of_day_is_utc() {
        assert_eq!(time_of_day(1_795_380_462_123), "20:47:42.123");
    }
}
