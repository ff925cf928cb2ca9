//! What a terminal shows, as a page that a browser can take a picture of.

use vt100::{Cell, Color, Screen};

/// The terminal of the picture: the sixteen colours of its theme, and its own.
const COLOURS: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
    "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];
const INK: &str = "#e6edf3";
const PAPER: &str = "#0d1117";

/// The whole screen as HTML, each cell where it is.
pub fn page(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let mut body = String::new();
    for row in 0..rows.get() {
        let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
        cells.for_each(|cell| put(&mut body, cell));
        body.push('\n');
    }
    format!(
        "<!doctype html><meta charset=\"utf-8\"><title>terminal</title><style>\
         body {{ margin: 0; background: {PAPER}; }}\
         pre {{ margin: 0; padding: 14px; width: max-content; color: {INK};\
         font: 14px/1.25 'DejaVu Sans Mono', monospace; }}\
         </style><pre>{body}</pre>"
    )
}

fn put(body: &mut String, cell: &Cell) {
    if cell.is_wide_continuation() {
        return;
    }
    let text = match cell.contents() {
        "" => " ".to_owned(),
        text => escaped(text),
    };
    let style = style(cell);
    match style.is_empty() {
        true => body.push_str(&text),
        false => body.push_str(&format!("<span style=\"{style}\">{text}</span>")),
    }
}

fn style(cell: &Cell) -> String {
    let (mut ink, mut paper) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
    if cell.inverse() {
        let swapped = paper.unwrap_or_else(|| PAPER.into());
        paper = Some(ink.unwrap_or_else(|| INK.into()));
        ink = Some(swapped);
    }
    let ink = ink.map(|ink| format!("color:{ink};"));
    let paper = paper.map(|paper| format!("background:{paper};"));
    let marks = [
        (cell.bold(), "font-weight:bold;"),
        (cell.dim(), "opacity:.65;"),
        (cell.underline(), "text-decoration:underline;"),
    ];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so);
    let marks = marks.map(|(_, style)| style.to_owned());
    ink.into_iter().chain(paper).chain(marks).collect()
}

fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Default => None,
        Color::Idx(index) => COLOURS.get(usize::from(index)).map(|&name| name.to_owned()),
        Color::Rgb(red, green, blue) => Some(format!("rgb({red},{green},{blue})")),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use vt100::Parser;

    use super::page;

    #[test]
    fn colours_and_signs_are_kept() {
        let three = NonZeroU16::new(3).expect("not zero");
        let mut parser = Parser::new(three, NonZeroU16::new(12).expect("not zero"), 0);
        parser.process(b"\x1b[31;1ma<b\x1b[0m &\x1b[7mx\x1b[0m");
        let html = page(parser.screen());
        assert!(html.contains("<span style=\"color:#ff7b72;font-weight:bold;\">&lt;</span>"));
        assert!(html.contains(" &amp;<span style=\"color:#0d1117;background:#e6edf3;\">x</span>"));
        assert_eq!(
            html.split("<pre>").nth(1).map(|body| body.lines().count()),
            Some(4)
        );
    }
}
