//! The timers of everything that libp2p waits for, on the runtime that the node
//! has anyway. Stands in for the crate `futures-timer`, whose timers share a
//! thread of their own: to set, drop or end one wakes that thread, which was half
//! of all that an idle node woke for. See `node/decisions/0024`.
//!
//! Holds what libp2p uses of that crate, under its name and with its meaning, and
//! imports nothing but tokio.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Ready when its time is over. It may be made anywhere, but is polled within a
/// tokio runtime.
pub struct Delay {
    ends: Instant,
    /// None until somebody waits.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Delay {
    /// Ends after this time.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        Self {
            ends: after(time),
            sleep: None,
        }
    }

    /// Ends this long after now instead; whoever waits goes on waiting.
    pub fn reset(&mut self, time: Duration) {
        self.ends = after(time);
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().reset(self.ends);
        }
    }
}

/// Far ahead, where the clock cannot tell a time that late.
fn after(time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
    Instant::now() + time.min(FAR)
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let ends = self.ends;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(ends)));
        sleep.as_mut().poll(context)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delay").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;
    use tokio::time::Instant;

    use super::Delay;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_its_time_is_over_counted_from_its_making() {
        let began = Instant::now();
        let delay = Delay::new(3 * SECOND);
        tokio::time::sleep(SECOND).await;
        delay.await;
        assert_eq!(began.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn reset_wakes_who_waits_at_the_new_time() {
        for (first, then) in [(2 * SECOND, 5 * SECOND), (9 * SECOND, SECOND)] {
            let began = Instant::now();
            let mut delay = Delay::new(first);
            assert!((&mut delay).now_or_never().is_none());
            tokio::time::sleep(SECOND).await;
            delay.reset(then);
            delay.await;
            assert_eq!(began.elapsed(), SECOND + then);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_can_be_used_again_after_its_end() {
        let mut delay = Delay::new(SECOND);
        (&mut delay).await;
        let began = Instant::now();
        delay.reset(2 * SECOND);
        (&mut delay).await;
        assert_eq!(began.elapsed(), 2 * SECOND);
    }

    #[test]
    fn it_may_be_made_outside_a_runtime_and_never_end() {
        let mut delay = Delay::new(Duration::MAX);
        delay.reset(Duration::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            delay.await;
            assert!(Delay::new(Duration::MAX).now_or_never().is_none());
        });
    }
}
