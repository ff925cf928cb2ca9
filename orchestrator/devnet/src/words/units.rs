//! Quantities of the command line: delays, shares, rates, offsets.

use std::time::Duration;

/// The longest delay; more belongs to a cut.
const DELAY_MS_MAX: f64 = 60_000.0;
/// The largest offset of a clock, in milliseconds: ten years.
const OFFSET_MS_MAX: f64 = 315_360_000_000.0;

/// A delay such as `80ms` or `0.5s`, in milliseconds.
pub fn delay_ms(text: &str) -> Result<f64, String> {
    let ms = time_ms(text)?;
    if (0.0..=DELAY_MS_MAX).contains(&ms) {
        return Ok(ms);
    }
    let most = Duration::from_secs(60);
    Err(format!(
        "`{text}` is not between 0 and {} s",
        most.as_secs()
    ))
}

/// A signed time such as `+5s`, `-90s` or `1.5h`, in whole milliseconds.
pub fn offset_ms(text: &str) -> Result<i64, String> {
    let (sign, size) = match text.strip_prefix(['-', '−']) {
        Some(size) => (-1.0, size),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let refused = |_| format!("`{text}` is not an offset; write it like +5s, -90s or 500ms");
    let ms = time_ms(size).map_err(refused)?;
    if ms > OFFSET_MS_MAX {
        return Err(format!("`{text}` is more than ten years"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "ten years fit")]
    let offset_ms = (sign * ms).round() as i64;
    Ok(offset_ms)
}

/// A share such as `5%` or `0.05`; 0 to 1.
pub fn share(text: &str) -> Result<f64, String> {
    let refused = || format!("`{text}` is not a share; write it like 5% or 0.05");
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), 0.01),
        None => (text, 1.0),
    };
    let share = positive(number).ok_or_else(refused)? * scale;
    if share > 1.0 {
        let meant = if text.ends_with('%') {
            ""
        } else {
            "; write it like 5%"
        };
        return Err(format!("`{text}` is more than the whole{meant}"));
    }
    Ok(share)
}

/// A data rate such as `1mbit`, `250kbit` or `64kB`, in bytes a second.
/// Multiples are of a thousand; a small b or `bit` counts bits, a capital B
/// bytes.
pub fn rate_bytes_s(text: &str) -> Result<u64, String> {
    let refused = || format!("`{text}` is not a data rate; write it like 1mbit, 250kbit or 64kB");
    let (number, unit) = split_unit(text);
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let number = positive(number).ok_or_else(refused)?;
    let (prefix, bytes) = if let Some(prefix) = unit.strip_suffix("bit") {
        (prefix, 0.125)
    } else if let Some(prefix) = unit.strip_suffix("bps") {
        (prefix, 0.125)
    } else if let Some(prefix) = unit.strip_suffix('B') {
        (prefix, 1.0)
    } else {
        return Err(refused());
    };
    let scale = match prefix {
        "" => 1.0,
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "g" | "G" => 1e9,
        _ => return Err(refused()),
    };
    let rate = number * scale * bytes;
    if !(1.0..=1e12).contains(&rate) {
        return Err(format!("`{text}` is not between 1 byte and 1 TB a second"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 1e12"
    )]
    let rate = rate.round() as u64;
    Ok(rate)
}

/// Hashes a second such as `20000`, `20k` or `1.5M`.
pub fn hash_rate(text: &str) -> Result<f64, String> {
    let refused = || format!("`{text}` is not a hash rate; write it like 20000, 20k or 1.5M");
    let (number, unit) = split_unit(text);
    let scale = match unit {
        "" => 1.0,
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        _ => return Err(refused()),
    };
    let rate = positive(number).ok_or_else(refused)? * scale;
    if rate > 1e12 {
        return Err(format!("`{text}` is more than any miner here makes"));
    }
    Ok(rate)
}

fn time_ms(text: &str) -> Result<f64, String> {
    let refused = || format!("`{text}` is not a time; write it like 80ms, 1.5s or 2m");
    let (number, unit) = split_unit(text);
    let scale = match unit {
        "us" | "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ if positive(text) == Some(0.0) => 0.0,
        _ => return Err(refused()),
    };
    Ok(positive(number).ok_or_else(refused)? * scale)
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

/// A plain decimal number, not negative and finite.
fn positive(text: &str) -> Option<f64> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = text.parse().ok().filter(|_| is_plain)?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        assert_eq!(delay_ms("80ms"), Ok(80.0));
        assert_eq!(delay_ms("0.5s"), Ok(500.0));
        assert_eq!(delay_ms("0"), Ok(0.0));
        assert_eq!(offset_ms("-90s"), Ok(-90_000));
        assert_eq!(offset_ms("+1.5h"), Ok(5_400_000));
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.25"), Ok(0.25));
        assert_eq!(rate_bytes_s("1mbit"), Ok(125_000));
        assert_eq!(rate_bytes_s("64kB/s"), Ok(64_000));
        assert_eq!(hash_rate("1.5M"), Ok(1_500_000.0));
        assert_eq!(hash_rate("0"), Ok(0.0));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_an_example() {
        for (text, read) in [
            ("80", delay_ms("80").err()),
            ("61s", delay_ms("61s").err()),
            ("-5ms", delay_ms("-5ms").err()),
            ("1e3ms", delay_ms("1e3ms").err()),
            ("--5s", offset_ms("--5s").err()),
            ("20y", offset_ms("20y").err()),
            ("5", share("5").err()),
            ("101%", share("101%").err()),
            ("nan", share("nan").err()),
            ("1", rate_bytes_s("1").err()),
            ("0kbit", rate_bytes_s("0kbit").err()),
            ("1zbit", rate_bytes_s("1zbit").err()),
            ("-3", hash_rate("-3").err()),
        ] {
            let why = read.unwrap_or_else(|| panic!("`{text}` was taken"));
            assert!(why.contains(text), "{why}");
        }
    }
}
