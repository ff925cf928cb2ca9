//! What benchmarks share: rows of a table, times, and the same containers made
//! by others.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::docker::docker;
use crate::network::Network;
use crate::tools;

/// Where Docker listens.
const SOCKET: &str = "/var/run/docker.sock";
/// Calls to the engine at a time; it takes no more for it.
const CALLS: usize = 16;
/// A busy engine may take this long over one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);

/// A row of the table in BENCHMARKS.md.
#[expect(clippy::print_stdout, reason = "a bench prints its table")]
pub fn row(figure: &str, value: &str, how: &str) {
    println!("| {figure} | {value} | {how} |");
}

/// Seconds that `work` takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

/// Median, least and most.
pub fn format(samples: &[f64], unit: &str) -> String {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = median(samples);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{median:.2} {unit} ({low:.2} to {high:.2})")
}

/// The middle one.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The image `devnet` makes of the node.
pub fn node_image() -> String {
    let network = Network::up("docker", &["--nodes", "1", "--miners", "1"]);
    let filter = format!("label=devnet.name={}", network.name);
    let image = docker(&["ps", "-a", "--filter", &filter, "--format", "{{.Image}}"]);
    image.trim().to_owned()
}

/// Containers of that image with the command, ports, volume and limits of a
/// devnet's, but nobody who waits for their health.
pub struct Containers<'a> {
    /// The image.
    pub image: &'a str,
    /// How many; the first does not mine.
    pub count: u16,
}

impl Containers<'_> {
    /// Seconds of `docker-compose up -d` and `down -v`.
    pub fn by_compose(&self) -> (f64, f64) {
        let folder = TempDir::new().expect("a folder for the compose file");
        let services: String = (0..self.count).map(|number| self.service(number)).collect();
        let volumes: String = (0..self.count)
            .map(|number| format!("  v{number}:\n"))
            .collect();
        let file = format!("version: '2.4'\nservices:\n{services}volumes:\n{volumes}");
        fs::write(folder.path().join("docker-compose.yml"), file).expect("a compose file");
        let run = |arguments: &[&str]| {
            let mut compose = tools::compose("bring-up").expect("Docker Compose is installed");
            compose.env("COMPOSE_HTTP_TIMEOUT", CALL_TIMEOUT.as_secs().to_string());
            tools::must(compose.args(arguments).current_dir(folder.path()));
        };
        let up = seconds(|| run(&["up", "-d"]));
        let down = seconds(|| run(&["down", "-v", "-t", "2"]));
        (up, down)
    }

    /// Seconds of creating and starting them through the engine's API, some at a
    /// time, and of removing them again.
    pub fn by_api(&self) -> (f64, f64) {
        let network = format!("bare-{}", std::process::id());
        let name = |number: u16| format!("{network}-{number}");
        let up = seconds(|| {
            must("POST", "/networks/create", &json!({ "Name": network }));
            self.at_once(|number| {
                let name = name(number);
                let body = self.container(number, &network);
                must("POST", &format!("/containers/create?name={name}"), &body);
                must("POST", &format!("/containers/{name}/start"), &Value::Null);
            });
        });
        let down = seconds(|| {
            self.at_once(|number| {
                let name = name(number);
                must(
                    "DELETE",
                    &format!("/containers/{name}?force=1&v=1"),
                    &Value::Null,
                );
                must("DELETE", &format!("/volumes/{name}"), &Value::Null);
            });
            must("DELETE", &format!("/networks/{network}"), &Value::Null);
        });
        (up, down)
    }

    /// Does `work` for every container, some at a time.
    fn at_once(&self, work: impl Fn(u16) + Sync) {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..CALLS {
                scope.spawn(|| {
                    while let Ok(number) = u16::try_from(next.fetch_add(1, Ordering::Relaxed)) {
                        if number >= self.count {
                            return;
                        }
                        work(number);
                    }
                });
            }
        });
    }

    /// Ports of the host, away from those that devnet chooses first.
    fn ports(number: u16) -> (u16, u16) {
        let slots = 2_000;
        let base = 20_000 + u16::try_from(std::process::id() % slots).unwrap_or_default();
        (base + 2 * number, base + 2 * number + 1)
    }

    fn arguments(number: u16) -> Vec<&'static str> {
        let always = [
            "--data-dir",
            "/data",
            "--listen",
            "0.0.0.0",
            "--rpc-listen",
            "0.0.0.0",
        ];
        let mine = (number > 0).then_some("--mine");
        always.into_iter().chain(mine).collect()
    }

    fn service(&self, number: u16) -> String {
        let (rpc, metrics) = Self::ports(number);
        let command = json!(Self::arguments(number));
        let image = self.image;
        format!(
            "  n{number}:\n    image: {image}\n    command: {command}\n    ports: ['127.0.0.1:{rpc}:9001', '127.0.0.1:{metrics}:9002']\n    volumes: ['v{number}:/data']\n    read_only: true\n    mem_limit: 256m\n    cap_drop: [ALL]\n    cap_add: [NET_ADMIN]\n"
        )
    }

    fn container(&self, number: u16, network: &str) -> Value {
        let (rpc, metrics) = Self::ports(number);
        let at = |port: u16| json!([{ "HostIp": "127.0.0.1", "HostPort": port.to_string() }]);
        json!({
            "Image": self.image,
            "Cmd": Self::arguments(number),
            "ExposedPorts": { "9001/tcp": {}, "9002/tcp": {} },
            "HostConfig": {
                "NetworkMode": network,
                "PortBindings": { "9001/tcp": at(rpc), "9002/tcp": at(metrics) },
                "Binds": [format!("{network}-{number}:/data")],
                "ReadonlyRootfs": true,
                "Memory": 256 << 20,
                "CapDrop": ["ALL"],
                "CapAdd": ["NET_ADMIN"],
            },
        })
    }
}

/// A call to the engine that has to succeed.
fn must(method: &str, path: &str, body: &Value) {
    let answer = call(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"));
    let status = answer.split(' ').nth(1).unwrap_or_default();
    assert!(status.starts_with('2'), "{method} {path}: {answer}");
}

fn call(method: &str, path: &str, body: &Value) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(CALL_TIMEOUT))?;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
