//! What print can show: texts as the fonts have them, a box where no font has a sign.
//!
//! Its one constraint: no text keeps a document from being made. Whatever a cell holds, what comes out of here has a glyph for
//! every sign in a font of its own; and what does not print as it stands is told, never silently lost. Attachments, the CSV
//! twin and the pages keep their texts.

use crate::artifact::document::Unprinted;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use unicode_segmentation::UnicodeSegmentation;

/// A word of more letters may be broken anywhere, others only where their language does.
const LONGEST_WORD: usize = 30;
/// What stands where no font has a sign: the first of these that a font has.
const BOXES: [char; 3] = ['\u{25a1}', '\u{fffd}', '?'];

/// How much is trusted to be shaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Letters with their marks, joined signs, any script.
    All,
    /// Single signs of the first font alone: what is left when a document could not be made with all.
    Plain,
}

/// The characters of the fonts.
pub struct Glyphs {
    /// Of each font, sorted.
    fonts: Vec<Vec<u32>>,
    substitute: char,
}

impl Glyphs {
    /// The glyphs of these fonts: the characters of each.
    pub fn new(mut fonts: Vec<Vec<u32>>) -> Glyphs {
        fonts.iter_mut().for_each(|font| font.sort_unstable());
        let mut glyphs = Glyphs { fonts, substitute: BOXES[2] };
        let found = BOXES.into_iter().find(|sign| (0..glyphs.fonts.len()).any(|font| glyphs.has(font, *sign)));
        glyphs.substitute = found.unwrap_or(glyphs.substitute);
        glyphs
    }

    fn has(&self, font: usize, sign: char) -> bool {
        self.fonts.get(font).is_some_and(|font| font.binary_search(&u32::from(sign)).is_ok())
    }

    /// The value with every text as it can be printed. What of the texts that are there to be read does not print as it stands
    /// is added to `told`.
    pub fn printable(&self, value: &Value, trust: Trust, told: &mut BTreeSet<Unprinted>) -> Value {
        Printing { glyphs: self, trust, told }.value(value, "", true)
    }

    /// A text as it can be printed, and what of it cannot; nothing if it can be printed as it stands.
    pub fn text(&self, text: &str, trust: Trust) -> Option<(String, BTreeSet<char>)> {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            return None;
        }
        let (mut printed, mut lost) = (String::with_capacity(text.len()), BTreeSet::new());
        for cluster in text.graphemes(true) {
            self.cluster(cluster, trust, &mut printed, &mut lost);
        }
        (printed != text || !lost.is_empty()).then_some((printed, lost))
    }

    /// One sign as readers know it: a letter with its marks, or signs that are joined into one.
    fn cluster(&self, cluster: &str, trust: Trust, printed: &mut String, lost: &mut BTreeSet<char>) {
        if cluster.chars().all(char::is_whitespace) {
            // A blank of any width prints in every font; a break within a text is a blank as well.
            let as_it_stands = |c| matches!(c, ' ' | '\n') || self.has(0, c);
            return printed.extend(cluster.chars().map(|c| if as_it_stands(c) { c } else { ' ' }));
        }
        let needed: Vec<char> = cluster.chars().filter(|c| !is_dropped(*c) && !is_invisible(*c)).collect();
        lost.extend(cluster.chars().filter(|c| is_dropped(*c)));
        // A decoder, or the landing, put it where a byte or a control character stood.
        lost.extend(needed.iter().filter(|c| **c == char::REPLACEMENT_CHARACTER));
        let fonts = match trust {
            Trust::All => 0..self.fonts.len(),
            Trust::Plain => 0..self.fonts.len().min(1),
        };
        let is_plain = trust == Trust::All || cluster.chars().count() == 1;
        let fits = |font: &usize| needed.iter().all(|c| !is_unfit(*c) && self.has(*font, *c));
        match fonts.filter(|_| is_plain).find(fits) {
            // A joiner or a selector is of use where the font knows it; elsewhere the shaper would show that it does not.
            Some(font) => printed.extend(cluster.chars().filter(|c| !is_dropped(*c) && self.has(font, *c))),
            None if needed.is_empty() => {}
            None => {
                printed.push(self.substitute);
                let known = |c: &char| (0..self.fonts.len()).any(|font| self.has(font, *c)) && !is_unfit(*c);
                let unknown: Vec<char> = needed.iter().copied().filter(|c| !known(c)).collect();
                lost.extend(if unknown.is_empty() { needed } else { unknown });
            }
        }
    }
}

/// A value while it is made printable.
struct Printing<'a> {
    glyphs: &'a Glyphs,
    trust: Trust,
    told: &'a mut BTreeSet<Unprinted>,
}

impl Printing<'_> {
    fn value(&mut self, value: &Value, place: &str, is_read: bool) -> Value {
        match value {
            Value::String(text) => {
                let (printed, signs) =
                    self.glyphs.text(text, self.trust).unwrap_or_else(|| (text.clone(), BTreeSet::new()));
                if is_read && !signs.is_empty() {
                    self.told.insert(Unprinted { text: text.clone(), signs, place: place.to_owned() });
                }
                Value::String(if is_read { with_breaks(printed) } else { printed })
            }
            Value::Array(items) => items.iter().map(|item| self.value(item, place, is_read)).collect(),
            Value::Object(members) => {
                // The heading of a list, a table or a line says where its texts stand.
                let title = members.get("title").and_then(Value::as_str).filter(|_| place.is_empty());
                let place = title.unwrap_or(place);
                let one = |(name, member): (&String, &Value)| {
                    // Raw cells and facts are there to be read by programs.
                    let is_read = is_read && !matches!(name.as_str(), "raw" | "facts");
                    (name.clone(), self.value(member, place, is_read))
                };
                Value::Object(members.iter().map(one).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// The text with places where a line may end within words of extraordinary length: such a one would run over the numbers
/// beside it. After a sign that joins words if it has one.
fn with_breaks(text: String) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '-' | '/' | '\u{200b}');
    if text.split(is_end).all(|word| word.len() <= LONGEST_WORD || word.chars().count() <= LONGEST_WORD) {
        return text;
    }
    let mut broken = String::with_capacity(text.len() + text.len() / 8);
    for word in text.split_inclusive(is_end) {
        let is_long = word.chars().count() > LONGEST_WORD;
        let mut since = 0;
        for letter in word.graphemes(true) {
            broken.push_str(letter);
            since += 1;
            let joins = letter.chars().all(|c| c.is_ascii_punctuation()) && since > LONGEST_WORD / 5;
            if is_long && (joins || since == LONGEST_WORD / 2) && !letter.ends_with(is_end) {
                broken.push('\u{200b}');
                since = 0;
            }
        }
    }
    broken
}

/// The value without signs that turn the direction of what follows: a name may not turn round the numbers behind it.
pub fn without_turns(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(is_turn) => text.retain(|c| !is_turn(c)),
        Value::Array(items) => items.iter_mut().for_each(without_turns),
        Value::Object(members) => members.values_mut().for_each(without_turns),
        _ => {}
    }
}

/// Embeddings, overrides and isolates of a direction. Marks of one, which turn nothing but themselves, are none.
pub fn is_turn(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands for nothing and would do harm: turns of direction, a byte order mark within a text, marks of annotations.
fn is_dropped(c: char) -> bool {
    is_turn(c) || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// What has no glyph of its own and needs none: joiners, selectors, fillers, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What archived PDF forbids whatever a font has: control characters, private use, and what is no character.
fn is_unfit(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef)
        || code & 0xfffe == 0xfffe
}

/// A text that some documents have and that does not print as it stands, over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is not printed.
    pub signs: BTreeSet<char>,
    /// Report and reader of the first document that has it.
    pub document: (String, String),
    /// Under which heading it stands there.
    pub place: String,
    /// In how many documents it stands.
    pub documents: usize,
}

/// The same by text, of documents by report and reader.
pub fn by_text<'a>(
    documents: impl IntoIterator<Item = (&'a str, &'a str, &'a BTreeSet<Unprinted>)>,
) -> BTreeMap<String, Told> {
    let mut all: BTreeMap<String, Told> = BTreeMap::new();
    for (report, reader, unprinted) in documents {
        let mut own: BTreeMap<&str, &Unprinted> = BTreeMap::new();
        for one in unprinted {
            own.entry(&one.text).or_insert(one);
        }
        for (text, one) in own {
            let document = (report.to_owned(), reader.to_owned());
            let (signs, place) = (one.signs.clone(), one.place.clone());
            let told = all.entry(text.to_owned());
            told.and_modify(|told| told.documents += 1).or_insert(Told { signs, document, place, documents: 1 });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs() -> Glyphs {
        let latin = (0x20..0x250).chain([0x301, 0x200d, 0x25a1, 0xfffd, 0xfeff, 0xe000]).collect();
        Glyphs::new(vec![latin, vec![0x200d, 0x1f680, 0x1f468, 0x1f469]])
    }

    #[test]
    fn what_no_font_has_is_a_box_and_told() {
        let glyphs = glyphs();
        let printed = |text: &str| match glyphs.text(text, Trust::All) {
            None => (text.to_owned(), String::new()),
            Some((printed, lost)) => (printed, lost.into_iter().collect()),
        };
        let as_it_stands = |text: &str| (text.to_owned(), String::new());
        for text in ["Zoë & Co.", "e\u{301}", "\u{1f680}", "\u{1f468}\u{200d}\u{1f469}", "a\u{ad}b"] {
            assert_eq!(printed(text), as_it_stands(text));
        }
        for (text, shown, lost) in [
            ("日本", "□□", "日本"),
            // A joined sign is one box, and so is a letter whose mark no font has.
            ("a\u{1f468}\u{200d}\u{1f52c}b", "a□b", "\u{1f52c}"),
            ("a\u{20e3}", "□", "\u{20e3}"),
            // Each part has a font, and no font has both.
            ("a\u{200d}\u{1f680}\u{301}", "a\u{200d}□", "\u{301}\u{1f680}"),
            // What no font knows and nobody sees is no loss.
            ("©\u{fe0f}\u{e0020}\u{180f}", "©", ""),
            ("a\u{feff}b", "ab", "\u{feff}"),
            ("a\u{202e}b\u{2066}c", "abc", "\u{202e}\u{2066}"),
            ("bell\u{7}", "bell□", "\u{7}"),
            ("\u{e000}\u{10ffff}\u{378}", "□□□", "\u{378}\u{e000}\u{10ffff}"),
            ("a\u{fffd}", "a\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!(printed(text), (shown.to_owned(), lost.to_owned()), "{text:?}");
        }
        assert_eq!(printed("a\u{2028}b\u{1680}c").0, "a b c");
    }

    #[test]
    fn plain_text_is_of_one_font_sign_by_sign() {
        let printed = |text: &str| glyphs().text(text, Trust::Plain).map(|(printed, _)| printed);
        assert_eq!(printed("Zoë"), None);
        assert_eq!(printed("e\u{301}\u{1f680}a\u{200d}").as_deref(), Some("□□□"));
    }

    #[test]
    fn every_character_comes_out_printable() {
        let glyphs = glyphs();
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let Some((printed, _)) = glyphs.text(&format!("a{c}b"), Trust::All) else { continue };
            let fit = |c: char| {
                c.is_whitespace() || is_invisible(c) || (glyphs.has(0, c) || glyphs.has(1, c)) && !is_unfit(c)
            };
            assert!(printed.chars().all(fit), "{printed:?}");
            assert!(!printed.contains(is_dropped), "{printed:?}");
        }
    }

    #[test]
    fn texts_are_told_with_their_heading_once_for_each_document() {
        let value = serde_json::json!({
            "entity": { "name": "Jo 日" },
            "lists": [{ "title": "Deals won", "rows": [[{ "raw": "日本", "text": "x 日" }], [{ "text": "x 日" }]] }],
            "facts": [{ "record_id": "日" }],
        });
        let mut told = BTreeSet::new();
        let printed = glyphs().printable(&value, Trust::All, &mut told);
        assert_eq!(printed["lists"][0]["rows"][0][0], serde_json::json!({ "raw": "□□", "text": "x □" }));
        let texts: Vec<_> = told.iter().map(|one| (one.text.as_str(), one.place.as_str())).collect();
        assert_eq!(texts, [("Jo 日", ""), ("x 日", "Deals won")]);
        let all = by_text([("scorecard", "Jo", &told), ("board", "Company", &told)]);
        assert_eq!((all.len(), all["x 日"].documents), (2, 2));
        assert_eq!(all["x 日"].document, ("scorecard".to_owned(), "Jo".to_owned()));
    }

    #[test]
    fn a_word_without_end_can_be_broken() {
        let broken = |text: &str| with_breaks(text.to_owned()).replace('\u{200b}', "|");
        for short in ["x".repeat(30), format!("{0}-{0} {0}/{0}", "x".repeat(30)), "7K3M-9QXD-2F4T-5.b".into()] {
            assert_eq!(broken(&short), short);
        }
        assert_eq!(broken(&"x".repeat(31)), format!("{0}|{0}|x", "x".repeat(15)));
        assert_eq!(
            broken("a renewal_of_the_northern_licences_for_2027"),
            "a renewal_|of_the_|northern_|licences_|for_2027"
        );
        assert_eq!(broken(&"e\u{301}".repeat(31)), format!("{0}|{0}|e\u{301}", "e\u{301}".repeat(15)));
    }

    #[test]
    fn a_name_turns_nothing_round() {
        let mut value = serde_json::json!([{ "text": "x\u{202e}y\u{200f}" }]);
        without_turns(&mut value);
        assert_eq!(value, serde_json::json!([{ "text": "xy\u{200f}" }]));
    }
}
