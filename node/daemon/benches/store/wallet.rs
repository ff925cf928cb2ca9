//! A wallet that is brought back from its phrase and looks through a long chain.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use minichain_chain::amount::Amount;
use minichain_chain::script::Script;
use minichain_chain::transaction::{Transaction, TxOut};
use minichain_wallet::keyring::Keyring;
use minichain_wallet::phrase::Phrase;

use crate::maker::Maker;
use crate::node;
use crate::timing::status_mib;
use crate::{blocks, size};

const ENTROPY: [u8; 16] = [7; 16];
const PASSWORD: &str = "bench";
const SATS: u64 = 10_000;
const LOOK: Duration = Duration::from_millis(2);

/// A chain whose blocks pay one address after the other, evenly spread, and
/// one whose blocks all pay the same address, as a miner's do.
pub fn run() {
    let length = size("MINICHAIN_BENCH_WALLET_BLOCKS", 100_000);
    let addresses = size("MINICHAIN_BENCH_WALLET_ADDRESSES", 300);
    look_through(length, addresses, 0);
    look_through(length, 1, length / 10);
}

fn look_through(length: u32, addresses: u32, rewards: u32) {
    let dir = tempfile::tempdir().unwrap();
    let (file, genesis) = (
        dir.path().join("chain.bin"),
        dir.path().join("genesis.yaml"),
    );
    let data = dir.path().join("data");
    let phrase = Phrase::from_entropy(&ENTROPY).unwrap();
    let mut keyring = Keyring::new(&phrase.seed("")[..], Vec::new()).unwrap();
    let mut maker = Maker::new(&genesis);
    let params = maker.params.clone();
    let every = length / addresses;
    let mut place = keyring.next_receive_beyond_gap().unwrap();
    let chain = (1..=length).map(|height| {
        let is_due = height % every == 0 || height <= rewards;
        let key = keyring.key(place).unwrap().output_key();
        if height % every == 0 {
            place = keyring.next_receive_beyond_gap().unwrap();
        }
        let payments = is_due.then(|| payment(&mut maker, &key));
        maker.block(payments.into_iter().collect())
    });
    blocks::write(&file, &params, chain);
    node::import(&file, &data, &genesis);
    let mut server = node::start(&data, &genesis);
    let wallet = dir.path().join("bench.wallet");
    let (took, peak) = import_and_ask(&data, &wallet, &phrase);
    println!(
        "a wallet with {addresses} addresses and {rewards} payments to the first looks through \
         {length} blocks in {took:.1} s, at most {peak:.0} MiB of memory"
    );
    server.kill().unwrap();
    server.wait().unwrap();
}

/// From the bank to a key.
fn payment(maker: &mut Maker, key: &[u8; 32]) -> Transaction {
    let output = TxOut {
        value: Amount::from_sat(SATS),
        script_pubkey: Script::p2tr(key),
    };
    maker.pay_out(output)
}

/// `import`, which looks at nothing, and the first `history`.
fn import_and_ask(data: &Path, wallet: &Path, phrase: &Phrase) -> (f64, f64) {
    let words = data.join("words");
    writeln!(File::create(&words).unwrap(), "{}", phrase.words().as_str()).unwrap();
    let mut import = command(data, wallet, "import");
    import.stdin(File::open(&words).unwrap());
    assert!(import.status().unwrap().success());
    let begin = Instant::now();
    let mut child = command(data, wallet, "history").spawn().unwrap();
    let peak = peak_mib(&mut child);
    (begin.elapsed().as_secs_f64(), peak)
}

fn command(data: &Path, wallet: &Path, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minichain"));
    command.args(["wallet", name, "--wallet"]).arg(wallet);
    command.arg("--data-dir").arg(data);
    command.args(["--url", "http://127.0.0.1:28999/"]);
    command.env("MINICHAIN_WALLET_PASSWORD", PASSWORD);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The most memory a program needed until it ended.
fn peak_mib(child: &mut Child) -> f64 {
    let mut peak = 0.0;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the wallet fails");
            return peak;
        }
        peak = status_mib(child.id(), "VmHWM:").unwrap_or(peak);
        std::thread::sleep(LOOK);
    }
}
