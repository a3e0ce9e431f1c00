//! Who may read what: a rep's documents tell of no other rep, a team's of no other team, and a folder of the site links to
//! nothing outside itself.
//!
//! Every deal and account of the exports that one rep alone has to do with gets that rep's word into its names. A document
//! may hold the words, names, addresses and deals of its own readers, and no others'.

use crate::project::{LAST_NIGHT, Project, tools};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let Ok(mut reader) = csv::ReaderBuilder::new().flexible(true).from_path(path) else { return Vec::new() };
    let head = reader.headers().unwrap().clone();
    let named = |record: csv::ByteRecord| -> Row {
        let cells = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect::<Vec<_>>();
        head.iter().map(String::from).zip(cells).collect()
    };
    reader.byte_records().map(|record| named(record.unwrap())).collect()
}

/// All rows of an export of a source, of all nights.
fn all_nights(project: &Project, source: &str, table: &str) -> Vec<Row> {
    let nights = std::fs::read_dir(project.path("sample_data").join(source)).unwrap().flatten();
    nights.flat_map(|night| rows(&night.path().join(format!("{table}.csv")))).collect()
}

/// Who has to do with what, by the exports alone. People are `salesforce:<id>` or `hubspot:<id>`.
#[derive(Default)]
struct Known {
    /// Person -> what they are called and where they can be written to.
    told: BTreeMap<String, Vec<String>>,
    /// Deal -> everyone who ever had it, found it or shares it.
    deals: BTreeMap<String, BTreeSet<String>>,
    /// Account -> everyone who has it or one of its deals.
    accounts: BTreeMap<String, BTreeSet<String>>,
    /// Person -> teams, at any time.
    teams: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    fn read(project: &Project) -> Known {
        let mut known = Known::default();
        let of = |source: &str, id: &str| if id.contains(':') { id.to_owned() } else { format!("{source}:{id}") };
        let mut by_name = BTreeMap::new();
        for row in all_nights(project, "salesforce", "User") {
            known.told.insert(of("salesforce", &row["Id"]), vec![row["Name"].clone(), row["Email"].clone()]);
        }
        for row in all_nights(project, "hubspot", "owners") {
            let name = format!("{} {}", row["First Name"], row["Last Name"]);
            by_name.insert(name.clone(), of("hubspot", &row["User ID"]));
            known.told.insert(of("hubspot", &row["User ID"]), vec![name, row["Email"].clone()]);
        }
        for row in all_nights(project, "salesforce", "Opportunity") {
            let (deal, account) = (of("salesforce", &row["Id"]), of("salesforce", &row["AccountId"]));
            for person in [&row["OwnerId"], &row["Sourced_By__c"]].into_iter().filter(|id| !id.is_empty()) {
                known.deals.entry(deal.clone()).or_default().insert(of("salesforce", person));
                known.accounts.entry(account.clone()).or_default().insert(of("salesforce", person));
            }
        }
        for row in all_nights(project, "salesforce", "OpportunityFieldHistory") {
            let people = known.deals.entry(of("salesforce", &row["OpportunityId"])).or_default();
            people.extend([&row["OldValue"], &row["NewValue"]].map(|id| of("salesforce", id)));
        }
        for row in all_nights(project, "salesforce", "OpportunitySplit") {
            let people = known.deals.entry(of("salesforce", &row["OpportunityId"])).or_default();
            people.insert(of("salesforce", &row["SplitOwnerId"]));
        }
        for row in all_nights(project, "hubspot", "deals") {
            let Some(person) = by_name.get(&row["Deal owner"]) else { continue };
            known.deals.entry(of("hubspot", &row["Record ID"])).or_default().insert(person.clone());
            let account = of("hubspot", &row["Associated Company IDs (Primary)"]);
            known.accounts.entry(account).or_default().insert(person.clone());
        }
        for row in rows(&project.path(&format!("sample_data/salesforce/{LAST_NIGHT}/assignments.csv"))) {
            let team = of("salesforce", &row["team_id"]);
            known.teams.entry(of("salesforce", &row["user_id"])).or_default().insert(team);
        }
        known
    }

    /// A word that stands nowhere else.
    fn word(&self, person: &str) -> String {
        let place = self.told.keys().position(|known| known == person).unwrap();
        let letter = |place: usize| char::from(b'a' + u8::try_from(place % 26).unwrap());
        format!("canary{}{}x", letter(place / 26), letter(place))
    }

    /// Puts the words into the names of what one person alone has to do with.
    fn mark(&self, project: &Project) {
        for (source, table, id, of, names) in [
            ("salesforce", "Account", "Id", &self.accounts, &["Name", "Website"][..]),
            ("salesforce", "Opportunity", "Id", &self.deals, &["Name", "NextStep"][..]),
            ("hubspot", "companies", "Record ID", &self.accounts, &["Company name"][..]),
            ("hubspot", "deals", "Record ID", &self.deals, &["Deal Name", "Next step"][..]),
        ] {
            for night in std::fs::read_dir(project.path("sample_data").join(source)).unwrap().flatten() {
                let path = night.path().join(format!("{table}.csv"));
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).unwrap();
                let head = reader.headers().unwrap().clone();
                let at = |name: &str| head.iter().position(|head| head == name).unwrap();
                let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
                writer.write_record(&head).unwrap();
                for record in reader.byte_records() {
                    let mut cells: Vec<Vec<u8>> = record.unwrap().iter().map(<[u8]>::to_vec).collect();
                    let key = format!("{source}:{}", String::from_utf8_lossy(&cells[at(id)]));
                    let people: Vec<&String> = of.get(&key).into_iter().flatten().collect();
                    if let ([person], true) = (&people[..], cells.len() == head.len())
                        && self.told.contains_key(*person)
                    {
                        let word = self.word(person);
                        names.iter().for_each(|name| cells[at(name)].extend(format!(" {word}").bytes()));
                    }
                    writer.write_record(&cells).unwrap();
                }
                std::fs::write(&path, writer.into_inner().unwrap()).unwrap();
            }
        }
    }

    /// What these people's documents may not hold: who else there is, what they are called, and what is theirs alone.
    fn forbidden(&self, readers: &BTreeSet<String>) -> Vec<String> {
        let others = self.told.iter().filter(|(person, _)| !readers.contains(*person));
        let mut forbidden = Vec::new();
        for (person, told) in others {
            // Somebody may stand in both CRMs.
            let is_reader = readers
                .iter()
                .any(|reader| self.told.get(reader).is_some_and(|own| own[1].to_lowercase() == told[1].to_lowercase()));
            if !is_reader {
                forbidden.extend(told.iter().cloned().chain([self.word(person)]));
            }
        }
        let theirs = self.deals.iter().filter(|(_, people)| people.is_disjoint(readers));
        forbidden.extend(theirs.map(|(deal, _)| deal.clone()));
        forbidden.iter().map(|text| bare(text)).collect()
    }
}

/// Without blanks: a page may break a name over lines.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// All that a file says to whoever opens it: a page, a CSV and a context as they stand, a PDF's text and attachments.
fn said(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|ending| ending != "pdf") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let signs = [("&#39;", "'"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        return bare(&signs.iter().fold(text, |text, (written, sign)| text.replace(written, sign)));
    }
    let mut text = streams(&bytes);
    if tools("who may read what: the text of PDFs") {
        let output = Command::new("pdftotext").args(["-raw", path.to_str().unwrap(), "-"]).output().unwrap();
        text.push_str(&String::from_utf8_lossy(&output.stdout));
        assert!(text.contains("Page 1 of"), "{}", path.display());
    }
    bare(&text)
}

/// What the compressed streams of a PDF hold; the attachments are among them.
fn streams(bytes: &[u8]) -> String {
    let find = |from: usize, word: &[u8]| bytes[from..].windows(word.len()).position(|w| w == word).map(|at| from + at);
    let (mut text, mut at, mut attached) = (String::new(), 0, 0);
    while let Some(start) = find(at, b"stream\n") {
        let Some(end) = find(start, b"endstream") else { break };
        let mut inflated = Vec::new();
        if flate2::read::ZlibDecoder::new(&bytes[start + 7..end]).read_to_end(&mut inflated).is_ok() {
            let words = String::from_utf8_lossy(&inflated);
            attached += usize::from(words.starts_with("metric,record_id,") || words.starts_with("section,row,"));
            text.push_str(&words);
        }
        at = end + 9;
    }
    assert_eq!(attached, 2, "facts and scores are attached");
    text
}

/// The document's files in the view, and its context.
fn files(project: &Project, document: &Value) -> Vec<PathBuf> {
    let view = document["view"].as_str().unwrap();
    let formats = document["files"].as_object().unwrap();
    let path = |(format, digest): (&String, &Value)| match format.as_str() {
        "json" => project.path(&format!("warehouse/documents/{}.json", digest.as_str().unwrap())),
        format => project.path(&format!("reports/{view}.{format}")),
    };
    formats.iter().map(path).collect()
}

#[test]
fn nobody_reads_of_others() {
    let project = Project::generated(6, 13);
    let known = Known::read(&project);
    known.mark(&project);
    project.run(&[]);
    let entry = project.entry(1);
    let documents = entry["documents"].as_array().unwrap();
    let (mut reps, mut teams, mut own_words) = (0, 0, 0);
    for document in documents {
        let [level, entity, name] = ["level", "entity", "name"].map(|key| document[key].as_str().unwrap().to_owned());
        let in_team = |person: &&String| known.teams.get(*person).is_some_and(|teams| teams.contains(&entity));
        let readers: BTreeSet<String> = match level.as_str() {
            "rep" => [entity.clone()].into(),
            "team" => known.told.keys().filter(in_team).cloned().collect(),
            _ => continue,
        };
        assert!(!readers.is_empty(), "{entity} has nobody");
        let forbidden = known.forbidden(&readers);
        assert!(forbidden.len() > 20, "{entity}: {}", forbidden.len());
        let mut to_read = files(&project, document);
        assert_eq!(to_read.len(), 4);
        // The folder of the site has no more than these, and those of the people beneath.
        let folder = format!("site/{level}-{}", document["view"].as_str().unwrap().rsplit('/').next().unwrap());
        let of_site = project.files(&folder);
        assert!(of_site.iter().any(|file| file == "index.html") && of_site.len() >= 6, "{folder}: {of_site:?}");
        to_read.extend(of_site.iter().map(|file| project.path(&folder).join(file)));
        for path in to_read {
            let said = said(&path);
            if let Some(word) = forbidden.iter().find(|word| said.contains(word.as_str())) {
                panic!("{} of {name} says {word}", path.display());
            }
            own_words += readers.iter().filter(|reader| said.contains(&known.word(reader))).count();
        }
        match level.as_str() {
            "rep" => reps += 1,
            _ => teams += 1,
        }
    }
    assert!(reps == 7 && teams == 3, "{reps} reps, {teams} teams");
    assert!(own_words > 3 * reps, "{own_words} of their own: the words do not reach the documents");
}

#[test]
fn folders_of_the_site_are_closed_and_follow_the_documents() {
    let project = Project::generated(6, 13).formats(r#"["csv", "html"]"#);
    project.run(&[]);
    let in_folders =
        |files: Vec<String>| -> Vec<String> { files.into_iter().filter(|file| file.contains('/')).collect() };
    let scopes: BTreeSet<String> =
        in_folders(project.files("site")).iter().map(|file| file.split('/').next().unwrap().to_owned()).collect();
    let with = |level: &str| scopes.iter().filter(|scope| scope.starts_with(level)).count();
    assert!(scopes.contains("company") && with("team-") == 3 && with("rep-") == 7, "{scopes:?}");
    for scope in &scopes {
        let root = project.path(&format!("site/{scope}"));
        let mut links = 0;
        for file in project.files(&format!("site/{scope}")).iter().filter(|file| file.ends_with(".html")) {
            let page = std::fs::read_to_string(root.join(file)).unwrap();
            assert!(!page.contains("<script") && !page.contains("src="), "{scope}/{file}");
            for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(
                    !link.contains("..") && !link.contains(':') && !link.starts_with('/'),
                    "{scope}/{file}: {link}"
                );
                let target = root.join(file).parent().unwrap().join(unescaped(link));
                assert!(target.is_file(), "{scope}/{file} leads to {link}, which is not there");
                links += 1;
            }
        }
        assert!(links >= 4, "{scope}: {links} links");
        // Whoever checks the folder needs nothing but its list.
        let sums = std::fs::read_to_string(root.join("SHA256SUMS")).unwrap();
        let listed: BTreeSet<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        let there = project.files(&format!("site/{scope}"));
        let there: BTreeSet<&str> = there.iter().map(String::as_str).filter(|file| *file != "SHA256SUMS").collect();
        assert_eq!(listed, there, "{scope}");
    }
    let whole = in_folders(project.files("site"));
    // A lost file comes back, a changed one is made anew, and what somebody may no longer read goes.
    let scope = scopes.iter().find(|scope| scope.starts_with("team-")).unwrap();
    let card = whole.iter().find(|file| file.starts_with(scope.as_str()) && file.contains("rep_scorecard/")).unwrap();
    let before = std::fs::read(project.path("site").join(card)).unwrap();
    std::fs::remove_file(project.path("site").join(card)).unwrap();
    project.write(&format!("site/{scope}/index.html"), "<p>other</p>");
    project.run(&[]);
    assert_eq!(in_folders(project.files("site")), whole);
    assert_eq!(std::fs::read(project.path("site").join(card)).unwrap(), before);
    assert!(std::fs::read_to_string(project.path(&format!("site/{scope}/index.html"))).unwrap().contains("<h1>"));
    let (name, path) =
        (card.rsplit('/').next().unwrap(), format!("sample_data/salesforce/{LAST_NIGHT}/assignments.csv"));
    project.edit(&path, |text| text.lines().next().unwrap().to_owned() + "\n");
    project.run(&["--accept", "row_counts:salesforce.assignments"]);
    let after = project.files("site");
    assert!(!after.iter().any(|file| file.starts_with("team-")), "{after:?}");
    assert!(after.iter().any(|file| file.starts_with("company/") && file.ends_with(name)), "{name}: {after:?}");
}

/// A link as a path.
fn unescaped(link: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), link.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
