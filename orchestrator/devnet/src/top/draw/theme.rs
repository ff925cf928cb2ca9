//! Few colours, all of the terminal's own sixteen, so that its light or dark
//! scheme holds; without colours the same is told by words, marks and weight.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// With colours or without.
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// As anything else.
    pub const fn plain(self) -> Style {
        Style::new()
    }

    /// Well.
    pub const fn good(self) -> Style {
        self.paint(Color::Green)
    }

    /// Worth a look.
    pub const fn warn(self) -> Style {
        self.paint(Color::Yellow)
    }

    /// Wrong.
    pub const fn bad(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Of less weight.
    pub const fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Name of the network.
    pub const fn title(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD))
    }

    /// Title of a part.
    pub const fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The row under the cursor.
    pub const fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A key that can be pressed.
    pub const fn key(self) -> Style {
        self.paint(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// One of a few branches, to tell them apart.
    pub const fn branch(self, at: usize) -> Style {
        const COLOURS: [Color; 5] = [
            Color::Cyan,
            Color::Magenta,
            Color::Yellow,
            Color::Blue,
            Color::Green,
        ];
        self.paint(COLOURS[at % COLOURS.len()])
    }

    const fn paint(self, colour: Color) -> Style {
        match self.colour {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }
}
