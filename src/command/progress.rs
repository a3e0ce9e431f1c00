//! Progress on stderr: a line per stage when it is done, and on a terminal what is being worked on.

use crate::at_work;
use crate::command::output::{printable, tell};
use crate::run_context::Event;
use crate::steps::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A stage as it went.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What it made and found.
    pub counts: Counts,
}

/// Follows a run.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    state: Mutex<State>,
}

struct State {
    since: Instant,
    name: &'static str,
    stages: Vec<Stage>,
}

impl Progress {
    /// Follows a run, silently if `quiet`.
    pub fn new(quiet: bool) -> Progress {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Progress { bar, quiet, state: Mutex::new(State { since: instant(), name: "", stages: Vec::new() }) }
    }

    /// Takes an event.
    pub fn tell(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Begin(name) => {
                (state.since, state.name) = (instant(), name);
                at_work::stage(name);
                self.bar.set_message(name);
            }
            Event::Item(item) => {
                at_work::item(&printable(item));
                self.bar.set_message(format!("{:<7} {}", state.name, printable(item)));
                self.bar.tick();
            }
            Event::End(name, counts) => {
                let took = state.since.elapsed();
                at_work::stage("");
                state.stages.push(Stage { name, took, counts });
                if !self.quiet {
                    self.bar.suspend(|| tell(&line(name, counts, took)));
                }
            }
        }
    }

    /// Clears the terminal, and gives the stages.
    pub fn finish(&self) -> Vec<Stage> {
        self.bar.finish_and_clear();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stages.clone()
    }
}

/// `render   24 documents made, 0 as they were   3.2 s`
fn line(name: &str, counts: Counts, took: Duration) -> String {
    let what = match (name, counts.made) {
        ("check", 0) => "no warnings".to_owned(),
        ("check", 1) => "1 warning".to_owned(),
        ("check", n) => format!("{n} warnings"),
        (_, made) => {
            let things = match name {
                "land" => "exports",
                "stage" => "tables",
                "score" => "metrics",
                _ => "documents",
            };
            let verb = match name {
                "land" => "landed",
                "stage" => "staged",
                "score" => "scored",
                _ => "rendered",
            };
            format!("{made} {things} {verb}, {} as they were", counts.reused)
        }
    };
    format!("{name:<7} {what:<44} {:>7.1} s", took.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "to tell how long a stage took")]
fn instant() -> Instant {
    Instant::now()
}
