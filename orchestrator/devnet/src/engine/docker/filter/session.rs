//! A conversation with the helper in one container.

use std::pin::Pin;
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as BollardError;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use devnet_netfault::PATH;
use devnet_netfault::wire::{Command, LINE_BYTES_MAX, Reply};
use futures::stream::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::super::call::{ASK, bounded};
use super::explain::{self, Place};
use crate::engine::{EngineError, ErrorKind};

/// So much of what the helper or the engine complains about is kept.
const COMPLAINT_BYTES_MAX: usize = 4096;

type Input = Pin<Box<dyn AsyncWrite + Send>>;
type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, BollardError>> + Send>>;

/// The helper, waiting for commands. It ends when this is dropped.
pub struct Session {
    docker: Docker,
    place: Place,
    exec: String,
    input: Input,
    output: Output,
    /// Arrived, and not yet taken as a line.
    pending: Vec<u8>,
    complaint: Vec<u8>,
}

impl Session {
    /// Starts the helper as root, which in the container means no more than
    /// that it may change the container's own network.
    pub async fn start(docker: &Docker, node: &str, container: &str) -> Result<Self, EngineError> {
        let place = Place::new(node, container);
        match Self::attach(docker, &place, container).await {
            Ok((exec, input, output)) => Ok(Self {
                docker: docker.clone(),
                place,
                exec,
                input,
                output,
                pending: Vec::new(),
                complaint: Vec::new(),
            }),
            Err(error) => {
                let life = explain::life(docker, &place).await;
                Err(place.judge(error, "", life))
            }
        }
    }

    async fn attach(
        docker: &Docker,
        place: &Place,
        container: &str,
    ) -> Result<(String, Input, Output), EngineError> {
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: Some("0"),
            cmd: Some(vec![PATH]),
            ..CreateExecOptions::default()
        };
        let action = place.action();
        let create = docker.create_exec(container, options);
        let exec = bounded(&action, ASK, create).await?.id;
        let start = docker.start_exec(&exec, None::<StartExecOptions>);
        match bounded(&action, ASK, start).await? {
            StartExecResults::Attached { output, input } => Ok((exec, input, output)),
            StartExecResults::Detached => Err(EngineError::new(
                ErrorKind::Unsupported,
                action,
                "the engine does not let us talk to what it started",
            )),
        }
    }

    /// Whether the helper still answers, asked for at most `limit`.
    pub async fn is_alive(&mut self, limit: Duration) -> bool {
        let answer = tokio::time::timeout(limit, self.exchange(&Command::Read {})).await;
        matches!(answer, Ok(Ok(Reply::Read(_))))
    }

    /// The answer to `command`, awaited for at most `limit`.
    pub async fn ask(&mut self, command: &Command, limit: Duration) -> Result<Reply, EngineError> {
        let answer = tokio::time::timeout(limit, self.exchange(command)).await;
        match answer {
            Err(_) => {
                let error = EngineError::timed_out(self.place.action(), limit);
                Err(self.judge(error).await)
            }
            Ok(Err(Broken::Ended)) => {
                let error = self.ended().await;
                Err(self.judge(error).await)
            }
            Ok(Err(Broken::Words(words))) => {
                let error = EngineError::new(ErrorKind::Lost, self.place.action(), words);
                Err(self.judge(error).await)
            }
            Ok(Ok(Reply::Failed(failure))) => {
                let locks = explain::locks(&self.docker, &self.place, failure.why).await;
                Err(self.place.failed(&failure, &locks))
            }
            Ok(Ok(reply)) => Ok(reply),
        }
    }

    /// An answer that does not fit its command.
    pub fn unexpected(&self, reply: &Reply) -> EngineError {
        EngineError::new(
            ErrorKind::Program,
            self.place.action(),
            format!("the helper in the image speaks another language: {reply:?}"),
        )
        .remedy("Build helper and devnet from the same sources, then run `devnet up` again.")
    }

    async fn exchange(&mut self, command: &Command) -> Result<Reply, Broken> {
        let mut line = serde_json::to_vec(command)
            .map_err(|error| Broken::Words(format!("the command cannot be written: {error}")))?;
        line.push(b'\n');
        // A helper that is gone tells why in its output.
        let _ = self.input.write_all(&line).await;
        let _ = self.input.flush().await;
        let line = self.line().await?;
        if !line.starts_with(b"{") {
            // Engines complain where the helper's answers would stand.
            self.complaint.extend(&line);
            return Err(Broken::Ended);
        }
        serde_json::from_slice(&line).map_err(|error| {
            let words = String::from_utf8_lossy(&line);
            Broken::Words(format!("the answer is not understood ({error}): {words}"))
        })
    }

    async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            if self.pending.len() > LINE_BYTES_MAX {
                return Err(Broken::Words("the answer has no end".into()));
            }
            match self.output.next().await {
                Some(Ok(LogOutput::StdErr { message })) => {
                    let room = COMPLAINT_BYTES_MAX.saturating_sub(self.complaint.len());
                    self.complaint.extend(message.iter().take(room));
                }
                Some(Ok(output)) => self.pending.extend_from_slice(&output.into_bytes()),
                Some(Err(error)) => return Err(Broken::Words(error.to_string())),
                None => return Err(Broken::Ended),
            }
        }
    }

    /// What was said that is no answer.
    fn said(&self) -> String {
        let said = [self.complaint.as_slice(), &self.pending].concat();
        String::from_utf8_lossy(&said).trim().to_owned()
    }

    async fn judge(&mut self, error: EngineError) -> EngineError {
        let life = explain::life(&self.docker, &self.place).await;
        self.place.judge(error, &self.said(), life)
    }

    /// The helper ended, or never began.
    async fn ended(&mut self) -> EngineError {
        let look = self.docker.inspect_exec(&self.exec);
        let code = bounded(&self.place.action(), ASK, look).await;
        self.place
            .ended(&self.said(), code.ok().and_then(|exec| exec.exit_code))
    }
}

enum Broken {
    Ended,
    Words(String),
}
