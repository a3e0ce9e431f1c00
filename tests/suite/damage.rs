//! One byte changed in any stored object: `verify` notices and names it.

use crate::project::{Project, Random};

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

#[test]
fn what_is_missing_forged_or_left_over_is_told() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    let head = project.run(&[])["ledger"]["head"].as_str().unwrap().to_owned();
    project.scorebook(&["verify", "--expect-head", &head]).expect_code(0);
    project.run(&[]);
    project.scorebook(&["verify", "--expect-head", &head]).expect_code(6);
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
