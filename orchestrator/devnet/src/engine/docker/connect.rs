//! Finds a Docker or Podman engine and agrees on an API version with it.

mod api;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::errors::Error as BollardError;
use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, Docker};
use sha2::{Digest, Sha256};

use super::call;
use crate::engine::{EngineError, ErrorKind};

/// A living engine answers at once; a hanging one shall not hold us up.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Bound that the library sets on the head of every answer; ours, which also
/// cover the body, are tighter for all but sending an image.
const REQUEST_MAX_S: u64 = 300;

const CONNECTING: &str = "connecting to Docker";

/// A connection, and who is at its other end.
pub struct Connection {
    /// The client; speaks the agreed version.
    pub docker: Docker,
    /// That version, such as `1.41`.
    pub api: String,
    /// Who answered.
    pub version: SystemVersion,
    /// Where, such as `unix:///var/run/docker.sock`.
    pub address: String,
}

/// Connects to the engine that `variable` (an environment) points to, else to
/// the first that answers in the usual places.
pub async fn connect(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Connection, EngineError> {
    let places = places(&variable)?;
    let demanded = text(&variable, "DOCKER_API_VERSION");
    let mut failures = Vec::new();
    for place in &places {
        match connect_to(place, demanded.as_deref()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => failures.push(error),
        }
    }
    Err(most_telling(failures, &places))
}

/// A variable of the environment; an empty one is none.
fn text(variable: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<String> {
    variable(name)
        .and_then(|value| value.into_string().ok())
        .filter(|value| !value.is_empty())
}

/// Where to look: one place if the environment names it, else all usual ones.
fn places(variable: &impl Fn(&str) -> Option<OsString>) -> Result<Vec<String>, EngineError> {
    let text = |name: &str| text(variable, name);
    if let Some(host) = text("DOCKER_HOST") {
        if text("DOCKER_TLS_VERIFY").is_some() && host.starts_with("tcp://") {
            return Err(EngineError::new(
                ErrorKind::Unsupported,
                CONNECTING,
                format!("DOCKER_HOST={host} asks for TLS, which devnet does not speak"),
            )
            .remedy(FORWARD));
        }
        return Ok(vec![host]);
    }
    let home = text("HOME").map(PathBuf::from);
    let settings = text("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(home.as_ref()?.join(".docker")));
    if let Some(settings) = &settings
        && let Some(host) = context_host(settings, text("DOCKER_CONTEXT"))?
    {
        return Ok(vec![host]);
    }
    let runtime = text("XDG_RUNTIME_DIR").map(PathBuf::from);
    let below = |base: &Option<PathBuf>, path: &str| Some(base.as_ref()?.join(path));
    let paths = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below(&runtime, "docker.sock"),
        below(&home, ".docker/run/docker.sock"),
        below(&home, ".docker/desktop/docker.sock"),
        below(&runtime, "podman/podman.sock"),
        Some(PathBuf::from("/run/podman/podman.sock")),
    ];
    Ok(paths
        .into_iter()
        .flatten()
        .map(|path| format!("unix://{}", path.display()))
        .collect())
}

/// The host of the chosen Docker context; `None` for the default one.
fn context_host(settings: &Path, chosen: Option<String>) -> Result<Option<String>, EngineError> {
    let read = |path: &Path| -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    };
    let current = || {
        let config = read(&settings.join("config.json"))?;
        Some(config.get("currentContext")?.as_str()?.to_owned())
    };
    let Some(name) = chosen
        .or_else(current)
        .filter(|name| !name.is_empty() && name != "default")
    else {
        return Ok(None);
    };
    let folder = super::hex(&Sha256::digest(name.as_bytes()));
    let path = settings
        .join("contexts/meta")
        .join(folder)
        .join("meta.json");
    let host = read(&path)
        .and_then(|meta| Some(meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned()));
    host.map(Some).ok_or_else(|| {
        EngineError::new(
            ErrorKind::Unreachable,
            CONNECTING,
            format!(
                "the Docker context `{name}` has no readable host in {}",
                path.display()
            ),
        )
        .remedy("Choose another with `docker context use default`, or set DOCKER_HOST.")
    })
}

const FORWARD: &str = "Forward its socket instead: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock \
    HOST &`, then DOCKER_HOST=unix:///tmp/docker.sock. Ports that nodes publish are on that host's \
    127.0.0.1.";

async fn connect_to(place: &str, demanded: Option<&str>) -> Result<Connection, EngineError> {
    let action = format!("{CONNECTING} at {place}");
    let docker = open(place, &action)?;
    let version = call_first(&action, docker.version()).await?;
    check_system(&action, &version)?;
    let api = api::agree(&action, demanded, &version)?;
    Ok(Connection {
        docker: api::speaking(docker, api),
        api: api::spell(api),
        version,
        address: place.to_owned(),
    })
}

fn open(place: &str, action: &str) -> Result<Docker, EngineError> {
    let opened = if let Some(path) = place.strip_prefix("unix://") {
        // Asked for here, because the library takes every failure for absence.
        std::fs::metadata(path).map_err(|error| absent(action, &error))?;
        Docker::connect_with_unix(path, REQUEST_MAX_S, API_DEFAULT_VERSION)
    } else if place.starts_with("tcp://") || place.starts_with("http://") {
        Docker::connect_with_http(place, REQUEST_MAX_S, API_DEFAULT_VERSION)
    } else {
        let scheme = place.split("://").next().unwrap_or(place);
        return Err(EngineError::new(
            ErrorKind::Unsupported,
            action,
            format!("`{scheme}` addresses are not supported; unix:// and tcp:// are"),
        )
        .remedy(FORWARD));
    };
    opened.map_err(|error| {
        EngineError::new(ErrorKind::Unreachable, action, call::root_cause(&error))
            .remedy("Check DOCKER_HOST, or unset it to use the local engine.")
    })
}

/// The first calls tell whether anybody is there at all, so their failures mean
/// something else than later ones.
async fn call_first<T>(
    action: &str,
    call: impl Future<Output = Result<T, BollardError>>,
) -> Result<T, EngineError> {
    match tokio::time::timeout(HANDSHAKE, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(match call::io_kind(&error) {
            Some(_) => absent(action, &io_of(&error)),
            None => not_an_engine(action, &error),
        }),
        Err(_) => Err(EngineError::timed_out(action, HANDSHAKE).remedy(
            "The engine hangs or the address is wrong: try `docker info`, and on Linux \
             `sudo systemctl restart docker`.",
        )),
    }
}

fn io_of(error: &BollardError) -> io::Error {
    let kind = call::io_kind(error).unwrap_or(io::ErrorKind::Other);
    io::Error::new(kind, call::root_cause(error))
}

fn not_an_engine(action: &str, error: &BollardError) -> EngineError {
    let translated = call::translate(action, error);
    let kind = match translated.kind {
        ErrorKind::Unsupported => ErrorKind::Unsupported,
        _ => ErrorKind::Unreachable,
    };
    EngineError { kind, ..translated }
}

/// Nobody there, or nobody for us.
fn absent(action: &str, error: &io::Error) -> EngineError {
    let failure = |kind, detail: String| EngineError::new(kind, action, detail);
    match error.kind() {
        io::ErrorKind::PermissionDenied => failure(
            ErrorKind::PermissionDenied,
            format!("this user may not use the socket ({error})"),
        )
        .remedy(
            "Join the group `docker` (`sudo usermod -aG docker $USER`, then log in again), run as \
             root, or use rootless Docker or Podman.",
        ),
        io::ErrorKind::NotFound => {
            failure(ErrorKind::Unreachable, "there is no such socket".into()).remedy(START)
        }
        io::ErrorKind::ConnectionRefused => failure(
            ErrorKind::Unreachable,
            "nobody listens there; the engine does not run".into(),
        )
        .remedy(START),
        _ => failure(ErrorKind::Unreachable, error.to_string()).remedy(
            "Check that the host in DOCKER_HOST exists and can be reached, or unset DOCKER_HOST \
             to use the local engine.",
        ),
    }
}

const START: &str = "Start it (`sudo systemctl start docker`, Docker Desktop, or for Podman \
    `systemctl --user start podman.socket`), set DOCKER_HOST, or use `--engine process`.";

fn check_system(action: &str, version: &SystemVersion) -> Result<(), EngineError> {
    match version.os.as_deref().filter(|os| *os != "linux") {
        None => Ok(()),
        Some(os) => Err(EngineError::new(
            ErrorKind::Unsupported,
            action,
            format!("the engine runs {os} containers, nodes need Linux ones"),
        )
        .remedy("Switch Docker Desktop to Linux containers.")),
    }
}

/// Of several failures the one whose cure is nearest: an engine that is there
/// but forbidden or unfit, before one that is absent.
fn most_telling(failures: Vec<EngineError>, places: &[String]) -> EngineError {
    let rank = |error: &EngineError| match error.kind {
        ErrorKind::PermissionDenied => 0,
        ErrorKind::Unsupported => 1,
        ErrorKind::TimedOut => 2,
        _ if !error.detail.contains("no such socket") => 3,
        _ => 4,
    };
    let several = failures.len() > 1;
    let best = failures.into_iter().min_by_key(rank);
    match best {
        Some(error) if several && rank(&error) == 4 => EngineError::new(
            ErrorKind::Unreachable,
            CONNECTING,
            format!("no engine found; looked at {}", places.join(", ")),
        )
        .remedy(START),
        Some(error) => error,
        None => EngineError::new(ErrorKind::Unreachable, CONNECTING, "nowhere to look"),
    }
}

#[cfg(test)]
mod tests;
