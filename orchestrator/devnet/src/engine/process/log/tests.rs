//! Log files that grow, are emptied, and are read.

use std::io::Write as _;

use super::*;

struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    fn append(&self, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .open(self.path())
            .expect("a writable log");
        file.write_all(text.as_bytes()).expect("a writable log");
    }

    fn stream(&self, wish: &LogWish) -> LogStream {
        stream(vec![("miner-0".into(), self.path())], wish)
    }

    fn follow(&self) -> LogStream {
        self.stream(&LogWish {
            follow: true,
            ..LogWish::default()
        })
    }

    async fn texts(&self, wish: &LogWish) -> Vec<String> {
        self.stream(wish)
            .map(|line| line.expect("a readable log").text)
            .collect()
            .await
    }
}

/// The next line of a log that is followed.
async fn next_of(lines: &mut LogStream) -> String {
    let line = tokio::time::timeout(Duration::from_secs(20), lines.next()).await;
    line.expect("a line comes")
        .expect("no end")
        .expect("a readable log")
        .text
}

#[tokio::test]
async fn a_log_is_read_whole_with_its_unfinished_last_line() {
    let log = Log::new();
    log.append("one\ntwo\n\nthree");
    assert_eq!(
        log.texts(&LogWish::default()).await,
        ["one", "two", "three"]
    );
}

#[tokio::test]
async fn a_missing_log_is_empty() {
    assert!(Log::new().texts(&LogWish::default()).await.is_empty());
}

#[tokio::test]
async fn the_tail_is_counted_over_the_file_put_aside_too() {
    let log = Log::new();
    log.append("old 1\nold 2\n");
    fs::rename(log.path(), aside(&log.path())).expect("a movable file");
    log.append("new\n");
    let wish = LogWish {
        tail: Some(2),
        ..LogWish::default()
    };
    assert_eq!(log.texts(&wish).await, ["old 2", "new"]);
    let none = LogWish {
        tail: Some(0),
        ..LogWish::default()
    };
    assert!(log.texts(&none).await.is_empty());
}

#[tokio::test]
async fn lines_before_the_wished_time_are_left_out_and_lines_without_time_follow_their_neighbour() {
    let log = Log::new();
    log.append("2026-01-01T00:00:00Z  INFO early\n  continued\n");
    log.append("2026-01-01T00:00:10Z  INFO late\n  continued too\n");
    let since = clock::parse_rfc3339_ms("2026-01-01T00:00:05Z");
    let wish = LogWish {
        since_ms: since,
        ..LogWish::default()
    };
    assert_eq!(
        log.texts(&wish).await,
        ["2026-01-01T00:00:10Z  INFO late", "  continued too"]
    );
}

#[tokio::test]
async fn a_followed_log_goes_on_with_new_lines_also_after_it_was_emptied() {
    let log = Log::new();
    log.append("one\n");
    let mut lines = log.follow();
    let mut next = async || next_of(&mut lines).await;
    assert_eq!(next().await, "one");
    log.append("tw");
    log.append("o\n");
    assert_eq!(next().await, "two");
    File::create(log.path()).expect("a writable log");
    log.append("x\n");
    assert_eq!(next().await, "x");
}

#[tokio::test]
async fn a_log_put_aside_is_read_to_its_end_and_its_last_words_are_a_line() {
    let log = Log::new();
    log.append("one\n");
    let mut lines = log.follow();
    let mut next = async || next_of(&mut lines).await;
    assert_eq!(next().await, "one");
    log.append("two\ndying");
    fs::rename(log.path(), aside(&log.path())).expect("a movable file");
    log.append("a line of the new file, longer than all before\n");
    assert_eq!(next().await, "two");
    assert_eq!(next().await, "dying");
    assert_eq!(
        next().await,
        "a line of the new file, longer than all before"
    );
}

#[tokio::test]
async fn others_are_heard_while_a_long_log_is_read() {
    let log = Log::new();
    log.append(&"x\n".repeat(4 * CHUNK_BYTES));
    let wish = LogWish {
        tail: Some(1),
        follow: true,
        ..LogWish::default()
    };
    let mut lines = log.stream(&wish);
    let first = futures::FutureExt::now_or_never(lines.next());
    assert!(first.is_none(), "it was read at one go");
    assert!(lines.next().await.is_some());
}

#[tokio::test]
async fn escape_sequences_do_not_reach_the_reader() {
    let log = Log::new();
    log.append("\u{1b}[31mred\u{7}\n");
    assert_eq!(
        log.texts(&LogWish::default()).await,
        ["\u{fffd}[31mred\u{fffd}"]
    );
}

#[test]
fn a_large_log_is_emptied_and_its_last_part_kept_aside() {
    let log = Log::new();
    let file = File::create(log.path()).expect("a writable log");
    file.set_len(FILE_BYTES_MAX + 1)
        .expect("sparse files exist");
    log.append("last\n");
    bound(&log.path());
    assert_eq!(length(&log.path()), 0);
    let kept = fs::read(aside(&log.path())).expect("the part kept");
    assert_eq!(kept.len() as u64, KEPT_BYTES);
    assert!(kept.ends_with(b"last\n"));
    log.append("next\n");
    assert_eq!(length(&log.path()), 5);
    bound(&log.path());
    assert_eq!(length(&log.path()), 5, "a small log is left alone");
}

#[test]
fn a_large_log_is_put_aside_before_a_start() {
    let log = Log::new();
    log.append("small\n");
    rotate(&log.path());
    assert_eq!(length(&log.path()), 6);
    let file = OpenOptions::new()
        .append(true)
        .open(log.path())
        .expect("a writable log");
    file.set_len(ROTATE_BYTES + 1).expect("sparse files exist");
    rotate(&log.path());
    assert!(!log.path().exists());
    assert_eq!(length(&aside(&log.path())), ROTATE_BYTES + 1);
}
