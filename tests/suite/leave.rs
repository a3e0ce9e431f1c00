//! The working days that a scorecard says: a small company with holidays and leave. The worked example of
//! docs/rules/time.md.

use crate::project::Project;

const NIGHT: &str = "2026-09-30";

/// Ada is in the north; Ben and Cleo in no region. The 7th is a holiday in the north, the 8th everywhere.
fn project() -> Project {
    let project = Project::empty().formats(r#"["html", "csv"]"#);
    let export = |table: &str, text: &str| project.write(&format!("sample_data/salesforce/{NIGHT}/{table}.csv"), text);
    export(
        "User",
        "Id,Name,Email,Title,IsActive,Hired_On__c,Left_On__c,Region__c\nada,Ada,,,1,2020-01-01,,north\n\
         ben,Ben,,,1,2020-01-01,,\ncleo,Cleo,,,1,2026-09-14,,\ndan,Dan,,,1,2020-01-01,2026-09-15,\n",
    );
    export("teams", "team_id,name,level,parent_team_id,leader_user_id\nalpha,Alpha,team,,\n");
    let assigned = ["ada", "ben", "cleo", "dan"].map(|rep| format!("{rep},alpha,,2020-01-01,\n")).concat();
    export("assignments", &format!("user_id,team_id,role,starts_on,ends_on\n{assigned}"));
    export(
        "stages",
        "stage_name,common_stage,position,probability,closed_as,entry_criteria\nClosed Won,won,2,100,won,\n",
    );
    export("days_off", "region,day\nnorth,2026-09-07\nall,2026-09-08\n");
    export(
        "leave",
        "user_id,starts_on,ends_on,share\nada,2026-09-30,2026-09-30,0.5\nada,2026-09-07,2026-09-07,\n\
         ben,2026-09-21,2026-09-25,\nben,2026-09-28,2026-09-29,0.5\ncleo,2026-09-01,2026-09-04,\n",
    );
    project.edit("scorebook.toml", |text| text + "days_off = { fold = \"full\" }\nleave = { fold = \"full\" }\n");
    let staging = |name: &str, text: &str| project.write(&format!("queries/staging/salesforce/{name}.sql"), text);
    staging(
        "holidays",
        "/*---\nfrom = \"days_off\"\ninto = \"holidays\"\n---*/\nSELECT \"_row\", region, day FROM days_off\n",
    );
    staging(
        "absences",
        "/*---\nfrom = \"leave\"\ninto = \"absences\"\n---*/\n\
         SELECT \"_row\", user_id AS rep_id, starts_on, ends_on, share FROM \"leave\"\n",
    );
    project.edit("queries/staging/salesforce/reps.sql", |sql| {
        sql.replace("\"Left_On__c\" AS left_on", "\"Left_On__c\" AS left_on,\n    \"Region__c\" AS holiday_region")
    });
    project
}

/// The columns of a scorecard's working days, with their numbers; and the words.
fn said(project: &Project, period: &str, name: &str) -> (Vec<(String, String)>, String) {
    // Behind the name stands the mark that tells namesakes apart.
    let folder = format!("reports/{period}/rep_scorecard");
    let file = project.files(&folder).into_iter().find(|file| file.starts_with(&format!("{name}-"))).unwrap();
    let path = project.path(&folder).join(file);
    let mut reader = csv::Reader::from_path(path.with_extension("csv")).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).filter(|row| row[0] == *"working_days").collect();
    let words = rows[0][14].to_owned();
    let page = std::fs::read_to_string(path.with_extension("html")).unwrap();
    assert!(page.contains(&format!("<p class=\"muted\">{words}</p>")), "{words}");
    (rows.iter().map(|row| (row[3].to_owned(), row[13].to_owned())).collect(), words)
}

#[test]
fn a_scorecard_says_how_many_of_its_working_days_the_rep_worked() {
    let project = project();
    project.run(&[]);
    let words = |name: &str| said(&project, "2026-09", name).1;
    assert_eq!(words("ada"), "19.5 of 20 working days (0.5 on leave)");
    assert_eq!(words("ben"), "15 of 21 working days (6 on leave)");
    assert_eq!(words("cleo"), "13 of 21 working days (8 before the first day)");
    assert_eq!(words("dan"), "10 of 21 working days (11 after the last day)");
    let numbers = |name: &str, period: &str| said(&project, period, name).0;
    let pairs = |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    assert_eq!(numbers("ada", "2026-09"), pairs(&[("worked", "19.5"), ("all", "20"), ("on leave", "0.5")]));
    // In the middle of the month, leave to come counts as well.
    project.run(&["--as-of", "2026-09-16"]);
    assert_eq!(words("ben"), "15 of 21 working days (6 on leave); 11 of the 21 have gone by");
    let ben = pairs(&[("worked", "15"), ("all", "21"), ("on leave", "6"), ("gone by", "11")]);
    assert_eq!(numbers("ben", "2026-09"), ben);
    // A month without holidays or leave.
    project.run(&["--period", "2026-08"]);
    assert_eq!(said(&project, "2026-08", "ben").1, "21 of 21 working days");
}
