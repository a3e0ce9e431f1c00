use super::*;

/// The hook is one for the process, and so are these tests.
static ONE: Mutex<()> = Mutex::new(());

fn quiet<T>(test: impl FnOnce() -> T) -> T {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::panic::take_hook();
    set_hook(Box::new(|panic| {
        // Other tests of this process may panic on purpose at the same time.
        if panic.payload_as_str().is_some_and(|message| message.starts_with("on purpose")) {
            notice(panic);
        }
    }));
    let result = test();
    take(Vec::clear);
    set_hook(before);
    result
}

#[test]
fn a_panic_is_told_as_our_fault_with_what_was_at_work() {
    let error = quiet(|| catch::<()>(|| panic!("on purpose: index 3\nof 2")).unwrap_err());
    assert_eq!(error.kind.exit_code(), 1);
    let text = error.to_string();
    assert!(text.starts_with("error: Scorebook made a mistake: on purpose: index 3\n"), "{text}");
    assert!(text.contains("src/panics/tests.rs:") && text.contains("please report it"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// A scope panics with words of its own when one of its threads did: the thread's are the cause.
#[test]
fn a_panic_of_a_thread_is_told_by_its_cause() {
    let error = quiet(|| {
        catch::<()>(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| panic!("on purpose: within a thread"));
            });
            Ok(())
        })
        .unwrap_err()
    });
    assert!(error.message.ends_with("on purpose: within a thread"), "{}", error.message);
}

/// The engine gives a panic of its threads back as an error without a reason.
#[test]
fn an_error_that_echoes_a_panic_is_explained() {
    let error = quiet(|| {
        let _ = std::thread::spawn(|| panic!("on purpose: on the engine's thread")).join();
        explain(Diagnostic::internal("a task was cancelled"))
    });
    assert!(error.message.ends_with("on purpose: on the engine's thread"), "{}", error.message);
    assert!(error.to_string().contains("it came back as: a task was cancelled"));
}

#[test]
fn an_error_that_a_panic_has_nothing_to_do_with_stays_as_it_is() {
    assert_eq!(quiet(|| explain(Diagnostic::internal("the disk is full")).message.clone()), "the disk is full");
    assert_eq!(quiet(|| explain(Diagnostic::data("no export")).message.clone()), "no export");
}

#[test]
fn what_was_at_work_is_said_in_words() {
    let mut work = Work { command: "run", publishes: true, stage: "score", item: "bookings".into(), published: None };
    assert_eq!(doing(&work), "`scorebook run` was in the stage `score`, at bookings");
    assert!(outcome(&work).starts_with("nothing of this run was published"));
    work.published = Some(7);
    assert!(outcome(&work).starts_with("run 7 is sealed and stands"));
}
