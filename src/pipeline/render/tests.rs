//! Documents of four people, made and looked into.

use super::charts;
use super::charts::frame::Chart;
use super::context::context;
use super::context::schema::Context;
use super::fixture::Fixture;
use super::input::Input;
use super::{attachments, csv, html, pdf, workers};
use crate::domain::json;
use crate::domain::number::Number;
use std::collections::BTreeMap;

const TEMPLATES: [(&str, &str); 7] = [
    ("report.typ", include_str!("../../../report_templates/rep_scorecard/report.typ")),
    ("theme/theme.typ", include_str!("../../../report_templates/theme/theme.typ")),
    ("report.html", include_str!("../../../report_templates/rep_scorecard/report.html")),
    ("theme/theme.css", include_str!("../../../report_templates/theme/theme.css")),
    ("theme/skeleton.html", include_str!("../../../report_templates/theme/skeleton.html")),
    ("theme/page.html", include_str!("../../../report_templates/theme/page.html")),
    ("theme/parts.html", include_str!("../../../report_templates/theme/parts.html")),
];

fn pdf_maker() -> pdf::Pdf {
    let files = TEMPLATES.iter().filter(|(name, _)| name.ends_with(".typ"));
    let files = files.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    pdf::Pdf::new(files, pdf::fonts().into_iter().map(|(_, bytes)| bytes).collect())
        .expect("the shipped templates are valid")
}

fn html_maker() -> html::Html {
    let files = TEMPLATES.iter().filter(|(name, _)| !name.ends_with(".typ"));
    let files: BTreeMap<String, String> = files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    html::Html::new(&files).unwrap_or_else(|error| panic!("{error}"))
}

fn prepared(input: &Input<'_>) -> (Context, Vec<Chart>) {
    let context = context(input);
    let charts = charts::draw(&context);
    (context, charts)
}

fn make_pdf(maker: &pdf::Pdf, fixture: &Fixture, (context, charts): &(Context, Vec<Chart>)) -> Vec<u8> {
    let attached = attachments::attachments(context, &fixture.metrics, Some("{}".into()));
    maker.render(context, charts, &attached).unwrap_or_else(|error| panic!("{error}")).0
}

fn page(input: &Input<'_>) -> String {
    let (context, charts) = prepared(input);
    html_maker().render(&context, &charts).unwrap_or_else(|error| panic!("{error}"))
}

/// `cargo test write_documents -- --ignored` fills `target/documents/` with what a reader would get.
#[test]
#[ignore = "writes documents to be looked at"]
fn write_documents() {
    let fixture = Fixture::new();
    let (pdf, html) = (pdf_maker(), html_maker());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/documents");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let people = [
        ("strong", fixture.strong()),
        ("weak", fixture.weak()),
        ("new", fixture.new_rep()),
        ("hostile", fixture.hostile()),
    ];
    for (name, input) in people {
        let prepared = prepared(&input);
        let write = |kind: &str, bytes: &[u8]| {
            std::fs::write(folder.join(format!("{name}.{kind}")), bytes).expect("the target folder can be written");
        };
        write("json", json::canonical(&prepared.0).as_bytes());
        write("csv", csv::twin(&prepared.0).as_bytes());
        let page = html.render(&prepared.0, &prepared.1).unwrap_or_else(|error| panic!("{error}"));
        write("html", page.as_bytes());
        write("pdf", &make_pdf(&pdf, &fixture, &prepared));
    }
}

#[test]
fn a_pdf_has_the_same_bytes_whenever_and_wherever_it_is_made() {
    let fixture = Fixture::new();
    let maker = pdf_maker();
    let prepared = prepared(&fixture.strong());
    let first = make_pdf(&maker, &fixture, &prepared);
    let mut others = Vec::new();
    workers::run(2, 0..3, |_| make_pdf(&pdf_maker(), &fixture, &prepared), |bytes| others.push(bytes));
    assert!(others.iter().all(|other| *other == first));
    assert_eq!(others.len(), 3);
}

#[test]
fn contexts_are_plain_and_hold_no_floating_point() {
    let fixture = Fixture::new();
    for input in [fixture.strong(), fixture.weak(), fixture.new_rep(), fixture.hostile()] {
        let first = json::canonical(&context(&input));
        assert_eq!(first, json::canonical(&context(&input)));
    }
    let schema = serde_json::to_value(schemars::schema_for!(Context)).expect("a schema is JSON");
    assert!(schema["properties"]["overview"].is_object());
}

#[test]
fn texts_of_the_data_stay_texts() {
    let fixture = Fixture::new();
    let input = fixture.hostile();
    let html = page(&input);
    assert!(html.contains("#strong[x] &lt;script&gt;alert(1)&lt;"), "the name is escaped");
    assert!(!html.contains("<script"));
    assert!(html.contains("=cmd|"));
    assert!(html.contains("{{ 7 * 7 }} {% raw %}"));
    let twin = csv::twin(&context(&input));
    assert!(twin.contains(",#strong[x] <script>alert(1)</script>,"));
    assert!(twin.contains(",'=cmd|' /C calc'!A0,"));
    assert!(twin.contains(",-123456789012.34,"), "negative numbers are not prefixed");
    assert!(twin.contains(",'-2+3,"));
}

#[test]
fn a_hostile_context_still_makes_a_pdf() {
    let fixture = Fixture::new();
    let bytes = make_pdf(&pdf_maker(), &fixture, &prepared(&fixture.hostile()));
    assert!(bytes.starts_with(b"%PDF-1.7"));
}

#[test]
fn a_page_is_whole_by_itself() {
    let html = page(&Fixture::new().strong());
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let own = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(outside), "{outside}");
    }
}

#[test]
fn a_reference_code_follows_its_numbers() {
    let fixture = Fixture::new();
    let before = context(&fixture.strong());
    let mut input = fixture.strong();
    let period = input.period;
    let changed = |s: &&mut crate::domain::score::Score| {
        s.metric == "calls_made" && s.grain == period.grain && s.period_start == period.start
    };
    input.scores.iter_mut().find(changed).expect("a strong rep calls").n += 1;
    let after = context(&input);
    for (old, new) in before.overview.lines.iter().zip(&after.overview.lines) {
        assert_eq!(old.code == new.code, old.metric != "calls_made", "{}", old.metric);
    }
    let json = json::canonical(&after);
    assert!(json.contains(&format!("\"code\":\"{}\"", after.overview.lines[0].code)));
}

#[test]
fn what_is_not_there_is_said_in_words() {
    let fixture = Fixture::new();
    let mut input = fixture.new_rep();
    // The quota of the first month is the next one in the month before.
    let before = input.scores.iter().find(|score| score.metric == "bookings" && score.target.is_some()).cloned();
    let before = before.expect("a new rep has a quota");
    let start = before.period_start - jiff::ToSpan::month(1);
    let (value, target, end) = (Some(Number::ZERO), None, before.period_start - jiff::ToSpan::day(1));
    let next_target = before.target;
    input.scores.push(crate::domain::score::Score {
        value,
        target,
        next_target,
        attainment: None,
        n: 0,
        period_start: start,
        period_end: end,
        ..before
    });
    let new = context(&input);
    let line = |metric: &str| new.overview.lines.iter().find(|line| line.metric == metric).expect("in the report");
    assert_eq!(line("win_rate").cells[0].text, "–");
    assert_eq!(line("win_rate").note.as_deref(), Some("no deals closed yet"));
    assert_eq!(line("bookings").cells[0].text, "€0");
    assert_eq!(line("bookings").cells[1].reason.as_deref(), Some("before the first day"));
    assert_eq!(line("bookings").note.as_deref(), Some("none in this period"));
    assert_eq!(new.summary[0].replace('\u{a0}', " "), "No deals were won in September; the quota is €18,750.");
    let weak = context(&fixture.weak());
    assert_eq!(weak.period.until.as_deref(), Some("to 15\u{a0}September"));
    assert!(weak.overview.lines.iter().all(|line| line.metric != "bookings" || line.change.is_none()));
}

#[test]
fn a_sign_without_a_glyph_prints_as_a_box_and_is_told() {
    let fixture = Fixture::new();
    let mut input = fixture.strong();
    // All that a cell may hold: other scripts, joined and coloured signs, marks on marks, private use, turns, tags, nothing.
    let texts = [
        "株式会社 \u{645}\u{631}\u{62d}\u{628}\u{627}",
        "\u{1f680}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f1e9}\u{1f1ea} \u{2764}\u{fe0f} 1\u{fe0f}\u{20e3}",
        "pasted\u{feff} name\u{200b}\u{200d}\u{2060}\u{ad}",
        "bell\u{7} nul\u{0} escape\u{1b}[31m delete\u{7f} next\u{85}line",
        "\u{202e}turned\u{202c} \u{2066}apart\u{2069} \u{202b}open",
        "\u{e000}\u{f8ff}\u{f0000} \u{378}\u{e0080} \u{fdd0}\u{ffff}\u{10ffff}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f} \u{e0001} \u{301}alone e\u{301}\u{327}\u{489}",
        "\u{2028}\u{2029}\u{3000}\u{1680}\u{180e}\u{fff9}\u{fffc}\u{fffd}",
        "\u{200d}",
        "\u{feff}",
    ];
    let row = input.lists[0].rows[0].clone();
    input.lists[0].rows = texts.iter().map(|text| [vec![Some((*text).into())], row[1..].to_vec()].concat()).collect();
    input.entity.name = "Ada \u{1f680}".into();
    let (context, charts) = prepared(&input);
    let (pdf, told) = pdf_maker().render(&context, &charts, &[]).expect("no sign keeps a document from being made");
    assert!(pdf.starts_with(b"%PDF"));
    let told = |text: &str| told.iter().filter(|one| one.text.contains(text)).map(|one| one.place.as_str()).next();
    let list = input.lists[0].title.as_str();
    for text in ["株式会社", "pasted", "bell", "turned", "\u{f8ff}", "\u{1f3f4}"] {
        assert_eq!(told(text), Some(list), "{text}");
    }
    assert_eq!(told("Ada"), Some(""));
    assert_eq!(told("\u{ad}\u{200d}"), None);
    // The attachments and the page have the names as they are; nothing turns round what follows in the page.
    assert!(super::csv::twin(&context).contains("株式会社"));
    let page = html_maker().render(&context, &charts).expect("it is made");
    assert!(page.contains("Ada \u{1f680}") && page.contains("turned") && !page.contains('\u{202e}'));
}

#[test]
fn whatever_a_font_has_prints_at_the_first_attempt() {
    let fixture = Fixture::new();
    let mut input = fixture.strong();
    let maker = pdf_maker();
    // Every character that a font might have, alone, with a mark and joined; of the thousands that are boxes, some.
    let kept = |c: &char| match u32::from(*c) {
        0..0x3000 | 0xe000..0x1_0000 | 0xe_0000..0xe_0200 => true,
        code => code % 997 == 0,
    };
    let all: Vec<char> = (0..=0x0010_ffff).filter_map(char::from_u32).filter(kept).collect();
    let row = input.lists[0].rows[0].clone();
    let form = |c: &char| format!("{c}a{c}\u{301}{c}\u{200d}{c}\u{fe0f} ");
    let texts = all.chunks(18).map(|some| some.iter().map(form).collect::<String>());
    input.lists[0].rows = texts.map(|text| [vec![Some(text)], row[1..].to_vec()].concat()).collect();
    let (context, charts) = prepared(&input);
    assert!(context.lists[0].rows.iter().all(|row| !row[0].text.ends_with('…')), "a character was not tried");
    if let Err(error) = maker.attempt(super::glyphs::Trust::All, &context, &charts, &[]) {
        panic!("{error}");
    }
}

#[test]
fn a_name_without_end_ends_with_an_ellipsis() {
    let fixture = Fixture::new();
    let mut input = fixture.strong();
    for (row, letter) in ["Ä", "x", "日", "e\u{301}", "a b"].into_iter().enumerate() {
        input.lists[0].rows[row % 2][0] = Some(letter.repeat(70_000));
        input.entity.name = letter.repeat(33_000);
        let (context, charts) = prepared(&input);
        assert!(context.entity.name.ends_with('…') && context.entity.name.chars().count() <= 401, "{letter}");
        assert_eq!(context.lists[0].rows[row % 2][0].raw.as_ref().map(String::len), Some(letter.len() * 70_000));
        pdf_maker().render(&context, &charts, &[]).expect("it is made");
        html_maker().render(&context, &charts).expect("it is made");
    }
}

#[test]
fn what_no_source_supplies_is_a_dash_with_its_reason() {
    let fixture = Fixture::new();
    let mut input = fixture.strong();
    let never =
        crate::domain::score::NotSupplied { why: "no source has calls".into(), since: None, until: BTreeMap::new() };
    input.not_supplied.insert("calls_made".into(), never);
    let context = context(&input);
    let line = context.overview.lines.iter().find(|line| line.metric == "calls_made").expect("in the report");
    assert!(line.cells.iter().all(|cell| cell.text == "–" && cell.value.is_none()));
    assert_eq!(line.note.as_deref(), Some("no source has calls"));
    assert!(line.change.is_none());
}

#[test]
fn a_closed_month_in_an_open_quarter_stands_still() {
    let fixture = Fixture::new();
    let mut input = fixture.strong();
    input.period = input.calendar.previous(input.period);
    let columns = |input: &Input<'_>| context(input).overview.columns.len();
    let open = columns(&input);
    input.as_of = input.period.end;
    assert_eq!(columns(&input), open + 2, "quarter and year to date are there only on the day");
}

#[test]
fn a_wrong_report_is_shown_with_its_line() {
    let text = "title = \"x\"\naudience = \"rep\"\ngrains = \"month\"\n";
    let error = super::input::Report::parse("x", "report.toml", text).expect_err("no such field").to_string();
    assert!(error.contains("report.toml:3") && error.contains("grains"), "{error}");
}

#[test]
fn a_mistake_in_a_template_is_shown_with_its_line() {
    let fixture = Fixture::new();
    let (context, charts) = prepared(&fixture.strong());
    let maker = |text: &str| {
        let files = BTreeMap::from([("report.typ".to_owned(), text.as_bytes().to_vec())]);
        pdf::Pdf::new(files, pdf::fonts().into_iter().map(|(_, bytes)| bytes).collect())
    };
    let error = maker("= Title\n#text(").err().expect("it cannot be parsed").to_string();
    assert!(error.contains("report.typ:2:6") && error.contains("#text("), "{error}");
    let maker = maker("= Title\n#unknwon()").expect("it can be parsed");
    let error = maker.render(&context, &charts, &[]).expect_err("it cannot be run").to_string();
    assert!(error.contains("report.typ:2:2") && error.contains("#unknwon()"), "{error}");
}
