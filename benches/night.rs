//! What a night costs: memory for ten times the documents, and time for a night without news, each as a ratio of two
//! runs of this same program on this same machine.
//!
//! `cargo bench` compares 200 documents with 2,000; `cargo test --benches` does it with a few, to see that it works.

#![expect(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark measures")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a command took.
struct Cost {
    time: Duration,
    peak_kib: u64,
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (few, many) = if full { (200, 2000) } else { (2, 8) };
    let (small, large) = (Company::new(few), Company::new(many));
    println!("{:<34} {:>12} {:>12} {:>8}", "", format!("{few} reps"), format!("{many} reps"), "ratio");
    let (first_small, first_large) = (small.run(), large.run());
    print("peak memory of a first run, MiB", &first_small, &first_large, memory);
    print("time of a first run, s", &first_small, &first_large, seconds);
    let (second_small, second_large) = (small.run(), large.run());
    print("time of a run without news, s", &second_small, &second_large, seconds);
    small.change_the_theme();
    large.change_the_theme();
    let (render_small, render_large) = (small.run(), large.run());
    print("peak memory of rendering all, MiB", &render_small, &render_large, memory);
    print("time of rendering all, s", &render_small, &render_large, seconds);
    println!(
        "{:<34} {:>12.3} {:>12.3}",
        "without news / first run",
        part(&second_small, &first_small),
        part(&second_large, &first_large)
    );
}

fn memory(cost: &Cost) -> f64 {
    cost.peak_kib as f64 / 1024.0
}

fn seconds(cost: &Cost) -> f64 {
    cost.time.as_secs_f64()
}

fn part(of: &Cost, whole: &Cost) -> f64 {
    seconds(of) / seconds(whole)
}

fn print(what: &str, small: &Cost, large: &Cost, get: fn(&Cost) -> f64) {
    println!("{what:<34} {:>12.1} {:>12.1} {:>8.2}", get(small), get(large), get(large) / get(small));
}

/// A project with generated exports.
struct Company {
    folder: tempfile::TempDir,
}

impl Company {
    fn new(reps: u32) -> Company {
        let company = Company { folder: tempfile::tempdir().unwrap() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["scorebook.toml", "queries", "report_templates"] {
            copy(&root.join(part), &company.folder.path().join(part));
        }
        let exports = company.folder.path().join("sample_data");
        let (reps, exports) = (reps.to_string(), exports.to_str().unwrap().to_owned());
        let mut sample = Command::new(env!("CARGO_BIN_EXE_scorebook"));
        sample.args(["sample", &exports, "--reps", &reps, "--months", "13", "--activities", "2"]);
        assert!(sample.stdout(Stdio::null()).status().unwrap().success());
        company
    }

    /// Makes every document different from before, and nothing else.
    fn change_the_theme(&self) {
        let path = self.folder.path().join("report_templates/theme/theme.typ");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text + "\n// changed\n").unwrap();
    }

    /// Runs the nightly job, and watches how much memory it has had at most.
    fn run(&self) -> Cost {
        let mut run = Command::new(env!("CARGO_BIN_EXE_scorebook"));
        run.arg("--project").arg(self.folder.path()).args(["run", "--quiet"]).stdout(Stdio::null());
        let start = Instant::now();
        let mut child = run.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0;
        let ended = loop {
            // The high-water mark itself only rises: looking often enough is enough.
            let seen = std::fs::read_to_string(&status).ok().and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
                line.split_whitespace().nth(1)?.parse().ok()
            });
            peak_kib = peak_kib.max(seen.unwrap_or(0));
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(ended.success());
        Cost { time: start.elapsed(), peak_kib }
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}
