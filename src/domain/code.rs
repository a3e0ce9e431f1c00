//! Reference codes: short names that people can read out and type.

use crate::domain::digest::Digest;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 12;

/// The reference code of what `identity` says: 60 bits of its SHA-256 in Crockford's base 32, and his check character
/// (the number modulo 37), grouped as `XXXX-XXXX-XXXX-C`.
///
/// Five of the 37 check characters are punctuation that a shell or a mail program would maim. The hash is salted
/// until the check character is a letter or a digit.
pub fn reference_code(identity: &str) -> String {
    (0_u32..)
        .map(|salt| {
            let digest = Digest::of(format!("{salt}\n{identity}").as_bytes());
            let head: [u8; 8] = digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes");
            u64::from_be_bytes(head) >> 4
        })
        .find(|number| number % 37 < 32)
        .map(encode)
        .expect("one of a few hashes is not punctuation")
}

fn encode(number: u64) -> String {
    let mut code = String::with_capacity(DIGITS + 4);
    for i in 0..DIGITS {
        if i > 0 && i % 4 == 0 {
            code.push('-');
        }
        code.push(letter(number >> (5 * (DIGITS - 1 - i)) & 31));
    }
    code.push('-');
    code.push(letter(number % 37));
    code
}

fn letter(value: u64) -> char {
    char::from(ALPHABET[value as usize])
}

/// A code as it was typed: the line's code in its printed form, and the letter of a column if one follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// `XXXX-XXXX-XXXX-C`.
    pub code: String,
    /// The column's letter, lower case.
    pub column: Option<char>,
}

/// Reads a code as people type it: any case, hyphens or blanks or neither, `O` for zero, `I` and `L` for one, and a
/// column's letter after a point.
///
/// # Errors
/// What is wrong with it: its length, a character, or the check.
pub fn parse(text: &str) -> Result<Typed, String> {
    let (code, column) = match text.trim().split_once('.') {
        Some((code, column)) => {
            // A change stands between two columns, `a-b`: what it is a change of is the first.
            let column = column.split_once('-').map_or(column, |(first, _)| first);
            let mut letters = column.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) if letter.is_ascii_alphabetic() => (code, Some(letter.to_ascii_lowercase())),
                _ => return Err(format!("`.{column}` is no column: one letter after the point")),
            }
        }
        None => (text.trim(), None),
    };
    let mut digits = Vec::with_capacity(DIGITS + 1);
    for c in code.chars().filter(|c| !matches!(c, '-' | ' ')) {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let value = ALPHABET.iter().position(|a| char::from(*a) == c);
        digits.push(value.ok_or_else(|| format!("`{c}` does not occur in a reference code"))? as u64);
    }
    if digits.len() != DIGITS + 1 {
        return Err(format!("a reference code has {} characters, this has {}", DIGITS + 1, digits.len()));
    }
    let number = digits[..DIGITS].iter().fold(0, |number, digit| number << 5 | digit);
    if number % 37 != digits[DIGITS] {
        return Err("its check character does not fit: one of its characters is mistyped".into());
    }
    Ok(Typed { code: encode(number), column })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_being_typed() {
        for i in 0..500 {
            let code = reference_code(&format!("line {i}"));
            assert_eq!(code.len(), 16);
            let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            assert_eq!(parse(&typed), Ok(Typed { code: code.clone(), column: None }));
            assert_eq!(parse(&format!("{code}.B")).unwrap().column, Some('b'));
            let mut wrong = code.clone().into_bytes();
            wrong[3] = if wrong[3] == b'7' { b'8' } else { b'7' };
            assert!(parse(std::str::from_utf8(&wrong).unwrap()).is_err());
        }
    }
}
