//! What an image consists of: the bill of materials that each program carries,
//! taken out of it so that it can be read without running anything, and one of
//! the files themselves.

use std::collections::BTreeMap;

use object::Endianness;
use object::read::elf::ElfFile64;
use object::read::{Object as _, ObjectSection as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::hex;
use super::binary::Files;

/// Where the bills stand in the image.
pub const FOLDER: &str = "/usr/share/sbom";

/// Where the bill of all files stands.
pub const OF_FILES: &str = "/usr/share/sbom/image.cdx.json";

/// How the bill that a program carries begins; `tests/house` writes it.
const BEGIN: &[u8] = b"{\"bomFormat\":\"CycloneDX\",";

/// Longer than any bill.
const BYTES_MAX: usize = 1 << 20;

/// Adds the bills to an image's files: of each program that carries one, and of
/// all files that stand there now.
pub fn add(files: &mut Files) {
    let of_programs = files.iter().filter_map(|(path, bytes)| {
        let name = path.rsplit('/').next()?;
        Some((format!("{FOLDER}/{name}.cdx.json"), carried_by(bytes)?))
    });
    let of_programs: Vec<_> = of_programs.collect();
    let of_files = of_files(files).into_bytes();
    files.extend(of_programs);
    files.insert(OF_FILES.to_owned(), of_files);
}

/// The bill that a program has among its constants.
fn carried_by(program: &[u8]) -> Option<Vec<u8>> {
    let file = ElfFile64::<Endianness>::parse(program).ok()?;
    let constants = file.section_by_name(".rodata")?.data().ok()?;
    let mut begins = constants
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, some)| *some == BEGIN);
    begins.find_map(|(at, _)| {
        let rest = constants.get(at..)?;
        let rest = rest.get(..BYTES_MAX).unwrap_or(rest);
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        values.next()?.ok()?;
        Some(rest.get(..values.byte_offset())?.to_vec())
    })
}

/// Every file with its digest.
fn of_files(files: &BTreeMap<String, Vec<u8>>) -> String {
    let components = files.iter().map(|(path, bytes)| {
        json!({
            "type": "file",
            "name": path,
            "hashes": [{ "alg": "SHA-256", "content": hex(&Sha256::digest(bytes)) }],
        })
    });
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "container", "name": "minichain" } },
        "components": components.collect::<Vec<_>>(),
    });
    format!("{bill}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_with_their_digests() {
        let mut files = Files::from([("/a".to_owned(), b"abc".to_vec())]);
        add(&mut files);
        assert_eq!(files.len(), 2, "what is no program carries no bill");
        let bill: Value = serde_json::from_slice(&files[OF_FILES]).unwrap();
        assert_eq!(bill["components"][0]["name"], "/a");
        assert_eq!(
            bill["components"][0]["hashes"][0]["content"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(bill["components"].as_array().unwrap().len(), 1);
    }
}
