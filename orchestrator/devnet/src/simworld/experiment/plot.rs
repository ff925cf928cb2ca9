//! The picture of an experiment: each figure with its tolerance around the
//! theory.

use plotters::prelude::*;

use super::{Experiment, Row};

const WIDTH: u32 = 720;
const ROW_HEIGHT: u32 = 60;
const HEAD: u32 = 90;
/// Where the rows' bars begin and end, and the tolerance's half-width there.
const MIDDLE: i32 = 500;
const HALF: f64 = 80.0;
const REACH: f64 = 2.0;

/// The picture as SVG: a bar for the tolerance, a line for the theory, a dot for
/// what was measured. What is farther off than twice the tolerance stands at the
/// edge.
///
/// # Errors
/// The picture cannot be drawn.
pub fn svg(experiment: &Experiment, rows: &[Row]) -> Result<String, String> {
    let mut text = String::new();
    let count = u32::try_from(rows.len()).unwrap_or(1);
    {
        let size = (WIDTH, HEAD + count * ROW_HEIGHT);
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let told = |error: DrawingAreaErrorKind<_>| format!("cannot draw: {error}");
        root.fill(&WHITE).map_err(told)?;
        let large = ("sans-serif", 18).into_font();
        let small = ("sans-serif", 13).into_font();
        let say = |what: &str, at: (i32, i32), is_large: bool| {
            let font = if is_large {
                large.clone()
            } else {
                small.clone()
            };
            root.draw(&Text::new(what.to_owned(), at, font))
                .map_err(told)
        };
        say(&experiment.title, (16, 16), true)?;
        say(&experiment.reference, (16, 44), false)?;
        for (row, at) in rows.iter().zip(0_i32..) {
            let y = i32::try_from(HEAD).unwrap_or(0) + at * i32::try_from(ROW_HEIGHT).unwrap_or(0);
            say(&row.what, (16, y), false)?;
            let figures = format!(
                "{:.4}, wanted {:.4} {}",
                row.measured,
                row.expected,
                row.bounds()
            );
            say(&figures, (16, y + 18), false)?;
            let half = as_pixels(HALF);
            let band = [(MIDDLE - half, y + 6), (MIDDLE + half, y + 30)];
            let bar = Rectangle::new(band, RGBColor(205, 225, 245).filled());
            root.draw(&bar).map_err(told)?;
            let line = PathElement::new(vec![(MIDDLE, y), (MIDDLE, y + 36)], BLACK);
            root.draw(&line).map_err(told)?;
            let colour = if row.holds() { BLUE } else { RED };
            let dot = Circle::new(
                (
                    MIDDLE + as_pixels(HALF * row.off().clamp(-REACH, REACH)),
                    y + 18,
                ),
                5,
                colour.filled(),
            );
            root.draw(&dot).map_err(told)?;
        }
        root.present().map_err(told)?;
    }
    Ok(text)
}

#[expect(clippy::cast_possible_truncation, reason = "at most a few hundred")]
const fn as_pixels(length: f64) -> i32 {
    length as i32
}
