//! Where in a YAML text a path such as `groups[1].count` leads.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// The places of all values of a text.
pub struct Places(Spanned<Tree>);

/// A YAML value without what it says.
enum Tree {
    Map(Vec<(String, Spanned<Tree>)>),
    Sequence(Vec<Spanned<Tree>>),
    Leaf,
}

impl Place {
    /// The parser's place; unknown ones become the first line.
    pub fn of(location: &Location) -> Self {
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
        Self {
            line: at(location.line()),
            column: at(location.column()),
        }
    }
}

impl Places {
    /// `None` if the text is no YAML.
    pub fn read(text: &str) -> Option<Self> {
        serde_yaml::from_str(text).ok().map(Self)
    }

    /// The value at `path`, or the innermost one on the way to it that exists;
    /// `None` if not even its first step does.
    pub fn find(&self, path: &str) -> Option<Place> {
        let mut at = &self.0;
        let mut found = None;
        for step in steps(path) {
            let Some(inner) = at.value.step(step) else {
                break;
            };
            at = inner;
            found = Some(Place::of(&at.referenced));
        }
        found
    }
}

impl Tree {
    fn step(&self, step: &str) -> Option<&Spanned<Self>> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(key, _)| key == step)
                .map(|(_, value)| value),
            Self::Sequence(values) => values.get(step.parse::<usize>().ok()?),
            Self::Leaf => None,
        }
    }
}

/// `groups[1].count` as `groups`, `1`, `count`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

macro_rules! leaves {
    ($($visit:ident: $type:ty),*) => {$(
        fn $visit<E>(self, _value: $type) -> Result<Tree, E> {
            Ok(Tree::Leaf)
        }
    )*};
}

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    leaves!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128,
        visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Tree, D::Error> {
        IgnoredAny::deserialize(inner).map(|_| Tree::Leaf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Tree::Sequence(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
