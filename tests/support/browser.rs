//! A page in a real headless Chromium, with everything it says and asks for.
//!
//! For files and for local servers alike. The profile folder is the page's own
//! and goes with it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Log, Network, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;
use tempfile::TempDir;

use crate::tools;

/// A busy machine starts browsers slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open page.
pub struct Page {
    tab: Arc<Tab>,
    seen: Arc<Mutex<Seen>>,
    _browser: Browser,
    _profile: TempDir,
}

/// What a page said and asked for.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Warnings and errors of the console, exceptions, and what the browser
    /// itself complains of, such as breaches of the content security policy.
    pub complaints: Vec<String>,
    /// Addresses of everything that was requested, the page itself first.
    pub requests: Vec<String>,
}

/// Colours that a page is asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// On a screen, light.
    Light,
    /// On a screen, dark.
    Dark,
    /// On paper, though the screen is dark.
    Print,
}

/// Whether browser tests can run here. Says SKIPPED loudly at a desk without
/// Chromium; in CI that is a failure.
pub fn available(test: &str) -> bool {
    let is_there = chromium().is_some();
    if !is_there {
        tools::missing(&format!(
            "{test} needs Chromium (package chromium), and there is none in PATH"
        ));
    }
    is_there
}

fn chromium() -> Option<PathBuf> {
    tools::find(&["chromium", "chromium-browser", "google-chrome"])
}

impl Page {
    /// Opens an address in a window of that size, and waits until it is loaded.
    pub fn open(url: &str, width: u32, height: u32) -> Self {
        let page = Self::blank(width, height);
        page.visit(url);
        page
    }

    /// A window of that size with nothing in it.
    pub fn blank(width: u32, height: u32) -> Self {
        let profile = TempDir::new().expect("a folder for the profile");
        let browser = Browser::new(LaunchOptions {
            path: chromium(),
            sandbox: false,
            window_size: Some((width, height)),
            user_data_dir: Some(profile.path().to_owned()),
            idle_browser_timeout: PATIENCE * 5,
            args: vec![OsStr::new("--hide-scrollbars")],
            ..LaunchOptions::default()
        });
        let browser = browser.expect("Chromium starts");
        let tab = browser.new_tab().expect("a tab");
        tab.set_default_timeout(PATIENCE);
        let seen = Arc::new(Mutex::new(Seen::default()));
        listen(&tab, &seen);
        Self {
            tab,
            seen,
            _browser: browser,
            _profile: profile,
        }
    }

    /// Goes to an address and waits until it is loaded.
    pub fn visit(&self, url: &str) {
        self.tab.navigate_to(url).expect("the page is found");
        self.tab.wait_until_navigated().expect("the page loads");
    }

    /// Has a script run in every page visited from now on, before all of its own.
    pub fn run_first(&self, script: &str) {
        use headless_chrome::protocol::cdp::Page::AddScriptToEvaluateOnNewDocument;
        let add = AddScriptToEvaluateOnNewDocument {
            source: script.to_owned(),
            world_name: None,
            include_command_line_api: None,
            run_immediately: None,
        };
        self.tab.call_method(add).expect("scripts can be added");
    }

    /// What it said and asked for so far.
    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    /// The value of a JavaScript expression, which must be plain data; null if
    /// it has none.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        let text = format!("JSON.stringify(({expression}) ?? null)");
        let answer = self.tab.evaluate(&text, true).expect("the page answers");
        let text = answer.value.as_ref().and_then(Value::as_str);
        let text = text.unwrap_or_else(|| panic!("no value: {answer:?}"));
        serde_json::from_str(text).expect("JSON")
    }

    /// The value that a promise brings, which must be plain data.
    #[track_caller]
    pub fn eval_async(&self, promise: &str) -> Value {
        let text = format!("(async () => JSON.stringify(await ({promise})))()");
        let answer = self.tab.evaluate(&text, true).expect("the page answers");
        let text = answer.value.as_ref().and_then(Value::as_str);
        let text = text.unwrap_or_else(|| panic!("no value: {answer:?}"));
        serde_json::from_str(text).expect("JSON")
    }

    /// Presses a key, named as browsers name it.
    pub fn press_key(&self, key: &str) {
        self.tab.press_key(key).expect("keys can be pressed");
    }

    /// The window as a picture in PNG.
    pub fn picture(&self) -> Vec<u8> {
        use headless_chrome::protocol::cdp::Page::CaptureScreenshotFormatOption;
        let kind = CaptureScreenshotFormatOption::Png;
        let picture = self.tab.capture_screenshot(kind, None, None, true);
        picture.expect("a picture")
    }

    /// Asks for other colours.
    pub fn set_scheme(&self, scheme: Scheme) {
        let (media, colours) = match scheme {
            Scheme::Light => ("screen", "light"),
            Scheme::Dark => ("screen", "dark"),
            Scheme::Print => ("print", "dark"),
        };
        let feature = Emulation::MediaFeature {
            name: "prefers-color-scheme".into(),
            value: colours.into(),
        };
        let set = Emulation::SetEmulatedMedia {
            media: Some(media.into()),
            features: Some(vec![feature]),
        };
        self.tab.call_method(set).expect("colours can be set");
    }

    /// Makes the window as large as that, also smaller than windows go.
    pub fn set_size(&self, width: u32, height: u32) {
        let size = Emulation::SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        };
        self.tab.call_method(size).expect("sizes can be set");
    }

    /// The page as PDF, as it prints.
    pub fn print(&self) -> Vec<u8> {
        self.tab.print_to_pdf(None).expect("it prints")
    }

    /// Text whose contrast with what lies behind it is too low to be read
    /// (WCAG 2.2, level AA), with the ratio; empty if all can be read.
    pub fn unreadable(&self) -> Vec<String> {
        let found = self.eval(include_str!("contrast.js"));
        let found = found.as_array().expect("a list").iter();
        found
            .map(|text| text.as_str().expect("text").to_owned())
            .collect()
    }
}

impl Page {
    /// What reaches beyond the window and is not in a box that scrolls.
    pub fn too_wide(&self) -> Vec<String> {
        let found = self.eval(
            "[...document.querySelectorAll('body, body *')].filter((part) => {
               if (part.getBoundingClientRect().right <= innerWidth + 1) return false;
               for (let box = part.parentElement; box; box = box.parentElement) {
                 if (getComputedStyle(box).overflowX !== 'visible') return false;
               }
               return part.checkVisibility();
             }).map((part) => `${part.tagName} ${part.getAttribute('class')}`)",
        );
        let found = found.as_array().expect("a list").iter();
        found
            .map(|part| part.as_str().expect("text").to_owned())
            .collect()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(tab: &Arc<Tab>, seen: &Arc<Mutex<Seen>>) {
    let network = Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    };
    tab.call_method(network).expect("requests are told");
    tab.call_method(Log::Enable(None))
        .expect("complaints are told");
    tab.call_method(Runtime::Enable(None))
        .expect("the console is told");
    let seen = seen.clone();
    let note = move |event: &Event| match event {
        Event::NetworkRequestWillBeSent(event) => {
            lock(&seen).requests.push(event.params.request.url.clone());
        }
        Event::LogEntryAdded(event) => {
            lock(&seen).complaints.push(event.params.entry.text.clone());
        }
        Event::RuntimeExceptionThrown(event) => {
            let details = &event.params.exception_details;
            lock(&seen).complaints.push(format!("{details:?}"));
        }
        Event::RuntimeConsoleAPICalled(event) => {
            let said = &event.params;
            lock(&seen)
                .complaints
                .push(format!("{:?}: {:?}", said.Type, said.args));
        }
        _ => {}
    };
    tab.add_event_listener(Arc::new(note))
        .expect("events are told");
}
