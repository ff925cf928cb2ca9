//! The archive is what engines expect, and the same for the same content.

use std::io::Read as _;

use super::*;

fn files() -> Files {
    Files::from([
        (ENTRY.to_owned(), b"binary".to_vec()),
        (format!("{LIBRARIES}/libc.so.6"), b"library".to_vec()),
        ("/lib64/ld-linux-x86-64.so.2".to_owned(), b"loader".to_vec()),
    ])
}

fn recipe(files: &Files) -> Recipe {
    Recipe::new(files, "amd64", Path::new("/x/minichain")).unwrap()
}

/// Path → (bytes, mode, owner) of every entry, and the order of the paths.
fn entries(archive: &[u8]) -> Vec<(String, Vec<u8>, u32, u64)> {
    let mut archive = tar::Archive::new(archive);
    let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let header = entry.header();
        let path = entry.path().unwrap().display().to_string();
        (path, bytes, header.mode().unwrap(), header.uid().unwrap())
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn the_list_the_description_and_the_layer_fit_together() {
    let recipe = recipe(&files());
    let archive = entries(&recipe.archive("2026-11-22T20:45:01Z").unwrap());
    let bytes = |name: &str| &archive.iter().find(|entry| entry.0 == name).unwrap().1;
    let list: serde_json::Value = serde_json::from_slice(bytes("manifest.json")).unwrap();
    assert_eq!(list[0]["RepoTags"][0], recipe.reference());
    let layer = bytes(list[0]["Layers"][0].as_str().unwrap());
    let description_name = list[0]["Config"].as_str().unwrap();
    let description: serde_json::Value = serde_json::from_slice(bytes(description_name)).unwrap();
    let digest = hex(&Sha256::digest(layer));
    assert_eq!(
        description["rootfs"]["diff_ids"][0],
        format!("sha256:{digest}")
    );
    assert_eq!(
        description["config"]["Labels"][CONTENT_LABEL],
        recipe.content()
    );
    assert_eq!(description["created"], "2026-11-22T20:45:01Z");
    assert_eq!(description["config"]["User"], "65532:65532");
    let own_digest = hex(&Sha256::digest(bytes(description_name)));
    assert_eq!(description_name, format!("{own_digest}.json"));
}

#[test]
fn the_layer_holds_the_files_and_a_data_folder_of_the_nodes_user() {
    let layer = entries(&recipe(&files()).layer);
    let paths: Vec<&str> = layer.iter().map(|entry| entry.0.as_str()).collect();
    assert_eq!(
        paths,
        [
            "data",
            "etc",
            "lib64",
            "tmp",
            "usr",
            "usr/lib",
            "usr/lib/minichain",
            "lib64/ld-linux-x86-64.so.2",
            "minichain",
            "usr/lib/minichain/libc.so.6",
            "etc/passwd",
            "etc/group",
        ]
    );
    let find = |path: &str| layer.iter().find(|entry| entry.0 == path).unwrap();
    assert_eq!((find("data").2, find("data").3), (0o700, USER_ID));
    assert_eq!((find("tmp").2, find("tmp").3), (0o1777, 0));
    assert_eq!((find("minichain").2, find("minichain").3), (0o755, 0));
    assert!(String::from_utf8_lossy(&find("etc/passwd").1).contains(":65532:65532:"));
}

#[test]
fn the_tag_follows_the_content_and_nothing_else() {
    let one = recipe(&files());
    let elsewhere = Recipe::new(&files(), "amd64", Path::new("/other/place")).unwrap();
    assert_eq!(one.reference(), elsewhere.reference());
    let mut changed = files();
    changed.insert(ENTRY.to_owned(), b"binarY".to_vec());
    assert_ne!(one.reference(), recipe(&changed).reference());
    let other = Recipe::new(&files(), "arm64", Path::new("/x/minichain")).unwrap();
    assert_ne!(one.reference(), other.reference());
    let tag = one.reference();
    let digits = tag.strip_prefix("minichain:").unwrap();
    assert!(
        digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{tag}"
    );
}
