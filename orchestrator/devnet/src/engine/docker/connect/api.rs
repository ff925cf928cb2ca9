//! Which version of the API is spoken: the newest that both sides know, or the
//! one that `DOCKER_API_VERSION` demands, as Docker's own tools take it.

use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::Uri;

use crate::engine::{EngineError, ErrorKind};

/// Major and minor number.
pub type Api = (usize, usize);

/// The oldest API that has all we ask for: Docker 20.10, Podman 4.
const MIN: Api = (1, 41);

const VARIABLE: &str = "DOCKER_API_VERSION";

/// The version that both shall speak. `demanded` is what the environment says.
///
/// # Errors
/// Kind `Unsupported`: there is none, or not the one demanded.
pub fn agree(
    action: &str,
    demanded: Option<&str>,
    engine: &SystemVersion,
) -> Result<Api, EngineError> {
    let unsupported = |detail: String| EngineError::new(ErrorKind::Unsupported, action, detail);
    let told = engine.api_version.as_deref().unwrap_or_default();
    let theirs = parse(told)
        .ok_or_else(|| unsupported(format!("the engine names no API version (`{told}`)")))?;
    let theirs_min = engine.min_api_version.as_deref().and_then(parse);
    let ours = (
        API_DEFAULT_VERSION.major_version,
        API_DEFAULT_VERSION.minor_version,
    );
    if theirs < MIN {
        let detail = format!(
            "the engine speaks API {told}, at least {} is needed",
            spell(MIN)
        );
        return Err(unsupported(detail)
            .remedy("Update to Docker 20.10 or Podman 4, or newer; or use `--engine process`."));
    }
    if let Some(least) = theirs_min.filter(|least| *least > ours) {
        let detail = format!(
            "the engine speaks API {} and newer, devnet knows up to {}",
            spell(least),
            spell(ours)
        );
        return Err(unsupported(detail).remedy("Update devnet, or use `--engine process`."));
    }
    let (least, most) = (MIN.max(theirs_min.unwrap_or(MIN)), ours.min(theirs));
    match demanded {
        None => Ok(most),
        Some(text) => within(text, least, most).map_err(|why| {
            unsupported(format!("{VARIABLE}={text} {why}")).remedy(format!(
                "Unset {VARIABLE}, and devnet takes the newest that both speak."
            ))
        }),
    }
}

fn within(text: &str, least: Api, most: Api) -> Result<Api, String> {
    match parse(text.strip_prefix('v').unwrap_or(text)) {
        None => Err("is no version of the API; such look like 1.44".into()),
        Some(api) if api < least || api > most => Err(format!(
            "cannot be spoken with this engine, only {} to {}",
            spell(least),
            spell(most)
        )),
        Some(api) => Ok(api),
    }
}

/// A client whose requests name the version: engines mean to refuse those that
/// do not.
pub fn speaking(docker: Docker, api: Api) -> Docker {
    let prefix = format!("/v{}", spell(api));
    docker.with_request_modifier(move |request| prefixed(request, &prefix))
}

/// `1.44`.
pub fn spell((major, minor): Api) -> String {
    format!("{major}.{minor}")
}

fn prefixed(mut request: BollardRequest, prefix: &str) -> BollardRequest {
    let mut parts = request.uri().clone().into_parts();
    let path = parts
        .path_and_query
        .as_ref()
        .map_or("/", |path| path.as_str());
    parts.path_and_query = format!("{prefix}{path}").parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

fn parse(text: &str) -> Option<Api> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(least: &str, most: &str) -> SystemVersion {
        SystemVersion {
            api_version: Some(most.into()),
            min_api_version: Some(least.into()),
            ..SystemVersion::default()
        }
    }

    fn refusal(demanded: Option<&str>, least: &str, most: &str) -> EngineError {
        let error = agree("connecting", demanded, &engine(least, most)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_ne!(error.remedy, "", "{error}");
        error
    }

    #[test]
    fn the_newest_that_both_speak_is_taken() {
        for (least, most, agreed) in [
            ("1.12", "1.41", (1, 41)),
            ("1.24", "1.43", (1, 43)),
            ("1.44", "1.52", (1, 52)),
            ("1.44", "1.99", (1, 53)),
            ("", "1.44", (1, 44)),
        ] {
            let found = agree("connecting", None, &engine(least, most));
            assert_eq!(found, Ok(agreed), "{least} to {most}");
        }
    }

    #[test]
    fn engines_too_old_and_too_new_are_told_with_both_versions() {
        let old = refusal(None, "1.12", "1.40");
        assert!(
            old.detail.contains("1.40") && old.detail.contains("1.41"),
            "{old}"
        );
        let new = refusal(None, "1.60", "1.70");
        assert!(
            new.detail.contains("1.60") && new.detail.contains("1.53"),
            "{new}"
        );
        assert!(new.remedy.contains("Update devnet"), "{new}");
    }

    #[test]
    fn a_version_that_is_demanded_is_spoken_or_refused() {
        let speaks = engine("1.44", "1.52");
        for demanded in ["1.47", "v1.47"] {
            assert_eq!(agree("connecting", Some(demanded), &speaks), Ok((1, 47)));
        }
        for demanded in ["1.43", "1.53", "2.0"] {
            let error = refusal(Some(demanded), "1.44", "1.52");
            assert!(error.detail.contains("1.44 to 1.52"), "{error}");
            assert!(error.remedy.contains("Unset DOCKER_API_VERSION"), "{error}");
        }
        for demanded in ["1", "1.", "latest", "vv1.44"] {
            let error = refusal(Some(demanded), "1.44", "1.52");
            assert!(error.detail.contains("is no version of the API"), "{error}");
        }
        let error = refusal(Some("1.30"), "1.12", "1.43");
        assert!(error.detail.contains("1.41 to 1.43"), "{error}");
    }
}
