//! Commands from the input, answers to the output, a line each.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use devnet_netfault::wire::{Command, Failure, IDLE_S_MAX, LINE_BYTES_MAX, Reply, Why};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};

use crate::{neighbours, probe, table};

/// Answers commands until the input ends or stays silent for too long.
///
/// # Errors
/// The input or the output broke, or a line was longer than it may be.
pub fn hold(input: impl AsFd, mut output: impl Write) -> io::Result<()> {
    let mut lines = Lines {
        input,
        pending: Vec::new(),
    };
    while let Some(line) = lines.next()? {
        let reply = answer(&line).unwrap_or_else(Reply::Failed);
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        output.write_all(&text)?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &[u8]) -> Result<Reply, Failure> {
    let command =
        serde_json::from_slice(line).map_err(|error| Failure::new(Why::BadCommand, error))?;
    match command {
        Command::Apply(rules) => {
            table::apply(&rules)?;
            table::read().map(Reply::Applied)
        }
        Command::Probe(wish) => probe::probe(&wish).map(Reply::Probed),
        Command::Read {} => table::read().map(Reply::Read),
        Command::Meet(meeting) => neighbours::meet(&meeting).map(|()| Reply::Met),
    }
}

struct Lines<I> {
    input: I,
    pending: Vec<u8>,
}

impl<I: AsFd> Lines<I> {
    /// The next line without its end; `None` at the end of the input or after
    /// too long a silence. Half a line at the end is no command.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                return Ok(Some(line));
            }
            if self.pending.len() > LINE_BYTES_MAX {
                return Err(io::Error::other(format!(
                    "a command has more than {LINE_BYTES_MAX} bytes"
                )));
            }
            if !self.wait()? {
                return Ok(None);
            }
            match read(&self.input, &mut buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => self.pending.extend_from_slice(&buffer[..length]),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether there is something to read before the time is over.
    fn wait(&self) -> io::Result<bool> {
        let idle = Timespec::try_from(Duration::from_secs(IDLE_S_MAX)).ok();
        let mut place = [PollFd::new(&self.input, PollFlags::IN)];
        match poll(&mut place, idle.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    /// What is answered to this input.
    fn answers(input: &[u8]) -> (io::Result<()>, String) {
        let (reader, mut writer) = io::pipe().unwrap();
        let input = input.to_vec();
        let feeding = std::thread::spawn(move || writer.write_all(&input));
        let mut output = Vec::new();
        let outcome = hold(OwnedFd::from(reader), &mut output);
        // The reader may have left before all was written.
        let _ = feeding.join();
        (outcome, String::from_utf8(output).unwrap())
    }

    #[test]
    fn each_command_is_answered_by_a_line() {
        let probe = "{\"probe\":{\"targets\":[],\"timeout_ms\":1}}\n";
        let (outcome, text) = answers(probe.repeat(3).as_bytes());
        outcome.unwrap();
        assert_eq!(text, "{\"probed\":[]}\n".repeat(3));
    }

    #[test]
    fn a_bad_command_is_told_and_the_next_one_answered() {
        let (outcome, text) =
            answers(b"nonsense\n\n{\"probe\":{\"targets\":[],\"timeout_ms\":1}}\n");
        outcome.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].contains("bad-command"), "{text}");
        assert!(lines[1].contains("bad-command"), "{text}");
        assert_eq!(lines[2], "{\"probed\":[]}");
    }

    #[test]
    fn half_a_line_is_no_command() {
        let (outcome, text) = answers(b"{\"read\":{}}");
        outcome.unwrap();
        assert_eq!(text, "");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let (outcome, text) = answers(&vec![b' '; LINE_BYTES_MAX + 8192]);
        assert!(outcome.unwrap_err().to_string().contains("bytes"));
        assert_eq!(text, "");
    }
}
