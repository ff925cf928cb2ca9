//! The timeline: faults above every node's lane, and the time each block took
//! below, all on one axis.

use maud::{Markup, html};
use plotters::prelude::{ChartBuilder, Circle, LabelAreaPosition, PathElement, Polygon};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::kit::{self, Area, Drawn, TimeScale, hit};
use super::palette::{BEST, DOWN, FAULT, GRID, INK, LANE, LAW, MUTED, ON_FAULT, SIDE};
use super::strips;
use crate::account::model::{Account, Band, Force, IntervalAt, Lane};
use crate::account::spell;

const WIDTH: u32 = 1_080;
const LEFT: i32 = 128;
const RIGHT: i32 = 1_068;
const FAULT_HEIGHT: i32 = 20;
const LANE_HEIGHT: i32 = 24;
const LANES_MAX: usize = 40;
const PANEL_HEIGHT: i32 = 170;
const AXIS_HEIGHT: i32 = 26;
/// Blocks drawn as points at most; of more the longest of each pixel.
const POINTS_MAX: usize = 1_500;

/// Where everything is.
struct Layout<'a> {
    account: &'a Account,
    scale: TimeScale,
    lanes: &'a [Lane],
    rows: Vec<usize>,
    lanes_top: i32,
    panel_top: i32,
    bottom: i32,
    /// The longest time for a block that the panel has room for, in seconds.
    top_s: f64,
}

/// The figure.
pub fn figure(account: &Account) -> Markup {
    let layout = Layout::of(account);
    let label = format!(
        "Timeline of {}: {} over {}, with every node's tip and outages, and the time each of {} took.",
        spell::span_ms(account.span.length_ms()),
        spell::count(account.faults.len(), "fault"),
        spell::count(account.lanes.len(), "node"),
        spell::count(account.intervals.points.len(), "block"),
    );
    let size = (WIDTH, u32::try_from(layout.bottom).unwrap_or(1));
    let left_out = account.lanes.len().saturating_sub(LANES_MAX);
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label="Timeline" {
                (kit::chart(size, &label, &layout.hits(), |area| layout.draw(area)))
            }
            figcaption {
                (legend())
                @if left_out > 0 { p { (spell::count(left_out, "more node")) " not drawn." } }
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li { span.swatch.fault {} "fault in force, with its number in the table" }
            li { span.swatch.best {} "tip on the chain that won" }
            li { span.swatch.side {} "tip on a branch that lost" }
            li { span.swatch.down {} "no answer" }
            li { span.mark { "▼" } "reorganisation, with its depth" }
            li { span.swatch.law {} "target interval" }
        }
    }
}

impl<'a> Layout<'a> {
    fn of(account: &'a Account) -> Self {
        let lanes = &account.lanes[..account.lanes.len().min(LANES_MAX)];
        let rows = strips::pack(&account.faults);
        let height = |count: usize, each: i32| i32::try_from(count).unwrap_or(0) * each;
        let fault_rows = rows.iter().max().map_or(0, |last| last + 1);
        let lanes_top = 8 + height(fault_rows, FAULT_HEIGHT) + 8;
        let panel_top = lanes_top + height(lanes.len(), LANE_HEIGHT) + 26;
        let length_ms = account.span.length_ms().max(1) as f64;
        Self {
            account,
            scale: TimeScale {
                begin_ms: account.span.begin_ms,
                length_ms,
                left: LEFT,
                right: RIGHT,
            },
            lanes,
            rows,
            lanes_top,
            panel_top,
            bottom: panel_top + PANEL_HEIGHT + AXIS_HEIGHT,
            top_s: top_s(account),
        }
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        self.axis(area)?;
        for (band, row) in self.account.faults.iter().zip(&self.rows) {
            self.band(area, band, *row)?;
        }
        if !self.account.faults.is_empty() {
            kit::words(
                area,
                "faults",
                (LEFT - 10, 8 + FAULT_HEIGHT / 2),
                HPos::Right,
                MUTED,
            )?;
        }
        for (place, lane) in self.lanes.iter().enumerate() {
            self.lane(area, lane, self.lane_top(place))?;
        }
        self.panel(area)
    }

    fn axis(&self, area: &Area<'_>) -> Drawn {
        for (x, words) in self.scale.marks() {
            let ends = vec![(x, self.lanes_top), (x, self.bottom - AXIS_HEIGHT)];
            kit::line(area, ends, GRID, 1)?;
            let anchor = if x > RIGHT - 30 {
                HPos::Right
            } else {
                HPos::Center
            };
            kit::words(area, &words, (x, self.bottom - 11), anchor, MUTED)?;
        }
        Ok(())
    }

    fn ends(&self, band: &Band) -> (i32, i32) {
        let from = self.scale.x(band.from_ms);
        let to = self.scale.x(band.to_ms.unwrap_or(self.account.span.end_ms));
        (from, to.max(from + 3))
    }

    fn fault_top(row: usize) -> i32 {
        8 + i32::try_from(row).unwrap_or(0) * FAULT_HEIGHT
    }

    fn lane_top(&self, place: usize) -> i32 {
        self.lanes_top + i32::try_from(place).unwrap_or(0) * LANE_HEIGHT
    }

    /// A fault in its row, and its shadow on all that was touched by it.
    fn band(&self, area: &Area<'_>, band: &Band, row: usize) -> Drawn {
        let (from, to) = self.ends(band);
        let top = Self::fault_top(row);
        let (strength, colour) = match band.force {
            Force::Proven => (1.0, ON_FAULT),
            Force::NoEffect | Force::Unproven => (0.35, INK),
        };
        kit::block(
            area,
            (from, top + 2),
            (to, top + FAULT_HEIGHT - 2),
            FAULT.mix(strength),
        )?;
        let shadow = FAULT.mix(0.13);
        let panel = (self.panel_top, self.bottom - AXIS_HEIGHT);
        kit::block(area, (from, panel.0), (to, panel.1), shadow)?;
        for (place, lane) in self.lanes.iter().enumerate() {
            if band.nodes.contains(&lane.node) {
                let top = self.lane_top(place);
                kit::block(area, (from, top), (to, top + LANE_HEIGHT), shadow)?;
            }
        }
        let number = band.number.to_string();
        let room = to - from;
        if room > 6 + 8 * i32::try_from(number.len()).unwrap_or(9) {
            let middle = ((from + to) / 2, top + FAULT_HEIGHT / 2);
            kit::words(area, &number, middle, HPos::Center, colour)?;
        }
        Ok(())
    }

    fn lane(&self, area: &Area<'_>, lane: &Lane, top: i32) -> Drawn {
        let name = kit::short_name(&lane.node);
        kit::words(
            area,
            &name,
            (LEFT - 10, top + LANE_HEIGHT / 2),
            HPos::Right,
            INK,
        )?;
        kit::block(
            area,
            (LEFT, top + 9),
            (RIGHT, top + LANE_HEIGHT - 9),
            LANE.mix(1.0),
        )?;
        for (from, to, is_best) in strips::runs(lane, self.scale, self.account.span.end_ms) {
            let colour = if is_best { BEST } else { SIDE };
            // What lost also lies lower, for eyes that see no hue.
            let shift = if is_best { 0 } else { 3 };
            kit::block(
                area,
                (from, top + 9 + shift),
                (to.max(from + 1), top + 15 + shift),
                colour.mix(1.0),
            )?;
        }
        for outage in &lane.outages {
            let from = self.scale.x(outage.from_ms);
            let to = self
                .scale
                .x(outage.to_ms.unwrap_or(self.account.span.end_ms));
            kit::block(
                area,
                (from, top + 5),
                (to.max(from + 2), top + 20),
                DOWN.mix(1.0),
            )?;
        }
        let reorgs = strips::reorgs(lane, self.scale);
        let ends = reorgs.iter().skip(1).map(|(x, _)| *x).chain([RIGHT + 12]);
        for ((x, tip), next) in reorgs.iter().zip(ends) {
            let marks = vec![(x - 4, top + 2), (x + 4, top + 2), (*x, top + 9)];
            area.draw(&Polygon::new(marks, INK.filled()))?;
            let words = tip.lost.to_string();
            if next - x > 10 + 8 * i32::try_from(words.len()).unwrap_or(9) {
                kit::words(area, &words, (x + 6, top + 5), HPos::Left, INK)?;
            }
        }
        Ok(())
    }

    /// How long each block took.
    fn panel(&self, area: &Area<'_>) -> Drawn {
        let top = self.panel_top;
        kit::words(
            area,
            "seconds since the block before",
            (LEFT, top - 10),
            HPos::Left,
            MUTED,
        )?;
        let points = self.points();
        let target_s = target_s(self.account);
        let length_s = self.scale.length_ms / 1e3;
        let size = |pixels: i32| u32::try_from(pixels).unwrap_or(0);
        let (panel, _) = area.split_vertically(self.bottom - AXIS_HEIGHT);
        let panel = panel.margin(size(top), 0, 0, WIDTH - size(RIGHT));
        let mut chart = ChartBuilder::on(&panel)
            .set_label_area_size(LabelAreaPosition::Left, size(LEFT))
            .build_cartesian_2d(0.0..length_s, 0.0..self.top_s)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(5)
            .y_label_formatter(&|seconds| format!("{seconds} s"))
            .y_label_style(kit::labels())
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(GRID.mix(0.0))
            .draw()?;
        if target_s > 0.0 {
            let target = [(0.0, target_s), (length_s, target_s)];
            chart.draw_series([PathElement::new(target, LAW.stroke_width(2))])?;
        }
        let begin_ms = self.scale.begin_ms;
        chart.draw_series(points.iter().map(|point| {
            let at_s = point.at_ms.saturating_sub(begin_ms) as f64 / 1e3;
            Circle::new(
                (at_s, point.interval_ms as f64 / 1e3),
                3,
                BEST.mix(0.75).filled(),
            )
        }))?;
        Ok(())
    }

    /// Blocks as points; of very many the longest of each pixel.
    fn points(&self) -> Vec<&IntervalAt> {
        let all = &self.account.intervals.points;
        if all.len() <= POINTS_MAX {
            return all.iter().collect();
        }
        let mut kept: Vec<&IntervalAt> = Vec::new();
        for point in all {
            match kept.last_mut() {
                Some(last) if self.scale.x(last.at_ms) == self.scale.x(point.at_ms) => {
                    if last.interval_ms < point.interval_ms {
                        *last = point;
                    }
                }
                _ => kept.push(point),
            }
        }
        kept
    }

    fn hits(&self) -> Markup {
        let begin_ms = self.scale.begin_ms;
        let faults = self.account.faults.iter().zip(&self.rows);
        html! {
            @for point in self.points() {
                (self.point_hit(point))
            }
            @for (place, lane) in self.lanes.iter().enumerate() {
                @let top = self.lane_top(place);
                @for (x, tip) in strips::reorgs(lane, self.scale) {
                    (hit((x - 5, top), (x + 5, top + 10), &format!(
                        "{}: left {} for height {} at {}", lane.node,
                        spell::count(tip.lost as usize, "block"), tip.height,
                        spell::since(tip.at_ms, begin_ms))))
                }
                @for outage in &lane.outages {
                    @let to_ms = outage.to_ms.unwrap_or(self.account.span.end_ms);
                    (hit((self.scale.x(outage.from_ms), top + 5), (self.scale.x(to_ms), top + 20), &format!(
                        "{} from {} to {}: {}", lane.node, spell::since(outage.from_ms, begin_ms),
                        spell::since(to_ms, begin_ms), outage.state)))
                }
            }
            @for (band, row) in faults {
                @let (from, to) = self.ends(band);
                @let top = Self::fault_top(*row);
                (hit((from, top), (to, top + FAULT_HEIGHT), &format!(
                    "{}. {}, from {} to {}. {}", band.number, band.title,
                    spell::since(band.from_ms, begin_ms),
                    band.to_ms.map_or("the end".into(), |to_ms| spell::since(to_ms, begin_ms)),
                    band.evidence)))
            }
        }
    }

    /// The pixels follow the chart's own arithmetic; a pixel more or less does
    /// not matter under a pointer.
    fn point_hit(&self, point: &IntervalAt) -> Markup {
        let part = point.interval_ms as f64 / 1e3 / self.top_s;
        let y = kit::place(part, self.bottom - AXIS_HEIGHT, self.panel_top);
        let x = self.scale.x(point.at_ms);
        let text = format!(
            "height {}: {} after its parent, at {}, by {}",
            point.height,
            spell::span_ms(point.interval_ms),
            spell::since(point.at_ms, self.scale.begin_ms),
            point.miner.as_deref().unwrap_or("?"),
        );
        hit((x - 3, y - 3), (x + 3, y + 3), &text)
    }
}

fn target_s(account: &Account) -> f64 {
    account.block_interval_ms as f64 / 1e3
}

/// Room for the longest interval, and for three times the target.
fn top_s(account: &Account) -> f64 {
    let points = account.intervals.points.iter();
    let longest_ms = points.map(|point| point.interval_ms).max().unwrap_or(0);
    let longest_s = longest_ms as f64 / 1e3;
    longest_s.max(target_s(account) * 3.0).max(0.1) * 1.05
}
