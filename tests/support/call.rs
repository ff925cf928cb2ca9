//! A program under way, whose words can be read before it ends.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::network::wait_until;

/// A call of a program; it is killed with this.
pub struct Call {
    child: Child,
    folder: TempDir,
}

/// What a call came to.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All it said.
    pub said: String,
}

impl Call {
    /// Begins it.
    pub fn begin(command: &mut Command) -> Self {
        let folder = TempDir::new().expect("a folder for its words");
        let file = File::create(folder.path().join("said")).expect("a writable disk");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .spawn()
            .expect("it runs");
        Self { child, folder }
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    /// Waits until it says so.
    pub fn wait_until_said(&self, words: &str, limit: Duration) {
        until_said(|| self.said(), words, limit);
    }

    /// Waits until it has ended; fails if it hangs.
    pub fn ended(mut self, limit: Duration) -> Ended {
        let status = wait_until(limit, || match self.child.try_wait().expect("a child") {
            Some(status) => Ok(status),
            None => Err(format!("it hangs:\n{}", self.said())),
        });
        Ended {
            code: status.code(),
            said: self.said(),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Waits until words are among what somebody said so far.
pub fn until_said(said: impl Fn() -> String, words: &str, limit: Duration) {
    wait_until(limit, || {
        let said = said();
        match said.contains(words) {
            true => Ok(()),
            false => Err(format!("it does not say {words}:\n{said}")),
        }
    });
}
