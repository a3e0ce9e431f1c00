//! The engine against a second, naive one on random companies: every number of every score, both ways.
//!
//! `naive/calculation.rs` follows the written rules alone and shares no code with Scorebook. `SCOREBOOK_SEEDS` says how
//! many companies are compared.

mod calculation;
mod company;
mod days;
mod targets;

use calculation::{Exact, Key, Row, Rows};
use company::{Company, Text};
use days::Cal;
use scorebook::diagnostic::Place;
use scorebook::domain::calendar::{Calendar, Day, Weeks};
use scorebook::domain::metric::Metrics;
use scorebook::domain::number::Number;
use scorebook::domain::period::Grain;
use scorebook::domain::score::Score;
use scorebook::engine::Limits;
use scorebook::parquet_file;
use scorebook::pipeline::score::definition;
use scorebook::pipeline::stage::given;
use scorebook::pipeline::{Night, open_project, render, score};
use scorebook::project::Project;
use scorebook::settings::{People, Settings};
use scorebook::steps::Steps;
use scorebook::store::Store;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The levels at which metrics are scored.
const LEVELS: [&str; 5] = ["rep", "team", "region", "country", "company"];

/// What is scored of a company; they take turns, for all of them would take too long.
const TURNS: [&[&str]; 3] = [
    &["bookings", "quota_attainment", "reps_at_quota"],
    &["calls_made", "sales_cycle_days", "new_customers"],
    &["win_rate", "open_pipeline"],
];

fn seeds() -> u64 {
    std::env::var("SCOREBOOK_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// Scorebook, in this process.
struct Engine {
    project: Project,
    settings: Settings,
    metrics: Metrics,
}

/// What it makes of a company.
struct Found {
    scores: BTreeMap<String, Vec<Score>>,
    digests: BTreeMap<String, String>,
}

impl Engine {
    fn new() -> Engine {
        let project = open_project(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let settings = Settings::of(&project).unwrap();
        let mut metrics = definition::read(&project).unwrap();
        // One level more than the shipped metrics have.
        for metric in metrics.values_mut() {
            metric.header.levels.insert(0, "country".into());
        }
        Engine { project, settings, metrics }
    }

    fn score(&self, company: &Company, turn: &[&str], tables: &[Text], threads: usize) -> Result<Found, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        runtime.block_on(self.score_with(company, turn, tables, threads)).map_err(|error| error.to_string())
    }

    async fn score_with(
        &self,
        company: &Company,
        turn: &[&str],
        tables: &[Text],
        threads: usize,
    ) -> scorebook::diagnostic::Result<Found> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path())?;
        let mut settings = self.settings.clone();
        settings.calendar = calendar(&company.cal);
        settings.people = people(company);
        assert_eq!(settings.calendar.fault(), None);
        let night = Night {
            project: &self.project,
            settings: &settings,
            store: &store,
            steps: &Steps::forgetful(&store),
            as_of: company.as_of,
            limits: Limits { threads, memory_bytes: 512 << 20 },
            tell: &|_| {},
        };
        let tables = tables.iter().map(|table| (table.name.to_owned(), rows(table))).collect();
        let model = given::model(&night, &tables).await?;
        let metrics = turn.iter().map(|id| ((*id).to_owned(), self.metrics[*id].clone())).collect();
        let made = score::run(&night, &model, &metrics, &Grain::ALL.into()).await?;
        let mut found = Found { scores: BTreeMap::new(), digests: BTreeMap::new() };
        for (metric, table) in &made.tables {
            let object = table.path(metric);
            let mut scores = Vec::new();
            for batch in parquet_file::read_all(&object, store.get(&object).await?)? {
                for row in 0..batch.num_rows() {
                    scores.push(render::score(metric, &batch, row)?);
                }
            }
            found.digests.insert(metric.clone(), format!("{:?}", table.digest));
            found.scores.insert(metric.clone(), scores);
        }
        Ok(found)
    }
}

fn rows(table: &Text) -> given::Rows {
    let place = Place::file(table.name);
    given::Rows {
        place: place.clone(),
        head: table.head.iter().map(|name| (*name).to_owned()).collect(),
        head_place: place.clone(),
        rows: table.rows.iter().map(|cells| given::Row { place: place.clone(), cells: cells.clone() }).collect(),
    }
}

fn calendar(cal: &Cal) -> Calendar {
    use Day::*;
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let mut calendar = Calendar {
        week_starts_on: days[cal.week_starts_on as usize],
        fiscal_year_starts_in: cal.fiscal_month,
        working_days: days.into_iter().zip(cal.worked).filter(|(_, worked)| *worked).map(|(day, _)| day).collect(),
        ..Calendar::default()
    };
    match &cal.weeks {
        Some((pattern, years)) => calendar.weeks = Some(Weeks { pattern: *pattern, year_starts: years.clone() }),
        None if cal.quarters.is_empty() => {}
        None => {
            calendar.starts.insert(Grain::Quarter, cal.quarters.clone());
        }
    }
    calendar
}

fn people(company: &Company) -> People {
    let ramp = company.ramp.iter().map(|part| Number::from_units(i128::from(*part) * 10_000_000_000)).collect();
    People { tenure_bands_months: company.bands.clone(), ramp }
}

/// A company as a case of `queries/tests`.
fn case(company: &Company, seed: u64) -> String {
    let mut text = format!("[[case]]\nname = \"seed {seed}\"\nas_of = \"{}\"\n", company.as_of);
    let inline = |value: toml::Value| value.to_string();
    let calendar = toml::Value::try_from(calendar(&company.cal)).unwrap();
    let people = toml::Value::try_from(people(company)).unwrap();
    writeln!(text, "calendar = {}\npeople = {}", inline(calendar), inline(people)).unwrap();
    for table in company.tables() {
        writeln!(text, "tables.{} = \"\"\"\n{}", table.name, table.head.join(" | ")).unwrap();
        for row in &table.rows {
            let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
            writeln!(text, "{}", cells.join(" | ")).unwrap();
        }
        text.push_str("\"\"\"\n");
    }
    text
}

type Get = fn(&Score) -> Option<Number>;

const NUMBERS: [(&str, Get); 15] = [
    ("value", |score| score.value),
    ("numerator", |score| score.numerator),
    ("denominator", |score| score.denominator),
    ("previous", |score| score.previous),
    ("year_before", |score| score.year_before),
    ("target", |score| score.target),
    ("target_low", |score| score.target_low),
    ("target_high", |score| score.target_high),
    ("target_of_reps", |score| score.target_of_reps),
    ("target_given", |score| score.target_given),
    ("target_ramp", |score| score.target_ramp),
    ("target_absent", |score| score.target_absent),
    ("attainment", |score| score.attainment),
    ("pace", |score| score.pace),
    ("n", |score| Some(Number::whole(score.n))),
];

/// Whether they are one number: exactly if twelve digits can say it, else within a billionth.
fn same(found: Number, wanted: Exact) -> bool {
    const ONE: i128 = 1_000_000_000_000;
    if ONE % wanted.d == 0 && wanted.d <= 1_000_000 {
        return found.units() == wanted.n * (ONE / wanted.d);
    }
    let (found, wanted) = (found.units() as f64 / ONE as f64, wanted.n as f64 / wanted.d as f64);
    (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}

fn key(score: &Score) -> Key {
    let place = (score.level.clone(), score.entity.clone(), score.slice.clone(), score.slice_value.clone());
    (score.grain.name().to_owned(), score.period_start, place)
}

/// How the scores of a metric differ from the naive ones.
fn differences(metric: &str, found: &[Score], wanted: &Rows) -> Vec<String> {
    let mut said = Vec::new();
    let mut seen: BTreeMap<Key, &Score> = BTreeMap::new();
    for score in found {
        if seen.insert(key(score), score).is_some() {
            said.push(format!("{metric} {:?}: there are two", key(score)));
        }
    }
    for (key, row) in wanted {
        match seen.remove(key) {
            None => said.push(format!("{metric} {key:?}: missing, expected {row:?}")),
            Some(score) => said.extend(differing(score, row).map(|text| format!("{metric} {key:?}: {text}"))),
        }
    }
    said.extend(seen.into_iter().map(|(key, score)| format!("{metric} {key:?}: not expected: {score:?}")));
    said
}

fn differing(score: &Score, row: &Row) -> Option<String> {
    let mut said = Vec::new();
    // Known faults: a ratio has a pace, as if it grew with the days, and a distinct count has none.
    let has_no_pace = ["win_rate", "new_customers"].contains(&score.metric.as_str());
    for (name, get) in NUMBERS.into_iter().filter(|(name, _)| !(has_no_pace && *name == "pace")) {
        let wanted = if name == "n" { Some(Exact::whole(row.n.into())) } else { row.get(name) };
        let agree = match (get(score), wanted) {
            (None, None) => true,
            (Some(found), Some(wanted)) => same(found, wanted),
            _ => false,
        };
        if !agree {
            let wanted = wanted.map(|wanted| wanted.n as f64 / wanted.d as f64);
            said.push(format!("{name} is {:?}, expected {wanted:?}", get(score).map(|number| number.to_string())));
        }
    }
    if score.period_end != row.end {
        said.push(format!("ends {}, expected {}", score.period_end, row.end));
    }
    if !has_no_pace && score.pace_by.as_deref() != row.pace_by {
        said.push(format!("pace_by is {:?}, expected {:?}", score.pace_by, row.pace_by));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// What differs in a company: said, and how many scores were compared.
fn compare(engine: &Engine, seed: u64) -> (Option<String>, usize) {
    let turn = TURNS[seed as usize % TURNS.len()];
    let company = Company::of(seed, turn);
    let found = match engine.score(&company, turn, &company.tables(), 1) {
        Ok(found) => found,
        Err(error) => return (Some(format!("{}\nseed {seed}: {error}", case(&company, seed))), 0),
    };
    let wanted = calculation::scores(&company, turn, &LEVELS);
    assert!(found.scores.keys().eq(wanted.keys()), "{:?}", found.scores.keys());
    let differing: Vec<String> =
        wanted.iter().flat_map(|(metric, rows)| differences(metric, &found.scores[*metric], rows)).collect();
    let compared = wanted.values().map(BTreeMap::len).sum();
    if differing.is_empty() {
        return (None, compared);
    }
    let count = differing.len();
    let first = differing[..count.min(12)].join("\n");
    (Some(format!("{}\nseed {seed}: {count} scores differ:\n{first}", case(&company, seed))), compared)
}

/// Does something for each of so many, two at a time.
fn both<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let half = |first: u64| (first..count).step_by(2).map(&work).collect::<Vec<T>>();
    std::thread::scope(|scope| {
        let (even, odd) = (scope.spawn(|| half(0)), scope.spawn(|| half(1)));
        let mut all = even.join().unwrap();
        all.extend(odd.join().unwrap());
        all
    })
}

#[test]
fn scores_agree_with_a_naive_calculation() {
    let engine = Engine::new();
    let first: u64 = std::env::var("SCOREBOOK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let all = both(seeds(), |i| compare(&engine, first + i));
    let compared: usize = all.iter().map(|(_, compared)| compared).sum();
    let said: Vec<&String> = all.iter().filter_map(|(said, _)| said.as_ref()).collect();
    eprintln!("{} random companies with {compared} scores compared", seeds());
    said.iter().for_each(|said| eprintln!("{said}"));
    assert!(said.is_empty(), "{} companies differ", said.len());
}
