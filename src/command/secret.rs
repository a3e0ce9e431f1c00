//! The key of pseudonyms, from the environment or a file: the only secret that Scorebook knows.

use crate::diagnostic::{Diagnostic, Place, Result};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

/// The variable that holds the key.
const KEY: &str = "SCOREBOOK_PSEUDONYM_KEY";
/// The variable that names a file with the key.
const KEY_FILE: &str = "SCOREBOOK_PSEUDONYM_KEY_FILE";
/// A shorter key could be found by trying: names and addresses are easily guessed, and each guess is a try.
const LEAST_BYTES: usize = 16;
/// Blanks alone are no key, whatever their number.
const LEAST_DIFFERENT: usize = 4;

/// The key, if one is set: of the environment, else of the file that it names.
pub(super) fn secret() -> Result<Option<Vec<u8>>> {
    if let Some(key) = variable(KEY) {
        return checked(key.into_encoded_bytes(), &format!("the pseudonym key in {KEY}"), None).map(Some);
    }
    let Some(path) = variable(KEY_FILE) else { return Ok(None) };
    let shown = Path::new(&path).display().to_string();
    let key = std::fs::read(&path).map_err(|error| {
        Diagnostic::project(format!("cannot read the pseudonym key: {error}"))
            .at(Place::file(&shown))
            .help(format!("{KEY_FILE} names the file; the account that runs Scorebook must be able to read it"))
    })?;
    checked(key, "the pseudonym key", Some(&shown)).map(Some)
}

/// A variable of the environment that is not empty.
#[expect(clippy::disallowed_methods, reason = "secrets come only from the environment or a file")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The key without its line end, which editors and `echo` add, unless it is too short. It is never printed.
fn checked(mut key: Vec<u8>, what: &str, file: Option<&str>) -> Result<Vec<u8>> {
    while key.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        key.pop();
    }
    let different = key.iter().collect::<BTreeSet<&u8>>().len();
    if key.len() >= LEAST_BYTES && different >= LEAST_DIFFERENT {
        return Ok(key);
    }
    let message = match key.len() {
        0 => format!("{what} is empty"),
        LEAST_BYTES.. => format!("{what} repeats {different} different bytes, and needs at least {LEAST_DIFFERENT}"),
        length => format!("{what} has {length} bytes, and needs at least {LEAST_BYTES}"),
    };
    let error = Diagnostic::project(message)
        .note("who knows the names that may stand in a column can try every short key until a pseudonym fits")
        .help("make one that nobody can guess: `openssl rand -hex 32`, and keep it as long as the warehouse");
    Err(match file {
        Some(file) => error.at(Place::file(file)),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<Vec<u8>> {
        checked(text.as_bytes().to_vec(), "the pseudonym key", Some("key.txt"))
    }

    #[test]
    fn a_line_end_is_no_part_of_a_key() {
        for end in ["", "\n", "\r\n", "\n\n"] {
            assert_eq!(key(&format!("0123456789abcdef{end}")).unwrap(), b"0123456789abcdef");
        }
        assert_eq!(key(" 0123456789\nabcde \n").unwrap(), b" 0123456789\nabcde ");
    }

    #[test]
    fn short_keys_are_refused_and_not_printed() {
        for (short, says) in [
            ("", "is empty"),
            ("\r\n", "is empty"),
            ("hunter2\n", "has 7 bytes"),
            ("0123456789abcde\n", "has 15 bytes"),
        ] {
            let error = key(short).unwrap_err();
            assert!(error.message.contains(says), "{}", error.message);
            assert!(!error.render(false).contains("hunter2") && error.render(false).contains("key.txt"));
        }
    }
}
