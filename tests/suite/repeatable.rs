//! The same inputs give the same bytes, and only what changed is made again.

use crate::independent::scores::{Key, Scores};
use crate::project::{LAST_NIGHT, NIGHTS, Project, copy};
use jiff::civil::Date;
use scorebook::domain::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// The folders of artefacts: what must not depend on when, where or how a run was made.
const ARTEFACTS: [&str; 7] = ["raw", "rejects", "model", "quarantine", "scores", "documents", "definitions"];

fn artefacts(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for folder in ARTEFACTS {
        for file in project.files(&format!("warehouse/{folder}")) {
            let path = format!("warehouse/{folder}/{file}");
            all.insert(path.clone(), std::fs::read(project.path(&path)).unwrap());
        }
    }
    // The marker says whose folder it is, and is no artefact.
    for file in project.files("reports").into_iter().filter(|file| file != ".scorebook-view") {
        let path = format!("reports/{file}");
        all.insert(path.clone(), std::fs::read(project.path(&path)).unwrap());
    }
    all
}

#[test]
fn threads_and_folders_change_no_byte() {
    let (one, two) = (Project::generated(6, 14), Project::generated(6, 14));
    one.run(&["--threads", "1"]);
    two.run(&["--threads", "2"]);
    let (one, two) = (artefacts(&one), artefacts(&two));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one == two);
    let least = |settings: String| settings + "\n[engine]\nmemory_mib = 64\n";
    for threads in ["4", "16"] {
        let many = Project::generated(6, 14).formats(r#"["csv"]"#);
        many.edit("scorebook.toml", least);
        many.run(&["--threads", threads]);
        let of_scores = |path: &&String| path.starts_with("warehouse/model") || path.starts_with("warehouse/scores");
        let many = artefacts(&many);
        assert!(many.keys().filter(of_scores).count() > 50);
        for path in one.keys().filter(of_scores) {
            assert!(one[path] == many[path], "{path} with {threads} threads");
        }
    }
    for kind in [".parquet", ".csv", ".html", ".pdf"] {
        assert!(one.keys().any(|path| path.ends_with(kind)), "no {kind}");
    }
}

#[test]
fn a_second_run_makes_nothing() {
    let project = Project::generated(3, 13);
    let first = project.run(&[]);
    assert!(first["documents"]["made"].as_u64().unwrap() >= 2);
    let again = project.run(&[]);
    for stage in ["land", "stage", "score", "render"] {
        assert_eq!(again["stages"][stage]["made"], 0, "{stage}");
    }
    assert_eq!(again["documents"]["reused"], first["documents"]["made"]);
    let (first, again) = (project.entry(1), project.entry(2));
    assert_eq!(again["previous"], first["hash"]);
    assert_eq!(again["work"]["land"]["made"], 0);
    for part in ["model", "scores", "documents", "definitions"] {
        assert_eq!(first[part], again[part], "{part}");
    }
    assert!(again["observations"].as_array().unwrap().iter().all(|observation| observation["hashed"] == false));
}

#[test]
fn a_lost_view_comes_back() {
    let project = Project::generated(2, 13);
    project.run(&[]);
    let views = artefacts(&project);
    std::fs::remove_dir_all(project.path("reports")).unwrap();
    assert_eq!(project.run(&[])["documents"]["made"], 0);
    assert!(artefacts(&project) == views);
}

#[test]
fn an_earlier_periods_view_comes_back_too_and_damage_does_not_spread_to_it() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&["--as-of", LAST_NIGHT]);
    std::fs::remove_dir_all(project.path("reports")).unwrap();
    project.run(&["--as-of", "2026-10-01"]);
    assert!(project.path("reports/2026-09/SHA256SUMS").exists() && project.path("reports/2026-10").exists());
    let view = project.files("reports/2026-09").into_iter().find(|file| file.ends_with(".csv")).unwrap();
    let view = project.path("reports/2026-09").join(view);
    let digest = Digest::of(&std::fs::read(&view).unwrap());
    let object = project.path(&format!("warehouse/documents/{digest}.csv"));
    std::fs::write(object, "forged").unwrap();
    std::fs::remove_file(&view).unwrap();
    // What else is missing comes back, and the run says what does not.
    std::fs::remove_dir_all(project.path("reports/2026-10")).unwrap();
    let said = project.scorebook(&["run", "--quiet", "--as-of", "2026-10-01"]).expect_code(6);
    let within = view.strip_prefix(project.path("reports")).unwrap().to_str().unwrap();
    let told = said.stderr.contains("1 file missing in the reports") && said.stderr.contains(within);
    assert!(told && said.stderr.contains("--period"), "{}", said.stderr);
    assert!(!view.exists() && project.path("reports/2026-10/SHA256SUMS").exists());
    // The run that needs it makes it again.
    project.run(&["--as-of", LAST_NIGHT]);
    assert!(view.exists());
}

#[test]
fn metrics_with_the_same_sql_are_each_scored() {
    let project = Project::generated(1, 13).formats(r#"["csv"]"#);
    let sent = std::fs::read_to_string(project.path("queries/metrics/activity/emails_sent.sql")).unwrap();
    project.write("queries/metrics/activity/letters.sql", &sent);
    project.run(&[]);
    project.scorebook(&["verify"]).expect_code(0);
    let count = "SELECT COUNT(*) AS n FROM scores WHERE metric = 'letters'";
    let said = project.scorebook(&["sql", count, "--format", "csv"]).expect_code(0).stdout;
    assert!(said.lines().nth(1).unwrap().parse::<u64>().unwrap() > 0, "{said}");
}

/// What the exports themselves say of reps on the last night.
struct People {
    names: BTreeMap<String, String>,
    teams: BTreeMap<String, String>,
    /// Role, and band of months since the hire.
    groups: BTreeMap<String, (String, usize)>,
}

fn people(project: &Project) -> People {
    let read = |source: &str, table: &str| {
        let path = project.path("sample_data").join(source).join(LAST_NIGHT).join(format!("{table}.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let head = reader.headers().unwrap().clone();
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            head.iter().map(String::from).zip(row.iter().map(String::from)).collect::<BTreeMap<_, _>>()
        });
        rows.collect::<Vec<_>>()
    };
    // An id that names another CRM is whole.
    let id = |id: &str| if id.contains(':') { id.to_owned() } else { format!("salesforce:{id}") };
    // Name and first day, of the people of both.
    let mut known: BTreeMap<String, (String, Date)> = BTreeMap::new();
    for user in read("salesforce", "User") {
        known.insert(id(&user["Id"]), (user["Name"].clone(), user["Hired_On__c"].parse().unwrap()));
    }
    for owner in read("hubspot", "owners") {
        let name = format!("{} {}", owner["First Name"], owner["Last Name"]);
        known.insert(format!("hubspot:{}", owner["User ID"]), (name, owner["Hired On"].parse().unwrap()));
    }
    let names = known.iter().map(|(rep, (name, _))| (rep.clone(), name.clone())).collect();
    let last: Date = LAST_NIGHT.parse().unwrap();
    let band = |rep: &String| {
        [6, 12, 24].into_iter().filter(|months| known[rep].1 + jiff::ToSpan::months(*months) <= last).count()
    };
    let open = |row: &&BTreeMap<String, String>| row["ends_on"].is_empty() || *row["ends_on"] >= *LAST_NIGHT;
    let assignments = read("salesforce", "assignments");
    let own: Vec<_> = assignments.iter().filter(open).map(|row| (id(&row["user_id"]), row)).collect();
    let teams = own.iter().map(|(rep, row)| (rep.clone(), id(&row["team_id"]))).collect();
    let groups = own.iter().map(|(rep, row)| (rep.clone(), (row["role"].clone(), band(rep)))).collect();
    People { names, teams, groups }
}

/// What a rep's scorecard prints: its headline, and all of its metrics.
fn printed(project: &Project) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(project.path("report_templates/rep_scorecard/report.toml")).unwrap();
    let report: toml::Table = text.parse().unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let tables = |name: &str| report.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let mut metrics = texts(&report["metrics"]);
    metrics.extend(tables("breakdowns").iter().map(|one| one["metric"].as_str().unwrap().to_owned()));
    metrics.extend(tables("funnels").iter().flat_map(|one| texts(&one["steps"])));
    metrics.sort();
    metrics.dedup();
    (texts(&report["headline"]), metrics)
}

/// Rep and headline metric -> the quarter among peers in September, of groups of five and more.
fn quarters(scores: &Scores, people: &People, headline: &[String]) -> BTreeMap<(String, String), usize> {
    let mut quarters = BTreeMap::new();
    for metric in headline {
        let header = scores.header(metric).unwrap();
        if !["higher", "lower"].contains(&header.better.as_str()) {
            continue;
        }
        let known = |rep: &String| {
            let line = scores.at(&Key {
                metric: metric.clone(),
                level: "rep".into(),
                entity: rep.clone(),
                grain: "month".into(),
                period_start: "2026-09-01".parse().unwrap(),
                slice: String::new(),
                slice_value: String::new(),
            });
            line.value.filter(|_| line.n >= header.minimum_n).map(|value| value.to_f64())
        };
        for (rep, group) in &people.groups {
            let Some(own) = known(rep) else { continue };
            let peers = people.groups.iter().filter(|(_, other)| *other == group);
            let peers: Vec<f64> = peers.filter_map(|(peer, _)| known(peer)).collect();
            let ahead = |peer: &&f64| if header.better == "higher" { **peer > own } else { **peer < own };
            if peers.len() >= 5 {
                quarters
                    .insert((rep.clone(), metric.clone()), 1 + 4 * peers.iter().filter(ahead).count() / peers.len());
            }
        }
    }
    quarters
}

/// The people whose scorecard prints a number that differs: their own, their team's of the present periods, or their
/// place among peers.
fn touched(project: &Project, before: &Scores, after: &Scores, people: &People) -> BTreeSet<String> {
    let (headline, metrics) = printed(project);
    let (earlier, later) = (quarters(before, people, &headline), quarters(after, people, &headline));
    let moved = |rep: &String| {
        let of = |all: &BTreeMap<(String, String), usize>| {
            all.iter()
                .filter(|((of, _), _)| of == rep)
                .map(|(key, quarter)| (key.1.clone(), *quarter))
                .collect::<Vec<_>>()
        };
        of(&earlier) != of(&later)
    };
    let keys: BTreeSet<Key> =
        metrics.iter().flat_map(|metric| before.keys(metric).into_iter().chain(after.keys(metric))).collect();
    let changed: Vec<&Key> = keys.iter().filter(|key| before.at(key) != after.at(key)).collect();
    let present = ["2026-09-01", "2026-07-01", "2026-01-01"];
    let is_present = |key: &Key| {
        let length = ["month", "quarter", "year"].iter().position(|grain| *grain == key.grain);
        length.is_some_and(|length| key.period_start.to_string() == present[length]) && key.slice.is_empty()
    };
    let own = |rep: &String| changed.iter().any(|key| key.level == "rep" && key.entity == *rep);
    let of_team =
        |team: &String| changed.iter().any(|key| key.level == "team" && key.entity == *team && is_present(key));
    let touched = people.teams.iter().filter(|(rep, team)| own(rep) || of_team(team) || moved(rep));
    touched.map(|(rep, _)| rep.clone()).collect()
}

#[test]
fn one_more_deal_makes_exactly_the_documents_that_print_it() {
    let project = Project::generated(9, 14).formats(r#"["html", "csv"]"#).for_reps();
    project.run(&["--as-of", LAST_NIGHT]);
    let (exports, definitions) = (project.path("sample_data"), project.path("queries/metrics"));
    let scores = || Scores::read(&exports, &NIGHTS, LAST_NIGHT.parse().unwrap(), &definitions);
    let before = scores();
    let people = people(&project);
    let rep = people
        .teams
        .keys()
        .filter(|rep| rep.starts_with("salesforce:"))
        .nth(4)
        .unwrap()
        .trim_start_matches("salesforce:")
        .to_owned();
    project.edit(&format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv"), |text| {
        let row = [
            "006Zz0000000001AAA",
            "",
            "One more deal",
            "Closed Won",
            "12345.67",
            "100",
            "2026-09-17",
            "New Customer",
            "Web",
            "1",
            "1",
            "Closed",
            &rep,
            "",
            "",
            "",
            "2026-08-03 09:00:00",
            "2026-09-17 09:00:00",
            "0",
            "",
            "EUR",
            "",
            "",
        ];
        let row: Vec<String> = row.iter().map(|cell| format!("\"{cell}\"")).collect();
        format!("{text}{}\n", row.join(","))
    });
    let report = project.run(&["--as-of", LAST_NIGHT]);
    let after = scores();
    let wanted: BTreeSet<&String> =
        touched(&project, &before, &after, &people).iter().map(|rep| &people.names[rep]).collect();
    let reasons = report["made"].as_array().unwrap();
    let made: BTreeSet<String> = reasons.iter().map(|made| made["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(made.iter().collect::<BTreeSet<_>>(), wanted);
    assert!(wanted.len() > 1 && wanted.len() < people.teams.len(), "{wanted:?}");
    let why = |name: &String| reasons.iter().find(|made| made["name"] == name.as_str()).unwrap()["why"].clone();
    let own = why(&people.names[&format!("salesforce:{rep}")]);
    let own = own.as_str().unwrap().replace('\u{a0}', " ");
    assert!(own.starts_with("Bookings, Sep 2026: ") && own.contains(" -> "), "{own}");
}

#[test]
fn past_runs_replay_to_the_same_bytes_anywhere() {
    let project = Project::generated(3, 14);
    project.withhold(LAST_NIGHT);
    project.run(&[]);
    project.bring(LAST_NIGHT);
    project.run(&[]);
    // Another folder, another locale and zone, other definitions, no exports, no cache.
    let elsewhere = Project::empty();
    copy(&project.path("warehouse"), &elsewhere.path("warehouse"));
    std::fs::remove_dir_all(elsewhere.path("warehouse/steps")).unwrap();
    elsewhere
        .edit("queries/metrics/outcome/bookings.sql", |sql| sql.replace("closed_as = 'won'", "closed_as = 'lost'"));
    for run in ["1", "2"] {
        let mut command = elsewhere.command(&["replay", run, "--quiet"]);
        command.env("TZ", "Asia/Tokyo").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("replays to the same bytes"), "{said}");
    }
    assert_ne!(project.entry(1)["scores"], project.entry(2)["scores"]);
    // A replay that could not fail would prove nothing.
    let score = project.entry(2)["scores"]["bookings"]["digest"].as_str().unwrap().to_owned();
    let bookings = "queries/metrics/outcome/bookings.sql";
    let text = std::fs::read_to_string(elsewhere.path(bookings)).unwrap();
    let digest = Digest::of(text.as_bytes()).to_string();
    elsewhere.write(&format!("warehouse/definitions/{digest}"), &text);
    elsewhere.forge_entry(2, |entry| entry["definitions"][bookings] = digest.into());
    elsewhere.scorebook(&["verify"]).expect_code(0);
    let said = elsewhere.scorebook(&["replay", "2", "--quiet"]).expect_code(6);
    assert!(said.stdout.contains("scores bookings") && said.stdout.contains(&score[..16]), "{}", said.stdout);
}
