//! Who may call: HTTP basic authentication by a configured password or a
//! cookie file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minichain_api::config::RpcConfig;
use minichain_chain::hex;
use subtle::ConstantTimeEq;

use crate::exit::Failure;
use crate::listen::reachable;
use crate::wallet;

/// Name of the file inside the data folder that holds the credential.
pub const COOKIE_FILE: &str = ".cookie";
/// Name of the file inside the data folder that holds the address of JSON-RPC
/// while the node runs.
pub const URL_FILE: &str = ".rpc-url";
const COOKIE_USER: &str = "__cookie__";

/// The credentials that open the door.
pub struct Access {
    /// Base64 of `user:password`, as in the header.
    expected: String,
    cookie: Option<PathBuf>,
    url_file: OnceLock<PathBuf>,
}

impl Access {
    /// From user and password if configured; else a random password, written
    /// to the cookie file as `__cookie__:password`, readable by the owner only.
    pub fn new(config: &RpcConfig, data_dir: &Path) -> Result<Self, Failure> {
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            return Ok(Self {
                expected: STANDARD.encode(format!("{user}:{password}")),
                cookie: None,
                url_file: OnceLock::new(),
            });
        }
        let password = hex::encode(&wallet::random::<32>()?);
        let pair = format!("{COOKIE_USER}:{password}");
        let path = data_dir.join(COOKIE_FILE);
        wallet::write_secret_file(&path, pair.as_bytes()).map_err(|error| {
            Failure::world(format!(
                "cannot write the cookie file {}: {error}; make the folder writable, or set \
                 rpc.user and rpc.password",
                path.display()
            ))
        })?;
        Ok(Self {
            expected: STANDARD.encode(pair),
            cookie: Some(path),
            url_file: OnceLock::new(),
        })
    }

    /// Writes the address down for `minichain rpc` and others on this machine,
    /// until the node ends. Whoever cannot read it must be told.
    pub fn tell_address(&self, data_dir: &Path, address: SocketAddr) {
        let path = data_dir.join(URL_FILE);
        let url = format!("http://{}/\n", reachable(address));
        match std::fs::write(&path, url) {
            Ok(()) => {
                // Told once only.
                let _ = self.url_file.set(path);
            }
            Err(error) => {
                tracing::debug!(file = %path.display(), %error, "the address is not written down");
            }
        }
    }

    /// Whether an `Authorization` header opens the door. The comparison takes
    /// the same time wherever the first difference is.
    pub fn admits(&self, header: Option<&[u8]>) -> bool {
        let Some((scheme, given)) = header.and_then(|header| header.split_at_checked(6)) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"basic ")
            && bool::from(given.trim_ascii().ct_eq(self.expected.as_bytes()))
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        for path in self.cookie.iter().chain(self.url_file.get()) {
            // Of no use to anybody once the password is forgotten, and
            // overwritten by the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn header(pair: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    }

    #[test]
    fn configured_password_admits_and_leaves_no_cookie() {
        let dir = tempfile::tempdir().unwrap();
        let config = RpcConfig {
            user: Some("alice".into()),
            password: Some("wonder:land".into()),
            ..RpcConfig::default()
        };
        let access = Access::new(&config, dir.path()).unwrap();
        assert!(access.admits(Some(&header("alice:wonder:land"))));
        let lower = String::from_utf8(header("alice:wonder:land"))
            .unwrap()
            .replacen('B', "b", 1);
        assert!(access.admits(Some(lower.as_bytes())));
        for wrong in [
            "alice:",
            "alice:wonder",
            "alice:wonder:landd",
            "",
            "bob:wonder:land",
        ] {
            assert!(!access.admits(Some(&header(wrong))), "{wrong}");
        }
        for wrong in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Bearer abc",
            b"Basic \xff\xfe",
        ] {
            assert!(!access.admits(Some(wrong)));
        }
        assert!(!access.admits(None));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn cookie_admits_is_private_and_goes_with_the_node() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(COOKIE_FILE);
        let access = Access::new(&RpcConfig::default(), dir.path()).unwrap();
        let cookie = std::fs::read_to_string(&path).unwrap();
        assert!(
            cookie.starts_with("__cookie__:") && cookie.len() == 11 + 64,
            "{cookie}"
        );
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(access.admits(Some(&header(&cookie))));
        drop(access);
        assert!(!path.exists());
        let other = Access::new(&RpcConfig::default(), dir.path()).unwrap();
        assert!(
            !other.admits(Some(&header(&cookie))),
            "a cookie must not outlive its node"
        );
    }

    #[test]
    fn unwritable_folder_says_what_to_do() {
        let missing = Path::new("/nonexistent-folder");
        let error = Access::new(&RpcConfig::default(), missing)
            .err()
            .expect("refused")
            .to_string();
        assert!(error.contains("rpc.user"), "{error}");
    }
}
