//! Text from a CRM is data: it prints as it stands and never runs.

use crate::project::{LAST_NIGHT, Project, tools};
use std::process::Command;

const MARKUP: &str = "#strong[x] <script>alert(1)</script>";
const FORMULA: &str = "=cmd|' /C calc'!A0";

/// A company in which one rep won a deal with each of two customers, and gave money back in a third.
fn project() -> Project {
    let project = Project::generated(2, 13);
    let folder = format!("sample_data/salesforce/{LAST_NIGHT}");
    let assignments = std::fs::read_to_string(project.path(&format!("{folder}/assignments.csv"))).unwrap();
    let rep = assignments.lines().nth(1).unwrap().split('"').nth(1).unwrap().to_owned();
    let quoted = |cells: &[&str]| cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(",") + "\n";
    let deals = [("001Zz0000000001AAA", MARKUP, "900000.00"), ("001Zz0000000002AAA", FORMULA, "800000.00")];
    for (i, (account, name, amount)) in deals.into_iter().enumerate() {
        project.edit(&format!("{folder}/Account.csv"), |text| {
            let row = [
                account,
                name,
                "",
                "",
                "",
                "SMB",
                "",
                "",
                "",
                &rep,
                "2026-01-05 09:00:00",
                "2026-01-05 09:00:00",
                "0",
                "",
                "",
            ];
            text + &quoted(&row)
        });
        project.edit(&format!("{folder}/Opportunity.csv"), |text| {
            let id = format!("006Zz000000000{i}AAA");
            let row = [
                &id,
                account,
                name,
                "Closed Won",
                amount,
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
            text + &quoted(&row)
        });
    }
    project.edit(&format!("{folder}/Opportunity.csv"), |text| {
        let row = [
            "006Zz0000000009AAA",
            "",
            "Credit note",
            "Closed Won",
            "-750.25",
            "100",
            "2026-09-17",
            "",
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
        text + &quoted(&row)
    });
    project
}

#[test]
fn hostile_names_print_as_they_stand() {
    let project = project();
    project.run(&[]);
    let files = project.files("reports/2026-09/rep_scorecard");
    let with = |ending: &str, text: &str| {
        let mut texts = files.iter().filter(|file| file.ends_with(ending)).map(|file| {
            let path = project.path("reports/2026-09/rep_scorecard").join(file);
            (path.clone(), String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        });
        texts.find(|(_, found)| found.contains(text)).unwrap_or_else(|| panic!("no {ending} has {text}"))
    };
    let (_, csv) = with(".csv", MARKUP);
    assert!(csv.contains(&format!("'{FORMULA}")), "the formula is not prefixed");
    assert!(!csv.contains(&format!(",{FORMULA}")) && !csv.contains(&format!("\"{FORMULA}")));
    assert!(csv.contains("-750.25") && !csv.contains("'-750.25"), "a negative number is prefixed");
    let (page, html) = with(".html", "alert(1)");
    assert!(html.contains("#strong[x] &lt;script&gt;alert(1)&lt;"), "the name is not escaped");
    assert!(!html.contains("<script"));
    if !tools("hostile_names_print_as_they_stand") {
        return;
    }
    let text = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let pdf = page.with_extension("pdf");
    let printed = text("pdftotext", &["-raw", pdf.to_str().unwrap(), "-"]);
    // A name may be broken over lines of its column: its letters and signs are what must be there.
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert!(bare(&printed).contains(&bare(MARKUP)), "{printed}");
    assert!(bare(&printed).contains(&bare(FORMULA)), "{printed}");
    let folder = tempfile::tempdir().unwrap();
    let data = format!("--user-data-dir={}", folder.path().display());
    let address = format!("file://{}", page.display());
    let quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"];
    let base = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", &data, "--dump-dom", &address];
    let dom = text("chromium", &[&quiet[..], &base[..]].concat());
    assert!(dom.contains("#strong[x] &lt;script&gt;alert(1)&lt;/script&gt;"), "the browser reads the name otherwise");
    assert!(!dom.contains("<script"));
}
