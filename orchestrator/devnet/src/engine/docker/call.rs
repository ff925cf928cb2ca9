//! One call to the engine's API: bounded in time, its failure put in words.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::time::Duration;

use bollard::errors::Error as BollardError;

use crate::engine::{EngineError, ErrorKind};

/// For questions, which an engine answers from memory.
pub const ASK: Duration = Duration::from_secs(15);

/// For changes, which may wait for disks, kernels and each other.
pub const CHANGE: Duration = Duration::from_secs(60);

/// For sending an image.
pub const SEND: Duration = Duration::from_secs(300);

/// Awaits `call` for at most `limit`; `action` says what is being done.
pub async fn bounded<T>(
    action: &str,
    limit: Duration,
    call: impl Future<Output = Result<T, BollardError>>,
) -> Result<T, EngineError> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(translate(action, &error)),
        Err(_) => Err(EngineError::timed_out(action, limit).remedy(ENGINE_LOST)),
    }
}

/// The same, where one of the `status` codes means that there was nothing left
/// to do; the answer is then `None`.
pub async fn bounded_or<T>(
    action: &str,
    limit: Duration,
    status: &[u16],
    call: impl Future<Output = Result<T, BollardError>>,
) -> Result<Option<T>, EngineError> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(value)) => Ok(Some(value)),
        Ok(Err(BollardError::DockerResponseServerError { status_code, .. }))
            if status.contains(&status_code) =>
        {
            Ok(None)
        }
        Ok(Err(error)) => Err(translate(action, &error)),
        Err(_) => Err(EngineError::timed_out(action, limit).remedy(ENGINE_LOST)),
    }
}

const ENGINE_LOST: &str = "Look whether the engine is well: `docker info`, and on Linux \
    `systemctl status docker`.";

const ENGINE_GONE: &str = "Start the engine again; on Linux `sudo systemctl start docker`, and \
    `journalctl -u docker` tells why it ended.";

/// A failed call in words for the user.
pub fn translate(action: &str, error: &BollardError) -> EngineError {
    match error {
        BollardError::DockerResponseServerError {
            status_code,
            message,
        } => refusal(action, *status_code, message),
        BollardError::DockerStreamError { error } => refusal(action, 0, error),
        BollardError::RequestTimeoutError => {
            EngineError::new(ErrorKind::TimedOut, action, "no answer in time").remedy(ENGINE_LOST)
        }
        BollardError::JsonDataError { message, .. } => EngineError::new(
            ErrorKind::Unsupported,
            action,
            format!("the engine's answer is not understood: {message}"),
        ),
        other => match io_kind(other) {
            Some(io::ErrorKind::PermissionDenied) => {
                EngineError::new(ErrorKind::PermissionDenied, action, root_cause(other))
            }
            Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => EngineError::new(
                ErrorKind::Lost,
                action,
                format!("the engine does not run any more ({})", root_cause(other)),
            )
            .remedy(ENGINE_GONE),
            _ => EngineError::new(
                ErrorKind::Lost,
                action,
                format!("the connection to the engine broke: {}", root_cause(other)),
            )
            .remedy(ENGINE_LOST),
        },
    }
}

/// The input-output error somewhere below `error`.
pub fn io_kind(error: &BollardError) -> Option<io::ErrorKind> {
    if let BollardError::IOError { err } = error {
        return Some(err.kind());
    }
    let mut current: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        current = error.source();
    }
    None
}

/// The innermost cause, which says most with fewest words.
pub fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

/// What the engine said, sorted by what the user can do about it. Engines tell
/// these cases apart by words only; an unknown wording is still shown whole.
fn refusal(action: &str, status: u16, message: &str) -> EngineError {
    let message = message.trim();
    let says = |words: &[&str]| {
        let lower = message.to_ascii_lowercase();
        words.iter().any(|word| lower.contains(word))
    };
    let failure = |kind| EngineError::new(kind, action, message);
    if says(&["no space left on device", "disk quota exceeded"]) {
        failure(ErrorKind::DiskFull).remedy(
            "Free some space: `docker system df` shows what Docker holds, `df -h` the rest.",
        )
    } else if says(&[
        "pool overlaps",
        "is already used on the host",
        "overlaps with other",
    ]) {
        failure(ErrorKind::SubnetOverlap).remedy("Choose another subnet.")
    } else if says(&[
        "port is already allocated",
        "address already in use",
        "ports are not available",
    ]) {
        failure(ErrorKind::PortOccupied)
            .remedy("Find its holder with `ss -ltnp`, end it, or choose other ports.")
    } else if says(&["no such image"]) {
        failure(ErrorKind::Program)
            .remedy("Run `devnet up` again to build the image, or name one with `--image`.")
    } else if says(&["client version", "is too old"]) && status == 400 {
        failure(ErrorKind::Unsupported)
    } else if status == 404 {
        failure(ErrorKind::NotFound)
    } else {
        failure(ErrorKind::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status_code: u16, message: &str) -> ErrorKind {
        let error = BollardError::DockerResponseServerError {
            status_code,
            message: message.into(),
        };
        translate("testing", &error).kind
    }

    #[test]
    fn refusals_are_sorted_by_what_can_be_done() {
        let overlap = "Pool overlaps with other one on this address space";
        assert_eq!(kind(403, overlap), ErrorKind::SubnetOverlap);
        let port = "driver failed programming external connectivity on endpoint x: Bind for \
                    127.0.0.1:9001 failed: port is already allocated";
        assert_eq!(kind(500, port), ErrorKind::PortOccupied);
        let bind = "Error starting userland proxy: listen tcp4 127.0.0.1:9001: bind: address \
                    already in use";
        assert_eq!(kind(500, bind), ErrorKind::PortOccupied);
        let disk = "write /var/lib/docker/tmp/x: no space left on device";
        assert_eq!(kind(500, disk), ErrorKind::DiskFull);
        assert_eq!(
            kind(404, "No such image: minichain:abc"),
            ErrorKind::Program
        );
        assert_eq!(kind(404, "No such container: abc"), ErrorKind::NotFound);
        assert_eq!(kind(500, "something new"), ErrorKind::Refused);
    }

    #[test]
    fn a_refusal_keeps_the_engines_words() {
        let error = BollardError::DockerResponseServerError {
            status_code: 500,
            message: " something new \n".into(),
        };
        assert_eq!(
            translate("starting x", &error).to_string(),
            "starting x: something new"
        );
    }

    #[test]
    fn a_broken_connection_is_told_from_a_forbidden_one() {
        let broken = BollardError::from(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(translate("testing", &broken).kind, ErrorKind::Lost);
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused] {
            let gone = translate("testing", &BollardError::from(io::Error::from(kind)));
            assert_eq!(gone.kind, ErrorKind::Lost);
            assert!(gone.detail.contains("does not run any more"), "{gone}");
        }
        let forbidden = BollardError::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(
            translate("testing", &forbidden).kind,
            ErrorKind::PermissionDenied
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_answer_ends_at_its_limit() {
        let never = std::future::pending::<Result<(), BollardError>>();
        let error = bounded("waiting", ASK, never).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut);
        assert!(error.detail.contains("15 s"), "{error}");
    }

    #[tokio::test]
    async fn expected_states_are_no_failures() {
        let gone = || async {
            Err::<(), _>(BollardError::DockerResponseServerError {
                status_code: 404,
                message: "No such container".into(),
            })
        };
        assert_eq!(bounded_or("removing", ASK, &[404], gone()).await, Ok(None));
        let error = bounded_or("removing", ASK, &[409], gone())
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
    }
}
