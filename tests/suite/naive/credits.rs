//! Facts shared over the reps who are credited with their records.

use super::company::{Company, Credit};
use super::metrics::{Aggregate, Fact, ONE, Spec};

/// A share of one is a million.
const WHOLE: i128 = 1_000_000;

/// The lines of a metric's facts.
pub fn lines(company: &Company, spec: &Spec, facts: Vec<Fact>) -> Vec<Fact> {
    if !spec.credit {
        return facts;
    }
    facts.iter().flat_map(|fact| shared(company, spec, fact)).collect()
}

fn shared(company: &Company, spec: &Spec, fact: &Fact) -> Vec<Fact> {
    let of = |overlay: bool| {
        let credits =
            company.credits.iter().filter(move |one| one.opportunity == fact.record && one.overlay == overlay);
        let mut all: Vec<&Credit> = credits.collect();
        all.sort_by_key(|one| (-one.share, &one.rep));
        all
    };
    let (revenue, overlay) = (of(false), of(true));
    let whole = !matches!(spec.aggregate, Aggregate::Distinct | Aggregate::Median);
    let in_cents = spec.money && spec.aggregate == Aggregate::Sum;
    let line = |credit: &Credit, above: i128, below: i128| Fact {
        rep: Some(credit.rep.clone()),
        above: if whole { above } else { fact.above },
        below: if whole { below } else { fact.below },
        overlay: credit.overlay,
        ..fact.clone()
    };
    let shares: Vec<i128> = revenue.iter().map(|credit| i128::from(credit.share)).collect();
    let above = if in_cents { in_cents_parts(fact.above, &shares) } else { parts(fact.above, &shares) };
    let sides = above.into_iter().zip(parts(fact.below, &shares));
    let mut all: Vec<Fact> =
        revenue.iter().zip(sides).map(|(credit, (above, below))| line(credit, above, below)).collect();
    if all.is_empty() {
        all.push(fact.clone());
    }
    all.extend(overlay.into_iter().map(|credit| {
        let part = |of: i128, step: i128| rounded(of * i128::from(credit.share), WHOLE * step) * step;
        line(credit, part(fact.above, if in_cents { ONE / 100 } else { 1 }), part(fact.below, 1))
    }));
    all
}

/// Trillionths by shares, the largest first: rounded down, and what is left to the largest share.
fn parts(whole: i128, shares: &[i128]) -> Vec<i128> {
    let mut parts: Vec<i128> = shares.iter().map(|share| (whole * share).div_euclid(WHOLE)).collect();
    let left = whole - parts.iter().sum::<i128>();
    parts.iter_mut().take(1).for_each(|part| *part += left);
    parts
}

/// Whole cents by shares, the largest first: rounded down, and the cents that are left one by one to the parts that lost most.
fn in_cents_parts(whole: i128, shares: &[i128]) -> Vec<i128> {
    let cent = ONE / 100;
    let mut parts: Vec<i128> = shares.iter().map(|share| (whole * share).div_euclid(WHOLE * cent)).collect();
    let left = whole / cent - parts.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    // The sort is stable: of equal losses the larger share comes first.
    order.sort_by_key(|i| -(whole * shares[*i]).rem_euclid(WHOLE * cent));
    order.into_iter().take(left as usize).for_each(|i| parts[i] += 1);
    parts.into_iter().map(|part| part * cent).collect()
}

/// Rounded half away from zero.
pub fn rounded(n: i128, d: i128) -> i128 {
    (2 * n.abs() + d) / (2 * d) * n.signum()
}
