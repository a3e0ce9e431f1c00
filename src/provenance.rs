//! Which programs make a run, told apart to the build.

use crate::domain::digest::Digest;
use crate::engine;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;

/// The typesetter's name and version, part of every PDF's key.
pub const TYPESETTER: &str = "typst 0.15.1";

/// The programs that made a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Scorebook's version.
    pub scorebook: String,
    /// Its build; runs of before that was recorded have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The engine's version.
    pub engine: String,
    /// The typesetter's.
    pub typesetter: String,
}

/// What tells two builds of a version apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The commit; `unknown` if the source had no git, and with the word `changed` if it was not as the commit has it.
    pub commit: String,
    /// The digest of `Cargo.lock`: which version of each dependency.
    pub lock: Digest,
    /// `debug` or `release`.
    pub profile: String,
}

impl Program {
    /// The programs at work.
    pub fn at_work() -> Program {
        let build = Build {
            commit: env!("SCOREBOOK_COMMIT").into(),
            lock: Digest::of(include_bytes!("../Cargo.lock")),
            profile: env!("SCOREBOOK_PROFILE").into(),
        };
        Program {
            scorebook: env!("CARGO_PKG_VERSION").into(),
            build: Some(build),
            engine: engine::VERSION.into(),
            typesetter: TYPESETTER.into(),
        }
    }
}

/// Version and build: `0.1.0 (release of 5b0c7d1e2f3a, lock 91ab03c4d5e6)`.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scorebook)?;
        let Some(Build { commit, lock, profile }) = &self.build else { return Ok(()) };
        let (commit, changed) = commit.split_once(',').unwrap_or((commit, ""));
        let short: String = commit.chars().take(12).collect();
        write!(f, " ({profile} of {short}{changed}, lock {})", &lock.to_string()[..12])
    }
}

/// What `--version` says.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| Program::at_work().to_string());
    &VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_told_by_commit_lock_and_profile() {
        let mut program = Program::at_work();
        let build = program.build.as_mut().unwrap();
        (build.commit, build.profile) = ("5b0c7d1e2f3a4b5c, changed".into(), "release".into());
        let lock = build.lock.to_string();
        assert_eq!(program.to_string(), format!("0.1.0 (release of 5b0c7d1e2f3a changed, lock {})", &lock[..12]));
        program.build = None;
        assert_eq!(program.to_string(), "0.1.0");
        let before: Program =
            serde_json::from_str(r#"{"scorebook":"0.1.0","engine":"datafusion","typesetter":"typst"}"#).unwrap();
        assert_eq!(before.build, None);
        assert!(!serde_json::to_string(&before).unwrap().contains("build"));
    }
}
