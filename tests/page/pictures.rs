//! The README's pictures of the page, taken anew by
//! `PICTURES_UPDATE=1 cargo test --workspace --test page pictures`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use minichain_tests::browser::{self, Scheme};
use minichain_tests::served::Served;

use crate::PATIENCE;
const FOLDER: &str = "../orchestrator/devnet/pictures";

#[test]
fn pictures_of_the_page_are_taken() {
    if !browser::available("pictures_of_the_page_are_taken") {
        return;
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = match env::var_os("PICTURES_UPDATE") {
        Some(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER),
        None => PathBuf::from(temporary.path()),
    };
    fs::create_dir_all(&folder).expect("a writable disk");
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
    for (name, scheme) in [
        ("network-light", Scheme::Light),
        ("network-dark", Scheme::Dark),
    ] {
        page.set_scheme(scheme);
        page.eval_async("new Promise((done) => setTimeout(() => done(true), 900))");
        let picture = page.picture();
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 30_000,
            "{name}: {}",
            picture.len()
        );
        fs::write(folder.join(format!("{name}.png")), picture).expect("a writable disk");
    }
}
