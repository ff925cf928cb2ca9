//! The tap on a double whose streams end at once, as a stopped container's do.

use std::fs;

use super::*;
use crate::engine::LogSource;
use crate::run::fake::FakeNodes;

fn line(node: &str, time_ms: u64, text: &str) -> LogLine {
    LogLine {
        node: node.into(),
        time_ms,
        source: LogSource::Stdout,
        text: text.into(),
    }
}

/// Long enough for every stream to be opened anew a few times.
async fn a_while() {
    tokio::time::sleep(AGAIN * 4).await;
}

fn texts(lines: &[LogFact]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_line_is_taken_once_however_often_the_stream_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (live, engine) = FakeNodes::live(&["a", "b"]);
    let first = [line("a", 10, "one"), line("b", 5, "zero")];
    engine.log(first.to_vec());
    let tap = LogTap::start(live, folder.path());
    a_while().await;
    assert_eq!(texts(&tap.take().0), ["zero", "one"], "by time");
    // One more in the very millisecond that was read last, and a later one.
    let more = [line("a", 10, "two"), line("a", 11, "three")];
    engine.log([first, more].concat());
    a_while().await;
    assert_eq!(texts(&tap.take().0), ["two", "three"]);
    a_while().await;
    assert_eq!(texts(&tap.take().0), Vec::<&str>::new());
    assert_eq!(texts(&tap.last("a")), ["one", "two", "three"]);
    let files = tap.files();
    let names: Vec<&str> = files.iter().map(|(node, _)| node.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let kept = fs::read_to_string(&files[0].1).expect("a log");
    assert_eq!(kept, "10 one\n10 two\n11 three\n");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_last_lines_are_kept_at_hand() {
    let folder = tempfile::tempdir().expect("a folder");
    let (live, engine) = FakeNodes::live(&["a"]);
    let count = LAST_MAX + 5;
    let lines = (0..count).map(|at| line("a", at as u64, &at.to_string()));
    engine.log(lines.collect());
    let tap = LogTap::start(live, folder.path());
    a_while().await;
    let last = tap.last("a");
    assert_eq!(last.len(), LAST_MAX);
    assert_eq!(last[0].text, "5");
    assert_eq!(tap.take().0.len(), count, "a look misses none");
}

#[tokio::test(start_paused = true)]
async fn lines_that_came_too_fast_are_counted_and_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (live, engine) = FakeNodes::live(&["a"]);
    engine.log(
        (0..=LINES_MAX)
            .map(|at| line("a", at as u64, "x"))
            .collect(),
    );
    let tap = LogTap::start(live, folder.path());
    a_while().await;
    let (lines, lost) = tap.take();
    assert_eq!(
        (lines.len(), lost),
        (LINES_MAX / 2 + 1, LINES_MAX as u64 / 2)
    );
    assert_eq!(tap.take(), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_nothing_costs_no_line_of_a_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "").expect("a writable disk");
    let (live, engine) = FakeNodes::live(&["a"]);
    engine.log(vec![line("a", 1, "said")]);
    let tap = LogTap::start(live, &no_folder);
    a_while().await;
    assert_eq!(texts(&tap.take().0), ["said"]);
}
