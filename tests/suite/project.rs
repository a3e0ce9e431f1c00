//! A sealed test environment: a project in a temporary folder, and the program run in it with an empty environment.

use scorebook::domain::{digest::Digest, json};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The last night of the sample company, and the date of its runs.
pub const LAST_NIGHT: &str = "2026-09-30";
/// All nights of the sample company.
pub const NIGHTS: [&str; 3] = ["2026-09-28", "2026-09-29", LAST_NIGHT];

/// A project in a folder of its own.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// The definitions of this repository, and no exports.
    pub fn empty() -> Project {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["scorebook.toml", "queries", "report_templates"] {
            copy(&root.join(part), &project.path(part));
        }
        project
    }

    /// With the exports of this repository.
    pub fn sample() -> Project {
        let project = Project::empty();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data"), &project.path("sample_data"));
        project
    }

    /// With the exports of a generated company.
    pub fn generated(reps: u32, months: u32) -> Project {
        let project = Project::empty();
        let options = scorebook::sample::Options { reps, months, activities: 4, ..Default::default() };
        scorebook::sample::generate(&options, &mut |name, bytes| {
            let path = project.path("sample_data").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
            Ok(())
        })
        .unwrap();
        project
    }

    /// Prints in these formats only.
    pub fn formats(self, formats: &str) -> Project {
        for report in ["rep_scorecard", "team_review", "board_pack"] {
            self.edit(&format!("report_templates/{report}/report.toml"), |text| {
                text.replace(r#"formats = ["pdf", "html", "csv"]"#, &format!("formats = {formats}"))
            });
        }
        self
    }

    /// Without the reports on teams and the company.
    pub fn for_reps(self) -> Project {
        for report in ["team_review", "board_pack"] {
            std::fs::remove_dir_all(self.path("report_templates").join(report)).unwrap();
        }
        self
    }

    /// A path in the project.
    pub fn path(&self, within: &str) -> PathBuf {
        self.folder.path().join(within)
    }

    /// Takes a night's exports of all sources away, as if they were still to come.
    pub fn withhold(&self, night: &str) {
        self.move_night(night, "sample_data", "later");
    }

    /// Brings the exports of a night that were withheld.
    pub fn bring(&self, night: &str) {
        self.move_night(night, "later", "sample_data");
    }

    fn move_night(&self, night: &str, from: &str, to: &str) {
        let sources = std::fs::read_dir(self.path(from)).unwrap().flatten();
        // Not every folder is a source's: one has exports that are broken on purpose.
        for source in sources.filter(|source| source.path().join(night).is_dir()) {
            let to = self.path(to).join(source.file_name());
            std::fs::create_dir_all(&to).unwrap();
            std::fs::rename(source.path().join(night), to.join(night)).unwrap();
        }
    }

    /// Changes a file, which must differ afterwards.
    pub fn edit(&self, within: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(within);
        let before = std::fs::read(&path).unwrap();
        // Some exports are not UTF-8 on purpose; what is edited keeps those bytes.
        let text: String = before.iter().map(|byte| char::from(*byte)).collect();
        let text = match String::from_utf8(before.clone()) {
            Ok(text) => change(text).into_bytes(),
            Err(_) => change(text).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        };
        assert_ne!(text, before, "{within} was not changed");
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file.
    pub fn write(&self, within: &str, text: &str) {
        let path = self.path(within);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The program in this project, with an empty environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scorebook"));
        command.env_clear().arg("--project").arg(self.folder.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Writes a metric and its test, and runs it.
    pub fn test_metric(&self, id: &str, metric: &str, case: &str) {
        self.write(&format!("queries/metrics/outcome/{id}.sql"), metric);
        self.write(&format!("queries/tests/{id}.toml"), case);
        self.scorebook(&["test", id]).expect_code(0);
    }

    /// Runs the program.
    pub fn scorebook(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program with variables in its environment.
    pub fn scorebook_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).envs(environment.iter().copied()).output().unwrap())
    }

    /// Runs the nightly job, which must succeed, and gives its report.
    pub fn run(&self, arguments: &[&str]) -> Value {
        let arguments = [&["run", "--quiet", "--format", "json"], arguments].concat();
        let said = self.scorebook(&arguments).expect_code(0);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// A run's ledger entry.
    pub fn entry(&self, number: u64) -> Value {
        let bytes = std::fs::read(self.path(&format!("warehouse/ledger/{number:06}.json"))).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Changes a run's ledger entry, and gives it the hash that it then has: a forgery that no digest tells of.
    pub fn forge_entry(&self, number: u64, change: impl FnOnce(&mut Value)) {
        let mut entry = self.entry(number);
        change(&mut entry);
        entry.as_object_mut().unwrap().remove("hash");
        entry["hash"] = Digest::of(json::canonical(&entry).as_bytes()).to_string().into();
        self.write(&format!("warehouse/ledger/{number:06}.json"), &json::canonical(&entry));
    }

    /// All files under a folder, as paths within it, sorted.
    pub fn files(&self, within: &str) -> Vec<String> {
        let root = self.path(within);
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => found.push(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned()),
                }
            }
        }
        found.sort();
        found
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said::of(output)
    }
}

impl Said {
    /// What a process said until it ended.
    pub fn of(output: Output) -> Said {
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Said {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Copies a file or a folder.
pub fn copy(from: &Path, to: &Path) {
    each_file(from, to, |from, to| std::fs::copy(from, to).map(drop));
}

/// Links a file or a folder's files: a copy for whoever replaces files and changes none in place.
pub fn link(from: &Path, to: &Path) {
    each_file(from, to, |from, to| std::fs::hard_link(from, to));
}

/// Makes the folders of a tree anew elsewhere, and each of its files with `make`.
fn each_file(from: &Path, to: &Path, make: fn(&Path, &Path) -> std::io::Result<()>) {
    if !from.is_dir() {
        return make(from, to).unwrap();
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        each_file(&entry.path(), &to.join(entry.file_name()), make);
    }
}

/// Whether the tools that some tests need are installed; says so if not.
pub fn tools(test: &str) -> bool {
    let there = std::env::var("SCOREBOOK_TEST_TOOLS").is_ok_and(|value| value == "1");
    if !there {
        eprintln!("{test}: skipped in part: it needs pdftotext and Chromium (SCOREBOOK_TEST_TOOLS=1)");
    }
    there
}

/// Numbers that are the same in every run of the tests: SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}
