//! The README's pictures of page, report and terminal, taken anew by
//! `PICTURES_UPDATE=1 cargo test --workspace --test page pictures`.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use minichain_tests::browser::{self, Page, Scheme};
use minichain_tests::network::Network;
use minichain_tests::pty::Pty;
use minichain_tests::served::Served;
use tempfile::TempDir;

use crate::PATIENCE;

const FOLDER: &str = "../orchestrator/devnet/pictures";
/// Lines and columns of the terminal, and how large its picture is.
const TERMINAL: (u16, u16) = (32, 118);
const TERMINAL_SIZE: (u32, u32) = (1_024, 590);

/// Where the pictures go: to the README, or nowhere for long.
struct Album {
    folder: PathBuf,
    temporary: TempDir,
}

impl Album {
    fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = match env::var_os("PICTURES_UPDATE") {
            Some(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER),
            None => temporary.path().to_owned(),
        };
        fs::create_dir_all(&folder).expect("a writable disk");
        Self { folder, temporary }
    }

    fn put(&self, name: &str, page: &Page) {
        page.eval_async("new Promise((done) => setTimeout(() => done(true), 900))");
        let picture = page.picture();
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 30_000,
            "{name}: {}",
            picture.len()
        );
        fs::write(self.folder.join(format!("{name}.png")), picture).expect("a writable disk");
    }

    fn put_both(&self, name: &str, page: &Page) {
        for (colours, scheme) in [("light", Scheme::Light), ("dark", Scheme::Dark)] {
            page.set_scheme(scheme);
            self.put(&format!("{name}-{colours}"), page);
        }
    }

    /// A file for a page that is no picture.
    fn file(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }
}

fn open(file: &Path, (width, height): (u32, u32)) -> Page {
    let page = Page::open(&format!("file://{}", file.display()), width, height);
    page.set_size(width, height);
    page
}

#[test]
fn pictures_are_taken() {
    if !browser::available("pictures_are_taken") {
        return;
    }
    let album = Album::new();
    let served = Served::up(&[
        "--nodes",
        "7",
        "--miners",
        "4",
        "--block-time",
        "1s",
        "--wait-blocks",
        "9",
    ]);
    of_page(&album, &served);
    of_terminal(&album, &served.network);
    served.network.must(&["heal"]);
    of_report(&album, &served.network);
}

fn of_page(album: &Album, served: &Served) {
    let page = served.open();
    page.set_size(1_280, 1_010);
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 7",
        PATIENCE,
    );
    served
        .network
        .must(&["partition", "miner-0,miner-1,observer-0"]);
    page.wait_for("/have (\\d\\d|[4-9]) and (\\d\\d|[3-9])/.test(document.querySelector('.head').textContent)", PATIENCE);
    album.put_both("network", &page);
}

fn of_terminal(album: &Album, network: &Network) {
    let mut command = network.command();
    command
        .args(["top", "--every", "500ms"])
        .env_remove("NO_COLOR");
    let top = Pty::start(&command, TERMINAL.0, TERMINAL.1);
    top.wait_for("2 branches");
    top.wait_for("FAULTS");
    // Once more, with rates that need two looks.
    std::thread::sleep(Duration::from_secs(2));
    let file = album.file("terminal.html");
    fs::write(&file, top.page()).expect("a writable disk");
    let page = open(&file, TERMINAL_SIZE);
    album.put("terminal", &page);
}

fn of_report(album: &Album, network: &Network) {
    network.wait_until_well(PATIENCE);
    let file = album.file("report.html");
    network.must(&["report", "--html", file.to_str().expect("a plain path")]);
    let page = open(&file, (1_280, 1_010));
    album.put_both("report", &page);
}
