//! Parameters: their values, and putting them in where `${name}` stands.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{PARAMETER_BYTES_MAX, SUBSTITUTED_BYTES_MAX};
use super::nearest::hint;
use super::problem::Problem;
use super::reader::Reader;
use super::tree::{Key, Tree, Value};
use crate::model::Parameter;
use crate::model::is_identifier;

/// Parameters of a file, with what the arguments set.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    values: BTreeMap<String, Value>,
    used: BTreeSet<String>,
    bytes_left: usize,
}

impl Parameters {
    /// Reads `parameters:` and applies `--set`.
    pub fn read(tree: Option<&Tree>, sets: &[(String, String)], reader: &mut Reader) -> Self {
        let mut values = BTreeMap::new();
        for (key, value) in entries(tree, reader) {
            if let Some(value) = default(key, value, reader) {
                values.insert(key.text.clone(), value);
            }
        }
        for (name, text) in sets {
            if let Err(what) = set(&mut values, name, text) {
                reader.problems.push(Problem::of_argument(what));
            }
        }
        Self {
            values,
            used: BTreeSet::new(),
            bytes_left: SUBSTITUTED_BYTES_MAX,
        }
    }

    /// Puts values in below `tree`.
    pub fn put_in(&mut self, tree: &mut Tree, reader: &mut Reader) {
        match &mut tree.value {
            Value::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, value)| self.put_in(value, reader)),
            Value::List(items) => items.iter_mut().for_each(|item| self.put_in(item, reader)),
            Value::Text(text) if text.contains("${") => match self.filled(text) {
                Ok(value) => tree.value = value,
                Err(what) => {
                    reader.refuse::<()>(tree.place, what);
                }
            },
            _ => {}
        }
    }

    /// The values of this run.
    pub fn values(&self) -> BTreeMap<String, Parameter> {
        let told = |(name, value): (&String, &Value)| (name.clone(), parameter(value));
        self.values.iter().map(told).collect()
    }

    /// Parameters that nothing uses.
    pub fn unused(&self) -> impl Iterator<Item = &String> {
        self.values.keys().filter(|name| !self.used.contains(*name))
    }

    /// A text with parameters put in; a text that is one parameter takes over
    /// its type.
    fn filled(&mut self, text: &str) -> Result<Value, String> {
        if let Some(name) = sole_name(text) {
            return self.value(name).cloned();
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let (name, after) = after
                .split_once('}')
                .ok_or("`${` is not closed; write ${name}")?;
            filled.push_str(&parameter(self.value(name)?).to_string());
            rest = after;
        }
        filled.push_str(rest);
        let left = self.bytes_left.checked_sub(filled.len());
        self.bytes_left = left.ok_or("the parameters make this file too large")?;
        Ok(Value::Text(filled))
    }

    fn value(&mut self, name: &str) -> Result<&Value, String> {
        let Some(value) = self.values.get(name) else {
            let known: Vec<&str> = self.values.keys().map(String::as_str).collect();
            return Err(format!(
                "there is no parameter `{name}`; {}",
                hint(name, &known)
            ));
        };
        self.used.insert(name.into());
        Ok(value)
    }
}

/// The name, where the text is `${name}` and no more.
fn sole_name(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    (!name.contains('}')).then_some(name)
}

fn entries<'t>(tree: Option<&'t Tree>, reader: &mut Reader) -> &'t [(Key, Tree)] {
    match tree.map(|tree| (&tree.value, tree)) {
        None | Some((Value::Null, _)) => &[],
        Some((Value::Map(entries), _)) => entries,
        Some((_, tree)) => {
            let what = format!("a mapping of names is needed here, not {}", tree.kind());
            reader.refuse::<()>(tree.place, what);
            &[]
        }
    }
}

fn default(key: &Key, tree: &Tree, reader: &mut Reader) -> Option<Value> {
    if !is_identifier(&key.text) {
        let what = format!(
            "`{}` cannot name a parameter; use 1 to 40 of a-z, 0-9 and _, a letter first",
            key.text
        );
        return reader.refuse(key.place, what);
    }
    match &tree.value {
        Value::Text(text) if text.len() > PARAMETER_BYTES_MAX => {
            let what = format!("a parameter may have {PARAMETER_BYTES_MAX} bytes at most");
            reader.refuse(tree.place, what)
        }
        Value::Text(text) if text.contains("${") => {
            reader.refuse(tree.place, "a parameter's default cannot use another one")
        }
        Value::Null | Value::List(_) | Value::Map(_) => {
            let what = format!(
                "a parameter needs a default: a text, a number, true or false, not {}",
                tree.kind()
            );
            reader.refuse(tree.place, what)
        }
        value => Some(value.clone()),
    }
}

/// Gives a parameter the value that an argument states, of the default's type.
fn set(values: &mut BTreeMap<String, Value>, name: &str, text: &str) -> Result<(), String> {
    let known: Vec<String> = values.keys().cloned().collect();
    let Some(value) = values.get_mut(name) else {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(format!(
            "--set {name}: the scenario has no such parameter; {}",
            hint(name, &known)
        ));
    };
    let refuse = |kind: &str| format!("--set {name}={text}: {kind} is needed, as in the file");
    *value = match value {
        Value::Bool(_) => Value::Bool(text.parse().map_err(|_| refuse("true or false"))?),
        Value::Int(_) | Value::Float(_) => number(text).ok_or_else(|| refuse("a number"))?,
        _ if text.len() > PARAMETER_BYTES_MAX || text.contains("${") => {
            return Err(refuse("a short text without ${"));
        }
        _ => Value::Text(text.into()),
    };
    Ok(())
}

fn number(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse() {
        return Some(Value::Int(number));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Float(number))
}

#[expect(clippy::cast_precision_loss, reason = "told to people only")]
fn parameter(value: &Value) -> Parameter {
    match value {
        Value::Bool(on) => Parameter::Switch(*on),
        Value::Int(number) => Parameter::Number(*number as f64),
        Value::Float(number) => Parameter::Number(*number),
        Value::Text(text) => Parameter::Text(text.clone()),
        // Defaults are never any of these.
        Value::Null | Value::List(_) | Value::Map(_) => Parameter::Text(String::new()),
    }
}
