//! The stream of news.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;

use minichain_api::rpc::method;
use minichain_chain::address::Address;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use serde_json::{Value, json};

use crate::spend::{funds, payment};
use crate::support::{Node, PATIENCE};

/// One reader of the stream.
struct Reader {
    lines: std::io::Lines<BufReader<TcpStream>>,
    status: String,
}

impl Reader {
    fn open(node: &Node) -> Self {
        let address = node
            .rpc_url
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let mut stream = TcpStream::connect(address).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let cookie = node.cookie_header();
        write!(
            stream,
            "GET /events HTTP/1.1\r\nHost: {address}\r\nAuthorization: {cookie}\r\n\r\n"
        )
        .expect("it reads");
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().expect("an answer").expect("text");
        Self { lines, status }
    }

    /// The next event of this name, whatever comes before it.
    fn next(&mut self, name: &str) -> Value {
        let wanted = format!("event: {name}");
        loop {
            let line = self
                .lines
                .next()
                .expect("the stream goes on")
                .expect("text");
            if line == wanted {
                let data = self.lines.next().expect("data").expect("text");
                let data = data.strip_prefix("data: ").expect("data").to_owned();
                return serde_json::from_str(&data).expect("JSON");
            }
        }
    }
}

fn generate(node: &Node) -> Value {
    let key = dev_account_key(&[1; 32], "miner").output_key();
    let address = Address::new("mini", key).expect("a prefix").to_string();
    node.call(method::GENERATE_TO_ADDRESS, json!([1, address]))[0].clone()
}

#[test]
fn tips_transactions_and_reorgs_are_told_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let mut reader = Reader::open(&node);
    assert!(reader.status.contains("200"), "{}", reader.status);
    assert_eq!(reader.next("tip")["height"], 0);

    let transaction = payment(funds(&node), 5, 10_000);
    node.call(
        method::SEND_RAW_TRANSACTION,
        json!([hex::encode(&encode(&transaction))]),
    );
    let told = reader.next("transaction");
    assert_eq!(told["txid"], json!(transaction.txid().to_string()));
    let hash = generate(&node);
    let tip = reader.next("tip");
    assert_eq!((&tip["hash"], &tip["height"]), (&hash, &json!(1)));

    node.call(method::INVALIDATE_BLOCK, json!([hash]));
    let reorg = reader.next("reorg");
    assert_eq!(reorg["disconnected"], json!([{"hash": hash, "height": 1}]));
    assert_eq!(reorg["connected"], json!([]));
    assert_eq!(reader.next("tip")["height"], 0);
}

#[test]
fn readers_are_bounded_and_leave_the_node_free_to_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let readers: Vec<_> = (0..16).map(|_| Reader::open(&node)).collect();
    assert!(readers.iter().all(|reader| reader.status.contains("200")));
    let refused = Reader::open(&node);
    assert!(refused.status.contains("503"), "{}", refused.status);
    assert_eq!(node.height(), 0, "calls are answered beside them");
    node.stop();
    drop(readers);
}
