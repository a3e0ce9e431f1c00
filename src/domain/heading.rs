//! When two column names are the same to a person, and when they only look alike.
//!
//! CRMs change the case of a heading, the blanks and marks around it and the way its letters are encoded, and mean the same
//! column. A hyphen more may be the same column or another one: that is for a person to say.

use unicode_normalization::UnicodeNormalization;

/// The name as all its spellings share it: `" E-Mail"`, `"e-mail\u{feff}"` and `'E-MAIL'` are one column.
pub fn folded(name: &str) -> String {
    let plain: String = name.nfkc().filter(|letter| !is_invisible(*letter)).flat_map(char::to_lowercase).collect();
    // Lower case may undo the composed form: of a capital I with a dot, for one.
    let plain: String = plain.trim_matches(|letter: char| letter.is_whitespace() || is_quote(letter)).nfkc().collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letters and digits alone: `E-Mail`, `E_Mail`, `e mail` and `Email` look alike. Empty if there are none.
pub fn bare(name: &str) -> String {
    folded(name).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Marks that nobody sees: byte order marks, joiners, soft hyphens, marks of direction.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn is_quote(letter: char) -> bool {
    matches!(
        letter,
        '"' | '\'' | '`' | '\u{b4}' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_column_are_one() {
        let spellings = [
            "Email",
            "EMAIL",
            " email ",
            "\u{feff}Email",
            "\"Email\"",
            "'email'",
            "\u{201e}Email\u{201c}",
            "Ｅｍａｉｌ",
            "E\u{ad}mail",
            "\u{200b}Email\u{a0}",
            "`Email`",
            "\u{feff}\"Email\"",
        ];
        for spelling in spellings {
            assert_eq!(folded(spelling), "email", "{spelling:?}");
        }
        assert_eq!(folded("Stra\u{df}e"), folded("STRA\u{1e9e}E"));
        assert_eq!(folded("Te\u{301}le\u{301}phone"), folded("T\u{e9}l\u{e9}phone"));
        assert_eq!(folded("Close\r\n  Date"), "close date");
        assert_eq!(folded(&folded("\u{130}stanbul")), folded("\u{130}stanbul"));
    }

    #[test]
    fn names_that_look_alike_are_not_one() {
        for name in ["E-Mail", "E_Mail", "e mail", "E.Mail", "E\u{2010}mail", "(Email)"] {
            assert_ne!(folded(name), "email", "{name}");
            assert_eq!(bare(name), "email", "{name}");
        }
        assert_ne!(bare("Email2"), bare("Email"));
        assert_eq!(bare("#"), "");
    }
}
