//! What a panic does: one log line, then the end of the program.
//!
//! A panic is a bug. A node that goes on with a dead thread would look alive
//! and do nothing, so every panic ends the process with code 101, whatever
//! thread it happens in. The store survives that as it survives a crash.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use crate::exit;

thread_local! {
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook; call once, after the logger.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        if IS_CONTAINED.get() {
            return;
        }
        tracing::error!(
            place = %place(info),
            thread = std::thread::current().name().unwrap_or("unnamed"),
            "panic, which is a bug worth a report: {}",
            message(info.payload())
        );
        std::process::exit(i32::from(exit::PANIC));
    }));
}

/// Runs `work` and turns its panic into an error. Only for foreign code that
/// panics on damaged files.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = IS_CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_CONTAINED.set(before);
    result.map_err(|payload| message(payload.as_ref()).to_owned())
}

fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::contained;

    const CHILD_ENV: &str = "MINICHAIN_TEST_PANIC";

    /// The other side of the test below; alone it does nothing.
    #[test]
    fn child_panics_in_a_thread_nobody_waits_for() {
        if std::env::var_os(CHILD_ENV).is_none() {
            return;
        }
        super::install();
        std::thread::spawn(|| panic!("a bug"));
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn panic_in_any_thread_ends_the_process() {
        let child = "panic::tests::child_panics_in_a_thread_nobody_waits_for";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([child, "--exact", "--nocapture"])
            .env(CHILD_ENV, "1")
            .output()
            .unwrap()
            .status;
        assert_eq!(status.code(), Some(i32::from(crate::exit::PANIC)));
    }

    #[test]
    fn contained_panic_becomes_an_error() {
        assert_eq!(contained(|| 1), Ok(1));
        let number = std::hint::black_box(3);
        let error = contained(|| assert_eq!(number, 4, "wrong number")).unwrap_err();
        assert!(error.contains("wrong number"), "{error}");
    }
}
