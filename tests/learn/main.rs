//! The lessons of the page: they compute what the chain computes, and can be
//! read and played by everybody.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

mod kept;
mod pages;
mod random;
mod server;
mod vectors;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use minichain_tests::browser::{self, Page};
use minichain_tests::network::wait_until;

/// The address of one server for all tests.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| server::serve(&pages::real_header()))
}

/// The harness page, with everything loaded; `None` where there is no browser.
fn page(test: &str, query: &str) -> Option<Page> {
    if !browser::available(test) {
        return None;
    }
    let page = Page::open(&format!("http://{}/{query}", address()), 1_200, 900);
    wait_until(Duration::from_secs(30), || {
        match page.eval("window.isReady === true") == true {
            true => Ok(()),
            false => Err(format!("not loaded: {:?}", page.seen().complaints)),
        }
    });
    Some(page)
}
