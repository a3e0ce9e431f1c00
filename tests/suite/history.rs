//! Deals as they stood, from night to night and before: the worked examples of docs/rules/history.md.

use crate::project::Project;

const NIGHTS: [&str; 4] = ["2026-09-01", "2026-09-02", "2026-09-05", "2026-09-06"];

/// A company of two reps and two CRMs: `crm` remembers stages and owners, `shop` nothing. No exports yet.
fn project(fold: &str) -> Project {
    let project = Project::empty().formats(r#"["csv"]"#).for_reps();
    std::fs::remove_dir_all(project.path("queries/staging")).unwrap();
    std::fs::remove_dir_all(project.path("queries/checks")).unwrap();
    project.edit("scorebook.toml", |text| text[..text.find("[matching]").unwrap()].to_owned());
    let deals = "id AS opportunity_id, name, stage AS source_stage, CASE stage WHEN 'Won' THEN 'won' END AS closed_as, \
                 stage = 'Won' AS is_won, amount, currency, CASE stage WHEN 'Won' THEN closes END AS rate_on, \
                 closes AS closed_on, created AS created_on, owner AS credited_rep_id, shared AS shared_key, gone AS _deleted";
    let history = "id AS history_id, deal AS opportunity_id, at AS changed_at, at AS changed_on, stage AS source_stage, \
                   amount, currency, closes AS closed_on";
    let owners = "id AS history_id, deal AS opportunity_id, at AS changed_at, at AS changed_on, old AS from_rep_id, new AS to_rep_id";
    let stages = "stage AS source_stage, stage, position, chance AS probability, closed_as";
    let rates = "currency AS from_currency, day AS valid_on, rate, 'market' AS kind";
    let tables = [
        ("crm", "people", "full", "reps", "id AS rep_id, name"),
        ("crm", "deals", fold, "opportunities", deals),
        ("crm", "history", "append", "opportunity_history", history),
        ("crm", "owners", "append", "opportunity_owners", owners),
        ("crm", "stages", "full", "stages", stages),
        ("crm", "rates", "full", "exchange_rates", rates),
        ("shop", "deals", "full", "opportunities", deals),
        ("shop", "stages", "full", "stages", stages),
    ];
    let mut settings = String::new();
    for source in ["crm", "shop"] {
        settings.push_str(&format!(
            "\n[sources.{source}]\nmax_age_days = 9\npath = \"exports/{source}/{{date}}/{{table}}.csv\"\n"
        ));
        for (_, table, fold, into, select) in tables.iter().filter(|table| table.0 == source) {
            settings.push_str(&format!("tables.{table} = {{ fold = \"{fold}\", max_age_days = 9 }}\n"));
            let sql = format!(
                "/*---\nfrom = \"{table}\"\ninto = \"{into}\"\n---*/\nSELECT \"_row\", {select}\nFROM {table}\n"
            );
            project.write(&format!("queries/staging/{source}/{table}.sql"), &sql);
        }
    }
    project.edit("scorebook.toml", |text| text + &settings);
    let stages = "stage,position,chance,closed_as\nLead,1,0.2,\nOffer,2,0.5,\nWon,3,1,won\n";
    for source in ["crm", "shop"] {
        export(&project, source, NIGHTS[0], "stages", stages);
    }
    export(&project, "crm", NIGHTS[0], "people", "id,name\nada,Ada\nben,Ben\n");
    project
}

fn export(project: &Project, source: &str, night: &str, table: &str, rows: &str) {
    project.write(&format!("exports/{source}/{night}/{table}.csv"), rows);
}

/// A night's deals: id, stage, amount, currency, close date, owner, shared key, gone.
fn deals(project: &Project, source: &str, night: &str, rows: &[&str]) {
    let mut text = "id,name,created,stage,amount,currency,closes,owner,shared,gone\n".to_owned();
    for row in rows {
        let (id, rest) = row.split_once(',').unwrap();
        text.push_str(&format!("{id},Deal {id},2026-08-03 09:00:00,{rest}\n"));
    }
    export(project, source, night, "deals", &text);
}

fn asked(project: &Project, sql: &str) -> Vec<String> {
    let said = project.scorebook(&["sql", sql, "--format", "csv"]).expect_code(0);
    said.stdout.lines().skip(1).map(String::from).collect()
}

/// Deal, from, to, stage, amount, owner, and whether it is reconstructed.
fn versions(project: &Project) -> Vec<String> {
    let sql = "SELECT SPLIT_PART(opportunity_id, ':', 2) AS deal, SUBSTR(CAST(valid_from AS VARCHAR), 6) AS f, \
               SUBSTR(CAST(valid_to AS VARCHAR), 6) AS t, stage, amount, SPLIT_PART(credited_rep_id, ':', 2) AS rep, \
               CASE WHEN reconstructed THEN 'before' ELSE 'night' END AS how \
               FROM opportunity_versions ORDER BY opportunity_id, valid_from";
    asked(project, sql)
}

/// The company of docs/rules/history.md on its first two nights.
fn two_nights(project: &Project) {
    let history = "id,deal,at,stage,amount,currency,closes\n\
        h1,D1,2026-08-03 09:00:00,Lead,100,,2026-09-30\nh2,D1,2026-08-20 09:00:00,Offer,150,,2026-09-30\n\
        h3,D2,2026-08-03 09:00:00,Lead,70,,2026-09-30\nh4,D2,2026-08-25 09:00:00,Won,70,,2026-08-25\n\
        h5,D3,2026-08-03 09:00:00,Lead,10,USD,2026-09-30\n";
    export(project, "crm", NIGHTS[0], "history", history);
    let owners = "id,deal,at,old,new\nw1,D1,2026-08-10 09:00:00,ben,ada\nw2,D2,2026-08-28 09:00:00,ada,ben\n";
    export(project, "crm", NIGHTS[0], "owners", owners);
    let rates = "currency,day,rate\nUSD,2026-08-01,0.8\nUSD,2026-09-01,0.9\nUSD,2026-09-05,0.5\n";
    export(project, "crm", NIGHTS[0], "rates", rates);
    let first = [
        "D1,Offer,150,,2026-09-30,ada,,0",
        "D2,Won,70,,2026-08-25,ben,,0",
        "D3,Lead,10,USD,2026-09-30,ben,,0",
        "D4,Lead,40,,2026-09-30,ben,,0",
    ];
    deals(project, "crm", NIGHTS[0], &first);
    deals(project, "shop", NIGHTS[0], &["S1,Offer,500,,2026-09-30,crm:ben,,0", "S2,Won,60,,2026-08-31,crm:ben,,0"]);
    // On the second night D1 is worth more, and Ben has it; D4 is deleted; S1 is gone without a word.
    let second = [
        "D1,Offer,180,,2026-09-30,ben,,0",
        "D2,Won,70,,2026-08-25,ben,,0",
        "D3,Lead,10,USD,2026-09-30,ben,,0",
        "D4,Lead,40,,2026-09-30,ben,,1",
    ];
    deals(project, "crm", NIGHTS[1], &second);
    deals(project, "shop", NIGHTS[1], &["S2,Won,60,,2026-08-31,crm:ada,,0"]);
}

const TWO_NIGHTS: [&str; 12] = [
    "D1,08-03,08-10,Lead,100.00,ben,before",
    "D1,08-10,08-20,Lead,100.00,ada,before",
    "D1,08-20,09-01,Offer,150.00,ada,before",
    "D1,09-01,09-02,Offer,150.00,ada,night",
    "D1,09-02,,Offer,180.00,ben,night",
    "D2,08-03,08-25,Lead,70.00,ada,before",
    "D2,08-25,08-28,Won,70.00,ada,before",
    "D2,08-28,09-01,Won,70.00,ben,before",
    "D2,09-01,,Won,70.00,ben,night",
    // 10 dollars at 0.80 on the day of the change, and at 0.90 from the first night on.
    "D3,08-03,09-01,Lead,8.00,ben,before",
    "D3,09-01,,Lead,9.00,ben,night",
    // Without history it stood as it was first seen since it was created.
    "D4,08-03,09-01,Lead,40.00,ben,before",
];
const OF_THE_OTHER: [&str; 7] = [
    "D4,09-01,09-02,Lead,40.00,ben,night",
    "S1,08-03,09-01,Offer,500.00,ben,before",
    "S1,09-01,09-02,Offer,500.00,ben,night",
    "S2,08-03,08-31,,60.00,ben,before",
    "S2,08-31,09-01,Won,60.00,ben,before",
    "S2,09-01,09-02,Won,60.00,ben,night",
    "S2,09-02,,Won,60.00,ada,night",
];

#[test]
fn deals_stand_as_the_nights_show_them_and_before_as_the_crm_remembers() {
    let project = project("full");
    two_nights(&project);
    project.run(&["--as-of", "2026-09-03"]);
    assert_eq!(versions(&project), [&TWO_NIGHTS[..], &OF_THE_OTHER[..]].concat());
    // Closed deals stay with the one who had them when they were closed: Ada had D2, Ben had S2.
    let owners =
        "SELECT SPLIT_PART(opportunity_id, ':', 2), SPLIT_PART(credited_rep_id, ':', 2) FROM opportunities ORDER BY 1";
    assert_eq!(asked(&project, owners), ["D1,ben", "D2,ada", "D3,ben", "S2,ben"]);
    // The pipeline of August is credited to who had the deals then, and what is gone now stood open then: D1 150 of Ada;
    // D3 8, D4 40 and S1 500 of Ben.
    let pipeline = "SELECT SPLIT_PART(entity, ':', 2), CAST(value AS DECIMAL(18, 2)) FROM scores WHERE metric = 'open_pipeline' \
        AND level = 'rep' AND slice = '' AND grain = 'month' AND period_start = DATE '2026-08-01' ORDER BY 1";
    assert_eq!(asked(&project, pipeline), ["ada,150.00", "ben,548.00"]);
    project.scorebook(&["verify"]).expect_code(0);
    // An unchanged night makes nothing.
    assert_eq!(project.run(&["--as-of", "2026-09-03"])["stages"]["stage"]["made"], 0);
    // A new one adds to what the nights before made, and gives what all of them give at once.
    deals(
        &project,
        "crm",
        NIGHTS[2],
        &[
            "D1,Won,180,,2026-09-04,ben,,0",
            "D2,Won,70,,2026-08-25,ben,,0",
            "D3,Lead,10,USD,2026-09-30,ben,,0",
            "D4,Lead,45,,2026-09-30,ada,,0",
        ],
    );
    project.run(&["--as-of", "2026-09-05"]);
    let all = versions(&project);
    let changed = [
        "D1,09-02,09-05,Offer,180.00,ben,night",
        "D1,09-05,,Won,180.00,ben,night",
        "D2,09-01,,Won,70.00,ben,night",
        "D3,09-01,,Lead,9.00,ben,night",
        "D4,09-05,,Lead,45.00,ada,night",
    ];
    assert!(changed.iter().all(|line| all.iter().any(|row| row == line)), "{all:#?}");
    let digest = |number: u64| project.entry(number)["model"]["opportunity_nights"]["digest"].clone();
    std::fs::remove_dir_all(project.path("warehouse/steps")).unwrap();
    project.run(&["--as-of", "2026-09-05"]);
    assert_eq!(digest(3), digest(4));
    project.scorebook(&["replay", "3"]).expect_code(0);
}

#[test]
fn exports_of_changes_alone_have_versions_too() {
    let project = project("upsert");
    two_nights(&project);
    // Only what changed: D1; D4 says that it is gone.
    deals(&project, "crm", NIGHTS[1], &["D1,Offer,180,,2026-09-30,ben,,0", "D4,Lead,40,,2026-09-30,ben,,1"]);
    project.run(&["--as-of", "2026-09-03"]);
    assert_eq!(versions(&project), [&TWO_NIGHTS[..], &OF_THE_OTHER[..]].concat());
}

#[test]
fn a_migrated_deal_has_one_history() {
    let project = project("full");
    // The shop's S1 moves to the CRM on the second night, where it is D1; the shop keeps it, and forgets it on the fourth.
    deals(&project, "shop", NIGHTS[0], &["S1,Lead,500,,2026-09-30,crm:ben,S1,0"]);
    deals(&project, "crm", NIGHTS[1], &["D1,Offer,480,,2026-09-30,ada,S1,0"]);
    deals(&project, "shop", NIGHTS[1], &["S1,Lead,500,,2026-09-30,crm:ben,S1,0"]);
    deals(&project, "shop", NIGHTS[2], &["S1,Lead,510,,2026-09-30,crm:ben,S1,0"]);
    project.run(&["--as-of", "2026-09-05"]);
    let expected = [
        "D1,08-03,09-01,Lead,500.00,ben,before",
        "D1,09-01,09-02,Lead,500.00,ben,night",
        "D1,09-02,,Offer,480.00,ada,night",
    ];
    assert_eq!(versions(&project), expected);
}

/// Versions that are no stretch of days, or do not end where the next one begins at the latest.
const OVERLAPS: &str = "SELECT * FROM (SELECT opportunity_id, valid_from, valid_to, \
     LEAD(valid_from) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next FROM opportunity_versions) \
     WHERE valid_to <= valid_from OR (valid_to IS NULL AND next IS NOT NULL) OR next < valid_to";

#[test]
fn versions_of_random_nights_neither_overlap_nor_lose_a_day() {
    let mut random = crate::project::Random(7);
    let project = project("full");
    let ids = ["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8"];
    let (mut history, mut owners) =
        ("id,deal,at,stage,amount,currency,closes\n".to_owned(), "id,deal,at,old,new\n".to_owned());
    for i in 0..60 {
        let (id, day) = (ids[random.below(6)], 1 + random.below(12));
        let stage = ["Lead", "Offer", "Won"][random.below(3)];
        let month = ["08", "09"][random.below(2)];
        history.push_str(&format!(
            "h{i},{id},2026-{month}-{day:02} 09:00:00,{stage},{},,2026-09-30\n",
            1 + random.below(9)
        ));
        let (old, new) = (["ada", "ben"][random.below(2)], ["ada", "ben", "nobody"][random.below(3)]);
        if i % 3 == 0 {
            owners.push_str(&format!("w{i},{id},2026-{month}-{day:02} 10:00:00,{old},{new}\n"));
        }
    }
    export(&project, "crm", NIGHTS[0], "history", &history);
    export(&project, "crm", NIGHTS[0], "owners", &owners);
    let mut shown: Vec<Vec<String>> = Vec::new();
    for night in NIGHTS {
        let mut rows = Vec::new();
        for id in ids {
            if random.below(5) > 0 {
                let stage = ["Lead", "Offer", "Won"][random.below(3)];
                let (amount, owner) = (1 + random.below(3), ["ada", "ben"][random.below(2)]);
                rows.push(format!("{id},{stage},{amount},,2026-09-03,{owner},,0"));
            }
        }
        deals(&project, "crm", night, &rows.iter().map(String::as_str).collect::<Vec<_>>());
        shown.push(rows);
    }
    project.run(&["--as-of", "2026-09-06"]);
    assert_eq!(asked(&project, OVERLAPS), [""; 0]);
    // On each night the versions are what it showed, neither more nor less.
    for (night, rows) in NIGHTS.iter().zip(&shown) {
        let sql = format!(
            "SELECT SPLIT_PART(opportunity_id, ':', 2) AS deal, stage, CAST(amount AS BIGINT), SPLIT_PART(credited_rep_id, ':', 2) \
             FROM opportunity_versions WHERE valid_from <= DATE '{night}' AND (valid_to IS NULL OR DATE '{night}' < valid_to) ORDER BY 1"
        );
        let cells = |row: &String| {
            let cells: Vec<&str> = row.split(',').collect();
            [cells[0], cells[1], cells[2], cells[5]].join(",")
        };
        assert_eq!(asked(&project, &sql), rows.iter().map(cells).collect::<Vec<_>>(), "{night}");
    }
    // Before the first night a deal with history has no gap from its first change on.
    let gaps = "SELECT opportunity_id, valid_from FROM (SELECT opportunity_id, valid_from, valid_to, reconstructed, \
        LEAD(valid_from) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next FROM opportunity_versions) \
        WHERE reconstructed AND (valid_to IS DISTINCT FROM next) AND valid_to < DATE '2026-09-01'";
    assert_eq!(asked(&project, gaps), [""; 0]);
}

#[test]
fn what_was_known_is_told_again_and_replaces_nothing() {
    let project = project("full");
    two_nights(&project);
    let later = ["crm", "shop"].map(|source| {
        let (from, to) =
            (project.path(&format!("exports/{source}/{}", NIGHTS[1])), project.path(&format!("later-{source}")));
        std::fs::rename(&from, &to).unwrap();
        (to, from)
    });
    project.run(&[]);
    later.iter().for_each(|(from, to)| std::fs::rename(from, to).unwrap());
    project.run(&[]);
    // All but the note of whose the folder is: that names the run which was here last.
    let view: Vec<String> = project.files("reports").into_iter().filter(|path| path != ".scorebook-view").collect();
    let bytes = |path: &String| std::fs::read(project.path("reports").join(path)).unwrap();
    let before: Vec<Vec<u8>> = view.iter().map(bytes).collect();
    // By run and by data date: the same tables, scores and documents as then.
    let by_run = project.run(&["--known-at", "1"]);
    let by_date = project.run(&["--known-at", NIGHTS[0]]);
    assert_eq!(by_run["known_at"], serde_json::json!({ "run": 1 }));
    assert_eq!(by_date["known_at"], serde_json::json!({ "data_date": NIGHTS[0] }));
    let first = project.entry(1);
    for number in [3, 4] {
        let entry = project.entry(number);
        for part in ["as_of", "balance", "model", "scores", "documents"] {
            assert_eq!(entry[part], first[part], "{part} of {number}");
        }
        project.scorebook(&["replay", &number.to_string()]).expect_code(0);
    }
    // The documents people read are those of the last night that knew all; these stand beside them.
    let after: Vec<Vec<u8>> = view.iter().map(bytes).collect();
    assert_eq!(before, after);
    let apart = project.files("reports/known_at");
    assert!(apart.iter().any(|path| path.starts_with("run_000003/2026-09/rep_scorecard/")), "{apart:?}");
    // And they are nobody's last night: an unchanged night still makes nothing.
    let report = project.run(&[]);
    assert_eq!((&report["known_at"], &report["documents"]["made"]), (&serde_json::Value::Null, &0.into()));
    assert_eq!(project.entry(5)["model"], project.entry(2)["model"]);
    let said = project.scorebook(&["runs", "--format", "csv"]).expect_code(0).stdout;
    assert!(said.contains(",run 1,") && said.contains(&format!(",{},", NIGHTS[0])), "{said}");
    project.scorebook(&["check", "--quiet", "--known-at", "2026-08-31"]).expect_code(4);
    let said = project.scorebook(&["run", "--quiet", "--known-at", "9"]).expect_code(2).stderr;
    assert!(said.contains("there is no run `9`") && said.contains("such as 2026-09-30"), "{said}");
}
