//! Charts as SVG, made once and used by both formats.
//!
//! Their one constraint: they draw what a line of the series says and nothing else, and floating point stays inside:
//! coordinates are printed with one digit, so that the bytes are the same everywhere.

pub mod frame;
pub mod scale;
pub mod steps;
pub mod svg;

use crate::domain::metric::Unit;
use crate::domain::number::Number;
use crate::pipeline::render::context::schema::{ChartPlan, Column, Context, Line, Shape, Table};
use crate::pipeline::render::format::{ENGLISH, Locale};
use frame::{Chart, LEFT, NOTHING, RIGHT, WIDE, finished, from_f64};
use scale::Scale;
use svg::{ACCENT, Anchor, FAINT, INK, MUTED, PALE, Svg};

const WIDTH: f64 = 252.0;
const HEIGHT: f64 = 104.0;
const TOP: f64 = 13.0;
/// Room beneath the axis: the periods, and how many facts stand behind each point.
const BOTTOM: f64 = 14.0;
const COUNTS: f64 = 9.0;
const LABEL_SIZE: f64 = 7.5;

/// Draws every chart that the context plans.
pub fn draw(context: &Context) -> Vec<Chart> {
    let waterfalls = context.waterfalls.iter().map(|waterfall| &waterfall.chart);
    let plans = context.charts.iter().chain(&context.week_charts).chain(waterfalls);
    let of = |plan: &ChartPlan| {
        let table = context.tables().find(|table| table.id == plan.table)?;
        match plan.shape {
            Shape::Steps => Some(steps::chart(plan, table, &context.company.currency)),
            _ => Some(chart(plan, table.lines.get(plan.line)?, table, &context.company.currency)),
        }
    };
    plans.filter_map(of).collect()
}

fn chart(plan: &ChartPlan, line: &Line, table: &Table, currency: &str) -> Chart {
    let mut drawing = Drawing::new(plan, line, currency);
    let something = |number: Option<Number>| number.is_some_and(|number| number != Number::ZERO);
    if line.cells.iter().any(|cell| something(cell.value) || something(cell.target) || cell.n > 0) {
        drawing.axes(&table.columns);
        match plan.shape {
            Shape::Columns => drawing.columns(),
            Shape::Points => drawing.points(),
            Shape::Level | Shape::Steps => drawing.level(),
        }
    } else {
        drawing.nothing();
    }
    finished(plan, drawing.svg)
}

/// One chart while it is drawn.
struct Drawing<'a> {
    svg: Svg,
    line: &'a Line,
    currency: &'a str,
    locale: &'static Locale,
    scale: Scale,
    width: f64,
    height: f64,
    /// The y of zero or of the scale's foot.
    foot: f64,
}

impl<'a> Drawing<'a> {
    fn new(plan: &ChartPlan, line: &'a Line, currency: &'a str) -> Drawing<'a> {
        let with_counts = plan.shape == Shape::Points;
        let numbers = line.cells.iter().flat_map(|cell| match plan.shape {
            Shape::Points => [cell.value, cell.high.or(cell.value)],
            _ => [cell.value, cell.target],
        });
        let (width, height) = if plan.wide { WIDE } else { (WIDTH, HEIGHT) };
        let bottom = height - BOTTOM - if with_counts { COUNTS } else { 0.0 };
        let scale = Scale::new(numbers.flatten().map(Number::to_f64), TOP, bottom);
        let svg = Svg::new(&plan.id, &plan.title, &plan.description, width, height);
        Drawing { svg, line, currency, locale: &ENGLISH, foot: scale.y(0.0), scale, width, height }
    }

    /// The middle of a period's place.
    fn x(&self, index: usize) -> f64 {
        LEFT + self.step() * (index as f64 + 0.5)
    }

    fn step(&self) -> f64 {
        (self.width - LEFT - RIGHT) / self.line.cells.len().max(1) as f64
    }

    fn axes(&mut self, columns: &[Column]) {
        for tick in self.scale.ticks() {
            let y = self.scale.y(tick);
            let colour = if tick == 0.0 { MUTED } else { FAINT };
            self.svg.line((LEFT, y), (self.width - RIGHT, y), colour, 0.5);
            let label = self.locale.axis(self.line.unit, from_f64(tick), self.currency);
            self.svg.text((LEFT - 4.0, y + 2.2), &label, Anchor::End, MUTED, 6.5);
        }
        let last = columns.len().saturating_sub(1);
        for (i, column) in columns.iter().enumerate() {
            // The ends and the middle are enough to read the rest.
            if i == 0 || i == last || i == last / 2 {
                let at = (self.x(i), self.height - 3.0);
                let (x, anchor) = match i {
                    0 => (at.0 - self.step() / 2.0, Anchor::Start),
                    _ if i == last => (at.0 + self.step() / 2.0, Anchor::End),
                    _ => (at.0, Anchor::Middle),
                };
                self.svg.text((x, at.1), &column.title, anchor, MUTED, 6.5);
            }
        }
    }

    /// Words instead of an empty scale: why there is no number, if that is known.
    fn nothing(&mut self) {
        let why = self.line.cells.last().and_then(|cell| cell.reason.as_deref()).unwrap_or(NOTHING);
        let middle = (self.width / 2.0, self.height / 2.0);
        self.svg.line((LEFT, self.height - BOTTOM), (self.width - RIGHT, self.height - BOTTOM), FAINT, 0.5);
        self.svg.text(middle, why, Anchor::Middle, MUTED, 7.5);
    }

    /// Columns from zero; the latest in full colour, a dark mark at each target.
    fn columns(&mut self) {
        let width = self.step() * 0.62;
        for (i, cell) in self.line.cells.iter().enumerate() {
            let x = self.x(i);
            if let Some(value) = cell.value {
                let y = self.scale.y(value.to_f64());
                let colour = if i + 1 == self.line.cells.len() { ACCENT } else { PALE };
                self.svg.rect((x - width / 2.0, y.min(self.foot)), width, (y - self.foot).abs(), colour);
            }
            if let Some(target) = cell.target.filter(|target| *target > Number::ZERO) {
                let y = self.scale.y(target.to_f64());
                let half = self.step() * 0.42;
                self.svg.line((x - half, y), (x + half, y), INK, 1.2);
            }
        }
        self.label_last();
    }

    /// Points with their intervals, joined where two follow each other; hollow where there are too few facts.
    fn points(&mut self) {
        let places: Vec<(f64, Option<f64>)> = (self.line.cells.iter().enumerate())
            .map(|(i, cell)| (self.x(i), cell.value.map(|value| self.scale.y(value.to_f64()))))
            .collect();
        for (i, cell) in self.line.cells.iter().enumerate() {
            if let (Some(low), Some(high)) = (cell.low, cell.high) {
                let (low, high) = (self.scale.y(low.to_f64()), self.scale.y(high.to_f64()));
                self.svg.line((places[i].0, low), (places[i].0, high), FAINT, 2.4);
            }
            self.svg.text((places[i].0, self.height - BOTTOM + 1.0), &cell.n_text, Anchor::Middle, MUTED, 5.5);
        }
        self.svg.text((LEFT - 4.0, self.height - BOTTOM + 1.0), "n", Anchor::End, MUTED, 5.5);
        for pair in places.windows(2) {
            if let [(x1, Some(y1)), (x2, Some(y2))] = *pair {
                self.svg.line((x1, y1), (x2, y2), PALE, 1.0);
            }
        }
        for ((x, y), cell) in places.into_iter().zip(&self.line.cells) {
            match y {
                Some(y) if cell.few => self.svg.ring((x, y), 2.2, MUTED),
                Some(y) => self.svg.dot((x, y), 2.5, ACCENT),
                None => {}
            }
        }
        self.label_last();
    }

    /// A filled line through the values at the periods' ends, with a gap where there is none.
    fn level(&mut self) {
        let places: Vec<Option<(f64, f64)>> = (self.line.cells.iter().enumerate())
            .map(|(i, cell)| cell.value.map(|value| (self.x(i), self.scale.y(value.to_f64()))))
            .collect();
        for run in places.split(Option::is_none) {
            let run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                let mut area = run.clone();
                area.extend([(last.0, self.foot), (first.0, self.foot)]);
                self.svg.area(&area, FAINT);
                self.svg.path(&run, ACCENT, 1.4);
            }
        }
        if let Some(Some(last)) = places.last() {
            self.svg.dot(*last, 2.5, ACCENT);
        }
        self.label_last();
    }

    /// The latest number in figures, above its mark and the one before it.
    fn label_last(&mut self) {
        let Some(cell) = self.line.cells.last() else { return };
        let Some(value) = cell.value else { return };
        let beneath = self.line.cells.iter().rev().take(2).filter_map(|cell| cell.value);
        let top = beneath.max().unwrap_or(value).max(Number::ZERO);
        let text = match self.line.unit {
            Unit::Money => self.locale.short(Unit::Money, value, self.currency),
            unit => self.locale.plain(unit, value, self.currency),
        };
        let half = text.chars().count() as f64 * LABEL_SIZE * 0.3;
        let x = self.x(self.line.cells.len() - 1).min(self.width - half);
        let mut y = self.scale.y(top.to_f64()) - 4.0;
        // A target's mark is never hidden: the figures go above it if they would touch it.
        let mark = cell.target.map(|target| self.scale.y(target.to_f64()));
        if let Some(mark) = mark.filter(|mark| (y - LABEL_SIZE..y + 3.0).contains(mark)) {
            y = mark - 4.0;
        }
        let y = y.max(LABEL_SIZE);
        self.svg.label((x, y), &text, if cell.few { MUTED } else { INK }, LABEL_SIZE);
    }
}
