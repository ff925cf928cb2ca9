//! Distributions: of block intervals against the exponential law, and of the
//! times blocks took to nodes.

use maud::{Markup, html};
use plotters::prelude::{ChartBuilder, Circle, LabelAreaPosition, PathElement, Rectangle};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::kit::{self, Area, Drawn, hit};
use super::palette::{BEST, GRID, INK, LAW, MUTED, SIDE};
use crate::account::model::{Account, Bin, Propagation, Reception, Summary};
use crate::account::spell;

const WIDTH: u32 = 520;
const HEIGHT: u32 = 300;
const ROW_HEIGHT: i32 = 30;
const ROWS_MAX: usize = 40;
const LEFT: i32 = 128;
const RIGHT: i32 = 500;

/// Bars for what was, dots for what the law lets expect.
pub fn intervals(account: &Account) -> Markup {
    let bins = &account.intervals.bins;
    let target = spell::span_ms(account.block_interval_ms);
    let label = format!(
        "Distribution of {} against the exponential law with a mean of {target}.",
        spell::count(account.intervals.points.len(), "block interval"),
    );
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label="Distribution of block intervals" {
                (kit::chart((WIDTH, HEIGHT), &label, &hits(bins), |area| bars(area, bins)))
            }
            figcaption {
                ul.legend {
                    li { span.swatch.best {} "intervals seen" }
                    li { span.dot.law {} "expected of memoryless mining at " (target) }
                }
            }
        }
    }
}

const PLOT: (i32, i32, i32, i32) = (44, 10, 510, 262);

fn top(bins: &[Bin]) -> f64 {
    let tallest = bins.iter().map(|bin| (bin.count as f64).max(bin.expected));
    tallest.fold(1.0, f64::max) * 1.08
}

fn bars(area: &Area<'_>, bins: &[Bin]) -> Drawn {
    let count = bins.len() as f64;
    let plot = area.margin(PLOT.1, 38, 0, 10);
    let mut chart = ChartBuilder::on(&plot)
        .set_label_area_size(LabelAreaPosition::Left, PLOT.0)
        .build_cartesian_2d(0.0..count.max(1.0), 0.0..top(bins))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .y_label_formatter(&|blocks| format!("{blocks:.0}"))
        .y_label_style(kit::labels())
        .axis_style(GRID)
        .bold_line_style(GRID)
        .light_line_style(GRID.mix(0.0))
        .draw()?;
    let at = |place: usize| place as f64;
    chart.draw_series(bins.iter().enumerate().map(|(place, bin)| {
        let ends = [
            (at(place) + 0.08, 0.0),
            (at(place) + 0.92, bin.count as f64),
        ];
        Rectangle::new(ends, BEST.mix(0.8).filled())
    }))?;
    let law = bins
        .iter()
        .enumerate()
        .map(|(place, bin)| (at(place) + 0.5, bin.expected));
    let law: Vec<(f64, f64)> = law.collect();
    chart.draw_series([PathElement::new(law.clone(), LAW.stroke_width(2))])?;
    chart.draw_series(
        law.into_iter()
            .map(|point| Circle::new(point, 4, LAW.filled())),
    )?;
    for (place, bin) in bins.iter().enumerate().step_by(2) {
        let x = column(bins, place);
        let mut words = spell::span_ms(bin.from_ms)
            .replace(".00", "")
            .replace(".0 s", " s");
        if bin.to_ms.is_none() {
            words.push('+');
        }
        kit::words(area, &words, (x, PLOT.3 + 16), HPos::Center, MUTED)?;
    }
    Ok(())
}

/// The pixel at which a bar begins.
fn column(bins: &[Bin], place: usize) -> i32 {
    kit::place(place as f64 / bins.len().max(1) as f64, PLOT.0, PLOT.2)
}

fn hits(bins: &[Bin]) -> Markup {
    html! {
        @for (place, bin) in bins.iter().enumerate() {
            @let to = bin.to_ms.map_or("longer".into(), spell::span_ms);
            (hit((column(bins, place), PLOT.1), (column(bins, place + 1), PLOT.3), &format!(
                "{} to {to}: {}, {:.1} expected", spell::span_ms(bin.from_ms), bin.count, bin.expected)))
        }
    }
}

/// Median to longest, as rows of a list of pairs.
pub fn quantiles(summary: Summary) -> Markup {
    html! {
        dt { "Median" } dd { (spell::span(summary.median)) }
        dt { "90th percentile" } dd { (spell::span(summary.p90)) }
        dt { "99th percentile" } dd { (spell::span(summary.p99)) }
        dt { "Longest" } dd { (spell::span(summary.max)) }
    }
}

/// From median to the 99th percentile, a line each node; `quiet` are the words
/// for blocks of no fault.
pub fn arrivals(propagation: &Propagation, quiet: &str) -> Markup {
    let rows = &propagation.nodes[..propagation.nodes.len().min(ROWS_MAX)];
    let height = i32::try_from(rows.len()).unwrap_or(0) * ROW_HEIGHT + 44;
    let scale = Scale::of(rows);
    let label = format!(
        "Time from a block's first arrival anywhere to its arrival at each of {}.",
        spell::count(rows.len(), "node"),
    );
    let size = (WIDTH, u32::try_from(height).unwrap_or(1));
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label="Arrival of blocks at nodes" {
                (kit::chart(size, &label, &html! {}, |area| reception(area, rows, scale, height)))
            }
            figcaption {
                ul.legend {
                    @if propagation.is_split() {
                        li { span.dot.best {} "median to 99th percentile, " (quiet.to_lowercase()) }
                        li { span.dot.side {} "the same, while a fault was in force" }
                    } @else {
                        li { span.dot.best {} "median to 99th percentile" }
                    }
                }
                @if propagation.nodes.len() > ROWS_MAX { p { "Further nodes stand in the table only." } }
            }
        }
    }
}

/// Powers of ten of milliseconds from left to right.
#[derive(Clone, Copy)]
struct Scale {
    last: i32,
}

impl Scale {
    fn of(rows: &[Reception]) -> Self {
        let slowest = rows
            .iter()
            .flat_map(|row| [row.quiet, row.disturbed])
            .flatten();
        let slowest = slowest.map(|summary| summary.p99).fold(100.0, f64::max);
        let mut last = 2;
        while f64::powi(10.0, last) < slowest && last < 9 {
            last += 1;
        }
        Self { last }
    }

    fn x(self, ms: f64) -> i32 {
        kit::place(ms.max(1.0).log10() / f64::from(self.last), LEFT, RIGHT)
    }
}

fn reception(area: &Area<'_>, rows: &[Reception], scale: Scale, height: i32) -> Drawn {
    for power in 0..=scale.last {
        let ms = f64::powi(10.0, power);
        let x = scale.x(ms);
        kit::line(area, vec![(x, 6), (x, height - 30)], GRID, 1)?;
        let words = spell::span(ms).replace(".00", "").replace(".0 s", " s");
        kit::words(area, &words, (x, height - 14), HPos::Center, MUTED)?;
    }
    for (place, row) in rows.iter().enumerate() {
        let y = 8 + i32::try_from(place).unwrap_or(0) * ROW_HEIGHT + ROW_HEIGHT / 2;
        let name = kit::short_name(&row.node);
        kit::words(area, &name, (LEFT - 12, y), HPos::Right, INK)?;
        if let Some(quiet) = row.quiet {
            stretch(area, quiet, scale, y - 4, BEST)?;
        }
        if let Some(disturbed) = row.disturbed {
            stretch(area, disturbed, scale, y + 5, SIDE)?;
        }
    }
    Ok(())
}

fn stretch(area: &Area<'_>, of: Summary, scale: Scale, y: i32, colour: RGBColor) -> Drawn {
    let (from, to) = (scale.x(of.median), scale.x(of.p99));
    kit::line(area, vec![(from, y), (to, y)], colour, 2)?;
    area.draw(&Circle::new((from, y), 4, colour.filled()))?;
    kit::line(area, vec![(to, y - 4), (to, y + 4)], colour, 2)
}
