//! Text for log lines: times, and strings that others wrote.

use std::fmt;
use std::time::SystemTime;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// UTC with milliseconds, as in `2026-01-01T00:00:00.000Z`.
#[derive(Clone, Copy, Debug)]
pub struct UtcMillis;

impl FormatTime for UtcMillis {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        write_utc(writer, since.as_secs(), since.subsec_millis())
    }
}

/// A string that others wrote, with control and other odd characters escaped,
/// so that it can neither forge a log line nor steer a terminal.
pub struct Untrusted<'a>(pub &'a str);

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                ' '..='~' if char != '\\' => fmt::Write::write_char(formatter, char)?,
                _ => write!(formatter, "{}", char.escape_default())?,
            }
        }
        Ok(())
    }
}

/// Days are turned into a date by the proleptic Gregorian calendar, counted
/// from 1 March, so that the leap day is the last of its year.
fn write_utc(writer: &mut impl fmt::Write, unix_s: u64, millis: u32) -> fmt::Result {
    const DAYS_FROM_MARCH_0000_TO_1970: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097;
    let (day, second) = (
        unix_s / 86_400 + DAYS_FROM_MARCH_0000_TO_1970,
        unix_s % 86_400,
    );
    let (era, day) = (day / DAYS_PER_ERA, day % DAYS_PER_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, is_next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + is_next_year;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    write!(
        writer,
        "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(unix_s: u64, millis: u32) -> String {
        let mut text = String::new();
        write_utc(&mut text, unix_s, millis).unwrap();
        text
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        // Reference: `date -u -d @N`.
        for (unix_s, expected) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_767_225_600, "2026-01-01T00:00:00.007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
            (4_294_967_295, "2106-02-07T06:28:15.007Z"),
        ] {
            assert_eq!(utc(unix_s, 7), expected);
        }
    }

    #[test]
    fn untrusted_text_cannot_leave_its_line() {
        let shown = Untrusted("a\n\u{1b}[31mb\\\u{202e}c\r").to_string();
        assert_eq!(shown, "a\\n\\u{1b}[31mb\\\\\\u{202e}c\\r");
        assert_eq!(
            Untrusted("minichain/0.1 (lab)").to_string(),
            "minichain/0.1 (lab)"
        );
    }
}
