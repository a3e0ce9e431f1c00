//! The page: the only file that knows Tera.
//!
//! Its one constraint: what comes out is one self-contained document without scripts, and every text of the data is
//! escaped; only the charts, which [`super::charts`] wrote, go in as they are.

use crate::diagnostic::{Diagnostic, Result};
use crate::pipeline::render::charts::frame::Chart;
use crate::pipeline::render::context::schema::Context;
use crate::pipeline::render::glyphs::{is_turn, without_turns};
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error as _;
use tera::Tera;

/// The name of the template that is the page.
const PAGE: &str = "report.html";

/// Parsed templates, ready for any number of pages.
pub struct Html {
    tera: Tera,
}

impl Html {
    /// Parses the templates: `report.html` and whatever it includes, by their paths.
    ///
    /// # Errors
    /// A template that cannot be parsed.
    pub fn new(templates: &BTreeMap<String, String>) -> Result<Html> {
        let html = Html::of_pages(templates)?;
        if !html.tera.contains_template(PAGE) {
            return Err(Diagnostic::project(format!("the report has no `{PAGE}`")));
        }
        Ok(html)
    }

    /// Parses templates that are pages, or included by them.
    ///
    /// # Errors
    /// A template that cannot be parsed.
    pub fn of_pages(templates: &BTreeMap<String, String>) -> Result<Html> {
        let mut tera = Tera::new();
        tera.add_raw_templates(templates.iter().map(|(name, text)| (name.as_str(), text.as_str())))
            .map_err(|error| refuse("an HTML template cannot be read", &error))?;
        Ok(Html { tera })
    }

    /// A page of these values.
    ///
    /// # Errors
    /// A template that is not there, or asks for something that the values do not have.
    pub fn page(&self, name: &str, values: &impl Serialize) -> Result<String> {
        let values = tera::Context::from_serialize(values);
        let values = values.map_err(|error| refuse(&format!("{name} is given no object"), &error))?;
        self.tera.render(name, &values).map_err(|error| refuse(&format!("{name} cannot be made"), &error))
    }

    /// The page for a context.
    ///
    /// # Errors
    /// A template that asks for something that the context does not have.
    pub fn render(&self, context: &Context, charts: &[Chart]) -> Result<String> {
        let mut texts = serde_json::to_value(context).expect("a context is plain JSON");
        without_turns(&mut texts);
        let mut values =
            tera::Context::from_serialize(&texts).map_err(|error| refuse("the context is no object", &error))?;
        let svg = charts.iter().map(|chart| (chart.id.as_str(), chart.svg.replace(is_turn, "")));
        let svg: BTreeMap<&str, String> = svg.collect();
        values.insert("svg", &svg);
        let name = &context.entity.name;
        self.tera.render(PAGE, &values).map_err(|error| refuse(&format!("the page for {name} cannot be made"), &error))
    }
}

fn refuse(message: &str, error: &tera::Error) -> Box<Diagnostic> {
    let mut diagnostic = Diagnostic::project(message).note(error.to_string().trim());
    let mut source = error.source();
    while let Some(error) = source {
        diagnostic = diagnostic.note(error.to_string());
        source = error.source();
    }
    diagnostic
}
