use super::*;

#[test]
fn write_out() {
    if let Ok(to) = std::env::var("SAMPLE_TO") {
        let n = |v: &str, d: u32| std::env::var(v).ok().and_then(|x| x.parse().ok()).unwrap_or(d);
        let d = Options::default();
        let o = Options { reps: n("REPS", d.reps), months: n("MONTHS", d.months), activities: n("ACT", d.activities), seed: n("SEED", 1) as u64 };
        let t = std::time::Instant::now();
        generate(&o, &mut |path, bytes| {
            let p = std::path::Path::new(&to).join(path);
            std::fs::create_dir_all(p.parent().unwrap()).unwrap();
            std::fs::write(p, bytes).unwrap();
            eprintln!("{path} {} {:?}", bytes.len(), t.elapsed());
            Ok(())
        }).unwrap();
    }
}
