//! The loop against a scripted director and a world of doubles.

use std::sync::Mutex;

use devnet_scenario::world::Evidence;
use tokio::time::Instant;

use super::*;

/// Gives orders in turn and writes down what it hears.
struct Script {
    orders: VecDeque<Order>,
    heard: Vec<String>,
    began: Instant,
}

impl Script {
    fn new(orders: impl IntoIterator<Item = Order>) -> Self {
        Self {
            orders: orders.into_iter().collect(),
            heard: Vec::new(),
            began: Instant::now(),
        }
    }
}

impl Director for Script {
    fn next(&mut self, _now_ms: u64, heard: Heard) -> Order {
        let what = match heard {
            Heard::Nothing => "nothing".into(),
            Heard::Acted { id, outcome } => match outcome {
                Outcome::Done(_) => format!("done {}", id.0),
                Outcome::Ineffective(_) => format!("ineffective {}", id.0),
                Outcome::Failed { why } => format!("failed {}: {why}", id.0),
            },
            Heard::Saw(snapshot) => format!("saw {}", snapshot.at_ms),
            Heard::Interrupted => "interrupted".into(),
        };
        self.heard
            .push(format!("{} {what}", self.began.elapsed().as_millis()));
        self.orders.pop_front().unwrap_or(Order::Done)
    }
}

/// Acts take as many milliseconds as the payment's amount says.
struct Slow(Instant);

impl Stage for Slow {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).expect("a short test")
    }

    fn act(self: Rc<Self>, _id: ActId, act: Act) -> LocalBoxFuture<'static, Outcome> {
        async move {
            if let Act::Transfer(transfer) = act {
                tokio::time::sleep(Duration::from_millis(transfer.sats)).await;
            }
            Outcome::Done(Evidence::default())
        }
        .boxed_local()
    }

    fn look<'a>(&'a self, _wants: &'a Wants) -> LocalBoxFuture<'a, Snapshot> {
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Snapshot {
                at_ms: self.now_ms(),
                ..Snapshot::default()
            }
        }
        .boxed_local()
    }
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Witness for Notes {
    fn began(&mut self, at_ms: u64, id: ActId, _act: &Act) {
        self.note(format!("{at_ms} began {}", id.0));
    }
    fn ended(&mut self, at_ms: u64, id: ActId, _outcome: &Outcome) {
        self.note(format!("{at_ms} ended {}", id.0));
    }
    fn saw(&mut self, snapshot: &Snapshot) {
        self.note(format!("saw {}", snapshot.at_ms));
    }
    fn interrupted(&mut self, at_ms: u64) {
        self.note(format!("{at_ms} interrupted"));
    }
}

impl Notes {
    fn note(&mut self, text: String) {
        self.0.get_mut().expect("nobody panicked").push(text);
    }
}

fn act(id: u32, takes_ms: u64, timeout_ms: u64) -> Order {
    Order::Act {
        id: ActId(id),
        act: Act::Transfer(devnet_scenario::world::Transfer {
            from: String::new(),
            to: String::new(),
            sats: takes_ms,
            via: String::new(),
        }),
        timeout_ms,
    }
}

/// Interrupts at these times, then never.
fn interrupts(at_ms: &[u64]) -> impl FnMut() -> BoxFuture<'static, ()> + Send + use<> {
    let began = Instant::now();
    let mut at_ms: VecDeque<u64> = at_ms.iter().copied().collect();
    move || match at_ms.pop_front() {
        Some(at_ms) => tokio::time::sleep_until(began + Duration::from_millis(at_ms)).boxed(),
        None => std::future::pending().boxed(),
    }
}

async fn run(
    orders: impl IntoIterator<Item = Order>,
    interrupted_at_ms: &[u64],
) -> (Result<(), Left>, Vec<String>) {
    let mut script = Script::new(orders);
    let stage = Rc::new(Slow(Instant::now()));
    let mut next = interrupts(interrupted_at_ms);
    let ended = drive(&mut script, stage, &mut Notes::default(), &mut next).await;
    (ended, script.heard)
}

#[tokio::test(start_paused = true)]
async fn acts_run_side_by_side_and_end_a_wait() {
    let wait = || Order::WaitUntil(10_000);
    let (ended, heard) = run(
        [act(1, 300, 1_000), act(2, 100, 1_000), wait(), wait()],
        &[],
    )
    .await;
    assert_eq!(ended, Ok(()));
    let expected = [
        "0 nothing",
        "0 nothing",
        "0 nothing",
        "100 done 2",
        "300 done 1",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn an_act_that_takes_too_long_has_failed() {
    let (_, heard) = run([act(1, 5_000, 200), Order::WaitUntil(10_000)], &[]).await;
    assert_eq!(heard[2], "200 failed 1: it was not done within 0.2 s");
}

#[tokio::test(start_paused = true)]
async fn a_look_is_answered_by_what_was_seen_even_if_an_act_ends_meanwhile() {
    let orders = [
        act(1, 5, 1_000),
        Order::Look(Wants::default()),
        Order::WaitUntil(1_000),
        Order::WaitUntil(500),
    ];
    let (_, heard) = run(orders, &[]).await;
    let expected = [
        "0 nothing",
        "0 nothing",
        "10 saw 10",
        "10 done 1",
        "500 nothing",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_is_told_once_and_the_second_leaves() {
    let wait = || Order::WaitUntil(10_000);
    let (ended, heard) = run([wait(), wait(), wait()], &[50, 80]).await;
    assert_eq!(ended, Err(Left));
    assert_eq!(heard, ["0 nothing", "50 interrupted"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_a_look_is_told_after_it() {
    let orders = [Order::Look(Wants::default()), Order::WaitUntil(1_000)];
    let (ended, heard) = run(orders, &[5]).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(heard, ["0 nothing", "10 saw 10", "10 interrupted"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_has_passed_is_not_waited_for() {
    let (_, heard) = run([Order::WaitUntil(0), Order::WaitUntil(0)], &[]).await;
    assert_eq!(heard, ["0 nothing", "0 nothing", "0 nothing"]);
}
