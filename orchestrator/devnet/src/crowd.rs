//! Many nodes of one machine asked for something: how many at a time, and how
//! long each may take.
//!
//! Nodes share the cores of the machine that asks. Asked all at once, each has
//! to wait for all the others, and the last ones seem to be dead.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};

/// Nodes asked at a time. Also bounds the open connections: each is a file, of
/// which a program has 1,024 where nobody allows it more.
const AT_ONCE_MAX: usize = 64;
/// Nodes that answer as promptly as one does.
const FEW: usize = 24;
/// Added for each further one.
const SHARE: Duration = Duration::from_millis(20);

/// What a call to one of so many nodes may take, where it may take `alone` if
/// there are few.
pub fn patience(alone: Duration, nodes: usize) -> Duration {
    let more = u32::try_from(nodes.saturating_sub(FEW)).unwrap_or(u32::MAX);
    alone.saturating_add(SHARE.saturating_mul(more))
}

/// Does all of the work, so much of it at a time as the machine bears. What it
/// comes to is in no order.
pub async fn at_once<T>(work: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    // Collected, because the iterator may borrow what a stream must own.
    let work: Vec<_> = work.into_iter().collect();
    let work = stream::iter(work).buffer_unordered(AT_ONCE_MAX);
    work.collect().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{AT_ONCE_MAX, FEW, at_once, patience};

    #[test]
    fn few_nodes_have_to_answer_at_once_and_many_get_their_turn() {
        let second = Duration::from_secs(1);
        assert_eq!(patience(second, 0), second);
        assert_eq!(patience(second, FEW), second);
        assert_eq!(patience(second, FEW + 100), 3 * second);
        assert_eq!(patience(Duration::MAX, usize::MAX), Duration::MAX);
    }

    #[tokio::test]
    async fn all_is_done_and_never_too_much_at_a_time() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = (0..5 * AT_ONCE_MAX).map(|number| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::Relaxed);
                number
            }
        });
        let mut done = at_once(work).await;
        done.sort_unstable();
        assert_eq!(done, (0..5 * AT_ONCE_MAX).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), AT_ONCE_MAX);
    }
}
