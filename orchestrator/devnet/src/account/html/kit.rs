//! What all charts have in common: a canvas, text, axes, and fine detail under
//! the pointer.

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{
    DrawingArea, IntoDrawingArea, IntoFont, PathElement, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle, TextStyle};

use super::palette;

/// Where a chart is drawn, in pixels from its upper left corner.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Drawing into memory cannot fail, but the library says it may.
pub type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Letters of a node's name on a chart.
pub const NAME_LETTERS: usize = 16;
/// Size of a chart's text; the library makes 12 px of it.
const TEXT: f64 = 15.0;
/// Steps between marks on an axis of time, in seconds.
const STEPS_S: &[f64] = &[
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1_200.0,
    1_800.0,
    3_600.0,
    7_200.0,
    14_400.0,
    28_800.0,
    86_400.0,
    172_800.0,
    604_800.0,
    2_592_000.0,
];
/// Marks on an axis of time at most.
const MARKS_MAX: f64 = 10.0;

/// Draws a chart. `label` says what it shows to those who do not see it, `hits`
/// lie above it with details for the pointer.
pub fn chart(
    size: (u32, u32),
    label: &str,
    hits: &Markup,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Markup {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root).and_then(|()| root.present())
    };
    let inside = svg
        .trim_end()
        .strip_suffix("</svg>")
        .and_then(|svg| svg.split_once('>'))
        .map(|(_, inside)| inside);
    let (Ok(()), Some(inside)) = (drawn, inside) else {
        return html! { p { "This chart could not be drawn." } };
    };
    let view = format!("0 0 {} {}", size.0, size.1);
    html! {
        svg.chart role="img" aria-label=(label) viewBox=(view) width=(size.0) height=(size.1)
            xmlns="http://www.w3.org/2000/svg" {
            (PreEscaped(inside.replace('\n', "")))
            (hits)
        }
    }
}

/// A place on a chart that tells more when pointed at.
pub fn hit(from: (i32, i32), to: (i32, i32), text: &str) -> Markup {
    let (x, y) = (from.0.min(to.0), from.1.min(to.1));
    let (width, height) = ((to.0 - from.0).abs().max(3), (to.1 - from.1).abs().max(3));
    html! {
        rect.hit x=(x) y=(y) width=(width) height=(height) fill="none" pointer-events="all" {
            title { (text) }
        }
    }
}

/// A filled rectangle.
pub fn block(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBAColor) -> Drawn {
    area.draw(&Rectangle::new([from, to], colour.filled()))
}

/// A line through points.
pub fn line(area: &Area<'_>, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn {
    let style: ShapeStyle = colour.stroke_width(width);
    area.draw(&PathElement::new(points, style))
}

/// Text at a point, which is to its left, in its middle, or to its right.
pub fn words(area: &Area<'_>, text: &str, at: (i32, i32), anchor: HPos, colour: RGBColor) -> Drawn {
    area.draw(&Text::new(text, at, style(anchor, colour)))
}

fn style(anchor: HPos, colour: RGBColor) -> TextStyle<'static> {
    let font = ("sans-serif", TEXT).into_font();
    let mut style = TextStyle::from(font).pos(Pos::new(anchor, VPos::Center));
    style.color = colour.to_backend_color();
    style
}

/// The style of labels on the library's own axes.
pub fn labels() -> TextStyle<'static> {
    TextStyle::from(("sans-serif", TEXT).into_font()).color(&palette::MUTED)
}

/// A name that fits beside a chart.
pub fn short_name(name: &str) -> String {
    match name.char_indices().nth(NAME_LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// A stretch of time on a stretch of pixels.
#[derive(Clone, Copy, Debug)]
pub struct TimeScale {
    /// Milliseconds at the left.
    pub begin_ms: u64,
    /// Milliseconds from left to right; more than zero.
    pub length_ms: f64,
    /// Leftmost pixel.
    pub left: i32,
    /// Rightmost pixel.
    pub right: i32,
}

impl TimeScale {
    /// The pixel of a moment; those outside are moved to the edge.
    pub fn x(self, at_ms: u64) -> i32 {
        let part = at_ms.saturating_sub(self.begin_ms) as f64 / self.length_ms;
        place(part, self.left, self.right)
    }

    /// Marks, with their words.
    pub fn marks(self) -> Vec<(i32, String)> {
        let length_s = self.length_ms / 1e3;
        let step = STEPS_S
            .iter()
            .copied()
            .find(|step| length_s / step <= MARKS_MAX);
        let step = step.unwrap_or(length_s / MARKS_MAX);
        let mut marks = Vec::new();
        let mut at_s = 0.0;
        while at_s <= length_s && marks.len() < 20 {
            let x = place(at_s / length_s, self.left, self.right);
            marks.push((x, mark(at_s)));
            at_s += step;
        }
        marks
    }
}

fn mark(at_s: f64) -> String {
    match at_s {
        at_s if at_s < 60.0 || at_s % 60.0 != 0.0 => format!("{at_s} s"),
        at_s if at_s < 7_200.0 => format!("{} min", at_s / 60.0),
        _ => format!("{:.1} h", at_s / 3_600.0),
    }
}

/// The pixel at that part of the way; parts outside are moved to the edge.
#[expect(
    clippy::cast_possible_truncation,
    reason = "between two pixels; casts of floats saturate"
)]
pub fn place(part: f64, from: i32, to: i32) -> i32 {
    let part = if part.is_finite() {
        part.clamp(0.0, 1.0)
    } else {
        0.0
    };
    from + (f64::from(to - from) * part).round() as i32
}
