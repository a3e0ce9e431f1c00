//! A single bit changed in anything stored, and then a command that needs it: it is made again, or refused, and never gives
//! another number. Counted by kind of object and by what became of it.

use crate::project::{LAST_NIGHT, Project, Random, Said, link};
use scorebook::domain::digest::Digest;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many bits are changed: a few, and a thousand when somebody asks.
fn flips() -> usize {
    std::env::var("SCOREBOOK_FLIPS").ok().and_then(|text| text.parse().ok()).unwrap_or(48)
}

/// One in so many commands makes much again, where another need would do.
const HEAVY: usize = 12;

/// What is stored, and how often it is hit.
const KINDS: [(&str, usize); 9] = [
    ("raw", 4),
    ("rejects", 1),
    ("model", 5),
    ("quarantine", 1),
    ("scores", 5),
    ("documents", 4),
    ("definitions", 2),
    ("ledger", 1),
    ("steps", 3),
];

/// Folders that stand apart from the project, so that one damaged state can meet many projects.
struct Place(PathBuf);

impl Place {
    fn warehouse(&self) -> PathBuf {
        self.0.join("warehouse")
    }

    /// The same files, as links: whoever changes one writes another.
    fn copied(&self, to: &Path) -> Place {
        let _ = std::fs::remove_dir_all(to);
        link(&self.0, to);
        Place(to.to_owned())
    }

    /// The program over these folders, on one thread, so that rows come in one order.
    fn scorebook(&self, project: &Project, arguments: &[String]) -> Said {
        let mut command = project.command(&[]);
        command.args(arguments).args(["--threads", "1"]);
        for folder in ["warehouse", "reports", "site"] {
            command.arg(format!("--{folder}")).arg(self.0.join(folder));
        }
        Said::from(command.output().unwrap())
    }

    /// Path -> digest of what people read.
    fn reports(&self) -> BTreeMap<String, Digest> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.join("reports")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    // Whose the folder is: it names the entry that was shown last, and no two of those are equal.
                    path if path.ends_with(".scorebook-view") => {}
                    path => {
                        let name = path.strip_prefix(&self.0).unwrap().to_string_lossy().into_owned();
                        found.insert(name, Digest::of(&std::fs::read(path).unwrap()));
                    }
                }
            }
        }
        found
    }

    fn entries(&self) -> u64 {
        std::fs::read_dir(self.warehouse().join("ledger")).unwrap().count() as u64
    }

    fn entry(&self, number: u64) -> Value {
        let bytes = std::fs::read(self.warehouse().join(format!("ledger/{number:06}.json"))).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// Something that needs what is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Nothing changed.
    Unchanged,
    /// The cache was deleted.
    WithoutSteps,
    /// The views were.
    WithoutViews,
    /// Another date.
    AnotherDay,
    /// A metric's SQL and a report's title were edited.
    Edited,
    /// The newest export of deals has other rows.
    Exported,
    /// A question; its output counts.
    Asked(Vec<String>),
}

impl Need {
    /// Whether much is made for it, which takes long.
    fn makes_much(&self) -> bool {
        matches!(self, Need::WithoutSteps | Need::AnotherDay | Need::Edited | Need::Exported)
    }
}

/// What a need leads to: what is sealed and shown, or what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    sealed: Option<[Value; 5]>,
    reports: BTreeMap<String, Digest>,
    said: String,
}

struct Company {
    usual: Project,
    edited: Project,
    exported: Project,
    sound: Place,
    /// What needs lead to where nothing is damaged.
    expected: BTreeMap<Need, Outcome>,
}

impl Company {
    fn new() -> Company {
        let new = || Project::generated(2, 13).formats(r#"["csv", "html"]"#);
        let (usual, edited, exported) = (new(), new(), new());
        edited.edit("queries/metrics/outcome/bookings.sql", |sql| {
            sql.replace("closed_as = 'won'", "closed_as IN ('won')")
        });
        edited.edit("report_templates/rep_scorecard/report.toml", |text| text.replace("title = \"", "title = \"The "));
        exported.edit(&format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv"), |text| {
            text.replacen("Closed Won", "Closed Lost", 1)
        });
        let sound = Place(usual.path("sound"));
        usual.withhold(LAST_NIGHT);
        let run = ["run", "--quiet"].map(String::from);
        sound.scorebook(&usual, &run).expect_code(0);
        usual.bring(LAST_NIGHT);
        sound.scorebook(&usual, &run).expect_code(0);
        Company { usual, edited, exported, sound, expected: BTreeMap::new() }
    }

    /// Does what needs the objects of a place, and says with which code it ended and what it led to.
    fn meet(&self, place: &Place, need: &Need) -> (i32, String, Outcome) {
        match need {
            Need::WithoutSteps => std::fs::remove_dir_all(place.warehouse().join("steps")).unwrap(),
            Need::WithoutViews => std::fs::remove_dir_all(place.0.join("reports")).unwrap(),
            _ => {}
        }
        let project = match need {
            Need::Edited => &self.edited,
            Need::Exported => &self.exported,
            _ => &self.usual,
        };
        let arguments: Vec<String> = match need {
            Need::AnotherDay => ["run", "--quiet", "--as-of", "2026-10-01"].map(String::from).to_vec(),
            Need::Asked(question) => question.clone(),
            _ => ["run", "--quiet"].map(String::from).to_vec(),
        };
        let said = place.scorebook(project, &arguments);
        let asked = matches!(need, Need::Asked(_));
        let count = place.entries();
        let sealed = (!asked && count > 2).then(|| {
            let entry = place.entry(count);
            ["model", "scores", "documents", "balance", "failures"].map(|part| entry[part].clone())
        });
        let reports = if asked { BTreeMap::new() } else { place.reports() };
        let outcome = Outcome { sealed, reports, said: if asked { said.stdout } else { String::new() } };
        (said.code, said.stderr, outcome)
    }

    /// What a need leads to where nothing is damaged.
    fn expected(&mut self, need: &Need) -> Outcome {
        if let Some(known) = self.expected.get(need) {
            return known.clone();
        }
        let place = self.sound.copied(&self.usual.path("whole"));
        let (code, stderr, outcome) = self.meet(&place, need);
        assert_eq!(code, 0, "{need:?}: {stderr}");
        self.expected.insert(need.clone(), outcome.clone());
        outcome
    }

    /// What needs an object: runs for the most part, and questions to the run that names it.
    fn needs(&self, path: &str) -> Vec<Need> {
        let parts: Vec<&str> = path.split('/').collect();
        let digest = parts[parts.len() - 1].split('.').next().unwrap();
        let text =
            |number: u64| std::fs::read_to_string(self.sound.warehouse().join(format!("ledger/{number:06}.json")));
        let run = if text(2).unwrap().contains(digest) { "2" } else { "1" };
        let sql = |from: String| {
            Need::Asked(
                ["sql", &format!("SELECT * FROM {from}"), "--run", run, "--format", "csv"].map(String::from).to_vec(),
            )
        };
        let asked = |words: &[&str]| Need::Asked(words.iter().map(|word| (*word).to_owned()).collect());
        match parts[0] {
            "raw" => vec![
                Need::WithoutSteps,
                Need::Exported,
                sql(format!("raw_{}_{}", parts[1], parts[2]).to_lowercase()),
                sql(format!("raw_{}_{}", parts[1], parts[2]).to_lowercase()),
            ],
            "rejects" => vec![Need::Unchanged, sql(format!("rejects_{}_{}", parts[1], parts[2]).to_lowercase())],
            "quarantine" => vec![Need::Unchanged, sql(format!("quarantine_{}", parts[1]))],
            "model" if parts[1].ends_with("__matches") => vec![Need::Unchanged, Need::Exported],
            "model" => vec![
                Need::Unchanged,
                Need::AnotherDay,
                Need::Edited,
                Need::Exported,
                sql(parts[1].to_owned()),
                asked(&["compare", "1", "2", "--format", "json"]),
                asked(&["sql", "SELECT * FROM facts_bookings", "--format", "csv", "--run", run]),
            ],
            "scores" => vec![
                Need::Unchanged,
                Need::AnotherDay,
                Need::Edited,
                sql(format!("scores WHERE metric = '{}'", parts[1])),
                asked(&["compare", "1", "2", "--format", "json"]),
            ],
            "documents" if path.ends_with(".json") => {
                let context = std::fs::read_to_string(self.sound.warehouse().join(path)).unwrap();
                let code = context.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
                let explain = code.map(|code| asked(&["explain", code, "--format", "json"]));
                [Need::Unchanged, Need::Exported].into_iter().chain(explain).collect()
            }
            "documents" => vec![Need::Unchanged, Need::WithoutViews, Need::WithoutSteps],
            "definitions" => vec![
                Need::Unchanged,
                asked(&["sql", "SELECT * FROM facts_bookings", "--format", "csv", "--run", run]),
                asked(&["compare", "1", "2", "--format", "json"]),
            ],
            "ledger" => vec![Need::Unchanged, asked(&["show", "2"]), sql("reps".into())],
            _ => vec![Need::Unchanged, Need::AnotherDay, Need::Edited, Need::Exported],
        }
    }
}

/// Changes one bit of a file, and leaves what is linked to it as it was.
fn flip(path: &Path, random: &mut Random) -> Vec<u8> {
    let sound = std::fs::read(path).unwrap();
    let mut damaged = sound.clone();
    let position = random.below(damaged.len());
    damaged[position] ^= 1 << random.below(8);
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, damaged).unwrap();
    sound
}

fn kind(random: &mut Random) -> &'static str {
    let mut at = random.below(KINDS.iter().map(|(_, weight)| weight).sum());
    for (kind, weight) in KINDS {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    unreachable!("a number below the sum of all weights")
}

#[test]
fn no_flipped_bit_gives_a_wrong_number() {
    let mut company = Company::new();
    let mut random = Random(1_000);
    let files: BTreeMap<&str, Vec<String>> =
        KINDS.iter().map(|(kind, _)| (*kind, company.usual.files(&format!("sound/warehouse/{kind}")))).collect();
    assert!(files.values().all(|files| !files.is_empty()));
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for round in 0..flips() {
        let kind = kind(&mut random);
        let path = format!("{kind}/{}", files[kind][random.below(files[kind].len())]);
        let (heavy, light): (Vec<Need>, Vec<Need>) = company.needs(&path).into_iter().partition(Need::makes_much);
        let is_heavy = light.is_empty() || (!heavy.is_empty() && random.below(HEAVY) == 0);
        let needs = if is_heavy { heavy } else { light };
        let need = &needs[random.below(needs.len())];
        let expected = company.expected(need);
        let place = company.sound.copied(&company.usual.path("damaged"));
        let file = place.warehouse().join(&path);
        let sound = flip(&file, &mut random);
        let (code, stderr, outcome) = company.meet(&place, need);
        let became = match code {
            0 => {
                assert!(outcome == expected, "round {round}: {path}, {need:?}: another outcome\n{stderr}");
                // A cache that was deleted is no damage, and what stands in it is made again.
                let healed = !file.exists() || std::fs::read(&file).unwrap() == sound;
                if healed { "made again" } else { "not needed" }
            }
            6 => {
                let sealed_otherwise = outcome.sealed.is_some() && outcome.sealed != expected.sealed;
                assert!(!sealed_otherwise, "round {round}: {path}, {need:?}: sealed another\n{stderr}");
                assert!(
                    outcome.said.is_empty(),
                    "round {round}: {path}, {need:?}: said something and failed\n{stderr}"
                );
                assert!(stderr.contains(&path), "round {round}: {path}, {need:?}: not named\n{stderr}");
                "refused"
            }
            _ => panic!("round {round}: {path}, {need:?}: exit code {code}\n{stderr}"),
        };
        *counted.entry((kind, became)).or_default() += 1;
        if round % 100 == 99 {
            eprintln!("{} of {} bits: {counted:?}", round + 1, flips());
        }
    }
    for ((kind, became), count) in &counted {
        eprintln!("{kind:<12} {became:<11} {count}");
    }
    assert!(counted.keys().any(|(_, became)| *became == "made again"));
    assert!(counted.keys().any(|(_, became)| *became == "refused"));
}

/// What the newest run needs and its exports still give is made again by a run, and told.
#[test]
fn a_run_heals_what_its_exports_still_give() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let sound = project.entry(1);
    let mut random = Random(3);
    for kind in ["raw", "rejects", "model", "quarantine", "scores", "documents", "definitions"] {
        for file in project.files(&format!("warehouse/{kind}")) {
            flip(&project.path(&format!("warehouse/{kind}/{file}")), &mut random);
        }
    }
    project.scorebook(&["verify"]).expect_code(6);
    let said = project.scorebook(&["run", "--quiet", "--rehash"]).expect_code(0);
    assert!(said.stderr.contains("had other bytes than were written"), "{}", said.stderr);
    project.scorebook(&["verify"]).expect_code(0);
    for part in ["model", "scores", "documents", "balance"] {
        assert_eq!(sound[part], project.entry(2)[part], "{part}");
    }
    let healed = project.run(&["--rehash"])["healed"].clone();
    assert_eq!(healed, Value::Array(Vec::new()));
}

/// Damage that nothing makes again is refused with the object, who reads it and the way out; also by those who only read.
#[test]
fn what_cannot_be_made_again_is_refused() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let csv = project.files("reports").into_iter().find(|file| file.ends_with(".csv")).unwrap();
    let printed = std::fs::read_to_string(project.path("reports").join(csv)).unwrap();
    let is_code = |word: &str| word.len() == 18 && word.matches('-').count() == 3 && word.contains('.');
    let code = printed.split([',', ';', '"', '\n']).find(|word| is_code(word)).unwrap().to_owned();
    project.scorebook(&["explain", &code]).expect_code(0);
    // A forged context, in canonical form, with another number.
    let bare = &code[..code.len() - 2];
    for file in project.files("warehouse/documents") {
        let path = project.path("warehouse/documents").join(&file);
        if file.ends_with(".json") && std::fs::read_to_string(&path).unwrap().contains(bare) {
            let forged = std::fs::read_to_string(&path).unwrap().replace("\"value\":\"", "\"value\":\"9");
            std::fs::write(&path, forged).unwrap();
        }
    }
    let said = project.scorebook(&["explain", &code]).expect_code(6);
    assert!(said.stdout.is_empty(), "{}", said.stdout);
    for words in ["documents/", "is damaged", "of run 1 prints", "`scorebook run` makes it again"] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    project.run(&[]);
    project.scorebook(&["explain", &code]).expect_code(0);
    // Scores of another run under the name of this one's.
    let digest = |number: u64| project.entry(number)["scores"]["bookings"]["digest"].as_str().unwrap().to_owned();
    project.run(&["--as-of", "2026-08-31"]);
    assert_ne!(digest(1), digest(3));
    let scores = |digest: &str| project.path(&format!("warehouse/scores/bookings/{digest}.parquet"));
    std::fs::copy(scores(&digest(3)), scores(&digest(1))).unwrap();
    let said = project.scorebook(&["sql", "SELECT COUNT(*) FROM scores", "--run", "1"]).expect_code(6);
    assert!(said.stdout.is_empty() && said.stderr.contains(&digest(1)), "{}{}", said.stdout, said.stderr);
    // An export's snapshot whose export is gone: what was known then cannot be made again.
    let raw = project.files("warehouse/raw").into_iter().find(|file| file.contains("Opportunity")).unwrap();
    flip(&project.path("warehouse/raw").join(&raw), &mut Random(4));
    std::fs::remove_dir_all(project.path("warehouse/steps")).unwrap();
    std::fs::remove_dir_all(project.path("sample_data/salesforce")).unwrap();
    let said = project.scorebook(&["run", "--quiet", "--known-at", "1"]).expect_code(6);
    assert!(said.stderr.contains(&raw) && said.stderr.contains("the stage `"), "{}", said.stderr);
    let said = project.scorebook(&["replay", "1", "--quiet"]).expect_code(6);
    assert!(said.stderr.contains(&raw) && said.stderr.contains("run 1 is replayed from it"), "{}", said.stderr);
}

/// A step that was renamed or edited is not believed: it is made again, and told.
#[test]
fn a_step_that_was_moved_or_edited_is_made_again() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let sound = project.entry(1);
    let scores = |step: &String| {
        let text = std::fs::read_to_string(project.path("warehouse/steps").join(step)).unwrap();
        text.contains("\"metric\":\"").then_some((project.path("warehouse/steps").join(step), text))
    };
    let steps: Vec<(PathBuf, String)> = project.files("warehouse/steps").iter().filter_map(scores).collect();
    let all: Vec<&str> = steps.iter().map(|(_, text)| text.as_str()).collect();
    // Each remembers what another one made; one names digests that there are not.
    for (i, (path, _)) in steps.iter().enumerate() {
        std::fs::write(path, all[(i + 1) % all.len()]).unwrap();
    }
    let digest = all[0].split("\"digest\":\"").nth(2).unwrap_or_default().get(..64).unwrap_or_default();
    std::fs::write(&steps[0].0, all[0].replace(digest, &"0".repeat(64))).unwrap();
    let said = project.scorebook(&["run", "--quiet"]).expect_code(0);
    assert!(said.stderr.contains("steps of the cache are not as this version writes them"), "{}", said.stderr);
    for part in ["model", "scores", "documents"] {
        assert_eq!(sound[part], project.entry(2)[part], "{part}");
    }
    assert_eq!(project.entry(2)["work"]["score"]["made"], steps.len());
    project.run(&[]);
    assert_eq!(project.entry(3)["work"]["score"]["made"], 0);
}
