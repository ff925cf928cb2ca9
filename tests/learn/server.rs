//! Serves the lessons' files and the harness page, with the policy of the page
//! that will hold them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// What the page that holds the lessons allows them.
const POLICY: &str = "default-src 'self'";

/// Serves until the program ends; `header` is told as `/header.json`.
pub fn serve(header: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let header: Arc<str> = header.into();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let header = header.clone();
            // A browser opens connections that it does not use.
            thread::spawn(move || stream.map(|stream| answer(&stream, &header)));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, header: &str) {
    let mut line = String::new();
    let mut lines = BufReader::new(stream);
    if lines.read_line(&mut line).is_err() {
        return;
    }
    let mut rest = String::new();
    while lines.read_line(&mut rest).is_ok_and(|read| read > 2) {
        rest.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, body) = match (path, file(path)) {
        ("/header.json", _) => ("200 OK", header.as_bytes().to_vec()),
        // Asked for by every browser, and no part of what is tested.
        ("/favicon.ico", _) => ("204 No Content", Vec::new()),
        (_, Some(body)) => ("200 OK", body),
        (_, None) => ("404 Not Found", Vec::new()),
    };
    let kind = kind(path);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n"
    );
    // The browser may have gone away.
    let _gone = stream.write_all(&[head.as_bytes(), &body].concat());
}

fn file(path: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if parts.contains(&"..") {
        return None;
    }
    let file: PathBuf = match parts.as_slice() {
        [""] => root.join("learn/harness.html"),
        ["learn", rest @ ..] => {
            let assets = root.join("../orchestrator/devnet/assets/learn");
            rest.iter().fold(assets, |folder, part| folder.join(part))
        }
        [name] => root.join("learn").join(name),
        _ => return None,
    };
    fs::read(file).ok()
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript",
        Some((_, "css")) => "text/css",
        Some((_, "json")) => "application/json",
        _ => "text/html; charset=utf-8",
    }
}
