//! Comparisons of a measured number with a written or recorded one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::quantity::{QuantityError, Time, decimal, split_unit, unit_bytes};

/// Values recorded during a run, by name.
pub type Records = BTreeMap<String, f64>;

/// How a measured value must stand to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// How.
    pub operator: Operator,
    /// To what.
    pub operand: Operand,
}

/// How two numbers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`, also where no operator is written.
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A number; percent as a share (`10%` is 0.1), sizes in bytes.
    Number(f64),
    /// A time; stands for milliseconds.
    Time(Time),
    /// A recorded value and what is added to it.
    Record {
        /// Its name, without `$`.
        name: String,
        /// May be negative.
        plus: f64,
    },
}

impl Comparison {
    /// Equal to that number.
    pub const fn equal(number: f64) -> Self {
        Self {
            operator: Operator::Equal,
            operand: Operand::Number(number),
        }
    }

    /// At least that number.
    pub const fn at_least(number: f64) -> Self {
        Self {
            operator: Operator::GreaterOrEqual,
            operand: Operand::Number(number),
        }
    }

    /// Whether `value` (times in milliseconds) stands so; `None` where the
    /// operand is a record that was not made.
    pub fn holds(&self, value: f64, interval_ms: u64, records: &Records) -> Option<bool> {
        let operand = self.operand.value(interval_ms, records)?;
        Some(self.operator.holds(value, operand))
    }

    /// The record it needs.
    pub fn record(&self) -> Option<&str> {
        match &self.operand {
            Operand::Record { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl Operator {
    /// Whether `left` stands so to `right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        // A tolerance far below any unit, so that 0.1 + 0.2 equals 0.3.
        let tolerance = 1e-9 * right.abs().max(1.0);
        let equal = (left - right).abs() <= tolerance;
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => left < right && !equal,
            Self::LessOrEqual => left < right || equal,
            Self::Greater => left > right && !equal,
            Self::GreaterOrEqual => left > right || equal,
        }
    }

    /// Whether a value that only grows keeps it for ever once it has it.
    pub const fn is_kept_by_growth(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }
}

impl Operand {
    /// The number; times in milliseconds. `None`: a record that was not made.
    pub fn value(&self, interval_ms: u64, records: &Records) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "times are at most a few days")]
            Self::Time(time) => Some(time.ms(interval_ms) as f64),
            Self::Record { name, plus } => records.get(name).map(|value| value + plus),
        }
    }
}

impl FromStr for Comparison {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Comparison(text.into());
        let (operator, rest) = split_operator(text.trim());
        let operand = match rest.trim().strip_prefix('$') {
            Some(record) => recorded(record).ok_or_else(malformed)?,
            None => literal(rest.trim()).ok_or_else(malformed)?,
        };
        Ok(Self { operator, operand })
    }
}

fn split_operator(text: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 7] = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("=", Operator::Equal),
    ];
    OPERATORS
        .iter()
        .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest)))
        .unwrap_or((Operator::Equal, text))
}

/// Reads `before`, `before + 5`, `before - 2`.
fn recorded(text: &str) -> Option<Operand> {
    let end = text.find(['+', '-']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.trim();
    if !is_identifier(name) {
        return None;
    }
    let plus = match rest.chars().next() {
        None => 0.0,
        Some(sign) => {
            let value = decimal(rest[1..].trim())?;
            if sign == '-' { -value } else { value }
        }
    };
    Some(Operand::Record {
        name: name.into(),
        plus,
    })
}

fn literal(text: &str) -> Option<Operand> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let (number, unit) = split_unit(unsigned);
    // `1e6` splits behind its 1.
    let value = match decimal(unsigned) {
        Some(value) => return Some(Operand::Number(sign * value)),
        None => decimal(number)?,
    };
    match unit {
        "%" => Some(Operand::Number(sign * value / 100.0)),
        "ms" | "s" | "min" | "h" | "block" | "blocks" if sign > 0.0 => {
            unsigned.parse().ok().map(Operand::Time)
        }
        size => Some(Operand::Number(sign * value * unit_bytes(size)?)),
    }
}

/// Whether a text can name a record: `a-z`, `0-9`, `_`, a letter first.
pub fn is_identifier(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(time) => time.fmt(f),
            Self::Record { name, plus } if *plus > 0.0 => write!(f, "${name} + {plus}"),
            Self::Record { name, plus } if *plus < 0.0 => write!(f, "${name} - {}", -plus),
            Self::Record { name, .. } => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.operand)
    }
}
