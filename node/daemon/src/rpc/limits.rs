//! How much may be in work at once, and for how long.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minichain_api::rpc::{RpcError, code};
use tokio::sync::{
    Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};

use super::error;

/// Quick calls in work at once; others wait.
const QUICK_MAX: usize = 64;
/// Calls that wait for something to happen; more are refused.
const PATIENT_MAX: usize = 32;
/// Readers of the stream of news; more are refused.
const READERS_MAX: usize = 16;
/// A quick call, waiting for its place included.
const QUICK_TIMEOUT: Duration = Duration::from_secs(30);
/// A call that waits for something to happen.
pub const PATIENT_TIMEOUT: Duration = Duration::from_secs(600);
/// Time that a patient call's answer still gets after its own limit.
const GRACE: Duration = Duration::from_secs(10);

/// Whoever waits for an answer; dropped when nobody does any more.
#[derive(Debug, Default)]
pub struct Waiting {
    is_gone: Arc<AtomicBool>,
}

/// Tells a long work on another thread whether its answer is waited for.
#[derive(Debug)]
pub struct Watch {
    is_gone: Arc<AtomicBool>,
}

impl Waiting {
    /// For the thread that works.
    pub fn watch(&self) -> Watch {
        let is_gone = Arc::clone(&self.is_gone);
        Watch { is_gone }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

impl Watch {
    /// Whether anybody still waits.
    pub fn holds(&self) -> bool {
        !self.is_gone.load(Ordering::Relaxed)
    }
}

/// The places calls are in.
#[derive(Debug)]
pub struct Limits {
    quick: Semaphore,
    patient: Semaphore,
    readers: Arc<Semaphore>,
    generating: Mutex<()>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quick: Semaphore::new(QUICK_MAX),
            patient: Semaphore::new(PATIENT_MAX),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            generating: Mutex::new(()),
        }
    }
}

impl Limits {
    /// A place among the quick ones, when there is one.
    pub async fn quick(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.quick.acquire().await.ok()
    }

    /// A place among the readers of the stream of news, if one is free.
    pub fn reader(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.readers).try_acquire_owned().ok()
    }

    /// The one place for mining at once: two searches would only spoil each
    /// other's blocks.
    pub async fn generating(&self) -> MutexGuard<'_, ()> {
        self.generating.lock().await
    }

    /// Runs a call within its bounds.
    pub async fn run<T>(
        &self,
        is_patient: bool,
        work: impl Future<Output = Result<T, RpcError>>,
    ) -> Result<T, RpcError> {
        if is_patient {
            let _place = self.patient.try_acquire().map_err(too_many)?;
            return within(PATIENT_TIMEOUT + GRACE, work).await;
        }
        let placed = async {
            let _place = self.quick().await;
            work.await
        };
        within(QUICK_TIMEOUT, placed).await
    }
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, RpcError>>,
) -> Result<T, RpcError> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        let why = format!("the call took longer than {} s; try again", time.as_secs());
        Err(error(code::INTERNAL, why))
    })
}

fn too_many(_full: TryAcquireError) -> RpcError {
    let why = format!("{PATIENT_MAX} calls wait already, and no more may; try again later");
    error(code::MISC, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slow_call_ends_with_an_error() {
        let never = std::future::pending::<Result<(), RpcError>>();
        let why = within(Duration::from_millis(20), never).await.unwrap_err();
        assert_eq!(why.code, code::INTERNAL);
        assert!(why.message.contains("took longer"), "{why:?}");
    }

    #[tokio::test]
    async fn waiting_calls_leave_room_for_quick_ones_and_are_bounded() {
        let limits = Limits::default();
        let _all = limits.patient.try_acquire_many(32).unwrap();
        let refused = limits.run(true, async { Ok(()) }).await.unwrap_err();
        assert_eq!(refused.code, code::MISC);
        assert_eq!(limits.run(false, async { Ok(5) }).await, Ok(5));
    }
}
