//! Tells the program from which commit it is built, so that two builds of one version do not look alike.

use std::path::Path;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script all it knows by the environment")]
fn main() {
    println!("cargo::rerun-if-env-changed=SCOREBOOK_COMMIT");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let commit = std::env::var("SCOREBOOK_COMMIT").ok().filter(|commit| !commit.is_empty()).or_else(of_git);
    println!("cargo::rustc-env=SCOREBOOK_COMMIT={}", commit.unwrap_or_else(|| "unknown".into()));
    println!("cargo::rustc-env=SCOREBOOK_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}

/// The commit of this very folder, if it has its own: the one of a folder above it is another project's.
fn of_git() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let head = git(&["rev-parse", "HEAD"])?;
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        println!("cargo::rerun-if-changed={path}");
    }
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.toml", "Cargo.lock"])?;
    Some(if changed.is_empty() { head } else { format!("{head}, changed") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
