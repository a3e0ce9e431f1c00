//! A panic held to the document in which it happened.
//!
//! Its one constraint: what panicked is told as an error like any other, and nothing prints in between. A panic elsewhere goes
//! where it would have gone.

use crate::diagnostic::{Diagnostic, Result};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is caught, and the last one that was: where, and with which words.
    static HEARD: RefCell<Option<String>> = const { RefCell::new(None) };
}

static LISTEN: Once = Once::new();

/// Does the work; a panic in it becomes an error that says `at` what.
///
/// # Errors
/// The work's own, or that it panicked.
pub fn caught<T>(at: impl FnOnce() -> String, work: impl FnOnce() -> Result<T>) -> Result<T> {
    LISTEN.call_once(listen);
    HEARD.set(Some(String::new()));
    // What panicked is let go of as a whole: its document is made of values that no other one sees.
    let result = catch_unwind(AssertUnwindSafe(work));
    let heard = HEARD.take().unwrap_or_default();
    result.unwrap_or_else(|_| {
        Err(Diagnostic::internal(format!("Scorebook itself failed at {}", at())).note(heard).help(
            "this is a fault of ours: please report it with these lines, and with what is unusual about this document",
        ))
    })
}

/// Keeps the words of panics that are caught here. The hook that was there before hears all others.
fn listen() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let is_caught = HEARD.try_with(|heard| match heard.borrow_mut().as_mut() {
            Some(heard) => *heard = words(panic),
            None => before(panic),
        });
        if is_caught.is_err() {
            before(panic);
        }
    }));
}

/// `attempt to add with overflow at src/x.rs:12`.
fn words(panic: &PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().unwrap_or("it did not say why");
    match panic.location() {
        Some(place) => format!("{said}, at {}:{}", short(place.file()), place.line()),
        None => said.to_owned(),
    }
}

/// A path of the sources without the folders of the machine that built it.
fn short(path: &str) -> &str {
    path.rsplit_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/')).map_or(path, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_words_and_place() {
        let error = caught(|| "the page of Ada".into(), || -> Result<()> { panic!("no room for {}", 7) });
        let error = error.expect_err("it panicked").to_string();
        for told in ["Scorebook itself failed at the page of Ada", "no room for 7, at src/pipeline/render/caught.rs:"] {
            assert!(error.contains(told), "{error}");
        }
        let fine = caught(|| unreachable!("nothing panicked"), || Ok(1));
        assert_eq!(fine.expect("it did not panic"), 1);
    }

    #[test]
    fn a_library_is_told_without_the_folders_of_a_machine() {
        assert_eq!(short("/home/x/.cargo/registry/src/index-19/krilla-0.8.2/src/a.rs"), "krilla-0.8.2/src/a.rs");
        assert_eq!(short("src/a.rs"), "src/a.rs");
    }
}
