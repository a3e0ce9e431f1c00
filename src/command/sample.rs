//! `scorebook sample`: deterministic exports of a made-up company.

use crate::cli::SampleArgs;
use crate::command::output;
use crate::diagnostic::{Diagnostic, Result};
use crate::sample::{Options, generate};

pub(super) fn sample(args: SampleArgs) -> Result<()> {
    let default = Options::default();
    let options = Options {
        reps: args.reps.unwrap_or(default.reps),
        months: args.months.unwrap_or(default.months),
        activities: args.activities.unwrap_or(default.activities),
        seed: args.seed.unwrap_or(default.seed),
    };
    let (mut files, mut size) = (0, 0);
    generate(&options, &mut |name, bytes| {
        let path = args.dir.join(name);
        let folder = path.parent().unwrap_or(&args.dir);
        let write = || std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, bytes));
        write().map_err(|error| Diagnostic::usage(format!("cannot write {}: {error}", path.display())))?;
        (files, size) = (files + 1, size + bytes.len());
        Ok(())
    })?;
    let megabytes = size as f64 / 1e6;
    output::write(&format!("{files} exports, {megabytes:.1} MB, in {}\n", args.dir.display()))
}
