//! Why packets could not be filtered, and what to do about it.

use bollard::Docker;
use devnet_netfault::PATH;
use devnet_netfault::wire::{Failure, Why};

use super::super::call::{ASK, bounded, bounded_or};
use crate::engine::{EngineError, ErrorKind};
use crate::program::NETFAULT_REMEDY;

/// What engines say when there is no such program in the image.
const MISSING: &[&str] = &[
    "no such file or directory",
    "executable file not found",
    "not found in $path",
];

/// Whose packets are filtered, and where.
pub struct Place {
    node: String,
    container: String,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs, or nothing is known of it.
    Runs,
    /// It is paused.
    Frozen,
    /// Its program does not run.
    Ended,
    /// There is none.
    Gone,
}

/// What of a container's locks keeps the helper from its work.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// `no-new-privileges` is set.
    pub no_new_privileges: bool,
    /// The capability NET_ADMIN is not in its bounding set.
    pub no_net_admin: bool,
}

impl Place {
    /// A node and its container.
    pub fn new(node: &str, container: &str) -> Self {
        Self {
            node: node.to_owned(),
            container: container.to_owned(),
        }
    }

    /// What is being done.
    pub fn action(&self) -> String {
        format!("filtering packets of {}", self.node)
    }

    /// What to make of a failure to talk with the helper, given what the
    /// container does; `said` are the last words of engine or helper.
    pub fn judge(&self, error: EngineError, said: &str, life: Life) -> EngineError {
        let node = &self.node;
        let absent = |detail, remedy| {
            EngineError::new(ErrorKind::NotFound, self.action(), detail).remedy(remedy)
        };
        if says_missing(said) || says_missing(&error.detail) {
            return self.no_helper();
        }
        match life {
            Life::Runs => error,
            Life::Frozen => absent(
                format!("{node} is frozen, and all in its container with it"),
                format!("Thaw it first: `devnet unpause {node}`."),
            ),
            Life::Ended => absent(
                format!("{node} is not running"),
                format!("Start it first: `devnet start {node}`."),
            ),
            Life::Gone => absent(
                format!("{node} has no container"),
                "`devnet up` makes it anew.".into(),
            ),
        }
    }

    /// The helper ended without an answer.
    pub fn ended(&self, said: &str, code: Option<i64>) -> EngineError {
        let code = code.map_or("unknown".to_owned(), |code| code.to_string());
        let said = if said.is_empty() { "nothing" } else { said };
        EngineError::new(
            ErrorKind::Lost,
            self.action(),
            format!("the helper ended (exit code {code}) and said: {said}"),
        )
        .remedy(format!("See also `docker logs {}`.", self.container))
    }

    /// The helper could not do what was asked.
    pub fn failed(&self, failure: &Failure, locks: &Locks) -> EngineError {
        let (kind, remedy) = match failure.why {
            Why::NotPermitted => (ErrorKind::Refused, self.unlock(locks)),
            Why::NoNfTables => (
                ErrorKind::Unsupported,
                "The engine's kernel lacks nf_tables; load it there (`modprobe nf_tables`, and \
                 `modprobe nft_numgen` for losses), or run the network with `--engine process`."
                    .into(),
            ),
            Why::Foreign => (
                ErrorKind::Refused,
                format!(
                    "Somebody else wrote into it; `devnet heal` clears it, or stop and start {}.",
                    self.node
                ),
            ),
            Why::BadCommand | Why::Kernel => (ErrorKind::Refused, String::new()),
        };
        EngineError::new(kind, self.action(), &failure.detail).remedy(remedy)
    }

    fn unlock(&self, locks: &Locks) -> String {
        let container = &self.container;
        if locks.no_new_privileges {
            format!(
                "Container {container} has the security option `no-new-privileges`, which keeps \
                 even root from its capabilities. Remove it from the container, or from \
                 /etc/docker/daemon.json (`\"no-new-privileges\": true`) and restart the engine; \
                 then `devnet down` and `devnet up`."
            )
        } else if locks.no_net_admin {
            format!(
                "Container {container} lacks the capability NET_ADMIN, which devnet gives to its \
                 nodes; it was made by other hands. `devnet down` and `devnet up` make it anew."
            )
        } else {
            "The engine keeps NET_ADMIN from its containers (rootless, or a security profile); \
             use an engine that grants it, or run the network with `--engine process`."
                .into()
        }
    }

    fn no_helper(&self) -> EngineError {
        EngineError::new(
            ErrorKind::Program,
            self.action(),
            format!("its image has no helper at {PATH}"),
        )
        .remedy(format!(
            "The image was made without it: {NETFAULT_REMEDY}. An image of your own gets it by \
             deploy/Dockerfile."
        ))
    }
}

fn says_missing(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    MISSING.iter().any(|words| lower.contains(words))
}

/// What the container does now.
pub async fn life(docker: &Docker, place: &Place) -> Life {
    let look = docker.inspect_container(&place.container, None);
    match bounded_or(&place.action(), ASK, &[404], look).await {
        Ok(Some(found)) => {
            let state = found.state.unwrap_or_default();
            if state.paused == Some(true) {
                Life::Frozen
            } else if state.running == Some(false) {
                Life::Ended
            } else {
                Life::Runs
            }
        }
        Ok(None) => Life::Gone,
        Err(_) => Life::Runs,
    }
}

/// The locks of the container, where they matter.
pub async fn locks(docker: &Docker, place: &Place, why: Why) -> Locks {
    if why != Why::NotPermitted {
        return Locks::default();
    }
    let look = docker.inspect_container(&place.container, None);
    let found = bounded(&place.action(), ASK, look).await;
    // A look that fails leaves the general advice.
    let host = found.ok().and_then(|found| found.host_config);
    let host = host.unwrap_or_default();
    let options = host.security_opt.unwrap_or_default();
    let added = host.cap_add.unwrap_or_default();
    let has = |name: &str| {
        added
            .iter()
            .any(|added| added.trim_start_matches("CAP_").eq_ignore_ascii_case(name))
    };
    Locks {
        no_new_privileges: options
            .iter()
            .any(|option| option.starts_with("no-new-privileges") && !option.ends_with("false")),
        no_net_admin: !has("NET_ADMIN") && !has("ALL"),
    }
}

#[cfg(test)]
mod tests;
