//! What the settings keep private is nowhere: not under another spelling, not in what is set aside, not in a message. And where
//! it cannot be known, the run stops before anything is written.

use crate::checks::{published, second_night};
use crate::project::{Project, Said};
use arrow::util::display::array_value_to_string;

const FIRST: &str = "sample_data/salesforce/2026-09-29/Lead.csv";
const SECOND: &str = "sample_data/salesforce/2026-09-30/Lead.csv";
/// Stands in private cells alone.
const CANARY: &str = "canary7f3";
const KEY: &str = "SCOREBOOK_PSEUDONYM_KEY";
const KEY_FILE: &str = "SCOREBOOK_PSEUDONYM_KEY_FILE";

/// The small company with its first night published, then exported again: now every e-mail address is a canary, and the settings have
/// these columns of leads.
fn project(columns: &str) -> Project {
    let project = published();
    project.edit(FIRST, with_canaries);
    decide(&project, columns);
    project
}

fn add_second_night(project: &Project, change: impl FnOnce(String) -> String) {
    second_night(project);
    project.edit(SECOND, |text| change(with_canaries(text)));
}

/// Puts a canary into every address, one of them in a record that cannot be read and one in a record that breaks the contract.
fn with_canaries(text: String) -> String {
    let text = text.replace('@', &format!("@{CANARY}."));
    let cells = |id: &str, email: &str, created: &str| {
        format!(
            "\"{id}\",\"A\",\"B\",\"C\",\"{email}\",\"Web\",\"Open\",\"\",\"0\",\"\",\"\",\"\",\"{created}\",\"{created}\",\"0\""
        )
    };
    let quarantined = cells("00QZz0000000001AAA", &format!("x@{CANARY}.example"), "no date at all");
    let rejected =
        cells("00QZz0000000002AAA", &format!("y@{CANARY}.example"), "2026-09-01 09:00:00") + ",\"one too many\"";
    format!("{text}{quarantined}\n{rejected}\n")
}

/// Says in the settings what becomes of columns of leads.
fn decide(project: &Project, columns: &str) {
    project.edit("scorebook.toml", |text| {
        let lines = text.lines().map(|line| match line.starts_with("Lead = ") {
            true => format!("Lead = {{ fold = \"full\", columns = {{ {columns} }} }}"),
            false => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
}

/// Every file of the warehouse and of the views in which the canary stands, also within Parquet.
fn traces(project: &Project) -> Vec<String> {
    let folders = ["warehouse", "reports", "site"].into_iter();
    let files =
        folders.flat_map(|folder| project.files(folder).into_iter().map(move |file| format!("{folder}/{file}")));
    files.filter(|file| holds_canary(file, &std::fs::read(project.path(file)).unwrap())).collect()
}

fn holds_canary(file: &str, bytes: &[u8]) -> bool {
    let plain = bytes.windows(CANARY.len()).any(|window| window.eq_ignore_ascii_case(CANARY.as_bytes()));
    let is_table = file.split('#').next().unwrap().ends_with(".parquet");
    plain || (is_table && cells(bytes).iter().any(|cell| cell.to_lowercase().contains(CANARY)))
}

/// All cells of a Parquet file, and the names of its columns.
fn cells(bytes: &[u8]) -> Vec<String> {
    let mut cells = Vec::new();
    for batch in scorebook::parquet_file::read_all("a table", bytes.to_vec().into()).unwrap() {
        cells.extend(batch.schema().fields().iter().map(|field| field.name().clone()));
        for column in batch.columns() {
            cells.extend((0..batch.num_rows()).map(|row| array_value_to_string(column, row).unwrap()));
        }
    }
    cells
}

/// The columns of a night's leads as they landed.
fn landed(project: &Project, night: &str) -> String {
    let query = format!("SELECT * FROM raw_salesforce_lead_{} LIMIT 1", night.replace('-', "_"));
    let said = project.scorebook(&["sql", &query, "--format", "csv"]).expect_code(0);
    said.stdout.lines().next().unwrap().to_owned()
}

#[track_caller]
fn says(said: &Said, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(said.stderr.contains(part), "{part:?} is not in:\n{}", said.stderr));
    assert!(
        !said.stderr.contains(CANARY) && !said.stdout.contains(CANARY),
        "a private cell was printed:\n{}",
        said.stderr
    );
}

fn leads_without_address(project: &Project) -> bool {
    !landed(project, "2026-09-29").to_lowercase().contains("mail")
}

#[test]
fn the_canary_is_found_where_nothing_is_private() {
    let project = project("Status = \"keep\"");
    project.run(&[]);
    let traces = traces(&project);
    for kind in ["raw/salesforce/Lead", "rejects/salesforce/Lead"] {
        assert!(traces.iter().any(|file| file.contains(kind)), "{kind} in {traces:?}");
    }
}

#[test]
fn a_private_column_is_one_however_it_is_spelled() {
    for (named, header) in [
        ("email", "Email"),
        ("EMAIL", "email"),
        ("Email", " \u{feff}EMAIL "),
        ("Email", "Ｅmail"),
        ("\" email \"", "\"\"Email\"\""),
    ] {
        let project = project(&format!("{named} = \"drop\""));
        if header != "Email" {
            project.edit(FIRST, |text| text.replacen("\"Email\"", &format!("\"{header}\""), 1));
        }
        let said = project.scorebook(&["run"]).expect_code(0);
        says(&said, &["records of", "were set aside"]);
        assert!(leads_without_address(&project), "{named} for {header}");
        assert_eq!(traces(&project), [""; 0], "{named} for {header}");
    }
}

#[test]
fn all_columns_that_a_policy_names_are_private() {
    let project = project("Email = \"drop\"");
    // Twice under one spelling, once under another: three columns of addresses.
    project.edit(FIRST, |text| {
        let wider = text.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},\"EMAIL\",\"Email\"\n"),
            _ => format!("{line},\"a@{CANARY}\",\"b@{CANARY}\"\n"),
        });
        wider.collect()
    });
    project.run(&[]);
    assert_eq!(traces(&project), [""; 0]);
    let observations = project.entry(2)["observations"].as_array().unwrap().clone();
    let leads = observations.iter().find(|one| one["table"] == "Lead").unwrap();
    let dropped: Vec<&str> = leads["dropped"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(["Email", "EMAIL", "Email_2"].iter().all(|name| dropped.contains(name)), "{dropped:?}");
    assert!(leads["undecided"].as_array().is_none_or(|all| !all.iter().any(|name| name == "Email_2")));
}

#[test]
fn a_policy_that_names_no_column_stops_the_run() {
    let project = project("Emial = \"drop\"");
    let before = project.files("warehouse/raw");
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    says(&said, &["`Emial = \"drop\"` decides nothing", "salesforce.Lead", "scorebook.toml:", "did you mean `Email`?"]);
    decide(&project, "E_Mail = \"pseudonymise\"");
    let said = project.scorebook_with(&[(KEY, "a key that nobody can guess")], &["run", "--quiet"]).expect_code(3);
    says(&said, &["`E_Mail = \"pseudonymise\"` decides nothing", "did you mean `Email`?"]);
    decide(&project, "Email = \"drop\", \" EMAIL\" = \"keep\"");
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    says(&said, &["name one column", "scorebook.toml:"]);
    assert_eq!(project.files("warehouse/raw"), before);
    assert_eq!(traces(&project), [""; 0]);
}

#[test]
fn a_night_that_renames_a_private_column_stops_the_run() {
    for renamed in ["E-Mail", "E_Mail", "Contact"] {
        let project = project("Email = \"drop\"");
        project.run(&[]);
        add_second_night(&project, |text| text.replacen("\"Email\"", &format!("\"{renamed}\""), 1));
        let before = project.files("warehouse/raw");
        let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
        says(&said, &["salesforce.Lead has no column `Email` here", SECOND, &format!("\"{renamed}\" = \"drop\"")]);
        assert_eq!(project.files("warehouse/raw"), before, "nothing was written");
        decide(&project, &format!("Email = \"drop\", \"{renamed}\" = \"drop\""));
        project.run(&[]);
        assert_eq!(traces(&project), [""; 0], "{renamed}");
    }
}

#[test]
fn a_new_column_of_a_table_with_private_ones_waits_for_a_decision() {
    let project = project("Email = \"drop\"");
    project.run(&[]);
    add_second_night(&project, |text| {
        let wider = text.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},\"Mobile__c\"\n"),
            _ => format!("{line},\"+49 {CANARY}\"\n"),
        });
        wider.collect()
    });
    let said = project.scorebook(&["run"]).expect_code(0);
    says(
        &said,
        &["salesforce.Lead has", "kept out until decided", "`Mobile__c`", "= \"drop\" } }", "\"pseudonymise\""],
    );
    assert_eq!(traces(&project), [""; 0]);
    // Staging reads what it did: columns that it names are decided.
    assert!(landed(&project, "2026-09-30").contains("LeadSource"));
    decide(&project, "Email = \"drop\", Mobile__c = \"drop\"");
    let said = project.scorebook(&["run"]).expect_code(0);
    assert!(!said.stderr.contains("Mobile__c"), "{}", said.stderr);
    assert_eq!(traces(&project), [""; 0]);
    // What is known of an earlier night is known with the same settings, though no export of then has the column.
    project.scorebook(&["run", "--quiet", "--known-at", "2026-09-29"]).expect_code(0);
    decide(&project, "Email = \"drop\", Mobile__c = \"keep\"");
    project.run(&[]);
    assert!(landed(&project, "2026-09-30").contains("Mobile__c"));
    project.scorebook(&["verify"]).expect_code(0);
}

#[test]
fn a_definition_that_reads_what_looks_private_does_not_decide() {
    let project = project("Email = \"drop\"");
    project.edit(FIRST, |text| {
        let wider = text.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},\"E-Mail\"\n"),
            _ => format!("{line},\"a@{CANARY}\"\n"),
        });
        wider.collect()
    });
    project.edit("queries/staging/salesforce/leads.sql", |sql| {
        sql.replace("\"Company\" AS", "COALESCE(\"Company\", \"E-Mail\") AS")
    });
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    says(&said, &["unknown column `E-Mail`", "waits for a decision"]);
    assert_eq!(traces(&project), [""; 0]);
}

#[test]
fn a_record_in_place_of_the_header_is_not_printed() {
    let project = project("Email = \"drop\"");
    project.run(&[]);
    add_second_night(&project, |text| text.split_once('\n').unwrap().1.to_owned());
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    says(&said, &["salesforce.Lead has no column `Email` here", "it may be a record"]);
    assert_eq!(traces(&project), [""; 0]);
    // Nor if it is the only night.
    std::fs::remove_file(project.path(FIRST)).unwrap();
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    says(&said, &["decides nothing", "not shown here"]);
}

#[test]
fn a_changed_key_stops_the_run_until_it_is_accepted() {
    let project = project("Email = \"pseudonymise\"");
    let key = "0123456789abcdef0123";
    project.scorebook_with(&[(KEY, key)], &["run", "--quiet"]).expect_code(0);
    assert_eq!(traces(&project), [""; 0]);
    let file = project.path("key.txt");
    let from_file = [(KEY_FILE, file.to_str().unwrap())];
    // The same key from a file, whatever ends its line.
    for end in ["", "\n", "\r\n"] {
        project.write("key.txt", &format!("{key}{end}"));
        let said = project.scorebook_with(&from_file, &["run"]).expect_code(0);
        assert!(said.stdout.contains("nothing changed since the last run"), "{}", said.stdout);
    }
    project.write("key.txt", "another key of some length\n");
    let said = project.scorebook_with(&from_file, &["run", "--quiet"]).expect_code(4);
    says(&said, &["the key of pseudonyms is not the one of run 5", "--accept pseudonym_key:all"]);
    assert!(!said.stderr.contains("another key") && !said.stderr.contains(key));
    project.scorebook_with(&from_file, &["run", "--quiet", "--accept", "pseudonym_key:all"]).expect_code(0);
    project.scorebook_with(&from_file, &["run", "--quiet"]).expect_code(0);
    // It is the key before the accepted one that is another now.
    project.scorebook_with(&[(KEY, key)], &["run", "--quiet"]).expect_code(4);
    project.scorebook(&["replay", "6"]).expect_code(0);
    // A night without pseudonyms in between makes nobody forget.
    let pseudonymised = std::fs::read_to_string(project.path("scorebook.toml")).unwrap();
    project.write("scorebook.toml", &pseudonymised.replace("Email = \"pseudonymise\"", "Email = \"drop\""));
    project.scorebook(&["run", "--quiet"]).expect_code(0);
    project.write("scorebook.toml", &pseudonymised);
    let said = project.scorebook_with(&[(KEY, key)], &["run", "--quiet"]).expect_code(4);
    says(&said, &["the key of pseudonyms is not the one of run 7"]);
    let entry = std::fs::read_to_string(project.path("warehouse/ledger/000006.json")).unwrap();
    assert!(!entry.contains(key) && !entry.contains("another key"));
}

#[test]
fn a_key_that_is_none_is_refused() {
    let project = project("Email = \"pseudonymise\"");
    let before = project.files("warehouse/raw");
    let file = project.path("key.txt");
    let path = file.to_str().unwrap();
    let refused = |environment: (&str, &str), parts: &[&str]| {
        let said = project.scorebook_with(&[environment], &["run", "--quiet"]).expect_code(3);
        says(&said, parts);
        assert!(!said.stderr.contains("hunter2"));
    };
    refused(
        (KEY, "hunter2"),
        &["the pseudonym key in SCOREBOOK_PSEUDONYM_KEY has 7 bytes", "at least 16", "openssl rand"],
    );
    refused((KEY, ""), &["no key to pseudonymise column `Email`"]);
    refused((KEY_FILE, path), &["cannot read the pseudonym key", "key.txt"]);
    for (text, says) in
        [("", "is empty"), ("\r\n", "is empty"), ("hunter2\n", "has 7 bytes"), ("0123456789abcde\r\n", "has 15 bytes")]
    {
        project.write("key.txt", text);
        refused((KEY_FILE, path), &[says, "key.txt"]);
    }
    assert_eq!(project.files("warehouse/raw"), before);
}
