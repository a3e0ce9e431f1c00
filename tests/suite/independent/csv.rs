//! Reads CSV by hand: records, and those that cannot be read.

/// What a file holds.
pub struct Records {
    pub read: Vec<Vec<String>>,
    /// How many could not be read.
    pub rejected: usize,
}

/// All records. After a broken quote nobody knows where the record was meant to end, so its first physical line alone
/// is rejected and reading goes on with the next one.
pub fn records(bytes: &[u8]) -> Records {
    let mut found = Records { read: Vec::new(), rejected: 0 };
    let mut at = 0;
    while at < bytes.len() {
        match record(bytes, at) {
            Some((cells, next)) => {
                // One bad cell rejects the whole record.
                match cells.into_iter().map(String::from_utf8).collect() {
                    Ok(cells) => found.read.push(cells),
                    Err(_) => found.rejected += 1,
                }
                at = next;
            }
            None => {
                found.rejected += 1;
                at = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |line| at + line + 1);
            }
        }
    }
    found
}

/// The record that starts at `at` and where the next one starts; nothing if one of its quotes is broken.
fn record(bytes: &[u8], mut at: usize) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut cells = Vec::new();
    loop {
        let (cell, end) = if bytes.get(at) == Some(&b'"') { quoted(bytes, at + 1)? } else { bare(bytes, at)? };
        cells.push(cell);
        match &bytes[end..] {
            [] => return Some((cells, end)),
            [b',', ..] => at = end + 1,
            [b'\n', ..] => return Some((cells, end + 1)),
            [b'\r', b'\n', ..] => return Some((cells, end + 2)),
            // Something stands between a closing quote and the next comma.
            _ => return None,
        }
    }
}

/// A cell whose opening quote stands before `at`; two quotes inside are one. Broken if the file ends first.
fn quoted(bytes: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut cell = Vec::new();
    loop {
        let length = bytes[at..].iter().position(|&byte| byte == b'"')?;
        cell.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some((cell, at));
        }
        cell.push(b'"');
        at += 1;
    }
}

/// A cell without quotes, up to the comma or the line's end. A quote inside it is broken.
fn bare(bytes: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut end = start;
    loop {
        match &bytes[end..] {
            [] | [b',', ..] | [b'\n', ..] | [b'\r', b'\n', ..] => return Some((bytes[start..end].to_vec(), end)),
            [b'"', ..] => return None,
            _ => end += 1,
        }
    }
}
