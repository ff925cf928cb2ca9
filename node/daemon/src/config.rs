//! A node's configuration: loaded, merged with the command line, checked.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use minichain_api::config::{CONFIG_ENV, NodeConfig};
use minichain_api::port;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::RunArgs;
use crate::exit::Failure;

mod bootstrap;

/// Bytes a configuration or genesis file may have.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Slower than this a miner would sleep for weeks between two hashes.
const HASH_RATE_MIN: f64 = 0.001;
/// Far above what a processor can do; a number beyond it is a slip.
const HASH_RATE_MAX: f64 = 1e15;
const MEMPOOL_BYTES_MIN: u64 = 100_000;
const STORE_CACHE_BYTES_MIN: u64 = 1 << 20;

/// The configuration a node runs with: flags over `--config` (else the
/// environment) over defaults. Checked.
pub fn resolve(args: &RunArgs, environment: Option<OsString>) -> Result<NodeConfig, Failure> {
    let base = match (&args.config, environment) {
        (Some(file), _) => Some(load_file(file)?),
        (None, Some(text)) => Some(load_environment(text)?),
        (None, None) => None,
    };
    let is_from_document = base.is_some();
    let mut config = base.unwrap_or_default();
    apply_port(&mut config, args, is_from_document)?;
    apply(&mut config, args);
    check(&config)?;
    Ok(config)
}

/// Reads a YAML configuration. Paths in it are relative to the working folder.
pub fn load_file(file: &Path) -> Result<NodeConfig, Failure> {
    parse(
        &read_text(file, "configuration")?,
        &file.display().to_string(),
    )
}

/// Reads a whole text file of bounded size; `kind` names it in errors.
pub fn read_text(file: &Path, kind: &str) -> Result<String, Failure> {
    let shown = file.display();
    let fail = |why: String| Failure::bad_input(format!("cannot read the {kind} {shown}: {why}"));
    let size = std::fs::metadata(file)
        .map_err(|error| fail(error.to_string()))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(fail(format!(
            "it has {size} bytes, at most {FILE_BYTES_MAX} are allowed"
        )));
    }
    std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))
}

/// Reads YAML strictly: unknown keys, repeated keys and YAML 1.1 booleans are
/// refused with line and column. `source` names the document in errors.
pub fn parse_yaml<T: serde::de::DeserializeOwned>(text: &str, source: &str) -> Result<T, Failure> {
    let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let why = plain(error.to_string());
        Failure::bad_input(match error.location() {
            // The place goes to the front, where editors and people look for it.
            Some(place) => {
                let place = format!("line {}, column {}", place.line(), place.column());
                let why = why.strip_suffix(&format!(" at {place}")).unwrap_or(&why);
                format!("{source}, {place}: {why}")
            }
            None => format!("{source}: {why}"),
        })
    })
}

/// Says what the parser's type names mean.
fn plain(why: String) -> String {
    for (jargon, meaning) in [
        ("invalid u16", "must be a whole number from 0 to 65535"),
        ("invalid u32", "must be a whole number from 0 to 4294967295"),
        ("invalid u64", "must be a whole number"),
        ("invalid floating point", "must be a number"),
        (
            "invalid boolean (strict mode expects true/false)",
            "must be true or false",
        ),
        (", set DuplicateKeyPolicy in Options if acceptable", ""),
    ] {
        if why.contains(jargon) {
            return why.replacen(jargon, meaning, 1);
        }
    }
    why
}

/// Checks what the types cannot say. Errors name the field.
pub fn check(config: &NodeConfig) -> Result<(), Failure> {
    check_name(&config.name)?;
    if config.data_dir.as_os_str().is_empty() {
        return bad("data_dir", "is empty; name a folder");
    }
    if config.genesis.is_some() && config.genesis_file.is_some() {
        return bad("genesis", "excludes `genesis_file`; keep one of the two");
    }
    check_p2p(config)?;
    check_mining(config)?;
    check_rpc(config)?;
    check_ports(config)?;
    check_log_filter(&config.log.filter)?;
    at_least(
        "limits.mempool_bytes",
        config.limits.mempool_bytes,
        MEMPOOL_BYTES_MIN,
    )?;
    at_least(
        "limits.store_cache_bytes",
        config.limits.store_cache_bytes,
        STORE_CACHE_BYTES_MIN,
    )
}

fn load_environment(text: OsString) -> Result<NodeConfig, Failure> {
    match text.into_string() {
        Ok(text) => parse(&text, CONFIG_ENV),
        Err(_) => Err(Failure::bad_input(format!(
            "{CONFIG_ENV} is not UTF-8 text"
        ))),
    }
}

fn parse(text: &str, source: &str) -> Result<NodeConfig, Failure> {
    // A document of comments only is YAML's null, and a valid configuration.
    parse_yaml::<Option<NodeConfig>>(text, source).map(Option::unwrap_or_default)
}

/// A port chosen by flag alone moves the other ports and the data folder along,
/// so that several nodes share a machine; a document's explicit values stay.
fn apply_port(
    config: &mut NodeConfig,
    args: &RunArgs,
    is_from_document: bool,
) -> Result<(), Failure> {
    let Some(p2p) = args.port else { return Ok(()) };
    config.p2p.port = p2p;
    if is_from_document {
        return Ok(());
    }
    config.data_dir = PathBuf::from(format!("minichain-data-{p2p}"));
    let derive = |flag: Option<u16>, name: &str, offset: u16| match flag {
        Some(port) => Ok(port),
        None if p2p == 0 => Ok(0),
        None => p2p.checked_add(offset).ok_or_else(|| {
            Failure::bad_input(format!(
                "--port {p2p} leaves no room for the usual {name} port {p2p} + {offset}; \
                 add --{name}-port PORT"
            ))
        }),
    };
    config.rpc.port = derive(args.rpc_port, "rpc", port::RPC_OFFSET)?;
    config.metrics.port = derive(args.metrics_port, "metrics", port::METRICS_OFFSET)?;
    Ok(())
}

fn apply(config: &mut NodeConfig, args: &RunArgs) {
    fn set<T: Clone>(field: &mut T, flag: Option<&T>) {
        if let Some(value) = flag {
            field.clone_from(value);
        }
    }
    fn set_option<T: Clone>(field: &mut Option<T>, flag: Option<&T>) {
        if flag.is_some() {
            *field = flag.cloned();
        }
    }
    set(&mut config.data_dir, args.data_dir.as_ref());
    set(&mut config.name, args.name.as_ref());
    if args.genesis.is_some() {
        config.genesis_file.clone_from(&args.genesis);
        config.genesis = None;
    }
    set(&mut config.p2p.listen, args.listen.as_ref());
    if !args.bootstrap.is_empty() {
        config.p2p.bootstrap.clone_from(&args.bootstrap);
    }
    config.p2p.discovery &= !args.no_discovery;
    config.mining.enabled |= args.mine;
    set(&mut config.mining.hash_rate, args.hash_rate.as_ref());
    if args.mining_address.is_some() {
        config.mining.address.clone_from(&args.mining_address);
        config.mining.account = None;
    }
    set(&mut config.rpc.listen, args.rpc_listen.as_ref());
    set(&mut config.rpc.port, args.rpc_port.as_ref());
    set_option(&mut config.rpc.user, args.rpc_user.as_ref());
    set_option(&mut config.rpc.password, args.rpc_password.as_ref());
    set(&mut config.metrics.port, args.metrics_port.as_ref());
    set(
        &mut config.log.format,
        args.log_format.map(Into::into).as_ref(),
    );
    set(&mut config.log.filter, args.log_filter.as_ref());
}

fn bad<T>(field: &str, why: &str) -> Result<T, Failure> {
    Err(Failure::bad_input(format!("configuration: {field}: {why}")))
}

fn at_least(field: &str, value: u64, min: u64) -> Result<(), Failure> {
    if value < min {
        return bad(field, &format!("{value} is too small; at least {min}"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_fine = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_fine {
        return bad(
            "name",
            &format!("{name:?}; use 1 to 64 letters, digits, `-` and `_`"),
        );
    }
    Ok(())
}

fn check_p2p(config: &NodeConfig) -> Result<(), Failure> {
    let p2p = &config.p2p;
    if p2p
        .advertise
        .is_some_and(|address| address.is_unspecified())
    {
        return bad(
            "p2p.advertise",
            "0.0.0.0 cannot be dialled; give a concrete address",
        );
    }
    for (index, address) in p2p.bootstrap.iter().enumerate() {
        if let Err(why) = bootstrap::check(address) {
            return bad(
                &format!("p2p.bootstrap[{index}]"),
                &format!("{address:?}: {why}"),
            );
        }
    }
    if let Some(seed) = &p2p.identity_seed
        && !is_hex_32(seed)
    {
        return bad(
            "p2p.identity_seed",
            "must have exactly 64 hexadecimal digits",
        );
    }
    if p2p.max_peers == 0 {
        return bad("p2p.max_peers", "0 would refuse every peer; at least 1");
    }
    if p2p.target_peers > p2p.max_peers {
        let (target, max) = (p2p.target_peers, p2p.max_peers);
        return bad(
            "p2p.target_peers",
            &format!("{target} is more than max_peers ({max})"),
        );
    }
    Ok(())
}

/// Whether a text has exactly 64 hexadecimal digits.
pub fn is_hex_32(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check_mining(config: &NodeConfig) -> Result<(), Failure> {
    let mining = &config.mining;
    if !(HASH_RATE_MIN..=HASH_RATE_MAX).contains(&mining.hash_rate) {
        let why = format!(
            "{}; hashes a second, from {HASH_RATE_MIN} to {HASH_RATE_MAX:e}",
            mining.hash_rate
        );
        return bad("mining.hash_rate", &why);
    }
    if mining.address.is_some() && mining.account.is_some() {
        return bad(
            "mining.account",
            "excludes `mining.address`; keep one of the two",
        );
    }
    Ok(())
}

fn check_rpc(config: &NodeConfig) -> Result<(), Failure> {
    let rpc = &config.rpc;
    match (&rpc.user, &rpc.password) {
        (Some(_), None) => bad("rpc.password", "is missing; `rpc.user` needs one"),
        (None, Some(_)) => bad("rpc.user", "is missing; `rpc.password` needs one"),
        (Some(user), Some(_)) if user.is_empty() || user.contains(':') => {
            bad("rpc.user", "must not be empty nor contain `:`")
        }
        (Some(_), Some(password)) if password.is_empty() => bad(
            "rpc.password",
            "is empty; unset both for a random one in a cookie file",
        ),
        _ => Ok(()),
    }
}

fn check_log_filter(filter: &str) -> Result<(), Failure> {
    if let Err(error) = EnvFilter::builder().parse(filter) {
        return bad("log.filter", &format!("`{filter}`: {error}"));
    }
    // A misspelt level would count as the name of a module and silence all others.
    let is_module = |part: &str| part.contains(['=', '[', '_', ':']);
    let slip = filter
        .split(',')
        .map(str::trim)
        .find(|part| !part.is_empty() && !is_module(part) && part.parse::<LevelFilter>().is_err());
    match slip {
        Some(slip) => bad(
            "log.filter",
            &format!("`{slip}` is no level; error, warn, info, debug or trace"),
        ),
        None => Ok(()),
    }
}

fn check_ports(config: &NodeConfig) -> Result<(), Failure> {
    let mut listeners = vec![(
        "p2p.port",
        SocketAddr::new(config.p2p.listen, config.p2p.port),
    )];
    if config.rpc.enabled {
        listeners.push((
            "rpc.port",
            SocketAddr::new(config.rpc.listen, config.rpc.port),
        ));
    }
    if config.metrics.enabled {
        let metrics = &config.metrics;
        listeners.push((
            "metrics.port",
            SocketAddr::new(metrics.listen, metrics.port),
        ));
    }
    let overlap = |a: IpAddr, b: IpAddr| a == b || a.is_unspecified() || b.is_unspecified();
    for (index, (field, one)) in listeners.iter().enumerate() {
        for (other_field, other) in &listeners[..index] {
            if one.port() != 0 && one.port() == other.port() && overlap(one.ip(), other.ip()) {
                return bad(
                    field,
                    &format!("{} is also `{other_field}`; choose another", one.port()),
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
