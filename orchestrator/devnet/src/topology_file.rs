//! Reads a topology from YAML and says where a fault lies: file, line, column,
//! the line itself with a caret, and the word that was probably meant.

mod place;

use std::path::{Path, PathBuf};

use devnet_blueprint::Topology;
use devnet_blueprint::nearest::nearest;
use devnet_blueprint::topology::Problem;

pub(crate) use self::place::Place;
use self::place::Places;
use crate::exit::Failure;

/// A larger file is no topology.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A topology with the text it came from.
#[derive(Clone, Debug)]
pub struct TopologyFile {
    /// The wish; binaries in it are absolute paths.
    pub topology: Topology,
    path: PathBuf,
    text: String,
}

impl TopologyFile {
    /// Reads and parses the file at `path`; the wish itself is not checked.
    ///
    /// # Errors
    /// It cannot be read, is no YAML, or has keys or values no topology has.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let refuse = |why: String| Failure::bad_input(format!("cannot read {shown}: {why}"));
        let length = path
            .metadata()
            .map_err(|error| refuse(error.to_string()))?
            .len();
        if length > FILE_BYTES_MAX {
            return Err(refuse(format!(
                "{length} bytes are more than a topology may have"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        Self::parse(path, text)
    }

    fn parse(path: &Path, text: String) -> Result<Self, Failure> {
        let options = serde_yaml::options! { strict_booleans: true };
        let parsed = serde_yaml::from_str_with_options::<Topology>(&text, options);
        let mut topology = parsed.map_err(|error| {
            let place = error.location().map(|location| Place::of(&location));
            Failure::bad_input(point(path, &text, place, &explain(&error)))
                .next("`devnet up --help` shows a topology; unknown keys are never ignored.")
        })?;
        resolve_binaries(&mut topology, path.parent().unwrap_or(Path::new(".")));
        Ok(Self {
            topology,
            path: path.to_owned(),
            text,
        })
    }

    /// Words for problems of the wish, each at its place in the file.
    pub fn refuse(&self, problems: &[Problem]) -> Failure {
        let places = Places::read(&self.text);
        let pointed: Vec<String> = problems
            .iter()
            .map(|problem| {
                let place = places
                    .as_ref()
                    .and_then(|places| places.find(&problem.path));
                let what = format!("{}: {}", problem.path, problem.flaw);
                point(&self.path, &self.text, place, &what)
            })
            .collect();
        Failure::bad_input(pointed.join("\n"))
    }
}

/// Paths in a file are relative to the file, wherever devnet is called.
pub(crate) fn resolve_binaries(topology: &mut Topology, folder: &Path) {
    let of_groups = topology.groups.iter_mut().map(|group| &mut group.binary);
    let of_nodes = topology.nodes.values_mut().map(|node| &mut node.binary);
    let of_all = std::iter::once(&mut topology.engine.binary);
    for binary in of_groups.chain(of_nodes).chain(of_all).flatten() {
        let path = folder.join(&*binary);
        let absolute = std::path::absolute(&path).unwrap_or(path);
        if let Some(absolute) = absolute.to_str() {
            absolute.clone_into(binary);
        }
    }
}

/// The parser's message without its own idea of the place, and with the word
/// that was probably meant.
fn explain(error: &serde_yaml::Error) -> String {
    let (what, word, known) = match error.without_snippet() {
        serde_yaml::Error::SerdeUnknownField {
            field, expected, ..
        } => ("key", field, expected),
        serde_yaml::Error::SerdeUnknownVariant {
            variant, expected, ..
        } => ("value", variant, expected),
        other => return in_plain_words(other),
    };
    let hint = match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are: {}", known.join(", ")),
    };
    format!("unknown {what} `{word}`; {hint}")
}

/// The parser's words, without the names of machine types.
fn in_plain_words(error: &serde_yaml::Error) -> String {
    use serde_yaml::{MessageFormatter as _, UserMessageFormatter};
    let message = UserMessageFormatter.format_message(error);
    match message.as_ref() {
        "invalid u8" | "invalid u16" | "invalid u32" | "invalid u64" => {
            "a whole number is needed here".into()
        }
        "invalid f32" | "invalid f64" => "a number is needed here".into(),
        "invalid bool" => "`true` or `false` is needed here".into(),
        _ => message.into_owned(),
    }
}

/// `file:line:column: what`, and the line with a caret below.
pub(crate) fn point(path: &Path, text: &str, place: Option<Place>, what: &str) -> String {
    let shown = path.display();
    let Some(Place { line, column }) = place else {
        return format!("{shown}: {what}");
    };
    let head = format!("{shown}:{line}:{column}: {what}");
    let Some(source) = text.lines().nth(line.saturating_sub(1)) else {
        return head;
    };
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    // Tabs stay tabs below the line, so that the caret stands where it should.
    let indent: String = source
        .chars()
        .take(column.saturating_sub(1))
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    format!("{head}\n {margin} |\n {number} | {source}\n {margin} | {indent}^")
}

#[cfg(test)]
mod tests;
