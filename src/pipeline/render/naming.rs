//! The names of files and folders that stand for people: readable, and nobody else's.
//!
//! A name is made of the person alone, never of who else there is: it stays when a namesake joins, and a link that was mailed once
//! never leads to another person's page. What tells people apart is a mark of their id; the readable part before it is for the eye, and may
//! be cut, empty, or the same for many. The mark keeps letters of one case, so names differ also where a file system folds case or
//! accents, and no name is one that a system keeps for itself (`con`, `nul`).

use crate::domain::digest::Digest;
use crate::domain::score::COMPANY;

/// The letters of marks: digits and lower-case letters without those that are taken for others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// A mark has so many letters of five bits each.
const MARK: usize = 8;
/// Readable parts are cut behind so many bytes: with level, mark and ending they stay below what file systems take, also those
/// that encrypt names.
const LONGEST: usize = 96;
/// Names that some systems keep for devices, whatever their ending.
const KEPT: [&str; 6] = ["con", "prn", "aux", "nul", "conin", "conout"];

/// The name of an entity's files, without ending.
pub fn file_name(level: &str, id: &str, name: &str) -> String {
    let readable = slug(name, LONGEST);
    match (level, readable.as_str()) {
        // There is one company, and its files are linked from far and wide.
        (COMPANY, name) if !name.is_empty() && !is_kept(name) => readable,
        (_, "") => mark(level, id),
        _ => format!("{readable}-{}", mark(level, id)),
    }
}

/// The name of an audience's folder.
pub fn folder_name(level: &str, id: &str, name: &str) -> String {
    match level {
        COMPANY => COMPANY.to_owned(),
        _ => format!("{}-{}", slug(level, LONGEST / 4), file_name(level, id, name)),
    }
}

/// What tells an entity from all others of any level: forty bits of a digest of level and id.
pub fn mark(level: &str, id: &str) -> String {
    // No level has a line break in it, so no two pairs give one text.
    let digest = Digest::of(format!("{level}\n{id}").as_bytes());
    let bits = digest.as_bytes()[..5].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letter = |i: usize| char::from(LETTERS[(bits >> (5 * i) & 31) as usize]);
    (0..MARK).rev().map(letter).collect()
}

/// A path as file systems that do not tell case or ways of writing accents apart see it, or coarser.
pub fn folded(path: &str) -> String {
    let plain = path.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    plain.filter(|c| c.is_ascii() || !is_accent(*c)).collect()
}

/// The combining marks that most scripts of Europe write their accents with.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Lower-case letters and digits of any script, with hyphens between words.
fn slug(text: &str, longest: usize) -> String {
    let mut slug = String::new();
    for c in text.chars().take(longest).flat_map(char::to_lowercase) {
        if slug.len() + c.len_utf8() > longest {
            break;
        }
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn is_kept(name: &str) -> bool {
    let port = |kind| name.strip_prefix(kind).is_some_and(|rest: &str| rest.chars().count() <= 1);
    KEPT.contains(&name) || port("com") || port("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_become_file_names() {
        assert_eq!(slug("Zoë O'Brien-Łuć", LONGEST), "zoë-o-brien-łuć");
        assert_eq!(slug("../../etc/passwd", LONGEST), "etc-passwd");
        assert_eq!(slug("#&<", LONGEST), "");
        assert_eq!(file_name(COMPANY, COMPANY, "Alderbrook Instruments"), "alderbrook-instruments");
        assert_eq!(folder_name(COMPANY, COMPANY, "Alderbrook Instruments"), "company");
        for name in ["Con", "com1", "NUL.", "#"] {
            assert!(file_name(COMPANY, COMPANY, name).ends_with(&mark(COMPANY, COMPANY)), "{name}");
        }
        assert!(file_name("rep", "crm:1", "日本".repeat(90).as_str()).len() <= LONGEST + 1 + MARK);
    }

    #[test]
    fn no_two_people_share_a_name_and_none_depends_on_another() {
        let long = "salesforce:0058d000000000000000000000000000000".to_owned();
        let people = [
            ("rep", "crm:ab1", "Ann Lee"),
            ("rep", "crm:AB1", "Ann Lee"),
            ("rep", "crm:ab1 ", "ANN LEE"),
            ("team", "crm:ab1", "Ann Lee"),
            ("rep", "crm:zo\u{eb}", "Zo\u{eb}"),
            ("rep", "crm:zoe\u{308}", "Zoe\u{308}"),
            ("rep", "crm:2", "con"),
            ("rep", "crm:3", "CON."),
            ("rep", "crm:4", ""),
            ("rep", "crm:5", "🚀"),
            ("rep", &format!("{long}A"), "Ann Lee"),
            ("rep", &format!("{long}B"), "Ann Lee"),
            ("rep", &format!("{long}b"), "Ann Lee"),
        ];
        let names: BTreeSet<String> =
            people.iter().map(|(level, id, name)| folded(&file_name(level, id, name))).collect();
        assert_eq!(names.len(), people.len(), "{names:?}");
        let folders: BTreeSet<String> =
            people.iter().map(|(level, id, name)| folded(&folder_name(level, id, name))).collect();
        assert_eq!(folders.len(), people.len(), "{folders:?}");
        for name in &names {
            assert!(!name.is_empty() && !name.ends_with(['.', ' ', '-']) && !is_kept(name), "{name}");
        }
        // One whose name is another's with that one's mark behind it is still somebody else.
        let other = file_name("rep", "crm:9", &file_name("rep", "crm:ab1", "Ann Lee"));
        assert!(!names.contains(&other));
        // The name is known without anybody else's: it is the same tomorrow, and it stands in links.
        assert_eq!(file_name("rep", "crm:ab1", "Ann Lee"), "ann-lee-5ytk9evq");
    }
}
