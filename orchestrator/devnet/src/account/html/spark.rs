//! Small curves that stand in a table's cells, all on one scale.

use maud::Markup;
use plotters::style::Color;

use super::kit::{self, Area, Drawn, TimeScale};
use super::palette::{BEST, GRID};
use crate::account::model::Span;

const WIDTH: u32 = 170;
const HEIGHT: u32 = 30;
/// Points drawn at most; of more, the highest of each stretch.
const POINTS_MAX: usize = 160;

/// A curve over the whole time; `top` is what reaches to the upper edge.
pub fn curve(points: &[(u64, f64)], top: f64, span: Span, label: &str) -> Markup {
    let scale = TimeScale {
        begin_ms: span.begin_ms,
        length_ms: span.length_ms().max(1) as f64,
        left: 1,
        right: 169,
    };
    let stretch = points.len().div_ceil(POINTS_MAX).max(1);
    let highest = points.chunks(stretch).filter_map(|chunk| {
        let last = chunk.last()?;
        let value = chunk.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        Some((scale.x(last.0), kit::place(value / top.max(1e-9), 28, 3)))
    });
    let points: Vec<(i32, i32)> = highest.collect();
    kit::chart((WIDTH, HEIGHT), label, &maud::html! {}, |area| {
        drawn(area, &points)
    })
}

fn drawn(area: &Area<'_>, points: &[(i32, i32)]) -> Drawn {
    kit::line(area, vec![(1, 28), (169, 28)], GRID, 1)?;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Ok(());
    };
    let mut surface = points.to_vec();
    surface.push((last.0, 28));
    surface.push((first.0, 28));
    area.draw(&plotters::prelude::Polygon::new(
        surface,
        BEST.mix(0.15).filled(),
    ))?;
    kit::line(area, points.to_vec(), BEST, 2)
}
