//! `minichain rpc` calls a running node.

use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::support::{Node, minichain, run, shown};

fn rpc(node: &Node, words: &[&str]) -> Output {
    let dir = node.data_dir.to_str().expect("a folder's name");
    let mut args = vec!["rpc", "--data-dir", dir];
    args.extend(words);
    run(&args)
}

fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", shown(output));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn answers_are_printed_as_bitcoin_cli_prints_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    assert_eq!(printed(&rpc(&node, &["getblockcount"])), "0\n");
    let hash = printed(&rpc(&node, &["getblockhash", "0"]));
    assert_eq!(hash.trim_end().len(), 64);
    let hash = hash.trim_end();
    let block = printed(&rpc(&node, &["getblock", hash, "1"]));
    assert!(
        block.starts_with("{\n  \"") && block.contains(hash),
        "{block}"
    );
    let name = format!("blockhash={hash}");
    let header = printed(&rpc(
        &node,
        &["--named", "getblockheader", &name, "verbose=false"],
    ));
    assert_eq!(header.trim_end().len(), 160);
    let zeros = "00".repeat(32);
    assert_eq!(printed(&rpc(&node, &["gettxout", &zeros, "0"])), "");
    assert!(printed(&rpc(&node, &["help"])).contains("\ngetblockhash height\n"));
}

#[test]
fn refusals_and_absent_nodes_have_their_exit_codes() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    for (words, code, why) in [
        (&["getblockhash", "99"][..], 8, "error code: -8"),
        (&["getblock", "00"], 8, "blockhash"),
        (&["nonsense"], 89, "error code: -32601"),
        (&["--url", "ftp://x", "uptime"], 2, "http://"),
        (&["--user", "x", "uptime"], 2, "--password"),
        (&["--wait", "--user", "x", "uptime"], 2, "--password"),
        (&["--timeout", "soon", "uptime"], 2, "--timeout"),
        (
            &["--url", "http://127.0.0.1:9/", "uptime"],
            1,
            "is the node running",
        ),
        (&["--named", "getblockhash", "5"], 2, "name=value"),
        (
            &["--user", "x", "--password", "y", "uptime"],
            1,
            "credential",
        ),
    ] {
        let output = rpc(&node, words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?} {}",
            shown(&output)
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(why), "{words:?}: {said}");
    }
    let empty = tempfile::tempdir().expect("a folder");
    let empty = empty.path().to_str().expect("a name");
    let output = run(&["rpc", "--data-dir", empty, "uptime"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(shown(&output).contains(".cookie"), "{}", shown(&output));
    assert_eq!(run(&["rpc"]).status.code(), Some(2));
}

#[test]
fn arguments_come_from_standard_input_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let dir = node.data_dir.to_str().expect("a name").to_owned();
    let mut child = minichain(&["rpc", "--data-dir", &dir, "--stdin", "getblockhash"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(b"0\n")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(printed(&output).trim_end().len(), 64);
}

#[test]
fn address_is_written_down_while_the_node_runs_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let file = dir.path().join(".rpc-url");
    let url = std::fs::read_to_string(&file).expect("the address");
    assert_eq!(url.trim_end().trim_end_matches('/'), node.rpc_url);
    node.stop();
    assert!(!file.exists());
}
