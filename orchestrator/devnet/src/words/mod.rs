//! What people write, in the words of faults: names, shapes of cuts, quantities
//! with their units. The command line and the page read it alike.
//!
//! Must never import a verb.

pub mod select;
pub mod shape;
pub mod units;

use std::path::PathBuf;

pub use shape::{Shape, cut_of};

use crate::exit::Failure;
use crate::faults::proof::rate::PROVABLE_MAX;

/// A data rate whose effect can be proven, in bytes a second.
///
/// # Errors
/// It is no rate, or one that shows in nothing that nodes send.
pub fn provable_rate(text: &str) -> Result<u64, Failure> {
    let rate = units::rate_bytes_s(text).map_err(Failure::bad_input)?;
    if rate > PROVABLE_MAX {
        return Err(Failure::bad_input(format!(
            "a limit of {rate} bytes/s cannot be proven: nodes carry at most 256 KiB at once, \
             which takes too little time to tell"
        ))
        .next(format!(
            "Limits up to {PROVABLE_MAX} bytes/s (13 MB/s) can."
        )));
    }
    Ok(rate)
}

/// The program to run in a node's place, as faults name it: a path is absolute,
/// and so told from the reference of an image.
///
/// # Errors
/// It names neither.
pub fn program(image: Option<&str>, binary: Option<&PathBuf>) -> Result<String, Failure> {
    if let Some(image) = image {
        if image.trim().is_empty() {
            return Err(Failure::bad_input("no image is named"));
        }
        if image.starts_with(['/', '.']) {
            return Err(Failure::bad_input(format!(
                "`{image}` is a path, not the reference of an image"
            ))
            .next("`--binary PATH` takes a path."));
        }
        return Ok(image.to_owned());
    }
    let binary = binary.cloned().unwrap_or_default();
    let absolute = std::path::absolute(&binary)
        .map_err(|error| Failure::bad_input(format!("cannot use {}: {error}", binary.display())))?;
    Ok(absolute.to_string_lossy().into_owned())
}
