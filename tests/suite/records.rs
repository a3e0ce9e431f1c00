//! What counts of the records of an export, and what is done with an export of which none is left: docs/rules/sources.md.

use crate::checks::{first_night, published, second_night};
use crate::project::Project;

const NIGHT: &str = "sample_data/salesforce/2026-09-30";

/// The small company of `sample_data/broken`, one night of it, in CSV alone.
fn company() -> Project {
    let project = Project::empty().formats(r#"["csv"]"#).for_reps();
    std::fs::create_dir_all(project.path("sample_data/salesforce")).unwrap();
    first_night(&project);
    second_night(&project);
    project
}

fn asked(project: &Project, query: &str) -> String {
    let said = project.scorebook(&["sql", "--format", "csv", query]).expect_code(0).stdout;
    said.lines().skip(1).map(|line| line.to_owned() + "\n").collect()
}

/// Asks a company that has said too much what is left of it.
#[test]
fn the_first_record_that_is_not_deleted_counts_whatever_a_join_returns() {
    let project = company();
    // A deal that was won for 22,100 stands there twice more: deleted before, and with another amount after.
    project.edit(&format!("{NIGHT}/Opportunity.csv"), |text| {
        let line = text.lines().find(|line| line.contains("Pressure set")).unwrap().to_owned();
        let (head, rest) = text.split_once('\n').unwrap();
        let before = line.replace("22100.0", "1.0").replace("\"0\",\"\"", "\"TRUE\",\"\"");
        let after = line.replace("22100.0", "90000.0");
        format!("{head}\n{before}\n{rest}{after}\n")
    });
    // The join of staging returns the last record first.
    project.edit("queries/staging/salesforce/opportunities.sql", |text| text + "ORDER BY o.\"_row\" DESC\n");
    // Who has the deal, by a split that was made anew: its deleted row comes first.
    project.write(
        &format!("{NIGHT}/OpportunitySplit.csv"),
        "\"Id\",\"OpportunityId\",\"SplitOwnerId\",\"SplitPercentage\",\"SplitType\",\"IsDeleted\"\n\
         \"1\",\"006Bk0000000010AAA\",\"005Bk0000000001AAA\",\"100\",\"Revenue\",\"true\"\n\
         \"2\",\"006Bk0000000010AAA\",\"005Bk0000000001AAA\",\"60\",\"Revenue\",\"0\"\n\
         \"3\",\"006Bk0000000010AAA\",\"005Bk0000000002AAA\",\"40\",\"Revenue\",\"\"\n\
         \"4\",\"006Bk0000000010AAA\",\"005Bk0000000002AAA\",\"50\",\"Revenue\",\"1\"\n",
    );
    let report = project.run(&[]);
    let deal = "'salesforce:006Bk0000000010AAA'";
    assert_eq!(
        asked(&project, &format!("SELECT amount FROM opportunities WHERE opportunity_id = {deal}")),
        "22100.00\n"
    );
    let versions = format!("SELECT amount FROM opportunity_nights WHERE opportunity_id = {deal} AND valid_to IS NULL");
    assert_eq!(asked(&project, &versions), "22100.00\n");
    let shares = format!("SELECT share FROM credits WHERE record_id = {deal} ORDER BY share");
    assert_eq!(asked(&project, &shares), "0.400000\n0.600000\n");
    let booked = "SELECT entity, value FROM scores WHERE metric = 'bookings' AND slice = '' AND level = 'rep' \
                  AND grain = 'month' AND period_start = DATE '2026-09-01' ORDER BY entity";
    let booked = asked(&project, booked);
    // 60 % of 22,100 are the one's; 40 % are the other's, beside 41,000.
    assert!(booked.contains("0001AAA,13260.0") && booked.contains("0002AAA,49840.0"), "{booked}");
    // Deleted rows are no fault of the export; the last record of the deal is.
    let told = asked(&project, "SELECT _row, reason FROM quarantine_opportunities");
    assert_eq!(told, "18,\"its key stands in record 11 already, which counts\"\n");
    assert_eq!(report["findings"].as_array().unwrap().iter().filter(|one| one["check"] == "set_aside").count(), 1);
    let fates = &project.entry(1)["balance"];
    let of = |path: &str| {
        let path = format!("{NIGHT}/{path}");
        fates.as_array().unwrap().iter().find(|one| one["path"] == path.as_str()).unwrap().clone()
    };
    assert_eq!(
        (&of("OpportunitySplit.csv")["deleted"], &of("OpportunitySplit.csv")["current"]),
        (&2.into(), &2.into())
    );
    assert_eq!((&of("Opportunity.csv")["deleted"], &of("Opportunity.csv")["current"]), (&1.into(), &16.into()));
}

#[test]
fn a_cell_that_says_neither_deleted_nor_not_sets_its_row_aside() {
    let project = company();
    project.edit(&format!("{NIGHT}/Opportunity.csv"), |text| {
        let line = text.lines().find(|line| line.contains("Pressure set")).unwrap().to_owned();
        text.replace(&line, &line.replace("\"0\",\"\"", "\"perhaps\",\"\""))
    });
    let said = project.scorebook(&["run"]).expect_code(0).stderr;
    assert!(said.contains("record 10: _deleted: `perhaps` is neither true nor false"), "{said}");
}

/// Days without a time, in columns that hold moments otherwise.
#[test]
fn a_day_is_that_day_west_and_east_of_utc() {
    for zone in ["America/Los_Angeles", "Asia/Tokyo"] {
        let project = company();
        project.edit("scorebook.toml", |text| text.replace("Europe/Berlin", zone));
        project.edit(&format!("{NIGHT}/Opportunity.csv"), |text| text.replace("2026-06-22 09:00:00", "2026-08-31"));
        project.run(&[]);
        let created = "SELECT created_on FROM opportunities WHERE name = 'Pressure set'";
        assert_eq!(asked(&project, created), "2026-08-31\n", "{zone}");
        // Won on 10 September.
        let cycle = "SELECT value FROM scores WHERE metric = 'mean_sales_cycle_days' AND slice = '' AND grain = 'month' \
                     AND level = 'rep' AND entity = 'salesforce:005Bk0000000001AAA' AND period_start = DATE '2026-09-01'";
        assert!(asked(&project, cycle).starts_with("10.0"), "{zone}: {}", asked(&project, cycle));
    }
}

fn refused(project: &Project) -> String {
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    assert_eq!(project.files("warehouse/ledger").len(), 1, "something was published");
    assert!(said.contains("nothing was published; the last run stands as it was"), "{said}");
    said
}

fn holds(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in:\n{text}"));
}

#[test]
fn an_export_of_which_no_record_can_be_read_stops_the_run_whatever_its_size() {
    let project = published();
    second_night(&project);
    // A delimiter too many at the end of each of four records.
    project.edit(&format!("{NIGHT}/User.csv"), |text| {
        let (head, rest) = text.split_once('\n').unwrap();
        format!("{head}\n{}", rest.replace('\n', ",\n"))
    });
    let said = refused(&project);
    holds(
        &said,
        &[
            "error: none of the 4 records of sample_data/salesforce/2026-09-30/User.csv could be read",
            "record 1: ",
            "record 3: ",
            "have it exported again, in the form of an earlier night",
            "go on with `scorebook run --accept no_records:salesforce.User`",
        ],
    );
    assert!(!said.contains("record 4: "), "{said}");
}

#[test]
fn an_export_of_which_every_record_breaks_the_contract_stops_the_run_until_it_is_accepted() {
    let project = published();
    second_night(&project);
    // The only lead of the night.
    project.edit(&format!("{NIGHT}/Lead.csv"), |text| {
        let (head, rest) = text.split_once('\n').unwrap();
        format!("{head}\n{}", rest.replace("2026-", "2026/"))
    });
    let said = refused(&project);
    holds(
        &said,
        &[
            "error: the only record of sample_data/salesforce/2026-09-30/Lead.csv was set aside: nothing of it is in leads",
            "record 1: ",
            "`2026/",
            "correct the records in the CRM",
            "go on with `scorebook run --accept no_records:salesforce.Lead`",
        ],
    );
    let report = project.run(&["--accept", "no_records"]);
    let found = report["findings"].as_array().unwrap();
    let own: Vec<_> =
        found.iter().filter(|one| one["of"] == "salesforce.Lead" || one["check"] == "set_aside").collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!((&own[0]["check"], &own[0]["accepted"]), (&"no_records".into(), &true.into()));
    // What was accepted stops no later run of the same exports, and a replay finds the same.
    project.run(&[]);
    project.scorebook(&["replay", "2", "--quiet"]).expect_code(0);
}

#[test]
fn a_header_without_records_is_an_export_and_one_that_is_skipped_whole_is_told() {
    let project = published();
    second_night(&project);
    // Of absences nobody had any; of the history of fields nothing is of owners.
    project.write(&format!("{NIGHT}/absences.csv"), "\"user_id\",\"starts_on\",\"ends_on\",\"share\",\"kind\"\n");
    project.edit(&format!("{NIGHT}/OpportunityFieldHistory.csv"), |text| {
        let width = text.lines().next().unwrap().split(',').count();
        let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let cell = |name: &str| if name.contains("Field") { "\"Amount\"" } else { "\"x\"" };
        let row = columns.iter().map(|name| cell(name)).collect::<Vec<_>>();
        assert_eq!(row.len(), width);
        text + &row.join(",") + "\n"
    });
    let said = project.scorebook(&["run"]).expect_code(0).stderr;
    holds(&said, &["all records of salesforce.OpportunityFieldHistory are skipped"]);
}
