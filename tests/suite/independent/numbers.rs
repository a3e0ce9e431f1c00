//! Exact numbers: whole trillionths. Every decimal of an export is one, and so are cents, shares and exchange rates.

/// One.
pub const ONE: i128 = 1_000_000_000_000;
/// A cent.
pub const CENT: i128 = ONE / 100;

/// A plain decimal (optional sign, digits, optional point and digits). Digits after the twelfth must be zeros.
pub fn decimal(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 12 {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<12}").parse().ok()?;
    Some(sign * (whole.checked_mul(ONE)? + fraction))
}

/// `number / divisor` rounded half away from zero; the divisor is above zero.
pub fn rounded(number: i128, divisor: i128) -> i128 {
    let whole = (2 * number.abs() + divisor) / (2 * divisor);
    whole * number.signum()
}

/// Trillionths to the cent, half away from zero, still as trillionths.
pub fn to_cents(number: i128) -> i128 {
    rounded(number, CENT) * CENT
}

/// The product of two numbers, in full; nothing if it has more digits than there is room for.
pub fn times(one: i128, other: i128) -> Option<i128> {
    let product = one.checked_mul(other)?;
    (product % ONE == 0).then_some(product / ONE)
}

pub fn to_f64(number: i128) -> f64 {
    number as f64 / ONE as f64
}
