//! Reading mappings by their forms, and scalars by their kinds, while
//! collecting everything that is wrong.

use std::fmt::Display;
use std::str::FromStr;

use super::limits::PROBLEMS_MAX;
use super::nearest::hint;
use super::problem::Problem;
use super::tree::{Key, Place, Tree, Value};
use crate::form::Form;

/// Collects problems while a tree is read. Every method answers `None` after
/// telling a problem.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub problems: Vec<Problem>,
    /// Steps read so far, with every repetition counted.
    pub steps_seen: u32,
}

/// The entries of a mapping whose keys fit its form.
pub(super) struct Fields<'t> {
    form: &'static Form,
    entries: &'t [(Key, Tree)],
}

impl Reader {
    /// Tells a problem.
    pub fn refuse<T>(&mut self, place: Place, what: impl Into<String>) -> Option<T> {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::at(place, what));
        }
        None
    }

    /// A mapping of known keys, with all that are required.
    pub fn fields<'t>(&mut self, tree: &'t Tree, form: &'static Form) -> Option<Fields<'t>> {
        let words = form.words();
        let Value::Map(entries) = &tree.value else {
            let what = format!(
                "a mapping with keys such as {} is needed here, not {}",
                words.iter().take(3).copied().collect::<Vec<_>>().join(", "),
                tree.kind()
            );
            return self.refuse(tree.place, what);
        };
        let before = self.problems.len();
        for (key, _) in entries {
            if !words.contains(&key.text.as_str()) {
                let hint = hint(&key.text, &words);
                self.refuse::<()>(key.place, format!("unknown key `{}`; {hint}", key.text));
            }
        }
        for field in form.keys.iter().filter(|field| field.is_required) {
            if tree.get(field.key).is_none() {
                self.refuse::<()>(tree.place, format!("the key `{}` is missing", field.key));
            }
        }
        (self.problems.len() == before).then_some(Fields { form, entries })
    }

    /// A mapping of a choice: the one entry beside its common keys.
    pub fn choice<'t>(
        &mut self,
        tree: &'t Tree,
        form: &'static Form,
    ) -> Option<(Fields<'t>, &'t Key, &'t Tree)> {
        let fields = self.fields(tree, form)?;
        let mut mains = fields
            .entries
            .iter()
            .filter(|(key, _)| form.is_main(&key.text));
        let noun = form.name.to_lowercase();
        let Some((key, value)) = mains.next() else {
            let words: Vec<&str> = form
                .words()
                .into_iter()
                .filter(|w| form.is_main(w))
                .collect();
            let what = format!("this {noun} needs one of: {}", words.join(", "));
            return self.refuse(tree.place, what);
        };
        if let Some((second, _)) = mains.next() {
            let what = format!(
                "this {noun} has both `{}` and `{}`; it can have one, so make two of it",
                key.text, second.text
            );
            return self.refuse(second.place, what);
        }
        Some((fields, key, value))
    }

    /// The items of a list that is not empty.
    pub fn items<'t>(&mut self, tree: &'t Tree) -> Option<&'t [Tree]> {
        match &tree.value {
            Value::List(items) if items.is_empty() => {
                self.refuse(tree.place, "this list must not be empty")
            }
            Value::List(items) => Some(items),
            _ => self.refuse(
                tree.place,
                format!("a list is needed here, not {}", tree.kind()),
            ),
        }
    }

    /// Every item of a list by `read`; `None` if any is refused.
    pub fn list<T>(
        &mut self,
        tree: &Tree,
        mut read: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.items(tree)?;
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// Two items by `read`.
    pub fn pair<T>(
        &mut self,
        tree: &Tree,
        read: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<(T, T)> {
        let mut both = self.list(tree, read)?.into_iter();
        match (both.next(), both.next(), both.next()) {
            (Some(first), Some(second), None) => Some((first, second)),
            _ => self.refuse(tree.place, "exactly two are needed here"),
        }
    }

    /// A text that says something.
    pub fn text(&mut self, tree: &Tree) -> Option<String> {
        match &tree.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Text(_) => self.refuse(tree.place, "this text must not be empty"),
            _ => self.refuse(
                tree.place,
                format!("a text is needed here, not {}", tree.kind()),
            ),
        }
    }

    /// A quantity, written as a text or a number.
    pub fn quantity<T: FromStr<Err: Display>>(&mut self, tree: &Tree) -> Option<T> {
        let text = match &tree.value {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => {
                let what = format!("a quantity is needed here, not {}", tree.kind());
                return self.refuse(tree.place, what);
            }
        };
        text.parse()
            .or_else(|error: T::Err| self.refuse(tree.place, error.to_string()).ok_or(()))
            .ok()
    }

    /// A number from 0 to `max`.
    pub fn number(&mut self, tree: &Tree, max: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "bounded right below")]
        let number = match tree.value {
            Value::Int(number) => number as f64,
            Value::Float(number) => number,
            _ => {
                return self.refuse(
                    tree.place,
                    format!("a number is needed here, not {}", tree.kind()),
                );
            }
        };
        if (0.0..=max).contains(&number) {
            return Some(number);
        }
        let what = format!("{number} is out of range; choose from 0 to {max}");
        self.refuse(tree.place, what)
    }

    /// A whole number within bounds.
    pub fn count(&mut self, tree: &Tree, min: u32, max: u32) -> Option<u32> {
        let Value::Int(number) = tree.value else {
            let what = format!("a whole number is needed here, not {}", tree.kind());
            return self.refuse(tree.place, what);
        };
        let fitting = u32::try_from(number).ok();
        fitting
            .filter(|number| (min..=max).contains(number))
            .or_else(|| {
                let what = format!("{number} is out of range; choose from {min} to {max}");
                self.refuse(tree.place, what)
            })
    }

    /// `true` or `false`.
    pub fn switch(&mut self, tree: &Tree) -> Option<bool> {
        match tree.value {
            Value::Bool(on) => Some(on),
            _ => self.refuse(tree.place, "`true` or `false` is needed here"),
        }
    }

    /// One of some words.
    pub fn word<T: Copy>(&mut self, tree: &Tree, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(tree)?;
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meant);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("unknown value `{text}`; {}", hint(&text, &known));
        self.refuse(tree.place, what)
    }

    /// An entry that may be left out: `Some(None)` where it is.
    pub fn optional<'t, T>(
        &mut self,
        tree: Option<&'t Tree>,
        read: impl FnOnce(&mut Self, &'t Tree) -> Option<T>,
    ) -> Option<Option<T>> {
        match tree {
            None => Some(None),
            Some(tree) => read(self, tree).map(Some),
        }
    }
}

impl<'t> Fields<'t> {
    /// The value under a key of the form.
    pub fn get(&self, key: &str) -> Option<&'t Tree> {
        debug_assert!(
            self.form.keys.iter().any(|field| field.key == key),
            "{key} is no key of {}",
            self.form.name
        );
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(_, value)| value)
    }

    /// The key itself, for its place.
    pub fn key(&self, key: &str) -> Option<&'t Key> {
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(key, _)| key)
    }
}
