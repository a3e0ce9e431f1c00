//! Splits and overlay: what of a fact is whose.

use super::numbers::{CENT, ONE, rounded};

/// A row of credits; the share in trillionths.
#[derive(Clone)]
pub struct Credit {
    pub record: String,
    pub rep: String,
    pub share: i128,
    pub is_overlay: bool,
}

/// A number by shares that add up to one, the largest share first and of equal ones the smaller id. Money in cents, by
/// largest remainder; anything else in trillionths, and what cannot be shared stays with the largest share.
pub fn parts(whole: i128, shares: &[i128], in_cents: bool) -> Vec<i128> {
    let unit = if in_cents { CENT } else { 1 };
    let exact = shares.iter().map(|share| product(whole, *share));
    let (mut parts, mut lost): (Vec<i128>, Vec<(usize, i128)>) = (Vec::new(), Vec::new());
    for (place, exact) in exact.enumerate() {
        parts.push(exact.div_euclid(unit * SHARES));
        lost.push((place, exact.rem_euclid(unit * SHARES)));
    }
    let mut left = whole / unit - parts.iter().sum::<i128>();
    if !in_cents {
        parts[0] += left;
        return parts;
    }
    // The sort is stable: of equal losses the larger share comes first.
    lost.sort_by_key(|(_, lost)| -lost);
    for (place, _) in lost {
        if left > 0 {
            parts[place] += 1;
            left -= 1;
        }
    }
    parts.into_iter().map(|part| part * unit).collect()
}

/// Overlay credit: one part alone, rounded half away from zero.
pub fn overlay(whole: i128, share: i128, in_cents: bool) -> i128 {
    let unit = if in_cents { CENT } else { 1 };
    rounded(product(whole, share), unit * SHARES) * unit
}

/// A share has up to six digits after the point, so millionths leave room for the product.
const SHARES: i128 = 1_000_000;

fn product(whole: i128, share: i128) -> i128 {
    assert_eq!(share % (ONE / SHARES), 0, "a share has up to six digits after the point");
    whole * (share / (ONE / SHARES))
}
