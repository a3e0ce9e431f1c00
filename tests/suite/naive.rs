//! The engine against a second, naive one on random companies: every number of every score, both ways.
//!
//! `naive/calculation.rs` follows the written rules alone and shares no code with Scorebook. `SCOREBOOK_SEEDS` says how
//! many companies are compared, `SCOREBOOK_SEED` which is the first. A company that differs is printed as a case of
//! `queries/tests`. Where Scorebook is known to differ from the rules, a comment says `Known fault`, and where the rules
//! leave something open, what Scorebook does. Metrics of the test's own stand in `naive/metrics`, for what the shipped
//! ones do not use.

mod calculation;
mod company;
mod credits;
mod days;
mod exact;
mod exports;
mod facts;
mod formulas;
mod habit;
mod metrics;
mod money;
mod peers;
mod progress;
mod quotas;
mod scored;
mod supply;
mod tables;
mod targets;

use calculation::{Key, Row, Rows};
use company::Company;
use days::Cal;
use exact::Exact;
use scorebook::diagnostic::Place;
use scorebook::domain::calendar::{Calendar, Day, Weeks};
use scorebook::domain::metric::Metrics;
use scorebook::domain::number::Number;
use scorebook::domain::period::Grain;
use scorebook::domain::score::Score;
use scorebook::engine::Limits;
use scorebook::parquet_file;
use scorebook::pipeline::score::definition;
use scorebook::pipeline::stage::model_from_rows;
use scorebook::pipeline::{open_project, score};
use scorebook::project::Project;
use scorebook::run_context::RunContext;
use scorebook::score_file;
use scorebook::settings::{OnlyForTeams, People, Settings};
use scorebook::steps::Steps;
use scorebook::store::Store;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use tables::Text;

/// The levels at which metrics are scored.
const LEVELS: [&str; 6] = ["rep", "rep_in_team", "team", "region", "country", "company"];

/// What is scored of a company; they take turns, for all of them would take too long. Targets are mostly on the first.
const TURNS: [&[&str]; 7] = [
    &["bookings", "quota_attainment", "reps_at_quota", "rolling_bookings", "coverage", "quota_pace"],
    &[
        "calls_made",
        "sales_cycle_days",
        "new_customers",
        "leads_converted",
        "product_effort",
        "product_win_rate",
        "product_sales",
    ],
    &["win_rate", "open_pipeline", "deal_days", "expected"],
    &["effort", "deals", "deal_size", "deals_touched", "touches_a_month", "yearly_change"],
    &["open_deals", "open_deal_size", "open_days", "open_days_median", "open_days_p90", "open_days_sum", "backlog"],
    &["bookings", "exchange_rate_effect", "open_pipeline", "product_bookings", "quota_attainment", "run_rate"],
    &["bookings", "coverage", "growth", "deal_mean", "run_rate", "open_value", "moved"],
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
        let shipped = open_project(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let settings = Settings::of(&shipped).unwrap();
        // The shipped staging reads another CRM's exports than this one.
        let definitions = shipped.under("queries/").filter(|(path, _)| !path.starts_with("queries/staging/"));
        let mut project = Project::of_files(definitions.map(|(path, file)| (path.to_owned(), file.bytes.to_vec())));
        let own = metrics::OWN.map(|(id, text)| (format!("queries/metrics/own/{id}.sql"), text.as_bytes().to_vec()));
        project.extend(own);
        project.extend(exports::staging());
        let mut metrics = definition::read(&project).unwrap();
        // More levels than the shipped metrics have.
        for metric in metrics.values_mut() {
            let of_reps = |level: &str| matches!(level, "rep" | "rep_in_team");
            let levels = LEVELS.into_iter().filter(|level| !of_reps(level) || metric.id != "reps_at_quota");
            metric.header.levels = levels.map(str::to_owned).collect();
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
        settings.money.rate_max_age_days = company.rate_days as u32;
        settings.sources = exports::sources();
        for (table, day) in &company.since {
            settings.sources.get_mut("crm").unwrap().tables.get_mut(*table).unwrap().since = Some(*day);
        }
        assert_eq!(settings.calendar.fault(), None);
        let night = RunContext {
            project: &self.project,
            settings: &settings,
            store: &store,
            steps: &Steps::forgetful(&store),
            as_of: company.as_of,
            anchor: company.anchor,
            limits: Limits { threads, memory_bytes: 512 << 20 },
            tell: &|_| {},
        };
        let model = match company.is_exported {
            true => exports::model(&night, folder.path(), tables).await?,
            false => {
                let tables = tables.iter().map(|table| (table.name.to_owned(), rows(table))).collect();
                {
                    let since = company.since.iter().map(|(table, day)| ((*table).to_owned(), *day)).collect();
                    model_from_rows::model(&night, &tables, &since).await?
                }
            }
        };
        let needed = turn.iter().map(|id| definition::needed(&self.metrics, &self.metrics[*id]).unwrap());
        let metrics = needed.flatten().collect();
        let made = score::run(&night, &model, &metrics, &Grain::ALL.into()).await?;
        let mut found = Found { scores: BTreeMap::new(), digests: BTreeMap::new() };
        for (metric, table) in &made.tables {
            let object = table.path(metric);
            let mut scores = Vec::new();
            for batch in parquet_file::read_all(&object, store.get(&object).await?)? {
                for row in 0..batch.num_rows() {
                    let score = score_file::score(metric, &batch, row)?;
                    scores.push(Score { entity: score.entity.replace(exports::PREFIX, ""), ..score });
                }
            }
            found.digests.insert(metric.clone(), format!("{:?}", table.digest));
            found.scores.insert(metric.clone(), scores);
        }
        Ok(found)
    }
}

fn rows(table: &Text) -> model_from_rows::Rows {
    let place = Place::file(table.name);
    model_from_rows::Rows {
        place: place.clone(),
        head: table.head.iter().map(|name| (*name).to_owned()).collect(),
        head_place: place.clone(),
        rows: table
            .rows
            .iter()
            .map(|cells| model_from_rows::Row { place: place.clone(), cells: cells.clone() })
            .collect(),
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
    let only_for_teams = company.only_for_teams.iter().map(|(region, metrics)| OnlyForTeams {
        region: (*region).to_owned(),
        metrics: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
    });
    People {
        tenure_bands_months: company.bands.clone(),
        ramp,
        minimum_group: company.minimum_group,
        only_for_teams: only_for_teams.collect(),
    }
}

/// A company as a case of `queries/tests`.
fn case(company: &Company, seed: u64) -> String {
    let mut text = format!("[[case]]\nname = \"seed {seed}\"\nas_of = \"{}\"\n", company.as_of);
    if company.anchor != company.as_of {
        writeln!(text, "period = \"{}\"", calendar(&company.cal).period(Grain::Month, company.anchor).name()).unwrap();
    }
    let inline = |value: toml::Value| value.to_string();
    let calendar = toml::Value::try_from(calendar(&company.cal)).unwrap();
    let people = toml::Value::try_from(people(company)).unwrap();
    writeln!(text, "calendar = {}\npeople = {}", inline(calendar), inline(people)).unwrap();
    for (table, day) in &company.since {
        writeln!(text, "since.{table} = \"{day}\"").unwrap();
    }
    // Without exports there are no rates: amounts are what they became.
    for table in company.converted().tables() {
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

const NUMBERS: [(&str, Get); 23] = [
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
    ("next_target", |score| score.next_target),
    ("at_start", |score| score.at_start),
    ("due", |score| score.due),
    ("plan", |score| score.plan),
    ("quartile", |score| score.quartile.map(Number::whole)),
    ("attainment", |score| score.attainment),
    ("pace", |score| score.pace),
    ("usual", |score| score.usual),
    ("low", |score| score.low),
    ("high", |score| score.high),
    ("n", |score| Some(Number::whole(score.n))),
];

/// Whether they are one number: exactly if a score has room for it, else within a billionth.
fn same(found: Number, wanted: Exact, is_rounded: bool) -> bool {
    if metrics::ONE % wanted.d == 0 && !is_rounded {
        return found.units() == wanted.n * (metrics::ONE / wanted.d);
    }
    let (found, wanted) = (found.to_f64(), wanted.to_f64());
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
    for (name, get) in NUMBERS {
        let wanted = if name == "n" { Some(Exact::whole(row.n.into())) } else { row.get(name) };
        // Formulas are computed in double precision, and what is due is rounded before it divides.
        let is_rounded = formulas::Spec::of(&score.metric).is_some() || name == "pace";
        let agree = match (get(score), wanted) {
            (None, None) => true,
            (Some(found), Some(wanted)) => same(found, wanted, is_rounded),
            _ => false,
        };
        if !agree {
            let wanted = wanted.map(Exact::to_f64);
            said.push(format!("{name} is {:?}, expected {wanted:?}", get(score).map(|number| number.to_string())));
        }
    }
    if score.period_end != row.end {
        said.push(format!("ends {}, expected {}", score.period_end, row.end));
    }
    let words = [("pace_by", &score.pace_by, row.pace_by), ("alert", &score.alert, row.alert)];
    for (name, found, wanted) in words.into_iter().chain([("state", &score.state, row.state)]) {
        if found.as_deref() != wanted {
            said.push(format!("{name} is {found:?}, expected {wanted:?}"));
        }
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// How often something was compared, by name: a number, a word, or a slice.
type Compared = BTreeMap<String, usize>;

fn count(company: &Company, wanted: &BTreeMap<&str, Rows>) -> Compared {
    let mut compared = Compared::new();
    let mut add = |name: &str, count: usize| *compared.entry(name.to_owned()).or_default() += count;
    for (metric, rows) in wanted {
        add(metric, rows.values().filter(|row| row.get("value").is_some()).count());
    }
    for ((_, _, place), row) in wanted.values().flatten() {
        let words = [row.pace_by, row.state, row.alert.map(|_| "alert"), Some("scores"), Some(place.2.as_str())];
        row.numbers.keys().copied().chain(words.into_iter().flatten()).for_each(|name| add(name, 1));
    }
    let other = |(_, row): &(&Key, &Row)| row.get("plan") != row.get("value") && row.get("attainment").is_some();
    let bookings = wanted.get("bookings").filter(|_| company.plans.contains(&"bookings"));
    add("attained at plan", bookings.map_or(0, |rows| rows.iter().filter(other).count()));
    let hidden = company.reps.iter().filter(|rep| wanted.keys().any(|metric| company.is_hidden(&rep.id, &[metric])));
    add("only for teams", hidden.count());
    let late = |(metric, rows): (&&str, &Rows)| {
        !rows.is_empty() && !company.tells(metric, company.as_of - jiff::Span::new().days(300))
    };
    add("late", wanted.iter().filter(|(metric, rows)| late((metric, rows))).count());
    add("set aside", company.opportunities.len() - company.converted().opportunities.len());
    compared
}

/// What a dozen companies must have, or nobody would notice that it is compared no more.
const EVERY: [&str; 34] = [
    "alert",
    "at_start",
    "attained at plan",
    "attainment",
    "credit_kind",
    "currency",
    "curve",
    "due",
    "idle",
    "immature",
    "kind*role",
    "late",
    "linear",
    "low",
    "met",
    "next_target",
    "numerator",
    "only for teams",
    "pace",
    "plan",
    "previous",
    "product",
    "quartile",
    "role",
    "set aside",
    "source",
    "stage",
    "target",
    "target_absent",
    "target_low",
    "target_of_reps",
    "tenure_band",
    "usual",
    "year_before",
];

/// What differs in a company: said, and what was compared.
fn compare(engine: &Engine, seed: u64) -> (Option<String>, Compared) {
    let turn = TURNS[seed as usize % TURNS.len()];
    let company = Company::of(seed, turn);
    let found = match engine.score(&company, turn, &company.tables(), 1) {
        Ok(found) => found,
        Err(error) => return (Some(format!("{}\nseed {seed}: {error}", case(&company, seed))), Compared::new()),
    };
    let wanted = calculation::scores(&company.converted(), turn, &LEVELS);
    let differing: Vec<String> =
        wanted.iter().flat_map(|(metric, rows)| differences(metric, &found.scores[*metric], rows)).collect();
    let compared = count(&company, &wanted);
    if differing.is_empty() {
        return (None, compared);
    }
    let count = differing.len();
    let first = differing[..count.min(6)].join("\n");
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
    let mut compared = Compared::new();
    all.iter().flat_map(|(_, one)| one).for_each(|(name, count)| *compared.entry(name.clone()).or_default() += count);
    let said: Vec<&String> = all.iter().filter_map(|(said, _)| said.as_ref()).collect();
    eprintln!("{} random companies compared: {compared:?}", seeds());
    said.iter().for_each(|said| eprintln!("{said}"));
    assert!(said.is_empty(), "{} companies differ", said.len());
    let wanted = EVERY.into_iter().chain(TURNS.into_iter().flatten().copied());
    let absent: Vec<&str> = wanted.filter(|name| compared.get(*name).is_none_or(|count| *count == 0)).collect();
    assert!(first > 0 || seeds() < 12 || absent.is_empty(), "nowhere compared: {absent:?}");
}

/// How many companies a law is tried on.
fn few() -> u64 {
    seeds().div_ceil(10)
}

/// The scores of a law's company.
fn scored(engine: &Engine, company: &Company, turn: &[&str]) -> Vec<Score> {
    let found = engine.score(company, turn, &company.tables(), 1).unwrap();
    found.scores.into_values().flatten().collect()
}

/// What all places of a level add up to, by what they have in common.
type Whole = (String, String, String, String, String);

fn whole(score: &Score) -> Whole {
    let (grain, start) = (score.grain.name().to_owned(), score.period_start.to_string());
    (score.metric.clone(), grain, start, score.slice.clone(), score.slice_value.clone())
}

#[test]
fn the_lines_of_a_level_add_up_to_the_company() {
    let engine = Engine::new();
    let turn = ["bookings", "effort", "new_customers", "open_deals", "open_pipeline", "win_rate"];
    both(few(), |seed| {
        let mut company = Company::of(1000 + seed, &turn);
        // What is scored for teams only has fewer lines of reps.
        company.only_for_teams.clear();
        let mut sums: BTreeMap<String, BTreeMap<Whole, (i128, i128, i64)>> = BTreeMap::new();
        for score in scored(&engine, &company, &turn) {
            let units = |number: Option<Number>| number.map_or(0, Number::units);
            let added = match score.metric.as_str() {
                "win_rate" => (units(score.numerator), units(score.denominator), score.n),
                _ => (units(score.value), 0, score.n),
            };
            let sum = sums.entry(score.level.clone()).or_default().entry(whole(&score)).or_default();
            *sum = (sum.0 + added.0, sum.1 + added.1, sum.2 + added.2);
        }
        // A score may stand for a target alone; it adds nothing.
        sums.values_mut().for_each(|level| level.retain(|_, sum| *sum != (0, 0, 0)));
        let company_sums = sums.get("company").cloned().unwrap_or_default();
        for (level, sums) in &sums {
            assert!(*sums == company_sums, "seed {}: {level}\n{}", 1000 + seed, case(&company, 1000 + seed));
        }
    });
}

#[test]
fn the_lines_of_an_allocated_slice_add_up_to_the_total() {
    let engine = Engine::new();
    let turn = ["product_bookings", "product_effort", "product_sales", "product_win_rate"];
    both(few(), |seed| {
        let company = Company::of(5000 + seed, &turn);
        // By everything but the slice.
        let mut sums: BTreeMap<_, [(i128, i128); 2]> = BTreeMap::new();
        for score in
            scored(&engine, &company, &turn).iter().filter(|score| matches!(score.slice.as_str(), "" | "product"))
        {
            let (grain, start, (level, entity, slice, _)) = key(score);
            let sum = &mut sums.entry((score.metric.clone(), grain, start, level, entity)).or_default()
                [usize::from(slice.is_empty())];
            let units = |number: Option<Number>| number.map_or(0, Number::units);
            let above = if score.metric == "product_win_rate" { score.numerator } else { score.value };
            *sum = (sum.0 + units(above), sum.1 + units(score.denominator));
        }
        for (of, [lines, total]) in &sums {
            assert_eq!(lines, total, "seed {}: {of:?}\n{}", 5000 + seed, case(&company, 5000 + seed));
        }
    });
}

#[test]
fn months_add_up_to_their_quarter_and_targets_days_to_both() {
    let engine = Engine::new();
    let turn = ["bookings", "calls_made"];
    let checked = both(few(), |seed| {
        let mut company = Company::of(2000 + seed, &turn);
        (company.cal.months, company.cal.quarters, company.cal.years) = (Vec::new(), Vec::new(), Vec::new());
        company.cal.weeks = None;
        // What was aligned to another calendar's periods might not be spread over this one's.
        company.targets.iter_mut().for_each(|target| target.nearest = false);
        targets::drop_twins(&mut company);
        let scores = scored(&engine, &company, &turn);
        let months = company.cal.scored("month", company.anchor);
        let mut checked = 0;
        for quarter in scores.iter().filter(|score| score.grain == Grain::Quarter) {
            let of_quarter = |score: &&Score| {
                score.grain == Grain::Month
                    && (&score.metric, &score.level, &score.entity)
                        == (&quarter.metric, &quarter.level, &quarter.entity)
                    && (&score.slice, &score.slice_value) == (&quarter.slice, &quarter.slice_value)
                    && quarter.period_start <= score.period_start
                    && score.period_end <= quarter.period_end
            };
            let within =
                months.iter().filter(|month| quarter.period_start <= month.start && month.end <= quarter.period_end);
            // A quarter that is not over has months that are not scored yet, and the first has some that are no more.
            if within.count() < 3 {
                continue;
            }
            checked += 1;
            let add = |get: Get| {
                let numbers = scores.iter().filter(of_quarter).filter_map(get);
                numbers.reduce(|sum, number| sum.checked_add(number).unwrap())
            };
            let said = || format!("seed {}: {quarter:?}\n{}", 2000 + seed, case(&company, 2000 + seed));
            for (name, get) in NUMBERS.into_iter().filter(|(name, _)| name.starts_with("target_")) {
                // A team has its own target in some of the months only, and so its reps' in the others.
                if quarter.level == "rep" {
                    assert_eq!(add(get), get(quarter), "{name} {}", said());
                }
            }
            assert_eq!(add(|score| score.target_of_reps), quarter.target_of_reps, "{}", said());
            assert_eq!(add(|score| score.value).unwrap_or_default(), quarter.value.unwrap_or_default(), "{}", said());
            assert_eq!(add(|score| Some(Number::whole(score.n))).unwrap_or_default(), Number::whole(quarter.n));
        }
        checked
    });
    assert!(checked.iter().sum::<i32>() > 0, "no quarter had all its months");
}

#[test]
fn neither_the_order_of_rows_nor_threads_change_a_byte() {
    let engine = Engine::new();
    both(few().min(12), |seed| {
        let turn = TURNS[seed as usize % TURNS.len()];
        let company = Company::of(3000 + seed, turn);
        let one = engine.score(&company, turn, &company.tables(), 1).unwrap();
        let mut random = company::Random(seed);
        let mut tables = company.tables();
        tables.iter_mut().for_each(|table| random.shuffle(&mut table.rows));
        let shuffled = engine.score(&company, turn, &tables, 3).unwrap();
        assert_eq!(one.digests, shuffled.digests, "seed {}\n{}", 3000 + seed, case(&company, 3000 + seed));
    });
}

#[test]
fn one_more_deal_changes_only_what_holds_it() {
    let engine = Engine::new();
    let turn = ["bookings"];
    both(few(), |seed| {
        let mut random = company::Random(seed);
        // Others' shares of what is due depend on the company's curve, so there are no targets here.
        let mut company = Company::of(4000 + seed, &turn);
        company.targets.clear();
        let before = scored(&engine, &company, &turn);
        let day = company.as_of - jiff::ToSpan::days(random.range(-20, 420));
        let reps: Vec<String> = company.reps.iter().map(|rep| rep.id.clone()).collect();
        let rep = if reps.is_empty() { None } else { Some(random.pick(&reps)) };
        company.opportunities.push(company::Opportunity {
            id: "o99".into(),
            rep: rep.clone(),
            account: None,
            source_stage: "Closed Won",
            stage: Some("won"),
            closed_as: Some("won"),
            is_won: Some(true),
            amount: Some(1_234_500),
            at_plan: None,
            currency: None,
            rate_on: Some(day),
            closed: day,
            created: day,
            kind: Some("new"),
            source: None,
            competitor: None,
            products: None,
            parts: Vec::new(),
        });
        let after = scored(&engine, &company, &turn);
        // The deal is part of the habit that later periods are held against, and moves others among their peers.
        let without_habit = |score: &Score| Score { usual: None, alert: None, quartile: None, ..score.clone() };
        let by_key = |scores: &[Score]| {
            scores.iter().map(|score| (key(score), without_habit(score))).collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (by_key(&before), by_key(&after));
        let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
        keys.dedup();
        for key in keys.into_iter().filter(|key| before.get(key) != after.get(key)) {
            let (grain, start, (level, entity, slice, slice_value)) = key;
            let said = || format!("seed {}: {key:?}\n{}", 4000 + seed, case(&company, 4000 + seed));
            assert_eq!(company.entity(level, rep.as_deref(), day), *entity, "{}", said());
            let period = company.cal.period(grain, *start);
            let holding = [period, company.cal.previous(grain, period), company.cal.year_before(grain, period)];
            assert!(holding.iter().any(|period| period.has(day)), "{}", said());
            let values = ["", "new", "(none)", "new*(none)", "(unallocated)"];
            assert!(values.contains(&slice_value.as_str()), "{slice} {}", said());
            // The period itself has exactly the deal more; what is compared with it has the same value as before.
            let value =
                |scores: &BTreeMap<Key, Score>| scores.get(key).and_then(|score| score.value).unwrap_or_default();
            let more = if period.has(day) { Number::from_units(123_450_000_000_000) } else { Number::ZERO };
            assert_eq!(value(&after).checked_sub(value(&before)), Some(more), "{}", said());
        }
        let whole = |grain: &str| (grain.to_owned(), company.cal.period(grain, day).start);
        for (grain, start) in ["month", "quarter", "year"].map(whole) {
            let company_key =
                (grain.clone(), start, ("company".to_owned(), "company".to_owned(), String::new(), String::new()));
            let is_scored = company.cal.scored(&grain, company.anchor).iter().any(|period| period.start == start);
            let is_scored = is_scored && company.tells("bookings", start);
            assert!(!is_scored || before.get(&company_key) != after.get(&company_key), "the deal counts nowhere");
        }
    });
}
