//! `verify` beside a run, stopped at any moment and overtaken by seals: what continues the ledger is no reason for an alarm.

use crate::project::{LAST_NIGHT, Project, Random, link};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How many moments are tried: a few, and two hundred when somebody asks.
fn moments() -> usize {
    std::env::var("SCOREBOOK_MOMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Two states of a warehouse: before a night that has much to make, and before a seal that has nothing to make.
struct Beside {
    project: Project,
    head: String,
}

impl Beside {
    fn new() -> Beside {
        let project = Project::generated(2, 13).formats(r#"["csv"]"#);
        project.withhold(LAST_NIGHT);
        let head = project.run(&[])["ledger"]["head"].as_str().unwrap().to_owned();
        project.bring(LAST_NIGHT);
        link(&project.path("warehouse"), &project.path("before/much"));
        project.run(&[]);
        project.run(&[]);
        // What the last two runs made is there, and named by no entry.
        link(&project.path("warehouse"), &project.path("before/nothing"));
        for number in [2, 3] {
            std::fs::remove_file(project.path(&format!("before/nothing/ledger/{number:06}.json"))).unwrap();
        }
        Beside { project, head }
    }

    fn restore(&self, state: &str) {
        std::fs::remove_dir_all(self.project.path("warehouse")).unwrap();
        link(&self.project.path("before").join(state), &self.project.path("warehouse"));
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.project.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn verify(&self) -> Child {
        self.start(&["verify", "--quiet", "--expect-head", &self.head])
    }

    /// What `verify` says in the end: no alarm, and where the head stands that it was asked for.
    fn expect_calm(&self, verify: Child, round: usize, what: &str) {
        let output = verify.wait_with_output().unwrap();
        let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "round {round}, {what}: {said}{told}");
        assert!(said.contains("the expected head is entry 1 of "), "round {round}, {what}: {said}");
    }
}

/// Sends a signal; says whether the process was there to take it.
fn signal(name: &str, child: &Child) -> bool {
    let sent = std::process::Command::new("kill").args([name, &child.id().to_string()]).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

#[test]
fn verify_beside_a_run_gives_no_alarm() {
    let beside = Beside::new();
    let timed = |state: &str, work: &mut dyn FnMut()| {
        beside.restore(state);
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let verifying = timed("nothing", &mut || beside.expect_calm(beside.verify(), 0, "alone"));
    let running = timed("much", &mut || drop(beside.project.run(&[])));
    let mut random = Random(200);
    let mut stopped = 0;
    for round in 0..moments() {
        let part = random.below(1000) as f64 / 1000.0;
        if round % 2 == 0 {
            // `verify` is stopped, and one or more runs seal meanwhile.
            beside.restore(if round % 8 == 0 { "much" } else { "nothing" });
            let verify = beside.verify();
            std::thread::sleep(verifying.mul_f64(part));
            stopped += usize::from(signal("-STOP", &verify));
            (0..=random.below(3)).for_each(|_| drop(beside.project.run(&[])));
            signal("-CONT", &verify);
            beside.expect_calm(verify, round, "stopped");
        } else {
            // A run is at any of its stages while `verify` reads.
            beside.restore("much");
            let run = beside.start(&["run", "--quiet"]);
            std::thread::sleep(running.mul_f64(part));
            beside.expect_calm(beside.verify(), round, "beside");
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    eprintln!("{stopped} of {} were stopped, and overtaken", moments().div_ceil(2));
    assert!(stopped > 0);
}
