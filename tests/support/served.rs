//! A network with its page served, and a browser on it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::browser::Page;
use crate::network::{Network, wait_until};

/// What an address with the right to act bears.
const TOKEN: &str = "#token=";

/// A network, and `devnet serve` beside it.
pub struct Served {
    // Ends before its network does.
    server: Server,
    /// The network.
    pub network: Network,
    /// The address with the token.
    pub url: String,
}

/// The process that serves, ended with it.
struct Server(Child);

/// An open page, with what tests want of it.
pub struct Opened(Page);

impl Served {
    /// Brings up a network of processes and serves its page on a free port.
    pub fn up(arguments: &[&str]) -> Self {
        Self::over(Network::up("process", arguments))
    }

    /// Serves the page of a network on a free port.
    pub fn over(network: Network) -> Self {
        let (server, url) = start(&network, &["serve", "--listen", "127.0.0.1:0"], TOKEN);
        Self {
            network,
            url,
            server,
        }
    }

    /// The same by one command.
    pub fn up_serving(arguments: &[&str]) -> Self {
        let network = Network::new("process");
        let up = [&["up", "--serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let (server, url) = start(&network, &up, TOKEN);
        Self {
            network,
            url,
            server,
        }
    }

    /// Plays a scenario's simulated run; there is no network.
    pub fn playing(file: &Path) -> Self {
        let network = Network::new("process");
        let file = file.to_str().expect("a plain path");
        let play = ["sim", "play", file, "--listen", "127.0.0.1:0"];
        let (server, url) = start(&network, &play, "Play it");
        Self {
            network,
            url,
            server,
        }
    }

    /// Ends the server; the network stays.
    pub fn into_network(mut self) -> Network {
        self.stop();
        let Self { network, .. } = self;
        network
    }

    /// Serves again.
    pub fn serve(&mut self, listen: &str) {
        (self.server, self.url) = start(&self.network, &["serve", "--listen", listen], TOKEN);
    }

    /// Ends the server as Ctrl-C does.
    pub fn stop(&mut self) {
        let pid = i32::try_from(self.server.0.id()).expect("a process id");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("ours");
        let status = self.server.0.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        self.server.0.id()
    }

    /// Where it is served.
    pub fn port(&self) -> u16 {
        let rest = self.url.rsplit_once(':').expect("a port").1;
        rest.split('/')
            .next()
            .expect("a port")
            .parse()
            .expect("a number")
    }

    /// Opens the page with the right to act.
    pub fn open(&self) -> Opened {
        Opened(Page::open(&self.url, 1_280, 900))
    }

    /// As [`Served::open`], with a script that runs before all of the page's own.
    pub fn open_watched(&self, script: &str) -> Opened {
        let page = Page::blank(1_280, 900);
        page.run_first(script);
        page.visit(&self.url);
        Opened(page)
    }

    /// Opens it to look only.
    pub fn open_without_token(&self) -> Opened {
        let url = self.url.split('#').next().expect("an address");
        Opened(Page::open(url, 1_280, 900))
    }

    /// Nothing complained, and nothing was asked for elsewhere.
    #[track_caller]
    pub fn assert_quiet(&self, page: &Opened) {
        let seen = page.seen();
        assert_eq!(seen.complaints, Vec::<String>::new());
        let own = format!("http://127.0.0.1:{}/", self.port());
        let foreign: Vec<_> = seen
            .requests
            .iter()
            .filter(|url| !url.starts_with(&own))
            .collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert!(seen.requests.len() > 10, "{:?}", seen.requests);
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<(u16, String), String> {
        let mut request = agent().get(self.at(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call())
    }

    /// Status and body of a POST.
    pub fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String), String> {
        let mut request = agent()
            .post(self.at(path))
            .header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body))
    }

    /// A header of an answer.
    pub fn header(&self, path: &str, name: &str) -> String {
        let response = agent().get(self.at(path)).call().expect("an answer");
        let value = response
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().to_owned()
    }

    /// The first event of the stream.
    pub fn first_event(&self) -> String {
        let mut response = agent()
            .get(self.at("/api/stream"))
            .call()
            .expect("a stream");
        let mut reader = BufReader::new(response.body_mut().as_reader().take(1 << 20));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The program, and the address in the line that holds `mark`.
fn start(network: &Network, arguments: &[&str], mark: &str) -> (Server, String) {
    let mut command = network.command();
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let mut child = command.spawn().expect("devnet runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    let url = lines.by_ref().find_map(|line| {
        let line = line.expect("text");
        let at = line
            .find("http://127.0.0.1:")
            .filter(|_| line.contains(mark))?;
        Some(line[at..].trim().to_owned())
    });
    // What it says later goes nowhere, and must not hold it up.
    std::thread::spawn(move || lines.for_each(drop));
    (Server(child), url.expect("it says where the page is"))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .http_status_as_error(false)
        .build();
    config.new_agent()
}

fn answer(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, String), String> {
    let mut response = response.map_err(|error| error.to_string())?;
    let body = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    Ok((response.status().as_u16(), body))
}

impl Deref for Opened {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.0
    }
}

impl Opened {
    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, limit: Duration) {
        wait_until(limit, || match self.eval(expression) {
            Value::Bool(true) => Ok(()),
            other => Err(format!(
                "{expression}: {other}; the page says: {}",
                self.text("main")
            )),
        });
    }

    /// The text that is seen of an element.
    pub fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!(
            "document.querySelector('{selector}')?.innerText ?? ''"
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Opens a part of the page.
    pub fn go(&self, part: &str) {
        self.eval(&format!("(location.hash = '#/{part}', true)"));
        self.wait_for(
            &format!("location.hash === '#/{part}'"),
            Duration::from_secs(10),
        );
        self.settle();
    }

    /// Presses the button that is called so, once it can be pressed.
    #[track_caller]
    pub fn press(&self, name: &str) {
        let button = format!(
            "[...document.querySelectorAll('button')].find((one) => one.textContent === '{name}' && one.checkVisibility() && !one.disabled)"
        );
        self.wait_for(&format!("{button} !== undefined"), Duration::from_secs(30));
        self.eval(&format!("({button}.click(), true)"));
    }

    /// Presses a key where the focus is.
    pub fn key(&self, key: &str) {
        self.press_key(key);
        self.settle();
    }

    /// Lets two frames pass, in which changes are drawn.
    fn settle(&self) {
        self.eval_async("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    /// Nothing reaches beyond the window, once all is drawn for its size.
    #[track_caller]
    pub fn assert_fits(&self, what: &str) {
        wait_until(Duration::from_secs(5), || {
            let found = self.too_wide();
            match found.is_empty() {
                true => Ok(()),
                false => Err(format!("{what}: {found:?}")),
            }
        });
    }

    /// What reaches beyond the window and is not in a box that scrolls.
    fn too_wide(&self) -> Vec<String> {
        self.settle();
        let found = self.eval(
            "[...document.querySelectorAll('body, main, main *')].filter((part) => {
               if (part.getBoundingClientRect().right <= innerWidth + 1) return false;
               for (let box = part.parentElement; box; box = box.parentElement) {
                 const style = getComputedStyle(box).overflowX;
                 if (box !== document.documentElement && style !== 'visible') return false;
               }
               return part.checkVisibility();
             }).map((part) => `${part.tagName} ${part.getAttribute('class')}`)",
        );
        texts(&found)
    }

    /// Accessibility rules that are broken, with where.
    pub fn breaches(&self, axe: &str) -> Vec<String> {
        self.eval(&format!(
            "((() => {{ if (!window.axe) {{ {axe} }} }})(), true)"
        ));
        let found = self.eval_async(
            "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((one) =>
               `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`))",
        );
        texts(&found)
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one.as_str().expect("text").to_owned())
        .collect()
}
