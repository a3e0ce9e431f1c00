//! Believable inputs for the tests: a strong rep, a weak one, a new one, and one whose data means harm.
//!
//! Its one constraint: everything follows from the person's name, so that a document can be made twice.

use super::input::*;
use crate::domain::calendar::Calendar;
use crate::domain::digest::Digest;
use crate::domain::metric::{Header, Metric, Metrics};
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::Score;
use crate::pipeline::stage::workdays::Worked;
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};

const METRICS: [(&str, &str); 7] = [
    (
        "bookings",
        r#"title = "Bookings"
        question = "How much did we win?"
        definition = "The amount of the opportunities won, on the day they closed."
        unit = "money"
        measure = "flow"
        aggregate = "sum"
        better = "higher"
        record = "opportunities"
        slices = ["kind"]
        minimum_n = 3"#,
    ),
    (
        "quota_attainment",
        r#"title = "Quota attainment"
        question = "How much of the quota is booked?"
        definition = "Bookings divided by the quota of the same days."
        unit = "percent"
        better = "higher"
        formula = "bookings / target(bookings)"
        version = 2
        since = "2026-01-01""#,
    ),
    (
        "win_rate",
        r#"title = "Win rate"
        question = "Of the opportunities we closed, how many did we win?"
        definition = "Won opportunities divided by won and lost ones; disqualified, duplicate and renewal closes are left out."
        unit = "percent"
        measure = "flow"
        aggregate = "ratio"
        better = "higher"
        record = "opportunities"
        slices = ["competitor", "segment"]
        minimum_n = 10
        benchmark = { figure = "30%", source = "a vendor's survey" }"#,
    ),
    (
        "sales_cycle_days",
        r#"title = "Sales cycle"
        question = "How long does a deal take?"
        definition = "The median of the days from an opportunity's creation to its win."
        unit = "days"
        measure = "flow"
        aggregate = "median"
        better = "lower"
        record = "opportunities"
        minimum_n = 3"#,
    ),
    (
        "new_customers",
        r#"title = "New customers"
        question = "How many customers bought for the first time?"
        definition = "Customers, by their ultimate parent, with their first won opportunity."
        unit = "count"
        measure = "flow"
        aggregate = "distinct"
        better = "higher"
        record = "accounts""#,
    ),
    (
        "open_pipeline",
        r#"title = "Open pipeline"
        question = "How much is still to be won?"
        definition = "The amount of the open opportunities as it stood at the end of the period."
        unit = "money"
        measure = "stock"
        aggregate = "sum"
        better = "higher"
        record = "opportunities"
        slices = ["stage"]"#,
    ),
    (
        "calls_made",
        r#"title = "Calls made"
        question = "How often did we call?"
        definition = "Outbound call attempts, answered or not."
        unit = "count"
        measure = "flow"
        aggregate = "count"
        better = "higher"
        record = "activities""#,
    ),
];

/// Everything an input borrows.
pub struct Fixture {
    pub company: Company,
    pub report: Report,
    pub calendar: Calendar,
    pub metrics: Metrics,
    pub definitions: BTreeMap<String, Digest>,
}

impl Fixture {
    pub fn new() -> Fixture {
        let text = include_str!("../../../report_templates/rep_scorecard/report.toml");
        let metrics: Metrics = METRICS.iter().map(|(id, header)| ((*id).to_owned(), metric(id, header))).collect();
        Fixture {
            company: Company { name: "Alderbrook Instruments".into(), currency: "EUR".into() },
            report: Report::parse("rep_scorecard", "report.toml", text).expect("the shipped report is valid"),
            calendar: Calendar::default(),
            definitions: metrics.iter().map(|(id, m)| (id.clone(), Digest::of(m.source.as_bytes()))).collect(),
            metrics,
        }
    }

    pub fn strong(&self) -> Input<'_> {
        self.input(&Person {
            name: "Amélie Brückner",
            id: "005SB0000000007AAA",
            hired: date(2021, 3, 1),
            gift: 12,
            as_of: date(2026, 9, 30),
        })
    }

    pub fn weak(&self) -> Input<'_> {
        self.input(&Person {
            name: "Tom Hartwell",
            id: "005SB0000000011AAA",
            hired: date(2023, 5, 15),
            gift: 4,
            as_of: date(2026, 9, 15),
        })
    }

    /// Three weeks in the company, nothing closed.
    pub fn new_rep(&self) -> Input<'_> {
        let person = Person {
            name: "Zoë Okonkwo",
            id: "005SB0000000024AAA",
            hired: date(2026, 9, 7),
            gift: 0,
            as_of: date(2026, 9, 30),
        };
        let mut input = self.input(&person);
        input.scores.retain(|s| s.metric == "calls_made" && s.period_end >= person.hired);
        let quota = self.score("bookings", ("rep", person.id), self.period(Grain::Month, person.as_of), 0, 0);
        input.scores.push(Score { target: Some(Number::whole(18_750)), attainment: Some(Number::ZERO), ..quota });
        input.lists.iter_mut().for_each(|list| (list.rows, list.total_rows) = (Vec::new(), 0));
        input.facts.clear();
        input.facts_total.clear();
        input
    }

    /// Names that try to run, numbers that try to break out.
    pub fn hostile(&self) -> Input<'_> {
        let name = "Ἀλεξάνδρα Konstantinopoúlou-Wolfeschlegelsteinhausen #strong[x] & <b>";
        let mut input = self.input(&Person {
            name,
            id: "005SB0000000666AAA",
            hired: date(2020, 1, 1),
            gift: 9,
            as_of: date(2026, 9, 30),
        });
        for score in input.scores.iter_mut().filter(|s| s.metric == "open_pipeline" || s.metric == "bookings") {
            score.value = score.value.map(|v| Number::from_units(v.units() * 1_000_003 + 340_000_000_000));
            score.target = score.target.map(|v| Number::from_units(v.units() * 1_000_000));
        }
        let negative =
            |s: &&mut Score| s.metric == "bookings" && s.period_start >= date(2026, 7, 1) && s.grain == Grain::Month;
        for score in input.scores.iter_mut().filter(negative) {
            score.value = score.value.map(|v| Number::from_units(-v.units() / 2));
            score.attainment = Some("-0.25".parse().expect("a number"));
        }
        let names = [
            "#strong[x] <script>alert(1)</script>",
            "=cmd|' /C calc'!A0",
            "-2+3",
            "Nordlicht Präzisionsmesstechnik & Söhne GmbH",
            "\"Quoted\"\r\nand broken",
            "{{ 7 * 7 }} {% raw %}",
            "in\u{200b}vi\u{feff}si\u{2060}b\u{fe0f}le \u{202e}and back",
        ];
        for list in &mut input.lists {
            for (row, name) in list.rows.iter_mut().zip(names) {
                row[0] = Some(name.to_owned());
            }
            if let Some(row) = list.rows.first_mut() {
                row[2] = Some("-123456789012.34".into());
            }
        }
        input
    }

    fn period(&self, grain: Grain, day: Date) -> Period {
        self.calendar.period(grain, day)
    }

    fn score(&self, metric: &str, (level, entity): (&str, &str), period: Period, value: i64, n: i64) -> Score {
        let mut score = Score::of(metric, level, entity, period.grain, (period.start, period.end));
        (score.value, score.n) = (Some(Number::whole(value)), n);
        score
    }

    fn ratio(&self, score: Score, won: i64, closed: i64) -> Score {
        let (won, all) = (Number::whole(won), Number::whole(closed));
        let value = won.checked_div(all);
        let tenth = Number::from_units(if closed < 10 { 240_000_000_000 } else { 140_000_000_000 });
        Score {
            value,
            numerator: Some(won),
            denominator: Some(all),
            low: value.and_then(|v| v.checked_sub(tenth)).map(|v| v.max(Number::ZERO)),
            high: value.and_then(|v| v.checked_add(tenth)).map(|v| v.min(Number::whole(1))),
            ..score
        }
    }

    /// The scores of one entity for one period.
    fn period_scores(&self, who: (&str, &str), period: Period, gift: i64, dice: &mut Dice) -> Vec<Score> {
        let months = match period.grain {
            Grain::Year => 9,
            Grain::Quarter => 3,
            _ => 1,
        };
        let closed = months * (gift + dice.roll(9));
        let won = (closed * (25 + gift.min(14) * 2 + dice.roll(9)) / 100).max(1);
        let booked = won * (9_000 + 1_000 * dice.roll(9));
        let quota = Number::whole(months * 55_000);
        let mut scores = vec![];
        let base = |metric, value, n| self.score(metric, who, period, value, n);
        let bookings = base("bookings", booked, won);
        let attainment = Number::whole(booked).checked_div(quota);
        scores.push(Score { target: Some(quota), attainment, ..bookings.clone() });
        scores.push(Score { value: attainment, ..base("quota_attainment", 0, won) });
        for (kind, part) in [("new", 60), ("expansion", 25), ("renewal", 15)] {
            let value = Some(Number::whole(booked * part / 100));
            let n = won * part / 100;
            scores.push(Score { slice: "kind".into(), slice_value: kind.into(), value, n, ..bookings.clone() });
        }
        let rate = base("win_rate", 0, closed);
        scores.push(self.ratio(rate.clone(), won, closed));
        let parts = [
            ("competitor", "Kestrel Metrology", 35),
            ("competitor", "Ostermann Sensorik", 20),
            ("competitor", "(none)", 45),
            ("segment", "SMB", 50),
            ("segment", "Mid-market", 35),
            ("segment", "Enterprise", 15),
        ];
        for (slice, value, part) in parts {
            let closed = (closed * part / 100).max(1);
            let won = (won * part / 100).min(closed);
            let score = self.ratio(Score { n: closed, ..rate.clone() }, won, closed);
            scores.push(Score { slice: slice.into(), slice_value: value.into(), ..score });
        }
        scores.push(Score {
            value: Some(Number::from_units(i128::from(70 + dice.roll(50)) * 500_000_000_000)),
            ..base("sales_cycle_days", 0, won)
        });
        scores.push(base("new_customers", won * 6 / 10, won));
        let calls = months * (60 + gift * 8 + dice.roll(40));
        scores.push(base("calls_made", calls, calls));
        let open = 180_000 + gift * 20_000 + 5_000 * dice.roll(20);
        let pipeline = base("open_pipeline", open, 14 + dice.roll(10));
        scores.push(pipeline.clone());
        for (stage, part, n) in [("prospect", 20, 5), ("qualify", 30, 6), ("proposal", 35, 4), ("negotiate", 15, 2)] {
            let value = Some(Number::whole(open * part / 100));
            scores.push(Score { slice: "stage".into(), slice_value: stage.into(), value, n, ..pipeline.clone() });
        }
        scores
    }

    fn input(&self, person: &Person) -> Input<'_> {
        let mut dice = Dice(person.id.bytes().map(u64::from).sum());
        let who = ("rep", person.id);
        let mut scores = Vec::new();
        for grain in [Grain::Month, Grain::Quarter, Grain::Year] {
            for period in self.calendar.trailing(grain, person.as_of, 13) {
                if period.end >= person.hired {
                    scores.extend(self.period_scores(who, period, person.gift, &mut dice));
                }
            }
        }
        let period = self.period(Grain::Month, person.as_of);
        let mut around = self.period_scores(("team", "T-North-1"), period, 40, &mut dice);
        around.extend(self.period_scores(("company", "company"), period, 240, &mut dice));
        around.retain(|score| score.slice.is_empty());
        Input {
            company: &self.company,
            report: &self.report,
            entity: Entity {
                level: "rep".into(),
                id: person.id.into(),
                name: person.name.into(),
                role: Some("Account Executive".into()),
                team: Some("Team Rhine".into()),
                region: Some("Region South".into()),
                hired_on: Some(person.hired),
            },
            period,
            working_days: Some(Worked { all: 22, gone_by: 22, ..Worked::default() }),
            as_of: person.as_of,
            calendar: &self.calendar,
            metrics: &self.metrics,
            definitions: &self.definitions,
            scores,
            around,
            members: Vec::new(),
            of_members: Vec::new(),
            lists: vec![won_list(&mut dice), open_list(&mut dice)],
            facts: facts(),
            facts_total: BTreeMap::from([("bookings".to_owned(), 12), ("win_rate".to_owned(), 31)]),
            not_supplied: BTreeMap::new(),
            hidden: BTreeSet::new(),
            hidden_of: BTreeMap::new(),
        }
    }
}

struct Person<'a> {
    name: &'a str,
    id: &'a str,
    hired: Date,
    gift: i64,
    as_of: Date,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides).expect("a die is small")
    }
}

fn metric(id: &str, header: &str) -> Metric {
    let header: Header = toml::from_str(header).expect("the fixture's headers are valid");
    Metric {
        id: id.into(),
        group: "outcome".into(),
        path: format!("queries/metrics/outcome/{id}.sql"),
        sql: format!("SELECT * FROM {}", header.record.as_deref().unwrap_or("scores")),
        header,
        sql_line: 20,
        source: format!("source of {id}"),
        form: Default::default(),
        for_others: Default::default(),
    }
}

const CUSTOMERS: [&str; 12] = [
    "Nordlicht Präzisionsmesstechnik GmbH",
    "Brightwater Analytical Ltd",
    "Laboratoires Fontenay & Fils",
    "Żubrowski Aparatura Pomiarowa",
    "Çelik Ölçüm Sistemleri A.Ş.",
    "Kaskade Umwelttechnik AG",
    "Ostsee Hydrologie-Verbund mecklenburgische",
    "Aurelia Biotech",
    "Mistral Agro SAS",
    "Pfeiffer & Daughters",
    "Hafenlabor Bremen",
    "Sierra Water District",
];

fn column(name: &str, title: &str, kind: ColumnKind) -> ListColumn {
    ListColumn { name: name.into(), title: title.into(), kind, levels: Vec::new() }
}

fn won_list(dice: &mut Dice) -> List {
    let rows = (0..6).map(|i| {
        let amount = 4_000 + 500 * dice.roll(80);
        vec![
            Some(CUSTOMERS[i].to_owned()),
            Some("new".into()),
            Some(amount.to_string()),
            Some(format!("2026-09-{:02}", 2 + 4 * i)),
            Some((40 + dice.roll(90)).to_string()),
        ]
    });
    List {
        id: "deals_won".into(),
        title: "Deals won".into(),
        question: "Which deals did we win in this period?".into(),
        record: "opportunities".into(),
        columns: vec![
            column("customer", "Customer", ColumnKind::Text),
            column("kind", "Kind", ColumnKind::Text),
            column("amount", "Amount", ColumnKind::Money),
            column("closed_on", "Closed", ColumnKind::Date),
            column("days", "Cycle", ColumnKind::Days),
        ],
        rows: rows.collect(),
        total_rows: 6,
        empty: "No deals were won in this period.".into(),
    }
}

fn open_list(dice: &mut Dice) -> List {
    let rows = (0..10).map(|i| {
        let amount = 12_000 + 1_000 * dice.roll(60);
        vec![
            Some(CUSTOMERS[11 - i].to_owned()),
            Some("proposal".into()),
            Some(amount.to_string()),
            Some(format!("2026-1{}-{:02}", i % 3, 10 + i)),
            (i != 3).then(|| (3 + dice.roll(60)).to_string()),
        ]
    });
    List {
        id: "open_deals".into(),
        title: "Open deals worth most".into(),
        question: "Which open deals are worth most?".into(),
        record: "opportunities".into(),
        columns: vec![
            column("customer", "Customer", ColumnKind::Text),
            column("stage", "Stage", ColumnKind::Text),
            column("amount", "Amount", ColumnKind::Money),
            column("close_on", "Expected", ColumnKind::Date),
            column("days_in_stage", "In stage", ColumnKind::Days),
        ],
        rows: rows.collect(),
        total_rows: 17,
        empty: "There are no open deals.".into(),
    }
}

fn facts() -> Vec<Fact> {
    let fact = |i: i64| Fact {
        metric: "bookings".into(),
        record_id: format!("salesforce:006SB{i:010}AAA"),
        event_date: Some(date(2026, 9, 1 + i8::try_from(i).expect("a small number"))),
        valid_from: None,
        value: Some(Number::whole(1_000 * i)),
        numerator: None,
        denominator: None,
    };
    (1..=12).map(fact).collect()
}
