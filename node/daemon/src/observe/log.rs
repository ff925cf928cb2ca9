//! The logger: one line an event on standard error, for people or machines.
//!
//! Levels: `error` is a fault of this program or its machine, `warn` something
//! refused or abandoned, `info` what an operator wants to see of a healthy
//! node, `debug` and `trace` the steps in between.

use std::io::IsTerminal;

use minichain_api::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::text::UtcMillis;
use crate::exit::Failure;

/// Installs the logger for the whole process.
pub fn install(config: &LogConfig) -> Result<(), Failure> {
    let filter = EnvFilter::builder()
        .parse(directives(&config.filter))
        .map_err(|error| Failure::bad_input(format!("configuration: log.filter: {error}")))?;
    // A closed standard error must not end the node, hence no complaint there.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_timer(UtcMillis)
        .log_internal_errors(false);
    let registry = tracing_subscriber::registry().with(filter);
    let result = match config.format {
        LogFormat::Text => registry.with(layer.with_ansi(wants_colour())).try_init(),
        LogFormat::Json => registry
            .with(layer.with_ansi(false).json().flatten_event(true))
            .try_init(),
    };
    result.map_err(|error| Failure::world(format!("cannot install the logger: {error}")))
}

/// What the network library tells unless the filter names modules. Some of its
/// warnings any peer can have written as often as it likes.
const LIBRARY: &str = "libp2p=warn,libp2p_gossipsub=error,libp2p_request_response=error";

/// A bare level is meant for this program; the network library below it keeps to
/// warnings, unless the filter names modules.
fn directives(filter: &str) -> String {
    match filter.parse::<LevelFilter>() {
        Ok(level) if level >= LevelFilter::WARN => format!("{filter},{LIBRARY}"),
        _ => filter.to_owned(),
    }
}

fn wants_colour() -> bool {
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{LIBRARY, directives};

    #[test]
    fn bare_level_keeps_the_network_library_to_warnings() {
        for level in ["warn", "info", "debug"] {
            assert_eq!(directives(level), format!("{level},{LIBRARY}"));
        }
        assert_eq!(directives("error"), "error");
        assert_eq!(directives("info,libp2p=debug"), "info,libp2p=debug");
    }
}
