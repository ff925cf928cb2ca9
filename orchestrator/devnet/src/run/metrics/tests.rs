//! Samples of doubles on a real disk.

use std::fs;

use super::*;
use crate::run::fake::FakeNodes;

#[tokio::test(start_paused = true)]
async fn every_node_is_sampled_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (live, _engine) = FakeNodes::live(&["a", "b"]);
    let to = folder.path().join("metrics");
    let tap = MetricsTap::start(live, FakeNodes::new(&["a", "b"]), &to);
    tokio::time::sleep(PERIOD * 2 + PERIOD / 2).await;
    for node in ["a", "b"] {
        let path = tap.folder().join(format!("{node}.prom"));
        let text = fs::read_to_string(path).expect("samples");
        let sample = format!("up{{node=\"{node}\"}} 1");
        assert_eq!(text.matches(&sample).count(), 3, "{text}");
        assert_eq!(text.matches("# sampled at ").count(), 3, "{text}");
    }
}

#[test]
fn samples_that_are_too_long_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.prom");
    let long = "x".repeat(usize::try_from(FILE_BYTES_MAX).expect("it fits") + 1);
    append(&path, 1, "short 1").expect("a writable disk");
    append(&path, 2, &long).expect("left out is no failure");
    append(&path, 3, "short 2").expect("a writable disk");
    let text = fs::read_to_string(&path).expect("samples");
    assert!(
        text.contains("short 1") && text.contains("short 2"),
        "{text}"
    );
    assert!(!text.contains("sampled at 2 "), "{text}");
}
