//! Lines of log, from all containers of a network at once.

mod follow;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as BollardError;
use bollard::query_parameters::LogsOptionsBuilder;
use devnet_blueprint::label;
use futures::stream::{self, BoxStream, Stream, StreamExt as _};

use super::DockerEngine;
use super::call::{ASK, translate};
use crate::clock::parse_rfc3339_ms;
use crate::engine::{EngineError, ErrorKind, LogLine, LogSource, LogStream, LogWish};

/// A longer line is cut; a node that writes such lines is broken.
const LINE_MAX_BYTES: usize = 64 << 10;

impl DockerEngine {
    pub(super) async fn stream_logs(
        &self,
        network: &str,
        wish: &LogWish,
    ) -> Result<LogStream, EngineError> {
        let action = format!("reading logs of devnet {network}");
        let found = self.find_containers(&action, Some(network)).await?;
        let mut nodes: Vec<(String, String)> = found
            .into_iter()
            .filter_map(|container| {
                Some((container.labels?.get(label::NODE)?.clone(), container.id?))
            })
            .collect();
        nodes.sort();
        check_names(&action, network, &nodes, wish)?;
        nodes.retain(|(node, _)| wish.nodes.is_empty() || wish.nodes.contains(node));
        let streams = nodes.into_iter().map(|(node, id)| match wish.follow {
            true => follow::follow(self.docker.clone(), network.to_owned(), node, wish),
            false => once(&self.docker, node, &id, wish),
        });
        Ok(stream::select_all(streams).boxed())
    }
}

/// What a container's log holds by now.
fn once(docker: &Docker, node: String, id: &str, wish: &LogWish) -> LogStream {
    let entries = within_limit(docker.logs(id, Some(options(wish).build())).boxed());
    lines(node, entries, wish.since_ms.unwrap_or(0))
}

fn options(wish: &LogWish) -> LogsOptionsBuilder {
    let mut options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(wish.follow);
    if let Some(lines) = wish.tail {
        options = options.tail(&lines.to_string());
    }
    if let Some(since_ms) = wish.since_ms {
        // The API counts in seconds; what is too early is dropped below.
        options = options.since(i32::try_from(since_ms / 1000).unwrap_or(i32::MAX));
    }
    options
}

/// Lines of a container's entries, from that time on.
fn lines(
    node: String,
    entries: BoxStream<'static, Result<LogOutput, BollardError>>,
    since_ms: u64,
) -> LogStream {
    let action = format!("reading the log of {node}");
    let mut assembler = Assembler::new(node);
    let end = stream::iter([None]);
    entries
        .map(Some)
        .chain(end)
        .flat_map(move |entry| match entry {
            Some(Ok(entry)) => stream::iter(assembler.take(&entry)).map(Ok).boxed(),
            Some(Err(error)) => stream::iter([Err(translate(&action, &error))]).boxed(),
            None => stream::iter(assembler.finish()).map(Ok).boxed(),
        })
        .filter(move |line| {
            let wanted = line.as_ref().map_or(true, |line| line.time_ms >= since_ms);
            futures::future::ready(wanted)
        })
        .boxed()
}

fn check_names(
    action: &str,
    network: &str,
    nodes: &[(String, String)],
    wish: &LogWish,
) -> Result<(), EngineError> {
    if nodes.is_empty() {
        return Err(EngineError::new(
            ErrorKind::NotFound,
            action,
            format!("no container of devnet `{network}` exists"),
        )
        .remedy("`devnet ls` shows the networks there are."));
    }
    let is_unknown = |wanted: &&String| !nodes.iter().any(|(node, _)| node == *wanted);
    let Some(unknown) = wish.nodes.iter().find(is_unknown) else {
        return Ok(());
    };
    let names: Vec<&str> = nodes.iter().map(|(node, _)| node.as_str()).collect();
    Err(EngineError::new(
        ErrorKind::NotFound,
        action,
        format!(
            "there is no node `{unknown}`; the nodes are {}",
            names.join(", ")
        ),
    ))
}

/// Without `follow` the engine has all it will send: silence means it is lost.
fn within_limit(
    entries: impl Stream<Item = Result<LogOutput, BollardError>> + Send + 'static,
) -> BoxStream<'static, Result<LogOutput, BollardError>> {
    let entries = Box::pin(entries);
    stream::unfold(Some(entries), |entries| async {
        let mut entries = entries?;
        match tokio::time::timeout(ASK, entries.next()).await {
            Ok(Some(entry)) => Some((entry, Some(entries))),
            Ok(None) => None,
            Err(_) => Some((Err(BollardError::RequestTimeoutError), None)),
        }
    })
    .boxed()
}

/// Makes lines of one node's entries. An entry is a line, or a part of a long
/// one; every entry begins with its time.
struct Assembler {
    node: String,
    last_ms: u64,
    /// Parts of an unfinished line, for each source.
    parts: [Option<LogLine>; 2],
}

impl Assembler {
    fn new(node: String) -> Self {
        Self {
            node,
            last_ms: 0,
            parts: [None, None],
        }
    }

    fn take(&mut self, entry: &LogOutput) -> Vec<LogLine> {
        let (source, slot) = match entry {
            LogOutput::StdErr { .. } => (LogSource::Stderr, 1),
            LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
                (LogSource::Stdout, 0)
            }
        };
        let text = String::from_utf8_lossy(entry.as_ref());
        let mut lines = Vec::new();
        for piece in text.split_inclusive('\n') {
            let (time_ms, words) = split_time(piece).unwrap_or((self.last_ms, piece));
            self.last_ms = time_ms;
            let line = self.parts[slot].get_or_insert_with(|| LogLine {
                node: self.node.clone(),
                time_ms,
                source,
                text: String::new(),
            });
            append(&mut line.text, words.trim_end_matches(['\n', '\r']));
            if piece.ends_with('\n') {
                lines.extend(self.parts[slot].take());
            }
        }
        lines
    }

    /// What stands without an end: the last words of a node that was killed.
    fn finish(&mut self) -> Vec<LogLine> {
        self.parts.iter_mut().filter_map(Option::take).collect()
    }
}

fn split_time(piece: &str) -> Option<(u64, &str)> {
    let (time, words) = piece.split_once(' ')?;
    Some((parse_ms(time)?, words))
}

/// Docker writes UTC; Podman local time with its offset, such as `+02:00`.
fn parse_ms(time: &str) -> Option<u64> {
    let Some(at) = time.rfind(['+', '-']).filter(|_| !time.ends_with('Z')) else {
        return parse_rfc3339_ms(time);
    };
    let local_ms = parse_rfc3339_ms(&format!("{}Z", &time[..at]))?;
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let number = |digits: &str| digits.parse::<u8>().ok().map(u64::from);
    let ahead_ms = (number(hours)? * 60 + number(minutes)?) * 60_000;
    if time[at..].starts_with('+') {
        local_ms.checked_sub(ahead_ms)
    } else {
        local_ms.checked_add(ahead_ms)
    }
}

/// Adds `words` up to the limit, without what a terminal would obey: nodes log
/// text that came from their peers.
fn append(line: &mut String, words: &str) {
    for symbol in words.chars() {
        if line.len() + symbol.len_utf8() > LINE_MAX_BYTES {
            return;
        }
        line.push(if symbol.is_control() && symbol != '\t' {
            '\u{fffd}'
        } else {
            symbol
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: text.to_owned().into(),
        }
    }

    fn texts(lines: &[LogLine]) -> Vec<(u64, &str)> {
        lines
            .iter()
            .map(|line| (line.time_ms, line.text.as_str()))
            .collect()
    }

    #[test]
    fn an_entry_becomes_a_line_with_its_time() {
        let mut assembler = Assembler::new("miner-0".into());
        let lines = assembler.take(&out("2000-02-29T12:00:00.500Z hello  world\r\n"));
        assert_eq!(texts(&lines), [(951_825_600_500, "hello  world")]);
        assert_eq!(
            (lines[0].node.as_str(), lines[0].source),
            ("miner-0", LogSource::Stdout)
        );
    }

    #[test]
    fn parts_of_a_long_line_are_joined_and_sources_kept_apart() {
        let mut assembler = Assembler::new("miner-0".into());
        assert!(assembler.take(&out("2000-02-29T12:00:00Z one ")).is_empty());
        let error = LogOutput::StdErr {
            message: "2000-02-29T12:00:01Z bad\n".into(),
        };
        let lines = assembler.take(&error);
        assert_eq!(lines[0].source, LogSource::Stderr);
        let lines = assembler.take(&out("2000-02-29T12:00:02Z two\n"));
        assert_eq!(texts(&lines), [(951_825_600_000, "one two")]);
    }

    #[test]
    fn last_words_without_an_end_are_not_lost() {
        let mut assembler = Assembler::new("miner-0".into());
        assert!(
            assembler
                .take(&out("2000-02-29T12:00:00Z dying"))
                .is_empty()
        );
        assert_eq!(texts(&assembler.finish()), [(951_825_600_000, "dying")]);
        assert!(assembler.finish().is_empty());
    }

    #[test]
    fn a_line_without_time_takes_the_last_one() {
        let mut assembler = Assembler::new("miner-0".into());
        assembler.take(&out("2000-02-29T12:00:00Z one\n"));
        assert_eq!(
            texts(&assembler.take(&out("no time\n"))),
            [(951_825_600_000, "no time")]
        );
    }

    #[test]
    fn control_characters_and_broken_text_do_no_harm() {
        let mut assembler = Assembler::new("miner-0".into());
        let message = b"2000-02-29T12:00:00Z \x1b[2Jboo\xff\n".to_vec().into();
        let lines = assembler.take(&LogOutput::StdOut { message });
        assert_eq!(lines[0].text, "\u{fffd}[2Jboo\u{fffd}");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut assembler = Assembler::new("miner-0".into());
        for _ in 0..20 {
            assert!(assembler.take(&out(&"x".repeat(16 << 10))).is_empty());
        }
        let lines = assembler.take(&out("\n"));
        assert_eq!(lines[0].text.len(), LINE_MAX_BYTES);
    }

    #[test]
    fn times_with_an_offset_are_moved_to_utc() {
        assert_eq!(
            parse_ms("2026-11-22T22:45:01.1+02:00"),
            Some(1_795_380_301_100)
        );
        assert_eq!(
            parse_ms("2026-11-22T15:15:01-05:30"),
            Some(1_795_380_301_000)
        );
        for text in [
            "2026-11-22",
            "+",
            "é+1:1",
            "2026-11-22T15:15:01-x",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_node_is_named_with_the_known_ones() {
        let nodes = [
            ("a-0".to_owned(), "1".to_owned()),
            ("b-0".to_owned(), "2".to_owned()),
        ];
        let wish = LogWish {
            nodes: vec!["c-0".into()],
            ..LogWish::default()
        };
        let error = check_names("testing", "net", &nodes, &wish).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(
            error.detail.contains("`c-0`") && error.detail.contains("a-0, b-0"),
            "{error}"
        );
        assert!(check_names("testing", "net", &nodes, &LogWish::default()).is_ok());
        assert!(check_names("testing", "net", &[], &LogWish::default()).is_err());
    }
}
