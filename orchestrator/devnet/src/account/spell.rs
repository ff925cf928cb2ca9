//! Numbers as a report writes them.

/// A span: `0 ms`, `45 ms`, `1.24 s`, `73.2 s`, `12 m 5 s`.
pub fn span(ms: f64) -> String {
    let seconds = ms / 1e3;
    if !ms.is_finite() {
        return "–".into();
    }
    match ms {
        ms if ms < 1.0 && ms > 0.0 => "< 1 ms".into(),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        _ if seconds < 9.995 => format!("{seconds:.2} s"),
        _ if seconds < 599.95 => format!("{seconds:.1} s"),
        _ => minutes(seconds),
    }
}

fn minutes(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    if minutes < 600.0 {
        return format!("{minutes:.0} m {:.0} s", (seconds - minutes * 60.0).floor());
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours:.0} h {:.0} m", minutes - hours * 60.0)
}

/// As [`span`], of whole milliseconds.
pub fn span_ms(ms: u64) -> String {
    span(ms as f64)
}

/// A moment since the begin, as all of a run's output has it: `12.3 s`.
pub fn since(at_ms: u64, begin_ms: u64) -> String {
    devnet_scenario::report::seconds(at_ms.saturating_sub(begin_ms))
}

/// `812 B`, `34.1 MiB`.
pub fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1_023.5 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value:.0} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// `3.2 %`; a dash where there is nothing to take a share of.
pub fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "–".into(),
        whole => percent(part as f64 / whole as f64),
    }
}

/// A share as `3.2 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `1 block`, `3 blocks`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text without control characters, which would steer a terminal or break a
/// page's layout. Line ends stay.
pub fn plain(text: &str) -> String {
    let is_bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if (c.is_control() && c != '\n') || is_bidi(c) {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_unit_that_fits() {
        let told = [
            0.0,
            0.4,
            45.0,
            999.6,
            1_240.0,
            73_210.0,
            725_000.0,
            36_061_000.0,
        ]
        .map(span);
        assert_eq!(
            told,
            [
                "0 ms", "< 1 ms", "45 ms", "1.00 s", "1.24 s", "73.2 s", "12 m 5 s", "10 h 1 m"
            ]
        );
        assert_eq!(span(f64::NAN), "–");
    }

    #[test]
    fn bytes_and_shares_are_short() {
        assert_eq!([812.0, 35_756_442.0].map(bytes), ["812 B", "34.1 MiB"]);
        assert_eq!(share(1, 0), "–");
        assert_eq!(share(1, 32), "3.1 %");
        assert_eq!(
            (count(1, "block"), count(0, "block")),
            ("1 block".into(), "0 blocks".into())
        );
    }

    #[test]
    fn text_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b\nc\r"), "a [31m b\nc ");
    }
}
