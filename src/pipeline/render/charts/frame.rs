//! What all charts share: their size, and how they are finished.

use crate::domain::number::Number;
use crate::pipeline::render::charts::svg::Svg;
use crate::pipeline::render::context::schema::ChartPlan;

/// A finished chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The plan's id, unique within the document.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The chart in words.
    pub description: String,
    /// The SVG, with title and description inside.
    pub svg: String,
}

/// Of charts over the whole width.
pub(super) const WIDE: (f64, f64) = (522.0, 128.0);
pub(super) const LEFT: f64 = 32.0;
pub(super) const RIGHT: f64 = 12.0;

/// What stands where a chart would have no line.
pub(super) const NOTHING: &str = "nothing to draw yet";

/// The chart of a plan.
pub(super) fn finished(plan: &ChartPlan, svg: Svg) -> Chart {
    let (id, title, description) = (plan.id.clone(), plan.title.clone(), plan.description.clone());
    Chart { id, title, description, svg: svg.finish() }
}

/// A tick as a number again, to be formatted; ticks are round, so nothing is lost.
pub(super) fn from_f64(value: f64) -> Number {
    format!("{value:.6}").parse().unwrap_or(Number::ZERO)
}
