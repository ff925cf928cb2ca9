//! `minichain rpc`: calls a method of a node and prints the answer, as
//! bitcoin-cli does.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use minichain_api::rpc::RpcError;
use serde_json::{Map, Value};

use crate::client::{CallError, Client};
use crate::exit::Failure;
use crate::reach::ReachArgs;
use crate::rpc::{is_text_name, is_text_parameter, may_be_number};

/// How often a node that starts is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// What a process can end with when the node was not reached, as bitcoin-cli.
const UNREACHABLE: u8 = 1;
/// Bytes of one line of standard input at most; nodes take no larger call.
const INPUT_BYTES_MAX: u64 = 4 << 20;

const AFTER_HELP: &str = "\
Examples:
  minichain rpc --port 8999 getblockchaininfo
  minichain rpc --data-dir minichain-data-8999 getblockhash 0
  minichain rpc --port 8999 getblock \"$(minichain rpc --port 8999 getbestblockhash)\" 2
  minichain rpc --port 8999 --named getblockstats hash_or_height=0
  minichain rpc --port 8999 help

An argument that is JSON (a number, true, null, a list, an object) is sent as
that, anything else and every hash, address and hexadecimal text as text. Texts
are printed bare, everything else as indented JSON, null as nothing.

Exit codes, as those of bitcoin-cli: 0 answered; the error's code without its
sign, modulo 256, when the node refuses; 1 when it is not reached; 2 for bad
arguments.";

/// Call a method of a node and print its answer as JSON.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct RpcArgs {
    #[command(flatten)]
    reach: ReachArgs,
    /// Arguments are given as name=value.
    #[arg(long)]
    named: bool,
    /// Read further arguments from standard input, one a line; keeps secrets
    /// off the command line.
    #[arg(long)]
    stdin: bool,
    /// Wait until the node answers, as long as --timeout says.
    #[arg(long)]
    wait: bool,
    /// The method; `help` lists all.
    method: String,
    /// Its arguments.
    #[arg(allow_negative_numbers = true, trailing_var_arg = true)]
    arguments: Vec<String>,
}

/// Calls and prints. The code to end with.
pub fn run(args: &RpcArgs) -> Result<ExitCode, Failure> {
    let mut words = args.arguments.clone();
    if args.stdin {
        words.extend(lines()?);
    }
    let params = if args.named {
        named(&args.method, &words)?
    } else {
        positional(&args.method, &words)
    };
    match call(args, &params)? {
        Ok(answer) => {
            super::print(&shown(&answer))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(CallError::Refused(error)) => Ok(refused(&error)),
        Err(CallError::Unreachable(why)) => {
            complain(&why);
            Ok(ExitCode::from(UNREACHABLE))
        }
    }
}

/// Outside: arguments that no waiting mends.
fn call(args: &RpcArgs, params: &Value) -> Result<Result<Value, CallError>, Failure> {
    let deadline = Instant::now() + Duration::from_secs(args.reach.timeout);
    loop {
        let client: Result<Client, CallError> = match args.reach.client() {
            Ok(client) => Ok(client),
            Err(failure @ Failure::BadInput(_)) => return Err(failure),
            // The node writes its files when it starts.
            Err(failure) => Err(CallError::Unreachable(failure.to_string())),
        };
        let answer = client.and_then(|client| client.call(&args.method, params));
        match answer {
            Err(CallError::Unreachable(_)) if args.wait && Instant::now() < deadline => {
                std::thread::sleep(RETRY_PAUSE);
            }
            answer => return Ok(answer),
        }
    }
}

fn lines() -> Result<Vec<String>, Failure> {
    let input = std::io::Read::take(std::io::stdin().lock(), INPUT_BYTES_MAX);
    let lines: Result<Vec<_>, _> = std::io::BufReader::new(input).lines().collect();
    lines.map_err(|why| Failure::bad_input(format!("cannot read standard input: {why}")))
}

fn positional(method: &str, words: &[String]) -> Value {
    let value = |(index, word): (usize, &String)| value(is_text_parameter(method, index), word);
    words.iter().enumerate().map(value).collect()
}

fn named(method: &str, words: &[String]) -> Result<Value, Failure> {
    let mut named = Map::new();
    for word in words {
        let Some((name, text)) = word.split_once('=') else {
            return Err(Failure::bad_input(format!(
                "with --named every argument is name=value, and {word:?} is not; see \
                 `minichain rpc help {method}` for the names"
            )));
        };
        let is_text = is_text_name(name);
        named.insert(name.to_owned(), value(is_text, text));
    }
    Ok(Value::Object(named))
}

/// JSON where it is, unless the method takes text there.
fn value(is_text: bool, word: &str) -> Value {
    let parsed = serde_json::from_str(word).ok().filter(|value| {
        let is_hash = matches!(value, Value::Number(_)) && !may_be_number(word);
        !is_text && !is_hash && !value.is_string()
    });
    // Quotes were meant for the text.
    parsed.unwrap_or_else(|| Value::String(word.to_owned()))
}

fn shown(answer: &Value) -> String {
    match answer {
        Value::Null => String::new(),
        Value::String(text) => format!("{text}\n"),
        other => format!("{other:#}\n"),
    }
}

fn refused(error: &RpcError) -> ExitCode {
    complain(&format!(
        "error code: {}\nerror message:\n{}",
        error.code, error.message
    ));
    // The system keeps one byte of it; a refusal must never look like success.
    let byte = u8::try_from(error.code.unsigned_abs() % 256).unwrap_or(UNREACHABLE);
    ExitCode::from(byte.max(1))
}

fn complain(text: &str) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(method: &str, words: &[&str]) -> Value {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        positional(method, &words)
    }

    #[test]
    fn arguments_are_json_where_the_method_takes_no_text() {
        assert_eq!(sent("getblockhash", &["5"]), json!([5]));
        let digits = "1".repeat(64);
        assert_eq!(sent("getblock", &[&digits, "2"]), json!([digits, 2]));
        assert_eq!(
            sent("getblockheader", &["aa", "false"]),
            json!(["aa", false])
        );
        assert_eq!(
            sent("getblockstats", &["7", "[\"txs\"]"]),
            json!([7, ["txs"]])
        );
        assert_eq!(sent("getblockstats", &[&digits]), json!([digits]));
        assert_eq!(sent("gettxoutsetinfo", &["none", "3"]), json!(["none", 3]));
        assert_eq!(sent("help", &["null"]), json!(["null"]));
        assert_eq!(sent("unknown", &["1", "x", "{}"]), json!([1, "x", {}]));
    }

    #[test]
    fn named_arguments_need_their_names() {
        let words = vec!["blockhash=12".to_owned(), "verbosity=2".to_owned()];
        let expected = json!({"blockhash": "12", "verbosity": 2});
        assert_eq!(named("getblock", &words).unwrap(), expected);
        let why = named("getblock", &["12".to_owned()]).unwrap_err();
        assert!(why.to_string().contains("name=value"), "{why}");
    }

    #[test]
    fn answers_look_as_those_of_bitcoin_cli() {
        assert_eq!(shown(&Value::Null), "");
        assert_eq!(shown(&json!("abc")), "abc\n");
        assert_eq!(shown(&json!(5)), "5\n");
        assert_eq!(shown(&json!({"a": 1})), "{\n  \"a\": 1\n}\n");
    }
}
