//! Stands before a Docker engine and pretends that it speaks other versions of
//! the API. It refuses requests of versions beyond those, and requests without
//! one, and translates the rest to what the engine speaks.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::docker;
use crate::network::Place;

/// Heads of requests are smaller.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Major and minor number.
pub type Api = (u32, u32);

/// An engine that pretends.
pub struct EngineProxy {
    folder: TempDir,
    spoken: Arc<Mutex<BTreeSet<Api>>>,
}

/// What a thread that serves needs.
#[derive(Clone)]
struct Mask {
    engine: PathBuf,
    /// What the engine really speaks at most.
    real: Api,
    least: Api,
    most: Api,
    spoken: Arc<Mutex<BTreeSet<Api>>>,
}

impl EngineProxy {
    /// Pretends that the machine's engine speaks versions `least` to `most`.
    pub fn new(least: Api, most: Api) -> Self {
        let folder = TempDir::new().expect("a folder for the socket");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let spoken = Arc::new(Mutex::default());
        let mask = Mask {
            engine: socket(),
            real: real(),
            least,
            most,
            spoken: Arc::clone(&spoken),
        };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mask = mask.clone();
                thread::spawn(move || mask.serve(stream));
            }
        });
        Self { folder, spoken }
    }

    /// Versions in which it was asked.
    pub fn spoken(&self) -> Vec<Api> {
        let spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        spoken.iter().copied().collect()
    }
}

impl Place for EngineProxy {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let socket = self.folder.path().join("docker.sock");
        command
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .env_remove("DOCKER_API_VERSION");
        command
    }
}

impl Mask {
    /// One request; the connection ends with it.
    fn serve(&self, mut near: UnixStream) -> io::Result<()> {
        let (head, rest) = read_head(&mut near)?;
        let (line, fields) = head.split_once("\r\n").unwrap_or((head.as_str(), ""));
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        if matches!(path, "/version" | "/_ping") {
            return self.introduce(near, method, path);
        }
        let asked = versioned(path);
        let Some((api, path)) = asked.filter(|(api, _)| (self.least..=self.most).contains(api))
        else {
            let (least, most) = (spell(self.least), spell(self.most));
            let message = format!("{path}: client version is not within {least} to {most}");
            let body = json!({ "message": message }).to_string();
            return answer(near, "400 Bad Request", &body);
        };
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        spoken.insert(api);
        drop(spoken);
        let api = spell(api.min(self.real));
        let mut far = UnixStream::connect(&self.engine)?;
        let fields = closing(fields);
        far.write_all(format!("{method} /v{api}{path} HTTP/1.1\r\n{fields}\r\n").as_bytes())?;
        far.write_all(&rest)?;
        relay(near, far)
    }

    /// What the engine says of itself, with the versions changed.
    fn introduce(&self, near: UnixStream, method: &str, path: &str) -> io::Result<()> {
        if path == "/_ping" {
            return answer(near, "200 OK", "OK");
        }
        let mut far = UnixStream::connect(&self.engine)?;
        let request = format!("{method} {path} HTTP/1.0\r\nHost: docker\r\n\r\n");
        far.write_all(request.as_bytes())?;
        let mut said = String::new();
        far.read_to_string(&mut said)?;
        let body = said.split_once("\r\n\r\n").map_or("", |parts| parts.1);
        let mut told: Value = serde_json::from_str(body).map_err(io::Error::other)?;
        told["ApiVersion"] = spell(self.most).into();
        told["MinAPIVersion"] = spell(self.least).into();
        answer(near, "200 OK", &told.to_string())
    }
}

/// Both directions until both ends have closed; one may go on alone, as a
/// program's output does.
fn relay(mut near: UnixStream, mut far: UnixStream) -> io::Result<()> {
    let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
    let upwards = thread::spawn(move || {
        let copied = io::copy(&mut from, &mut to);
        let _closed = to.shutdown(std::net::Shutdown::Write);
        copied
    });
    io::copy(&mut far, &mut near)?;
    near.shutdown(std::net::Shutdown::Both)?;
    let _ended = upwards.join();
    Ok(())
}

/// A request's head without its empty line, and what came behind it.
fn read_head(stream: &mut UnixStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            bytes.truncate(end + 2);
            let head = String::from_utf8(bytes).map_err(io::Error::other)?;
            return Ok((head, rest));
        }
        let read = stream.read(&mut part)?;
        if read == 0 || bytes.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&part[..read]);
    }
}

/// Fields of a request that is the connection's last, unless it takes it over.
fn closing(fields: &str) -> String {
    let is_of_connection = |line: &&str| line.to_ascii_lowercase().starts_with("connection:");
    let lines = fields.split_terminator("\r\n");
    let kept = lines.clone().filter(|line| !is_of_connection(line));
    let takes_over = lines
        .filter(is_of_connection)
        .any(|line| line.to_ascii_lowercase().contains("upgrade"));
    let last = if takes_over { "Upgrade" } else { "close" };
    let connection = format!("Connection: {last}");
    kept.chain([connection.as_str()])
        .map(|line| format!("{line}\r\n"))
        .collect()
}

/// `/v1.44/containers/json` in its two parts.
fn versioned(path: &str) -> Option<(Api, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    Some((parse(&rest[..end])?, &rest[end..]))
}

fn parse(text: &str) -> Option<Api> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn spell((major, minor): Api) -> String {
    format!("{major}.{minor}")
}

fn answer(mut stream: UnixStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n");
    let end = format!("Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all((head + &end).as_bytes())
}

/// What the machine's engine speaks at most.
pub fn real() -> Api {
    let told = docker::docker(&["version", "--format", "{{.Server.APIVersion}}"]);
    parse(told.trim()).unwrap_or_else(|| panic!("{told} is no version"))
}

/// Where the machine's engine listens.
fn socket() -> PathBuf {
    let context = docker::docker(&[
        "context",
        "inspect",
        "--format",
        "{{.Endpoints.docker.Host}}",
    ]);
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| context.trim().to_owned());
    let path = host.strip_prefix("unix://");
    path.unwrap_or_else(|| panic!("{host} is no Unix socket"))
        .into()
}
