//! Cuts, loses and probes the packets of the network namespace it runs in.
//!
//! Started by devnet inside a node's container; the words are in the library.

mod conversation;
mod message;
mod neighbours;
mod netlink;
mod probe;
mod table;

use std::io::{self, Write as _};
use std::process::ExitCode;

const HELP: &str = "\
Filters and probes the packets of the network namespace it runs in.

devnet starts this inside a node's container. It reads one command a line from
standard input, answers each with one line, and ends with its input; the rules
stay in force. It needs the capability NET_ADMIN.

  {\"apply\":{\"drops\":{\"10.0.0.2\":1.0,\"10.0.0.3\":0.3},\"counted\":[\"10.0.0.2\"]}}
  {\"probe\":{\"targets\":[\"10.0.0.2:9000\"],\"timeout_ms\":300}}
  {\"read\":{}}
  {\"meet\":{\"own\":\"10.0.0.2\",\"others\":[\"10.0.0.3\",\"10.0.0.4\"]}}

Usage: devnet-netfault [--help | --version | --sbom]
";

/// The crates that a release build for Linux links (CycloneDX JSON).
const SBOM: &str = include_str!("../sbom.cdx.json");

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let outcome = match argument.as_deref() {
        None => conversation::hold(io::stdin(), io::stdout().lock()),
        Some("-h" | "--help") => say(HELP),
        Some("-V" | "--version") => {
            say(concat!("devnet-netfault ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Some("--sbom") => say(SBOM),
        Some(other) => {
            complain(&format!("unknown argument `{other}`; see --help"));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

fn complain(text: &str) {
    // Nobody is left to tell that nobody listens.
    let _ = writeln!(io::stderr(), "devnet-netfault: {text}");
}
