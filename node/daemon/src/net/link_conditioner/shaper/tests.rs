use std::time::Duration;

use proptest::prelude::*;

use super::{Condition, RETRANSMIT_FIRST, SEGMENT_BYTES, Shaper};

const FREE: Condition = Condition {
    is_cut: false,
    latency_ms: 0.0,
    jitter_ms: 0.0,
    loss: 0.0,
    rate_bytes_s: None,
};
const CUT: Condition = Condition {
    is_cut: true,
    ..FREE
};
/// Longer than any delay here.
const LATE: Duration = Duration::from_secs(1_000_000_000);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn shaper(condition: Condition) -> Shaper {
    let mut shaper = Shaper::new(1);
    shaper.set(Duration::ZERO, condition);
    shaper
}

/// Lets all leave that is due; how much it was.
fn let_out(shaper: &mut Shaper, now: Duration) -> usize {
    let due = shaper.due(now);
    shaper.left(due);
    due
}

fn condition() -> impl Strategy<Value = Condition> {
    (
        prop::bool::weighted(0.2),
        0.0..500.0_f64,
        0.0..100.0_f64,
        prop_oneof![Just(0.0), 0.0..0.9_f64],
        prop::option::of(1_000..10_000_000_u64),
    )
        .prop_map(
            |(is_cut, latency_ms, jitter_ms, loss, rate_bytes_s)| Condition {
                is_cut,
                latency_ms,
                jitter_ms,
                loss,
                rate_bytes_s,
            },
        )
}

/// Something happens: bytes are handed over, or the condition changes.
#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Set(Condition),
    LetOut,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let step = prop_oneof![
        4 => (0..5_000_usize).prop_map(Step::Push),
        1 => condition().prop_map(Step::Set),
        3 => Just(Step::LetOut),
    ];
    prop::collection::vec((0..300_u64, step), 1..60)
}

proptest! {
    #[test]
    fn nothing_is_lost_or_made_and_healing_releases_everything_at_once(steps in steps()) {
        let mut shaper = Shaper::new(5);
        let (mut now, mut pushed, mut left) = (Duration::ZERO, 0, 0);
        for (pause, step) in steps {
            now += ms(pause);
            match step {
                Step::Push(len) => {
                    shaper.push(now, len);
                    pushed += len;
                }
                Step::Set(condition) => shaper.set(now, condition),
                Step::LetOut => left += let_out(&mut shaper, now),
            }
            prop_assert_eq!(shaper.waiting(), pushed - left);
        }
        shaper.set(now, FREE);
        left += let_out(&mut shaper, now);
        prop_assert_eq!(left, pushed);
        prop_assert!(shaper.is_open());
        prop_assert_eq!(shaper.next_at(), None);
    }

    #[test]
    fn order_is_kept(condition in condition(), steps in steps()) {
        let mut shaper = shaper(condition);
        let mut now = Duration::ZERO;
        for (pause, step) in steps {
            now += ms(pause);
            match step {
                Step::Push(len) => shaper.push(now, len),
                Step::Set(condition) => shaper.set(now, condition),
                Step::LetOut => { let_out(&mut shaper, now); }
            }
            let times: Vec<_> = shaper.queue.iter().map(|segment| segment.leaves).collect();
            prop_assert!(times.is_sorted(), "{times:?}");
        }
    }

    #[test]
    fn rate_is_never_exceeded_and_is_reached(
        rate in 1_000..1_000_000_u64,
        pushes in prop::collection::vec((0..50_u64, 1..20_000_usize), 1..40),
    ) {
        let mut shaper = shaper(Condition { rate_bytes_s: Some(rate), ..FREE });
        let (mut now, mut total, mut left) = (Duration::ZERO, 0_u64, 0_u64);
        for (pause, len) in pushes {
            now += ms(pause);
            shaper.push(now, len);
            total += len as u64;
            left += let_out(&mut shaper, now) as u64;
            let allowed = rate as f64 * now.as_secs_f64() + SEGMENT_BYTES as f64;
            prop_assert!(left as f64 <= allowed, "{left} of {allowed}");
        }
        // A saturated line needs no longer than its rate says.
        let end = now + Duration::from_secs_f64(total as f64 / rate as f64) + ms(1);
        left += let_out(&mut shaper, end) as u64;
        prop_assert_eq!(left, total);
    }

    #[test]
    fn latency_is_what_was_asked_for(latency_ms in 0..60_000_u64, len in 1..100_000_usize) {
        let mut shaper = shaper(Condition { latency_ms: latency_ms as f64, ..FREE });
        shaper.push(ms(10), len);
        if latency_ms > 0 {
            prop_assert_eq!(shaper.due(ms(10 + latency_ms) - Duration::from_micros(1)), 0);
        }
        prop_assert_eq!(shaper.due(ms(10 + latency_ms) + Duration::from_micros(1)), len);
    }
}

#[test]
fn free_link_is_open_and_bytes_behind_others_wait_for_them() {
    let mut shaper = Shaper::new(1);
    assert!(shaper.is_open());
    shaper.set(ms(0), CUT);
    assert!(!shaper.is_open());
    shaper.push(ms(1), 10);
    shaper.set(ms(2), FREE);
    assert!(!shaper.is_open(), "the old bytes go first");
    shaper.push(ms(2), 10);
    assert_eq!(let_out(&mut shaper, ms(2)), 20);
    assert!(shaper.is_open());
}

#[test]
fn nothing_leaves_while_cut_or_wholly_lossy() {
    for condition in [CUT, Condition { loss: 1.0, ..FREE }] {
        let mut shaper = shaper(condition);
        shaper.push(ms(0), 5_000);
        assert_eq!((shaper.due(LATE), shaper.next_at()), (0, None));
    }
}

#[test]
fn what_a_cut_held_up_still_takes_the_links_latency() {
    let slow = Condition {
        latency_ms: 100.0,
        ..FREE
    };
    let mut shaper = shaper(Condition {
        is_cut: true,
        ..slow
    });
    shaper.push(ms(0), 100);
    shaper.set(ms(5_000), slow);
    assert_eq!(shaper.due(ms(5_099)), 0);
    assert_eq!(shaper.due(ms(5_100)), 100);
}

#[test]
fn shorter_latency_lets_waiting_bytes_out_earlier() {
    let latency = |latency_ms| Condition { latency_ms, ..FREE };
    let mut shaper = shaper(latency(10_000.0));
    shaper.push(ms(0), 100);
    shaper.set(ms(50), latency(100.0));
    assert_eq!(shaper.next_at(), Some(ms(100)));
    shaper.set(ms(60), latency(100.0));
    assert_eq!(
        shaper.next_at(),
        Some(ms(100)),
        "setting again changes nothing"
    );
}

#[test]
fn lost_segments_come_a_retransmission_later_and_hold_up_the_others() {
    let mut shaper = shaper(Condition { loss: 0.3, ..FREE });
    let segments = 2_000;
    shaper.push(ms(0), segments * SEGMENT_BYTES);
    let mut lost = Shaper::new(1);
    lost.condition.loss = 0.3;
    let held_up = (0..segments)
        .filter(|_| lost.retransmissions() >= RETRANSMIT_FIRST)
        .count();
    assert!((500..700).contains(&held_up), "{held_up} of {segments}");
    let at_once = shaper.due(ms(0));
    assert!(at_once < 100 * SEGMENT_BYTES, "the first loss holds all up");
    assert_eq!(shaper.due(LATE), segments * SEGMENT_BYTES);
}

#[test]
fn small_writes_of_one_moment_share_a_segment() {
    let mut shaper = shaper(Condition {
        latency_ms: 5.0,
        ..FREE
    });
    for _ in 0..10 {
        shaper.push(ms(1), 100);
    }
    assert_eq!(shaper.queue.len(), 1);
    shaper.push(ms(1), SEGMENT_BYTES);
    assert_eq!(shaper.queue.len(), 2);
    shaper.push(ms(9), 1);
    assert_eq!(shaper.queue.len(), 3);
}
