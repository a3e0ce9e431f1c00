//! A small writer of SVG.
//!
//! Its one constraint: text goes through [`escape`], and nothing refers to anything outside the picture.

use std::fmt::Write as _;

/// Text and marks that must be read.
pub const INK: &str = "#1f2328";
/// Text that explains.
pub const MUTED: &str = "#646a70";
/// Lines that guide the eye.
pub const FAINT: &str = "#dfe3e4";
/// The accent, light.
pub const PALE: &str = "#9dc2c8";
/// The accent.
pub const ACCENT: &str = "#0b6b78";
/// What went down.
pub const WARNING: &str = "#a8442f";
/// Noto Sans is what the PDF has; the rest is for browsers.
const FONTS: &str = "Noto Sans, Segoe UI, Roboto, Helvetica, Arial";

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// A picture while it is drawn.
pub struct Svg {
    text: String,
}

type Point = (f64, f64);

impl Svg {
    /// An empty picture with a title and a description for those who cannot see it.
    pub fn new(id: &str, title: &str, description: &str, width: f64, height: f64) -> Svg {
        let (id, title, description) = (escape(id), escape(title), escape(description));
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-desc\" font-family=\"{FONTS}\"><title id=\"{id}-title\">{title}</title>\
             <desc id=\"{id}-desc\">{description}</desc>"
        );
        Svg { text }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        self.text.write_fmt(element).expect("writing to a string does not fail");
    }

    /// A straight line.
    pub fn line(&mut self, from: Point, to: Point, colour: &str, width: f64) {
        self.push(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A filled rectangle.
    pub fn rect(&mut self, at: Point, width: f64, height: f64, colour: &str) {
        self.push(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
            at.0, at.1
        ));
    }

    /// A filled circle.
    pub fn dot(&mut self, at: Point, radius: f64, colour: &str) {
        self.push(format_args!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\" fill=\"{colour}\"/>", at.0, at.1));
    }

    /// A hollow circle.
    pub fn ring(&mut self, at: Point, radius: f64, colour: &str) {
        self.push(format_args!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\" fill=\"#ffffff\" stroke=\"{colour}\" \
             stroke-width=\"1.0\"/>",
            at.0, at.1
        ));
    }

    /// A line through points.
    pub fn path(&mut self, points: &[Point], colour: &str, width: f64) {
        let points = join(points);
        self.push(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width:.1}\" \
             stroke-linejoin=\"round\"/>"
        ));
    }

    /// A filled area.
    pub fn area(&mut self, points: &[Point], colour: &str) {
        let points = join(points);
        self.push(format_args!("<polygon points=\"{points}\" fill=\"{colour}\"/>"));
    }

    /// A text.
    pub fn text(&mut self, at: Point, text: &str, anchor: Anchor, colour: &str, size: f64) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" font-size=\"{size:.1}\">{}</text>",
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// A bold text in the middle of its place that stays readable over whatever is beneath it.
    pub fn label(&mut self, at: Point, text: &str, colour: &str, size: f64) {
        self.push(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{colour}\" font-size=\"{size:.1}\" \
             font-weight=\"700\" stroke=\"#ffffff\" stroke-width=\"2.0\" stroke-linejoin=\"round\" \
             paint-order=\"stroke\">{}</text>",
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// The whole picture.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }
}

fn join(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// A text as XML data.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
