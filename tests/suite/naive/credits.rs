//! Facts shared over the reps who are credited with their records.

use super::company::{Company, Credit};
use super::metrics::{Aggregate, Fact, ONE, Spec};

/// A share of one is a million.
const WHOLE: i128 = 1_000_000;

/// The lines of a metric's facts.
pub fn lines(company: &Company, spec: &Spec, facts: Vec<Fact>) -> Vec<Fact> {
    let shared = facts.into_iter().flat_map(|fact| match spec.credit {
        true => shared(company, spec, &fact),
        false => vec![(fact, WHOLE)],
    });
    let allocated = |(fact, share): (Fact, i128)| match spec.allocated {
        true => Fact { parts: allocated(spec, &fact, share), ..fact },
        false => fact,
    };
    shared.map(allocated).collect()
}

/// What is named of a fact, and the rest, of a line that has a share of it.
fn allocated(spec: &Spec, line: &Fact, share: i128) -> Vec<Fact> {
    let part = |name: &str, above: i128, below: i128| Fact {
        above,
        below,
        slices: vec![("product", vec![name.to_owned()])],
        ..line.clone()
    };
    // In millionths of what numbers are in, for shares are. The rest comes last.
    let mut exact: Vec<(&str, i128, i128)> =
        line.named.iter().map(|(name, above, below)| (name.as_str(), above * share, below * share)).collect();
    let sum = |side: fn(&(&str, i128, i128)) -> i128| exact.iter().map(side).sum::<i128>();
    let rest = (line.above * WHOLE - sum(|part| part.1), line.below * WHOLE - sum(|part| part.2));
    let has_below = spec.aggregate == Aggregate::Ratio;
    if exact.is_empty() || rest.0 != 0 || (has_below && rest.1 != 0) {
        exact.push(("(unallocated)", rest.0, rest.1));
    }
    let step = if spec.credit && spec.money && !has_below { WHOLE * ONE / 100 } else { WHOLE };
    let mut above: Vec<i128> = exact.iter().map(|(_, above, _)| above.div_euclid(step)).collect();
    let left = line.above * WHOLE / step - above.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by_key(|i| -exact[*i].1.rem_euclid(step));
    order.into_iter().take(left as usize).for_each(|i| above[i] += 1);
    let parts = exact.iter().zip(above);
    parts.map(|((name, _, below), above)| part(name, above * (step / WHOLE), below / WHOLE)).collect()
}

/// Each line with the share that it has of the fact.
fn shared(company: &Company, spec: &Spec, fact: &Fact) -> Vec<(Fact, i128)> {
    let of = |overlay: bool| {
        let credits =
            company.credits.iter().filter(move |one| one.opportunity == fact.record && one.overlay == overlay);
        let mut all: Vec<&Credit> = credits.collect();
        all.sort_by_key(|one| (-one.share, &one.rep));
        all
    };
    let (revenue, overlay) = (of(false), of(true));
    let whole = !matches!(spec.aggregate, Aggregate::Distinct | Aggregate::Median | Aggregate::Percentile(_));
    let in_cents = spec.money && spec.aggregate == Aggregate::Sum;
    let line = |credit: &Credit, above: i128, plan: i128, below: i128| Fact {
        plan,
        rep: Some(credit.rep.clone()),
        above: if whole { above } else { fact.above },
        below: if whole { below } else { fact.below },
        overlay: credit.overlay,
        ..fact.clone()
    };
    let shares: Vec<i128> = revenue.iter().map(|credit| i128::from(credit.share)).collect();
    let above = if in_cents { in_cents_parts(fact.above, &shares) } else { parts(fact.above, &shares) };
    let plan = in_cents_parts(fact.plan, &shares);
    let sides = above.into_iter().zip(plan).zip(parts(fact.below, &shares));
    let own =
        |(credit, ((above, plan), below)): (&&Credit, _)| (line(credit, above, plan, below), i128::from(credit.share));
    let mut all: Vec<(Fact, i128)> = revenue.iter().zip(sides).map(own).collect();
    if all.is_empty() {
        all.push((fact.clone(), WHOLE));
    }
    all.extend(overlay.into_iter().map(|credit| {
        let part = |of: i128, step: i128| rounded(of * i128::from(credit.share), WHOLE * step) * step;
        let above = part(fact.above, if in_cents { ONE / 100 } else { 1 });
        (line(credit, above, part(fact.plan, ONE / 100), part(fact.below, 1)), i128::from(credit.share))
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
