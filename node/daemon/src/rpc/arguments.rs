//! Parameters of a call, by position or by name, read with clear errors. Pure.

use std::fmt::Display;
use std::str::FromStr;

use minichain_api::rpc::{RpcError, code};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error;
use super::spec::Spec;

/// A call's parameters in the order of its [`Spec`]; null counts as not given.
#[derive(Debug)]
pub struct Arguments {
    spec: &'static Spec,
    values: Vec<Option<Value>>,
}

impl Arguments {
    /// Matches what was given against what the method takes.
    pub fn new(spec: &'static Spec, given: Value) -> Result<Self, RpcError> {
        let mut values = match given {
            Value::Array(values) => by_position(spec, values)?,
            Value::Object(named) => by_name(spec, named)?,
            _ => Vec::new(),
        };
        values.resize(spec.params.len(), None);
        match values[..spec.required].iter().position(Option::is_none) {
            Some(index) => {
                let why = format!("{} is missing; usage: {}", spec.params[index], spec.usage());
                Err(error(code::MISC, why))
            }
            None => Ok(Self { spec, values }),
        }
    }

    /// A text parsed into `T`, for example a hash.
    pub fn parsed<T: FromStr<Err: Display>>(&self, index: usize) -> Result<T, RpcError> {
        let text = self.text(index)?.unwrap_or_default();
        text.parse().map_err(|why| {
            let name = self.name(index);
            error(code::INVALID_PARAMETER, format!("{name} {text:?}: {why}"))
        })
    }

    /// A text.
    pub fn text(&self, index: usize) -> Result<Option<&str>, RpcError> {
        match self.value(index) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(index, "string", other)),
        }
    }

    /// A whole number that fits 32 bits.
    pub fn u32(&self, index: usize) -> Result<Option<u32>, RpcError> {
        match self.value(index) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let fits = number
                    .as_u64()
                    .and_then(|number| u32::try_from(number).ok());
                fits.map(Some).ok_or_else(|| {
                    let why = format!("{} {number} is out of range", self.name(index));
                    error(code::INVALID_PARAMETER, why)
                })
            }
            Some(other) => Err(self.wrong_type(index, "number", other)),
        }
    }

    /// Yes or no.
    pub fn bool(&self, index: usize) -> Result<Option<bool>, RpcError> {
        match self.value(index) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong_type(index, "bool", other)),
        }
    }

    /// A value of a shape of its own, for example an object.
    pub fn decoded<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        // A required value is there.
        let value = self.value(index).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|why| {
            let name = self.name(index);
            error(code::INVALID_PARAMETER, format!("{name}: {why}"))
        })
    }

    /// The same where it may be left out.
    pub fn decoded_or_none<T: DeserializeOwned>(
        &self,
        index: usize,
    ) -> Result<Option<T>, RpcError> {
        match self.value(index) {
            None => Ok(None),
            Some(_) => self.decoded(index).map(Some),
        }
    }

    /// A level as a number, or as Bitcoin Core's older yes (1) or no (0).
    pub fn level(&self, index: usize, default: u32) -> Result<u32, RpcError> {
        match self.value(index) {
            Some(Value::Bool(flag)) => Ok(u32::from(*flag)),
            _ => Ok(self.u32(index)?.unwrap_or(default)),
        }
    }

    fn value(&self, index: usize) -> Option<&Value> {
        self.values.get(index).and_then(Option::as_ref)
    }

    fn name(&self, index: usize) -> &'static str {
        self.spec.params.get(index).copied().unwrap_or("parameter")
    }

    fn wrong_type(&self, index: usize, wanted: &str, got: &Value) -> RpcError {
        let got = match got {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let name = self.name(index);
        error(
            code::TYPE,
            format!("{name} must be of type {wanted}, not {got}"),
        )
    }
}

fn by_position(spec: &Spec, values: Vec<Value>) -> Result<Vec<Option<Value>>, RpcError> {
    if values.len() > spec.params.len() {
        let (given, most) = (values.len(), spec.params.len());
        let why = format!(
            "{given} parameters given, at most {most} taken; usage: {}",
            spec.usage()
        );
        return Err(error(code::MISC, why));
    }
    Ok(values
        .into_iter()
        .map(|value| (!value.is_null()).then_some(value))
        .collect())
}

fn by_name(
    spec: &Spec,
    mut named: serde_json::Map<String, Value>,
) -> Result<Vec<Option<Value>>, RpcError> {
    let values = spec
        .params
        .iter()
        .map(|name| named.remove(*name).filter(|value| !value.is_null()))
        .collect();
    match named.keys().next() {
        Some(unknown) => {
            let why = format!("unknown parameter {unknown:?}; usage: {}", spec.usage());
            Err(error(code::INVALID_PARAMETER, why))
        }
        None => Ok(values),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::spec::find_any;
    use super::*;

    fn arguments(method: &str, given: Value) -> Result<Arguments, RpcError> {
        Arguments::new(find_any(method).unwrap(), given)
    }

    #[test]
    fn position_and_name_mean_the_same() {
        let hash = "00".repeat(32);
        for given in [json!([hash, 2]), json!({"verbosity": 2, "blockhash": hash})] {
            let arguments = arguments("getblock", given).unwrap();
            assert_eq!(arguments.text(0).unwrap(), Some(hash.as_str()));
            assert_eq!(arguments.level(1, 1).unwrap(), 2);
        }
    }

    #[test]
    fn null_and_absent_mean_the_default() {
        for given in [
            json!(["aa"]),
            json!(["aa", null]),
            json!({"blockhash": "aa"}),
        ] {
            assert_eq!(
                arguments("getblock", given).unwrap().level(1, 1).unwrap(),
                1
            );
        }
        assert!(arguments("uptime", Value::Null).is_ok());
    }

    #[test]
    fn old_flags_are_levels() {
        let level = |flag: bool| {
            arguments("getblock", json!(["aa", flag]))
                .unwrap()
                .level(1, 1)
        };
        assert_eq!((level(false).unwrap(), level(true).unwrap()), (0, 1));
    }

    #[test]
    fn mistakes_have_their_codes() {
        let code_of = |result: Result<Arguments, RpcError>| result.unwrap_err().code;
        assert_eq!(code_of(arguments("getblock", json!([]))), code::MISC);
        assert_eq!(
            code_of(arguments("getblock", json!({"verbosity": 1}))),
            code::MISC
        );
        assert_eq!(code_of(arguments("uptime", json!([1]))), code::MISC);
        assert_eq!(
            code_of(arguments("uptime", json!({"a": 1}))),
            code::INVALID_PARAMETER
        );
        let height = |value| arguments("getblockhash", json!([value])).unwrap().u32(0);
        assert_eq!(height(json!("5")).unwrap_err().code, code::TYPE);
        for out_of_range in [json!(-1), json!(1.5), json!(4_294_967_296_u64)] {
            assert_eq!(
                height(out_of_range).unwrap_err().code,
                code::INVALID_PARAMETER
            );
        }
        let verbose = arguments("getblockheader", json!(["aa", 1]))
            .unwrap()
            .bool(1);
        assert_eq!(verbose.unwrap_err().code, code::TYPE);
        let number = arguments("getblockheader", json!([5])).unwrap();
        assert_eq!(number.parsed::<u32>(0).unwrap_err().code, code::TYPE);
        let word = arguments("getblockheader", json!(["x"])).unwrap();
        assert_eq!(
            word.parsed::<u32>(0).unwrap_err().code,
            code::INVALID_PARAMETER
        );
    }
}
