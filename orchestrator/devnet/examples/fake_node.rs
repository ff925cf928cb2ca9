//! A stand-in for the node in tests of the orchestrator: takes the same
//! arguments and configuration, answers the same calls, and agrees with all its
//! likes on a chain that follows from the clock alone. `FAKE_NODE` makes it
//! misbehave: `exit` (ends at once), `silent` (never listens).

#![expect(clippy::print_stdout, reason = "a node's log is its standard output")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use minichain_api::config::{NodeConfig, STORE_FILE};
use serde_json::{Value, json};

struct Node {
    config: NodeConfig,
    started: Instant,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let ["run", "--config", file] = arguments[1..]
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()[..]
    else {
        eprintln!("fake node: unknown arguments {arguments:?}");
        return ExitCode::from(2);
    };
    let text = std::fs::read_to_string(file).expect("the configuration is readable");
    let config: NodeConfig = serde_yaml::from_str(&text).expect("the configuration parses");
    let node = Node {
        config,
        started: Instant::now(),
    };
    node.log("starting");
    match std::env::var("FAKE_NODE").as_deref() {
        Ok("exit") => {
            node.log("cannot go on: told to end");
            return ExitCode::from(3);
        }
        Ok("silent") => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        _ => {}
    }
    let first_height = match node.open_store() {
        Ok(height) => height,
        Err(why) => {
            println!("fake node: {why}");
            return ExitCode::from(3);
        }
    };
    let address = SocketAddr::new(node.config.rpc.listen, node.config.rpc.port);
    let listener = TcpListener::bind(address).expect("the address is free");
    node.log(&format!("ready height={first_height}"));
    for stream in listener.incoming().flatten() {
        // A caller that went away is its own affair.
        let _gone = node.serve(stream);
    }
    ExitCode::SUCCESS
}

impl Node {
    fn log(&self, text: &str) {
        let now = since_1970();
        let (seconds, ms) = (now.as_secs(), now.subsec_millis());
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        // The day does not matter, only the order within one.
        println!(
            "2026-01-01T{hour:02}:{minute:02}:{second:02}.{ms:03}Z  INFO {}: {text}",
            self.config.name
        );
    }

    /// A store that holds nothing of worth, but that it is whole; the height it
    /// begins at.
    fn open_store(&self) -> Result<u64, String> {
        let file = self.config.data_dir.join(STORE_FILE);
        match std::fs::read(&file) {
            Ok(bytes) if bytes == [7; 65_536] => Ok(self.height()),
            Ok(_) => Err(format!("the store {} is corrupt", file.display())),
            Err(_) => {
                std::fs::write(&file, [7; 65_536]).map_err(|error| error.to_string())?;
                Ok(0)
            }
        }
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut length, mut is_signed_in) = (0, false);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
            is_signed_in |= line == self.sign_in().to_ascii_lowercase();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (status, answer) = match is_signed_in {
            true => ("200 OK", self.answer(&body).to_string()),
            false => ("401 Unauthorized", String::new()),
        };
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        )
    }

    fn sign_in(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let pair = format!(
            "{}:{}",
            part(&self.config.rpc.user),
            part(&self.config.rpc.password)
        );
        format!(
            "authorization: Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    }

    fn answer(&self, body: &[u8]) -> Value {
        match serde_json::from_slice(body).expect("requests are JSON") {
            Value::Array(batch) => batch
                .iter()
                .map(|request| self.answer_one(request))
                .collect(),
            request => self.answer_one(&request),
        }
    }

    fn answer_one(&self, request: &Value) -> Value {
        let method = request["method"].as_str().unwrap_or_default();
        match self.result(method, &request["params"]) {
            Some(result) => json!({ "id": request["id"], "result": result }),
            None => {
                json!({ "id": request["id"], "error": { "code": -32601, "message": "unknown" } })
            }
        }
    }

    fn result(&self, method: &str, params: &Value) -> Option<Value> {
        let height = self.height();
        let hashes = self.started.elapsed().as_millis() + 1;
        Some(match method {
            "getblockchaininfo" => json!({
                "chain": self.config.name, "blocks": height, "headers": height,
                "bestblockhash": hash(height), "bits": "1f00ffff", "target": hash(0),
                "difficulty": 1.0, "time": since_1970().as_secs(), "mediantime": 0,
                "chainwork": hash(height), "initialblockdownload": false,
                "genesishash": hash(0), "spacing": self.spacing_s(),
            }),
            "getblockhash" => json!(hash(params[0].as_u64()?)),
            "gettxoutsetinfo" => json!({
                "height": params[1].as_u64()?, "bestblock": hash(params[1].as_u64()?), "txouts": 1,
                "muhash": hash(params[1].as_u64()?), "total_amount": 0.0, "total_sats": 0,
            }),
            "getnetworkinfo" => json!({
                "version": 100, "subversion": "fake", "connections": 0, "connections_in": 0,
                "connections_out": 0, "peerid": self.config.p2p.listen.to_string(),
                "localaddresses": [],
            }),
            "getpeerinfo" => self.peers(),
            "getmempoolinfo" => json!({ "size": 0, "bytes": 0, "maxmempool": 1 }),
            "getmininginfo" => json!({
                "blocks": height, "mining": self.config.mining.enabled,
                "hashrate": self.config.mining.hash_rate, "hashes": hashes, "blocksfound": 0,
                "difficulty": 1.0, "networkhashps": 1.0, "pooledtx": 0, "address": null,
            }),
            _ => return None,
        })
    }

    /// Whom it was told to dial it is connected with.
    fn peers(&self) -> Value {
        let peer = |address: &String| {
            let ip = address.split(':').next().unwrap_or_default();
            json!({
                "id": 1, "addr": address, "peerid": ip, "inbound": false, "subver": "fake",
                "conntime": 0, "pingtime": null, "synced_blocks": null, "besthash": null,
            })
        };
        self.config.p2p.bootstrap.iter().map(peer).collect()
    }

    fn height(&self) -> u64 {
        let born = self
            .config
            .genesis
            .as_ref()
            .map_or(0, |genesis| genesis.time_s.into());
        since_1970().as_secs().saturating_sub(born) / self.spacing_s()
    }

    fn spacing_s(&self) -> u64 {
        self.config
            .genesis
            .as_ref()
            .map_or(5, |genesis| genesis.spacing_s.into())
    }
}

fn hash(height: u64) -> String {
    format!("{:064x}", height + 0xabcd)
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
