//! Reads a bundle from its files alone, wherever they were written.
//!
//! The files may come from anybody: each is read up to a bound, folders are
//! listed and not followed out of, and names from within are never used as
//! paths. Without `report.json` there is no account; anything else that is
//! missing or broken is told on the page.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use devnet_scenario::report::Report;
use serde_json::Value;

use super::arrivals::Book;
use super::model::RunFacts;
use super::recorded::clipped;
use super::samples::{HEADING, Samples};
use super::source::{Source, last_tips};
use crate::exit::Failure;

/// Bytes read of one document at most.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;
/// Bytes read of one log or one file of samples at most.
const STREAM_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a line at most; what is beyond counts as the next line.
const LINE_BYTES_MAX: u64 = 256 << 10;
/// Bytes of one sample at most.
const SAMPLE_BYTES_MAX: usize = 1 << 20;
/// Logs and samples read at most.
const FILES_MAX: usize = 2_000;
/// Bundles named to somebody who gave the folder above them.
const BUNDLES_NAMED: usize = 5;

/// Reads the bundle in that folder.
///
/// # Errors
/// There is none, or its report cannot be understood.
pub fn bundle(folder: &Path) -> Result<Source, Failure> {
    if !folder.is_dir() {
        return Err(no_folder(folder));
    }
    let path = folder.join("report.json");
    if !path.is_file() {
        return Err(no_bundle(folder));
    }
    let text = document(&path).map_err(|error| cannot_read(&path, &error))?;
    let mut remarks = Vec::new();
    let mut optional = |name: &str| {
        let read = document(&folder.join(name)).map_err(|error| error.to_string());
        let value = read.and_then(|text| {
            serde_json::from_str::<Value>(&text).map_err(|error| error.to_string())
        });
        value.unwrap_or_else(|why| {
            remarks.push(format!("{name} cannot be used: {}", clipped(&why)));
            Value::Null
        })
    };
    let (run, genesis) = (optional("run.json"), optional("genesis.json"));
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        let writer = run["versions"]["devnet"].as_str().map(clipped);
        not_understood(&path, &error, writer.as_deref())
    })?;
    Ok(Source {
        run: Some(run_facts(&run, &report)),
        intended: Vec::new(),
        book: book(&folder.join("logs"), &mut remarks),
        samples: samples(&folder.join("metrics"), &mut remarks),
        tips: last_tips(&report),
        environment: environment(&run, &genesis),
        remarks,
        report,
    })
}

fn no_folder(folder: &Path) -> Failure {
    let shown = folder.display();
    if folder.is_file() {
        return Failure::bad_input(format!("{shown} is a file, and a bundle is a folder"))
            .next("Give the folder that holds run.json and report.json; unpack it first.");
    }
    Failure::bad_input(format!("there is no folder {shown}"))
        .next("Give the folder of a bundle, as `devnet run` names it at the end of a run.")
        .next("For a network that runs, leave the folder away: `devnet report --name NAME`.")
}

fn no_bundle(folder: &Path) -> Failure {
    let failure = Failure::bad_input(format!(
        "{} is no bundle: it holds no report.json",
        folder.display()
    ));
    let within = |entry: io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        path.join("report.json").is_file().then_some(path)
    };
    let mut inside: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.filter_map(within).take(FILES_MAX).collect())
        .unwrap_or_default();
    inside.sort();
    if inside.is_empty() {
        return failure.next("`devnet run FILE --bundle FOLDER` writes bundles below FOLDER.");
    }
    let named: Vec<String> = inside
        .iter()
        .take(BUNDLES_NAMED)
        .map(|path| path.display().to_string())
        .collect();
    failure.next(format!("There are bundles in it: {}.", named.join(", ")))
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::bad_input(format!("cannot read {}: {error}", path.display()))
}

fn not_understood(path: &Path, error: &serde_json::Error, writer: Option<&str>) -> Failure {
    let own = env!("CARGO_PKG_VERSION");
    let failure = Failure::bad_input(format!(
        "{} is not the report of a run: {}",
        path.display(),
        clipped(&error.to_string())
    ));
    match writer {
        Some(writer) if writer != own => failure.next(format!(
            "devnet {writer} wrote it, and this is devnet {own}; read it with that version."
        )),
        _ => failure.next("It is damaged, or something else wrote it; get the bundle again."),
    }
}

fn document(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    file.take(DOCUMENT_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > DOCUMENT_BYTES_MAX {
        let why = format!("it is larger than {} MiB", DOCUMENT_BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(text)
}

fn run_facts(run: &Value, report: &Report) -> RunFacts {
    let run = &run["run"];
    let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
    let heals = run["heal_to_converged_ms"].as_array();
    RunFacts {
        seed: report.seed,
        engine: clipped(&text("engine")),
        file: clipped(&text("file")),
        reason: clipped(&text("reason")),
        replay: text("replay"),
        heal_to_converged_ms: heals
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .take(1_000)
            .collect(),
    }
}

fn environment(run: &Value, genesis: &Value) -> Vec<(String, String)> {
    let versions = &run["versions"];
    let text = |value: &Value| match value {
        Value::String(text) => clipped(text),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            clipped(&items.join(", "))
        }
        _ => String::new(),
    };
    let rows = [
        ("Network", &run["run"]["network"]),
        ("devnet", &versions["devnet"]),
        ("Node", &versions["node"]),
        ("Engine", &run["run"]["engine"]),
        ("Engine check", &versions["engine"]),
        ("Program", &versions["programs"]),
        ("Kernel", &versions["kernel"]),
        ("Machine", &versions["machine"]),
        ("Processors", &versions["processors"]),
        ("Difficulty rule", &genesis["difficulty"]),
        ("Hashes a second at first", &genesis["initial_hash_rate"]),
    ];
    rows.into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Files of a folder with that ending, by their stems: the nodes' names.
fn files(folder: &Path, ending: &str, remarks: &mut Vec<String>) -> BTreeMap<String, PathBuf> {
    let name = || folder.file_name().unwrap_or_default().to_string_lossy();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            remarks.push(format!("{} cannot be used: {error}", name()));
            return BTreeMap::new();
        }
    };
    let found = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let stem = name.strip_suffix(ending).filter(|_| is_file)?;
        Some((stem.to_owned(), entry.path()))
    });
    found.take(FILES_MAX).collect()
}

/// What the nodes' logs tell of blocks.
fn book(folder: &Path, remarks: &mut Vec<String>) -> Book {
    let mut book = Book::default();
    for (node, path) in files(folder, ".log", remarks) {
        let read = each_line(&path, |line| {
            // The time of day that the bundle set before each line.
            let text = line.split_once(' ').map_or(line, |(_, text)| text);
            book.take(&node, text);
        });
        tell(read, &path, remarks);
    }
    book
}

fn samples(folder: &Path, remarks: &mut Vec<String>) -> BTreeMap<String, Samples> {
    let mut all = BTreeMap::new();
    for (node, path) in files(folder, ".prom", remarks) {
        let mut samples = Samples::default();
        let mut current: Option<(u64, String)> = None;
        let read = each_line(&path, |line| {
            let heading = line.strip_prefix(HEADING);
            if let Some(at_ms) = heading.and_then(|rest| rest.split(' ').next()?.parse().ok()) {
                if let Some((at_ms, text)) = current.replace((at_ms, String::new())) {
                    samples.take(at_ms, &text);
                }
            } else if let Some((_, text)) = &mut current
                && text.len() + line.len() < SAMPLE_BYTES_MAX
                && !line.starts_with('#')
            {
                text.push_str(line);
                text.push('\n');
            }
        });
        if let Some((at_ms, text)) = current {
            samples.take(at_ms, &text);
        }
        tell(read, &path, remarks);
        all.insert(node, samples);
    }
    all
}

fn tell(read: io::Result<()>, path: &Path, remarks: &mut Vec<String>) {
    if let Err(error) = read {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        remarks.push(format!("{name} was not read to its end: {error}"));
    }
}

fn each_line(path: &Path, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut lines = BufReader::new(File::open(path)?).take(STREAM_BYTES_MAX);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let mut line = lines.by_ref().take(LINE_BYTES_MAX);
        if line.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        take(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
    }
    if lines.limit() == 0 {
        let why = format!("it is larger than {} MiB", STREAM_BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
