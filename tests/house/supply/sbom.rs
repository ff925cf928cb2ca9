//! What a node's programs are built of, as a bill of materials (CycloneDX 1.5).
//! Each program carries its own; `SBOM_UPDATE=1` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::tree::{Crate, linked};

/// A program of the image: its package, and the folder of that.
const PROGRAMS: &[(&str, &str)] = &[
    ("minichain-node", "node/daemon"),
    ("devnet-netfault", "orchestrator/netfault"),
];

fn path(folder: &str) -> PathBuf {
    crate::root().join(folder).join("sbom.cdx.json")
}

#[test]
fn bills_of_materials_list_the_crates_that_a_release_build_links() {
    let updates = std::env::var_os("SBOM_UPDATE").is_some();
    let checksums = checksums();
    for (package, folder) in PROGRAMS {
        let text = bill(package, &linked(package), &checksums);
        if updates {
            fs::write(path(folder), &text).expect("a writable tree");
        }
        let kept = fs::read_to_string(path(folder)).expect("it is kept");
        assert!(
            kept == text,
            "{folder}/sbom.cdx.json is not what is linked; write it anew with SBOM_UPDATE=1"
        );
    }
}

/// A second witness: panics name the files they come from, so most crates leave
/// their name and version in the program.
#[test]
fn every_crate_that_left_its_name_in_the_program_is_listed() {
    let program = fs::read(minichain_tests::programs::program("minichain")).expect("it was built");
    let left = names_left_in(&program);
    assert!(left.len() > 50, "{left:?}");
    let kept = fs::read_to_string(path("node/daemon")).expect("it is kept");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    let listed: BTreeSet<String> = kept["components"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| format!("{}-{}", word(&one["name"]), word(&one["version"])))
        .collect();
    // The standard library is of the compiler, and has crates of its own inside.
    let strange: Vec<&String> = left.difference(&listed).collect();
    assert!(
        strange.is_empty(),
        "in the program, and not listed: {strange:?}"
    );
}

#[test]
fn names_are_found_where_cargo_unpacks_crates() {
    let text = b"..\0/h/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.2/src/a.rs\
        /rust/deps/gimli-0.32.0/src/x.rs registry/src/cut";
    let wanted = BTreeSet::from(["serde-1.0.2".to_owned()]);
    assert_eq!(names_left_in(text), wanted);
}

/// `name-version` of every path into the registry's folder.
fn names_left_in(program: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(program);
    let after = text.split("registry/src/").skip(1);
    let names = after.filter_map(|rest| {
        let mut parts = rest.splitn(4, '/');
        let (_, name, source) = (parts.next(), parts.next()?, parts.next()?);
        (source == "src").then(|| name.to_owned())
    });
    names.collect()
}

/// One line for each crate, in order, so that a change can be read.
fn bill(package: &str, crates: &BTreeSet<Crate>, checksums: &BTreeMap<String, String>) -> String {
    let (own, used): (Vec<&Crate>, Vec<&Crate>) =
        crates.iter().partition(|one| one.name == package);
    assert_eq!(own.len(), 1, "{package} is linked into itself once");
    let own = own[0];
    let head = json!({
        "component": component(own, "application", checksums),
        "properties": [{ "name": "target", "value": "x86_64-unknown-linux-gnu" }],
    });
    let lines = used
        .iter()
        .map(|one| component(one, "library", checksums).to_string());
    format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\n\"metadata\":{head},\n\
         \"components\":[\n{}\n]}}\n",
        lines.collect::<Vec<_>>().join(",\n")
    )
}

fn component(one: &Crate, kind: &str, checksums: &BTreeMap<String, String>) -> Value {
    let purl = format!("pkg:cargo/{}@{}", one.name, one.version);
    let mut told = json!({
        "type": kind,
        "bom-ref": purl,
        "name": one.name,
        "version": one.version,
        "licenses": [{ "expression": one.licence.replace('/', " OR ").replace("  ", " ") }],
        "purl": purl,
    });
    if let Some(checksum) = checksums.get(&format!("{} {}", one.name, one.version)) {
        told["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    told
}

/// What the lock file says of the archives of crates, by name and version.
fn checksums() -> BTreeMap<String, String> {
    let lock = fs::read_to_string(crate::root().join("Cargo.lock")).expect("a lock file");
    let mut found = BTreeMap::new();
    for entry in lock.split("[[package]]") {
        let field = |name: &str| {
            let mut lines = entry.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
            value.and_then(|value| value.strip_suffix('"'))
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (field("name"), field("version"), field("checksum"))
        {
            found.insert(format!("{name} {version}"), checksum.to_owned());
        }
    }
    assert!(found.len() > 100, "{} checksums", found.len());
    found
}

fn word(value: &Value) -> &str {
    value.as_str().expect("text")
}
