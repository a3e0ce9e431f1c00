//! One byte changed in any stored object: `verify` notices and names it.

use crate::project::{Project, Random};
use scorebook::domain::{digest::Digest, json};
use serde_json::Value;

#[test]
fn one_flipped_byte_is_found_and_named() {
    let project = Project::generated(3, 13).formats(r#"["html", "csv", "pdf"]"#);
    project.run(&[]);
    project.run(&[]);
    project.scorebook(&["verify"]).expect_code(0);
    let mut random = Random(7);
    for kind in ["raw", "rejects", "model", "quarantine", "scores", "documents", "definitions", "ledger"] {
        let files = project.files(&format!("warehouse/{kind}"));
        assert!(!files.is_empty(), "no {kind}");
        for _ in 0..4 {
            let name = format!("{kind}/{}", files[random.below(files.len())]);
            let path = project.path(&format!("warehouse/{name}"));
            let sound = std::fs::read(&path).unwrap();
            let mut damaged = sound.clone();
            let position = random.below(damaged.len());
            damaged[position] ^= 1 << random.below(8);
            std::fs::write(&path, &damaged).unwrap();
            let said = project.scorebook(&["verify"]);
            assert_eq!(said.code, 6, "{name}, byte {position}: {}{}", said.stdout, said.stderr);
            assert!(said.stderr.contains(&name), "{name}, byte {position}: {}", said.stderr);
            std::fs::write(&path, sound).unwrap();
        }
    }
    project.scorebook(&["verify"]).expect_code(0);
}

/// An object without bytes, or without a file, is no table without rows; and what never ends is not waited for.
#[test]
fn what_is_emptied_or_no_file_is_damage_and_no_answer() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let entry = project.entry(1);
    let object = |folder: &str, table: &serde_json::Value| {
        project.path(&format!("warehouse/{folder}/{}.parquet", table["digest"].as_str().unwrap()))
    };
    let scores = object("scores/bookings", &entry["scores"]["bookings"]);
    let deals = object("model/opportunities", &entry["model"]["opportunities"]);
    let sum = "SELECT SUM(value) AS v FROM scores WHERE metric = 'bookings'";
    let count = "SELECT COUNT(*) AS n FROM opportunities";
    for (object, question) in [(&scores, sum), (&deals, count)] {
        let sound = std::fs::read(object).unwrap();
        let spoiled: [(&str, &dyn Fn()); 4] = [
            ("emptied", &|| std::fs::write(object, "").unwrap()),
            ("gone", &|| {}),
            ("a folder", &|| std::fs::create_dir(object).unwrap()),
            ("a pipe", &|| {
                #[cfg(unix)]
                assert!(std::process::Command::new("mkfifo").arg(object).status().unwrap().success());
            }),
        ];
        for (what, spoil) in spoiled {
            std::fs::remove_file(object).unwrap();
            spoil();
            for command in [vec!["sql", question], vec!["verify"]] {
                let said = project.scorebook(&command);
                assert_eq!(said.code, 6, "{what}, {command:?}: {}{}", said.stdout, said.stderr);
            }
            // Writing to a pipe would wait for a reader.
            let _ = std::fs::remove_dir(object).or_else(|_| std::fs::remove_file(object));
            std::fs::write(object, &sound).unwrap();
        }
        project.scorebook(&["sql", question]).expect_code(0);
    }
}

#[test]
fn what_is_missing_forged_or_left_over_is_told() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    let head = project.run(&[])["ledger"]["head"].as_str().unwrap().to_owned();
    let said = project.scorebook(&["verify", "--expect-head", &head]).expect_code(0);
    assert!(said.stdout.contains("the expected head is entry 1 of 1, the newest"), "{}", said.stdout);
    project.run(&[]);
    let said = project.scorebook(&["verify", "--expect-head", &head]).expect_code(0);
    assert!(said.stdout.contains("the expected head is entry 1 of 2; 1 entry follows it"), "{}", said.stdout);
    let said = project.scorebook(&["verify", "--expect-head", &head, "--format", "json"]).expect_code(0);
    assert!(said.stderr.contains("entry 1 of 2"), "{}", said.stderr);
    let other = Digest::of(b"another ledger").to_string();
    for wrong in [other.as_str(), &head[..63], ""] {
        let said = project.scorebook(&["verify", "--expect-head", wrong]).expect_code(6);
        assert!(said.stdout.contains("it does not hold the expected head"), "{}", said.stdout);
    }
    // A tail that was taken away: the chain holds, but not up to the head that is kept elsewhere.
    let second = project.path("warehouse/ledger/000002.json");
    let taken = std::fs::read(&second).unwrap();
    let newest = project.entry(2)["hash"].as_str().unwrap().to_owned();
    std::fs::remove_file(&second).unwrap();
    project.scorebook(&["verify"]).expect_code(0);
    project.scorebook(&["verify", "--expect-head", &newest]).expect_code(6);
    std::fs::write(&second, taken).unwrap();
    // A file that nothing names.
    project.write("warehouse/scores/bookings/forged.parquet", "not a score");
    let said = project.scorebook(&["verify"]).expect_code(6);
    assert!(said.stdout.contains("scores/bookings/forged.parquet"), "{}", said.stdout);
    std::fs::remove_file(project.path("warehouse/scores/bookings/forged.parquet")).unwrap();
    // What a killed writer leaves is told and does no harm.
    project.write("warehouse/scores/bookings/abc.parquet#1", "half a sco");
    let said = project.scorebook(&["verify"]).expect_code(0);
    assert!(said.stdout.contains("1 unfinished file"), "{}", said.stdout);
}

/// What carries the right digests and was never made of its inputs: only who makes it again can tell.
#[test]
fn a_sample_made_again_finds_a_forgery_that_no_digest_tells_of() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.run(&[]);
    let said = project.scorebook(&["verify", "--deep", "--quiet"]).expect_code(0);
    assert!(said.stdout.contains("steps of run 1, a sample, were made again"), "{}", said.stdout);
    assert!(said.stdout.contains("only `scorebook replay 1` makes all of them again"), "{}", said.stdout);
    let again = |said: &str| -> usize {
        let line = said.lines().find(|line| line.contains("a sample")).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    };
    let few = project.scorebook(&["verify", "--deep", "--sample", "1", "--quiet"]).expect_code(0);
    assert!(again(&few.stdout) < again(&said.stdout), "{}{}", few.stdout, said.stdout);
    // Without the cache all of it is made again, and the cache stays away.
    let all = project.path("all_steps");
    std::fs::rename(project.path("warehouse/steps"), &all).unwrap();
    let said = project.scorebook(&["verify", "--deep", "--quiet"]).expect_code(0);
    assert!(again(&said.stdout) > 100, "{}", said.stdout);
    assert!(!project.path("warehouse/steps").exists());
    std::fs::rename(all, project.path("warehouse/steps")).unwrap();
    // Another table of scores under its own right digest, named by the entry and by the step that should have made it.
    let entry = project.entry(1);
    let digest = |metric: &str| entry["scores"][metric]["digest"].as_str().unwrap().to_owned();
    let (sound, forged) = (digest("bookings"), digest("emails_sent"));
    let place = |metric: &str, digest: &str| project.path(&format!("warehouse/scores/{metric}/{digest}.parquet"));
    std::fs::copy(place("emails_sent", &forged), place("bookings", &forged)).unwrap();
    project.forge_entry(1, |entry| entry["scores"]["bookings"]["digest"] = forged.clone().into());
    for file in project.files("warehouse/steps") {
        let path = format!("warehouse/steps/{file}");
        let mut step: Value = serde_json::from_slice(&std::fs::read(project.path(&path)).unwrap()).unwrap();
        if step["made"]["table"]["digest"] == sound.as_str() {
            step["made"]["table"]["digest"] = forged.clone().into();
            let bound = json::canonical(&(&step["key"], &step["made"]));
            step["digest"] = Digest::of(bound.as_bytes()).to_string().into();
            project.write(&path, &json::canonical(&step));
        }
    }
    project.scorebook(&["verify"]).expect_code(0);
    let said = project.scorebook(&["verify", "--deep", "--sample", "1000", "--quiet"]).expect_code(6);
    assert!(said.stdout.contains("scores bookings") && said.stdout.contains(&sound[..16]), "{}", said.stdout);
    assert!(said.stderr.contains("does not replay"), "{}", said.stderr);
}
