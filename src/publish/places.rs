//! The folders to which a run writes: looked at before any work, since each of them is kept as if nothing else stood there.

use crate::access::{Access, Room};
use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::settings::Paths;
use std::path::{Component, Path, PathBuf};

/// The folder of reports of runs that were to know less than there was.
pub const KNOWN_AT: &str = "known_at";

/// A folder, and who named it.
#[derive(Clone, Debug)]
pub struct Named {
    /// As it was named.
    pub path: PathBuf,
    /// The setting, which is the flag's name too.
    setting: &'static str,
    /// Whether a flag or the environment named it, and not the settings.
    by_flag: bool,
}

impl Named {
    /// The folder of a flag, or else that of a setting within the project.
    pub fn of(setting: &'static str, flag: Option<&PathBuf>, project: &Path, in_settings: &str) -> Named {
        Named { path: flag.cloned().unwrap_or_else(|| project.join(in_settings)), setting, by_flag: flag.is_some() }
    }

    /// Says who has to act on a folder that cannot be taken: whoever called, or whoever wrote the settings.
    pub fn blame(&self, mut error: Box<Diagnostic>) -> Box<Diagnostic> {
        if error.kind == Kind::Project {
            error.kind = if self.by_flag { Kind::Usage } else { Kind::Project };
            if !self.by_flag {
                return error.at(Place::file(crate::project::SETTINGS));
            }
        }
        error
    }
}

/// The warehouse's folder, that of the reports and that of the site.
#[derive(Clone, Debug)]
pub struct Folders {
    /// In this order.
    pub named: [Named; 3],
    /// Who may read each.
    pub access: [Access; 3],
    /// Whether the project has a site.
    pub has_site: bool,
}

impl Folders {
    /// The folders that flags and settings name.
    pub fn of(named: [Named; 3], paths: &Paths, has_site: bool) -> Folders {
        let access = |room| if paths.group_readable.contains(&room) { Access::Group } else { Access::Owner };
        let access = [access(Room::Warehouse), access(Room::Reports), access(Room::Site)];
        Folders { named, access, has_site }
    }

    /// Refuses folders of which one is, or is within, another.
    ///
    /// # Errors
    /// Two of them overlap, by whatever names: through links, `..`, or where the file system does not tell case apart.
    pub fn check(&self) -> Result<()> {
        let resolved: Vec<PathBuf> = self.named.iter().map(|named| resolved(&named.path)).collect();
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            if (j == 2 && !self.has_site) || !overlap(&resolved[i], &resolved[j]) {
                continue;
            }
            let (one, other) = (&self.named[i], &self.named[j]);
            let blamed = if other.by_flag { other } else { one };
            let error = Diagnostic::project(format!("the folders for {} and {} overlap", one.setting, other.setting))
                .note(format!("{} is {}", one.setting, resolved[i].display()))
                .note(format!("{} is {}", other.setting, resolved[j].display()))
                .help("give each a folder of its own, none within another: what a run writes to one would be foreign to the other");
            return Err(blamed.blame(error));
        }
        Ok(())
    }
}

fn overlap(one: &Path, other: &Path) -> bool {
    // Folders that differ in case alone are one on many a disk, and who names two so means no good by it anywhere.
    let folded = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    let (one, other) = (folded(one), folded(other));
    one.starts_with(&other) || other.starts_with(&one)
}

/// Where a path leads once it exists: as far as it exists with its links followed, and the rest as it is written.
fn resolved(path: &Path) -> PathBuf {
    let mut place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest = Vec::new();
    // `..` behind what does not exist yet takes the name before it away.
    let found = loop {
        match place.canonicalize() {
            Ok(found) => break found,
            Err(_) => match place.components().next_back() {
                Some(part @ (Component::Normal(_) | Component::ParentDir | Component::CurDir)) => {
                    rest.push(part.as_os_str().to_owned());
                    place.pop();
                }
                _ => break place,
            },
        }
    };
    rest.into_iter().rev().fold(found, |mut found, part| {
        match part.to_str() {
            Some("..") => {
                found.pop();
            }
            Some(".") => {}
            _ => found.push(part),
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(project: &Path, warehouse: &str, reports: &str, site: &str) -> Result<()> {
        let named = [("warehouse", warehouse), ("reports", reports), ("site", site)]
            .map(|(setting, path)| Named::of(setting, None, project, path));
        Folders::of(named, &Paths::default(), true).check()
    }

    #[test]
    fn folders_that_overlap_by_whatever_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path();
        std::fs::create_dir_all(project.join("real/inner")).unwrap();
        check(project, "warehouse", "reports", "site").unwrap();
        check(project, "out/warehouse", "out/reports", "out/reports_too").unwrap();
        let mut faults = vec![
            ("warehouse", "out", "out"),
            ("warehouse", "public/reports", "public"),
            ("warehouse", "reports", "warehouse/site"),
            ("data/warehouse", "data", "site"),
            ("warehouse", ".", "site"),
            ("warehouse", "out", "new/../out"),
            ("warehouse", "out", "./out/"),
            ("warehouse", "Out", "out/site"),
        ];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(project.join("real"), project.join("link")).unwrap();
            faults.extend([("warehouse", "real", "link"), ("warehouse", "link/inner/new", "real/inner")]);
        }
        for (warehouse, reports, site) in faults {
            let error = check(project, warehouse, reports, site).unwrap_err();
            assert_eq!(error.kind, Kind::Project, "{warehouse} {reports} {site}");
            assert!(error.message.contains("overlap"), "{}", error.message);
        }
    }

    #[test]
    fn whoever_named_the_folder_has_to_act() {
        let project = Path::new("/project");
        let flag = PathBuf::from("/project/warehouse");
        let named = [
            Named::of("warehouse", None, project, "warehouse"),
            Named::of("reports", Some(&flag), project, "reports"),
            Named::of("site", None, project, "site"),
        ];
        assert_eq!(Folders::of(named, &Paths::default(), true).check().unwrap_err().kind, Kind::Usage);
    }
}
